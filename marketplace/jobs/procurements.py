"""What the clock does to procurements. Work is derived from due rows; each row is taken in its own transaction, by one worker."""

import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from app.kernel import clock
from app.kernel.calendar import UnknownYear
from app.kernel.db import db
from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.models.notices import NoticeQuestion
from marketplace.models.procurements import Draw, Procurement
from marketplace.services import awards, selection
from marketplace.services.procurements import follow_question
from marketplace.states.procurement import ProcurementState
from marketplace.states.question import QuestionState

log = logging.getLogger(__name__)
_P = ProcurementState
BATCH: Final = 200


def walk(step: Callable[[UUID], bool], *due: ColumnElement[Any]) -> int:
    """Take `step` for every due procurement; one that cannot be taken yet holds up no other."""
    ids = db.session.scalars(select(Procurement.id).where(*due).order_by(Procurement.id).limit(BATCH)).all()
    db.session.rollback()
    return sum(_try(step, procurement_id) for procurement_id in ids)


def _try(step: Callable[[UUID], bool], procurement_id: UUID) -> bool:
    try:
        return step(procurement_id)
    except UnknownYear:
        log.warning("a deadline waits for the calendar of its year", extra={"procurement": str(procurement_id)})
        return False
    except Exception:
        db.session.rollback()
        log.exception("a due step failed", extra={"procurement": str(procurement_id)})
        return False


def close_due() -> int:
    """Close registrations whose deadline has passed."""
    return walk(
        selection.close_registration, Procurement.state == _P.PUBLISHED, Procurement.registration_ends_at < clock.now()
    )


def freeze_due() -> int:
    """Check, count and freeze the lists of closed registrations."""
    return walk(selection.freeze_list, Procurement.state == _P.REGISTRATION_CLOSED)


def rounds_due() -> int:
    """End bidding rounds whose time is over."""
    return walk(selection.end_round, Procurement.state == _P.BIDDING, Procurement.quotes_end_at < clock.now())


def rank_due() -> int:
    """Make due demonstration values, and rank draws whose values are all in."""
    due = (Procurement.state == _P.SELECTING, Procurement.beacon_due_at <= clock.now())
    made = walk(
        selection.make_demonstration_value,
        *due,
        Procurement.id.in_(select(Draw.procurement_id).where(Draw.is_demonstration)),
    )
    return made + walk(selection.rank_draw, *due)


def compare_due() -> int:
    """Go on without an owner who did not compare in time."""
    return walk(selection.lapse_comparison, Procurement.state == _P.COMPARING, Procurement.compare_by < clock.now())


def award_due() -> int:
    """Issue award letters when the publicity of the result has ended."""
    return walk(
        awards.issue_award, Procurement.state == _P.RESULT_PUBLICITY, Procurement.publicity_ends_at < clock.now()
    )


def lapse_due() -> int:
    """Let unconfirmed awards lapse."""
    return walk(awards.lapse_award, Procurement.state == _P.AWARDED, Procurement.confirm_by < clock.now())


def questions_due() -> int:
    """Remind of overdue answers, and let questions lapse whose registration is over."""
    over = Procurement.state.not_in([_P.PUBLISHED, _P.REVISED, _P.PAUSED])
    late = and_(Procurement.state == _P.PUBLISHED, Procurement.registration_ends_at < clock.now())
    slow = and_(NoticeQuestion.reminded_at.is_(None), NoticeQuestion.answer_by < clock.now())
    ids = db.session.scalars(
        select(NoticeQuestion.id)
        .join(Procurement, Procurement.id == NoticeQuestion.procurement_id)
        .where(NoticeQuestion.state == QuestionState.ASKED, or_(over, late, slow))
        .order_by(NoticeQuestion.id)
        .limit(BATCH)
    ).all()
    db.session.rollback()
    return sum(_try(follow_question, question_id) for question_id in ids)


def run_due() -> int:
    """Every due step, in the order in which one may make the next due."""
    return (
        questions_due()
        + close_due()
        + freeze_due()
        + rounds_due()
        + rank_due()
        + compare_due()
        + award_due()
        + lapse_due()
    )


def replay_results() -> int:
    """Decide every stored result again; a difference raises the alarm."""
    return selection.replay_all()


JOBS = (
    Job(
        "marketplace.procurements",
        run_due,
        every(seconds=2),
        N_("Close, freeze, rank, award and lapse procurements that are due; remind of questions"),
    ),
    Job(
        "marketplace.replay", replay_results, daily("03:20"), N_("Decide every stored result again"), lease_seconds=600
    ),
)
