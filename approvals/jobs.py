"""The clock of cases: missed limits are written down and told."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.kernel import clock
from app.kernel.db import db
from app.kernel.jobs import Job, every
from app.kernel.words import N_
from approvals.models import Case, ResultService
from approvals.services import cases, results
from approvals.states import CARRIED, CaseState
from delivery import terms
from delivery.services.schedules import due_step

BATCH = 200


def flag_missed_limits() -> int:
    """Flag cases whose statutory limit or term for serving the result has passed; each in its own transaction."""
    return _each(
        cases.flag_overdue,
        Case.state.in_((CaseState.ACCEPTED, CaseState.HANDLING)),
        Case.limit_on < clock.today(),
        Case.overdue_since.is_(None),
    ) + _each(
        cases.flag_serve_overdue,
        Case.serve_by < clock.now(),
        Case.served_at.is_(None),
        Case.serve_overdue_at.is_(None),
    )


def _each(run: Callable[[UUID], bool], *conditions: ColumnElement[bool]) -> int:
    due: Sequence[UUID] = db.session.scalars(select(Case.id).where(*conditions).order_by(Case.id).limit(BATCH)).all()
    return sum(run(case_id) for case_id in due)


def serve_alarms() -> int:
    """Alarms before the statutory end of service for results that no parcel carries; parcels have their own."""
    steps = terms.in_force().serve_alarm_wd
    statement = (
        select(ResultService.id, Case.serve_by)
        .join(Case, Case.id == ResultService.case_id)
        .where(Case.serve_by.is_not(None), Case.served_at.is_(None), ResultService.mode.not_in(CARRIED))
        .order_by(Case.serve_by)
        .limit(BATCH)
    )
    told = 0
    for service_id, serve_by in db.session.execute(statement).all():
        step = due_step(serve_by, steps) if serve_by else None
        told += step is not None and results.serve_alarm(service_id, step)
    return told


JOBS = (
    Job("approvals.serve-alarms", serve_alarms, every(minutes=30), N_("Alarms before the statutory end of service")),
    Job("approvals.missed-limits", flag_missed_limits, every(minutes=5), N_("Missed limits of cases")),
)
