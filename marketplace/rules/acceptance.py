"""Reminders of an acceptance and acceptance by silence. Pure: the moment, the calendar and the facts are arguments."""

from datetime import datetime
from typing import Final

from app.kernel.calendar import WorkCalendar, beijing_date, start_of_day

REMINDERS: Final = 2
"""Silence counts as acceptance only after both (BUSINESS-RULES 2.9)."""


def is_reminder_due(accept_by: datetime, sent: int, now: datetime, calendar: WorkCalendar) -> bool:
    """Whether the next reminder is due: the first on the last working day but one, the second on the last."""
    if sent >= REMINDERS:
        return False
    last_day = beijing_date(accept_by)
    return now >= start_of_day(last_day if sent else calendar.previous_working_day(last_day))


def accept_by_after_reminder(accept_by: datetime, now: datetime, calendar: WorkCalendar) -> datetime:
    """The limit after a reminder: one more working day when the reminder itself came too late, else unchanged."""
    return accept_by if now <= accept_by else calendar.deadline(now, 1).at


def is_accepted_by_silence(accept_by: datetime | None, sent: int, now: datetime) -> bool:
    """Whether silence is acceptance: the limit has passed and both reminders were sent."""
    return accept_by is not None and now > accept_by and sent >= REMINDERS
