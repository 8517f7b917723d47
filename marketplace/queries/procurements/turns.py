"""Whose turn it is in a procurement, and until when."""

from datetime import date, datetime
from typing import Final

from app.kernel import clock, work_calendar
from app.kernel.calendar import UnknownYear, beijing_date
from app.kernel.words import N_
from marketplace.models.procurements import (
    Procurement,
)
from marketplace.states.parts import Part
from marketplace.states.procurement import TURNS, ProcurementState

TURN_NAMES: Final = {
    Part.OPERATOR: N_("The operator"),
    Part.REGULATOR: N_("Regulator"),
    Part.SYSTEM: N_("The system"),
    Part.REGISTRANT: N_("Agencies that want to register"),
    Part.PUBLIC: N_("Anybody who objects"),
}


def due_at(procurement: Procurement) -> datetime | None:
    """Until when the present step is to be taken, where there is a limit."""
    turn = TURNS.get(ProcurementState(procurement.state))
    moment = getattr(procurement, turn.deadline) if turn and turn.deadline else None
    return moment if isinstance(moment, datetime) else None


def working_days_left(until: datetime | date | None) -> int | None:
    """Working days from today to a deadline; negative when it is past; None when the calendar does not know."""
    if until is None:
        return None
    try:
        return work_calendar.current().count_working_days(
            clock.today(), beijing_date(until) if isinstance(until, datetime) else until
        )
    except UnknownYear:
        return None


def turn_name(part: Part | None, owner_name: str, winner_name: str) -> str | None:
    """Who has to act, by name or (message id) by role."""
    if part is None:
        return None
    return {Part.OWNER: owner_name, Part.WINNER: winner_name}.get(part) or TURN_NAMES.get(part)
