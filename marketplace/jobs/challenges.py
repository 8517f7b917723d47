"""What the clock does to challenges: alarms when an answer is overdue, and decisions that count as served."""

import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.kernel import clock
from app.kernel.db import db
from app.kernel.jobs import Job, every
from app.kernel.words import N_
from marketplace.models.challenges import Challenge
from marketplace.services import challenges
from marketplace.states.challenge import OPEN

log = logging.getLogger(__name__)
BATCH: Final = 200


def _walk(step: Callable[[UUID], bool], *due: ColumnElement[Any]) -> int:
    ids = db.session.scalars(select(Challenge.id).where(*due).order_by(Challenge.id).limit(BATCH)).all()
    db.session.rollback()
    return sum(_try(step, challenge_id) for challenge_id in ids)


def _try(step: Callable[[UUID], bool], challenge_id: UUID) -> bool:
    try:
        return step(challenge_id)
    except Exception:
        db.session.rollback()
        log.exception("a due step failed", extra={"challenge": str(challenge_id)})
        return False


def run_due() -> int:
    """Raise every alarm that is due, and count as served what nobody confirmed."""
    now = clock.now()
    alarms = _walk(
        challenges.raise_alarm,
        Challenge.state.in_(OPEN),
        Challenge.answer_by < now,
        Challenge.overdue_told_at.is_(None),
    )
    return alarms + _walk(challenges.count_as_served, Challenge.serve_by < now, Challenge.served_at.is_(None))


JOBS = (
    Job(
        "marketplace.challenges",
        run_due,
        every(minutes=1),
        N_("Raise alarms of overdue answers and count decisions as served"),
    ),
)
