"""The limits of a case as the clock shows them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.calendar import WorkCalendar
from app.kernel.db import db
from approvals.models import Case, SpecialProcedure
from approvals.rules import StatutoryClock, read_statutory_clock
from marketplace.rules.service_clock import ClockReading, Pause


def special_procedures_of(case_id: UUID) -> tuple[SpecialProcedure, ...]:
    """The hearings, inspections and reviews of a case, oldest first."""
    statement = (
        select(SpecialProcedure)
        .where(SpecialProcedure.case_id == case_id)
        .order_by(SpecialProcedure.starts_on, SpecialProcedure.id)
    )
    return tuple(db.session.scalars(statement))


def statutory_reading(
    case: Case, procedures: Sequence[SpecialProcedure], calendar: WorkCalendar
) -> ClockReading | None:
    """The law's limit today; None before acceptance."""
    return _reading(case, case.limit_wd, procedures, calendar)


def promised_reading(case: Case, procedures: Sequence[SpecialProcedure], calendar: WorkCalendar) -> ClockReading | None:
    """The promised limit today; None before acceptance."""
    return _reading(case, case.promised_limit_wd, procedures, calendar)


def _reading(
    case: Case, limit_wd: int, procedures: Sequence[SpecialProcedure], calendar: WorkCalendar
) -> ClockReading | None:
    if case.clock_starts_on is None:
        return None
    statutory_clock = StatutoryClock(
        limit_wd=limit_wd,
        starts_on=case.clock_starts_on,
        special_procedures=tuple(Pause(row.starts_on, row.ends_on) for row in procedures),
        decided_on=case.decided_on,
        special_procedures_count=case.special_procedures_count,
    )
    return read_statutory_clock(statutory_clock, calendar, clock.today())
