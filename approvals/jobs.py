"""The clock of cases: missed limits are written down and told."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.kernel import clock
from app.kernel.db import db
from app.kernel.jobs import Job, every
from app.kernel.words import N_
from approvals.models import Case
from approvals.services import cases
from approvals.states import CaseState

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


JOBS = (Job("approvals.missed-limits", flag_missed_limits, every(minutes=5), N_("Missed limits of cases")),)
