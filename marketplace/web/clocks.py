"""The working-day clock as pages and the API show it; cases and contracts share it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from app.kernel import clock, work_calendar
from app.kernel.calendar import UnknownYear, beijing_date
from marketplace.rules.service_clock import ClockReading, Light

LIGHTS: Final[Mapping[Light, str]] = {
    Light.GREEN: "green",
    Light.LIME: "green",
    Light.YELLOW: "amber",
    Light.RED: "red",
}


def light_of(reading: ClockReading) -> str:
    """The light of the clock component."""
    if reading.is_stopped:
        return "done"
    return "paused" if reading.is_paused else LIGHTS[reading.light]


def working_days_until(due: date | datetime) -> int | None:
    """Working days from today until the Beijing day of `due`; None while the calendar of a year between is unknown."""
    day = beijing_date(due) if isinstance(due, datetime) else due
    try:
        return work_calendar.current().count_working_days(clock.today(), day)
    except UnknownYear:
        return None


def clock_json(reading: ClockReading) -> dict[str, Any]:
    """The clock in an answer of the API. All numbers are working days."""
    return {
        "limit_wd": reading.limit_wd,
        "used_wd": reading.used_wd,
        "paused_wd": reading.paused_wd,
        "remaining_wd": reading.remaining_wd,
        "starts_on": iso(reading.starts_on),
        "planned_finish": iso(reading.planned_finish),
        "is_paused": reading.is_paused,
        "is_stopped": reading.is_stopped,
        "light": reading.light,
    }


def iso(moment: date | datetime | None) -> str | None:
    """A date or an instant in the form of ISO 8601, None when there is none."""
    return moment.isoformat() if moment else None
