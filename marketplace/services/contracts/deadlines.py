"""The last day of the service: computed, renewed when the calendar becomes known, flagged when it has passed."""

from uuid import UUID

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM
from app.kernel.calendar import WorkCalendar
from app.kernel.db import lock, use_case
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.models.contracts import Contract
from marketplace.queries.contracts.clock import pauses_of, reading_of
from marketplace.services.contracts.telling import tell
from marketplace.states.contract import CLOCK_RUNS
from marketplace.states.parts import Part


def set_deadline(contract: Contract, calendar: WorkCalendar) -> None:
    """Compute and store the last day of the service from limit and pauses; None while it cannot be computed."""
    reading = reading_of(contract, pauses_of(contract.id), calendar)
    assert reading is not None
    contract.deadline_on = reading.planned_finish
    contract.deadline_provisional = reading.planned_finish is None or any(
        calendar.is_provisional(year) for year in range(reading.starts_on.year, reading.planned_finish.year + 1)
    )
    if contract.deadline_on is None or contract.deadline_on >= clock.today():
        contract.overdue_since = None


@use_case
def flag_overdue(contract_id: UUID) -> bool:
    """Write down that the service is late (a flag, not a state) and tell both sides; once per missed deadline."""
    contract = lock(Contract, contract_id)
    running = contract.state in CLOCK_RUNS
    if not running or contract.overdue_since is not None or contract.deadline_on is None:
        return False
    if contract.deadline_on >= clock.today():
        return False
    contract.overdue_since = clock.today()
    record(
        contract,
        "overdue",
        SYSTEM,
        title=N_("Service time limit exceeded"),
        detail={"last_day": contract.deadline_on.isoformat()},
    )
    for side in (Part.OWNER, Part.AGENCY):
        tell(contract, side, "contract.overdue", N_("The service time limit of %(number)s has passed"))
    return True


@use_case
def renew_provisional_deadline(contract_id: UUID) -> bool:
    """Compute a provisional deadline again once the official calendar is in; written down when it moves."""
    contract = lock(Contract, contract_id)
    if not contract.deadline_provisional or contract.state not in CLOCK_RUNS:
        return False
    before = contract.deadline_on
    set_deadline(contract, work_calendar.current())
    if contract.deadline_on == before:
        return False
    day = contract.deadline_on.isoformat() if contract.deadline_on else ""
    record(contract, "deadline_renewed", SYSTEM, title=N_("Deadline computed again"), detail={"last_day": day})
    return True
