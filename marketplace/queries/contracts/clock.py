"""The working-day clock of a stored contract."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.calendar import WorkCalendar
from app.kernel.db import db
from marketplace.models.contracts import ClockPause, Contract
from marketplace.rules.service_clock import ClockReading, Pause, ServiceClock, read_clock


def service_clock_of(contract: Contract, pauses: Iterable[ClockPause]) -> ServiceClock | None:
    """The clock of a signed contract, None before both sides have signed. Handing in stops it, a return lets it run on."""
    if contract.starts_on is None:
        return None
    spans = tuple(Pause(p.starts_on, p.ends_on) for p in pauses if p.outcome == "confirmed")
    return ServiceClock(contract.limit_wd + contract.extended_wd, contract.starts_on, spans, contract.delivered_on)


def pauses_of(contract_id: UUID) -> tuple[ClockPause, ...]:
    """All pauses and questions for one, oldest first."""
    statement = (
        select(ClockPause).where(ClockPause.contract_id == contract_id).order_by(ClockPause.asked_at, ClockPause.id)
    )
    return tuple(db.session.scalars(statement))


def reading_of(
    contract: Contract, pauses: Sequence[ClockPause], calendar: WorkCalendar | None = None
) -> ClockReading | None:
    """What the clock shows today."""
    service_clock = service_clock_of(contract, pauses)
    return read_clock(service_clock, calendar or work_calendar.current(), clock.today()) if service_clock else None
