"""What challenges hold up, and what may still be challenged: reads that other use cases ask before their next step."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.kernel import clock, work_calendar
from app.kernel.db import db
from marketplace.models.challenges import Challenge
from marketplace.models.procurements import Draw, Procurement
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.challenges import ChallengeKind, Window, windows
from marketplace.states.challenge import OPEN


def windows_of(procurement: Procurement) -> tuple[Window, ...]:
    """What may be challenged in this procurement at this moment. Raises UnknownYear."""
    if procurement.published_at is None:
        return ()
    draw = db.session.execute(
        select(Draw.frozen_at, Draw.challenge_ends_at)
        .where(Draw.procurement_id == procurement.id)
        .order_by(Draw.frozen_at.desc(), Draw.id.desc())
        .limit(1)
    ).first()
    book = rule_book(procurement.rule_book_version)
    frozen_at, ends_at = (draw.frozen_at, draw.challenge_ends_at) if draw else (procurement.closed_at, None)
    if draw is None and frozen_at is not None:
        ends_at = frozen_at + timedelta(minutes=book.draw_challenge_minutes)
    found = windows(
        book,
        work_calendar.current(),
        state=procurement.state,
        paused_from=procurement.paused_from,
        published_at=procurement.published_at,
        registration_ends_at=procurement.registration_ends_at,
        frozen_at=frozen_at,
        list_challenge_ends_at=ends_at,
        selected_at=procurement.selected_at,
        publicity_ends_at=procurement.publicity_ends_at,
    )
    now = clock.now()
    return tuple(window for window in found if window.is_open(now))


def objections_open(procurement_id: UUID) -> Sequence[Challenge]:
    """The objections of a procurement that still wait for their answer: nothing may go on before."""
    return _open(Challenge.procurement_id == procurement_id, Challenge.kind == ChallengeKind.OBJECTION)


def holding_procurement(procurement_id: UUID) -> Sequence[Challenge]:
    """The open challenges because of which a procurement stands still, the first first."""
    return _open(Challenge.procurement_id == procurement_id, *_HOLDS)


def holding_admission(agency_id: UUID) -> Sequence[Challenge]:
    """The open objections because of which an agency is not admitted yet, the first first."""
    return _open(Challenge.agency_id == agency_id, *_HOLDS)


_HOLDS = (Challenge.frozen_since.is_not(None), Challenge.released_at.is_(None))


def _open(*conditions: ColumnElement[bool]) -> Sequence[Challenge]:
    statement = select(Challenge).where(Challenge.state.in_(OPEN), *conditions)
    return db.session.scalars(statement.order_by(Challenge.filed_at, Challenge.id)).all()
