"""Claims against the carrier, read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.words import N_
from delivery.models.desk import Claim
from delivery.models.parcels import Parcel
from delivery.policy import must_see_hall, oversees
from delivery.states import CLAIM, ClaimState, Part

GROUNDS: Final[Mapping[str, str]] = {"lost": N_("lost"), "damaged": N_("damaged"), "late": N_("too late")}
TONES: Final[Mapping[ClaimState, str]] = {
    ClaimState.FILED: "waiting", ClaimState.GRANTED: "active", ClaimState.REFUSED: "danger", ClaimState.PAID: "success",
    ClaimState.WITHDRAWN: "neutral",
}  # fmt: skip


@dataclass(frozen=True)
class ClaimView:
    """A claim with the parcel it is about, and the parcel that was made in its place."""

    id: UUID
    number: str
    title: str
    parcel_id: UUID
    parcel_number: str
    contents: str
    waybill_no: str
    hall_name: str
    ground: str
    asked_fen: int
    statement: str
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    filed_by_name: str
    filed_at: datetime
    answer_due_at: datetime
    overdue: bool
    reference: str | None
    answer: str | None
    answered_at: datetime | None
    granted_fen: int | None
    paid_at: datetime | None
    new_parcel_id: UUID | None
    new_parcel_number: str | None
    parts: frozenset[Part]


def claim_view(actor: Actor, claim_id: UUID) -> ClaimView:
    """One claim. Raises NotFound for another hall's."""
    return claim_views([get(Claim, claim_id)], actor)[0]


def claims_statement(actor: Actor, state: str | None = None, ground: str | None = None) -> sa.Select[Claim]:
    """Claims of the hall, of all halls for oversight; newest first."""
    statement = sa.select(Claim)
    if not oversees(actor):
        statement = statement.where(Claim.hall_organisation_id == actor.organisation_id)
    if state:
        statement = statement.where(Claim.state == state)
    if ground:
        statement = statement.where(Claim.ground == ground)
    return statement.order_by(Claim.filed_at.desc(), Claim.id.desc())


def claims_of(parcel_id: UUID) -> tuple[tuple[UUID, str, str, str], ...]:
    """Claims of a parcel: id, number, label and tone of the state."""
    rows = db.session.scalars(sa.select(Claim).where(Claim.parcel_id == parcel_id).order_by(Claim.filed_at))
    return tuple(
        (row.id, row.number, CLAIM.labels[ClaimState(row.state)], TONES[ClaimState(row.state)]) for row in rows
    )


def claim_views(rows: Sequence[Claim], actor: Actor) -> tuple[ClaimView, ...]:
    """Rows of `claims_statement` as values; three statements."""
    parcels = {
        row.id: row
        for row in db.session.execute(
            sa.select(Parcel.id, Parcel.number, Parcel.contents, Parcel.subject, Parcel.created_at).where(
                Parcel.id.in_({row.parcel_id for row in rows})
            )
        )
    }
    later = _later(parcels)
    halls = identity.organisations_by_ids({row.hall_organisation_id for row in rows})
    return tuple(
        _view(row, parcels[row.parcel_id], later.get(row.parcel_id), halls[row.hall_organisation_id].name, actor)
        for row in rows
    )


def _later(parcels: Mapping[UUID, Any]) -> dict[UUID, Any]:
    """The newest parcel of the same subject that is not the claimed one: what was made in its place."""
    subjects = {row.subject for row in parcels.values()}
    statement = sa.select(Parcel.id, Parcel.number, Parcel.subject, Parcel.created_at).where(
        Parcel.subject.in_(subjects)
    )
    rows = db.session.execute(statement.order_by(Parcel.created_at)).all()
    return {
        known.id: row
        for known in parcels.values()
        for row in rows
        if row.subject == known.subject and row.id != known.id and row.created_at >= known.created_at
    }


def _view(row: Claim, parcel: Any, later: Any, hall_name: str, actor: Actor) -> ClaimView:
    state = ClaimState(row.state)
    return ClaimView(
        row.id, row.number, row.number, row.parcel_id, parcel.number, parcel.contents, row.waybill_no, hall_name,
        GROUNDS[row.ground], row.asked_fen, row.statement, state, CLAIM.labels[state], TONES[state], CLAIM.next_step[state],
        row.version, row.filed_by_name, row.filed_at, row.answer_due_at,
        state is ClaimState.FILED and row.answer_due_at < clock.now(), row.reference, row.answer, row.answered_at,
        row.granted_fen, row.paid_at, later.id if later else None, later.number if later else None,
        must_see_hall(actor, row.hall_organisation_id),
    )  # fmt: skip
