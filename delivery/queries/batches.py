"""Hand-over lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel.access import Actor
from app.kernel.db import db, get
from delivery import rules
from delivery.models.batches import HandoverBatch, HandoverLine, LineOutcome
from delivery.models.parcels import Parcel
from delivery.policy import batch_parts, must_see_batch, oversees
from delivery.queries.meanings import TONES
from delivery.states import BATCH, BatchState, Part


@dataclass(frozen=True)
class LineView:
    """One line of a hand-over list."""

    parcel_id: UUID
    number: str
    waybill_no: str
    receiver: str
    place: str
    contents: str
    seal_no: str
    weight_g: int
    outcome: str


@dataclass(frozen=True)
class BatchView:
    """A hand-over list with its lines and signatures."""

    id: UUID
    number: str
    title: str
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    hall_organisation_id: UUID
    hall_name: str
    created_at: datetime
    offered_name: str | None
    offered_at: datetime | None
    offered_count: int | None
    taken_name: str | None
    taken_at: datetime | None
    taken_count: int | None
    courier_name: str | None
    courier_staff_no: str | None
    remark: str | None
    offered_by: UUID | None
    lines: tuple[LineView, ...]
    parts: frozenset[Part]

    @property
    def missing(self) -> int:
        return sum(line.outcome == LineOutcome.MISSING for line in self.lines)


@dataclass(frozen=True)
class BatchRow:
    """A list in the table of lists."""

    id: UUID
    number: str
    state: str
    state_label: str
    tone: str
    created_at: datetime
    lines: int
    taken_at: datetime | None


def batch_view(batch_id: UUID, actor: Actor) -> BatchView:
    """A list with its lines. Raises NotFound for another hall's."""
    batch = get(HandoverBatch, batch_id)
    must_see_batch(actor, batch)
    statement = (
        sa.select(HandoverLine, Parcel)
        .join(Parcel, Parcel.id == HandoverLine.parcel_id)
        .where(HandoverLine.batch_id == batch.id)
        .order_by(HandoverLine.listed_at, HandoverLine.id)
    )
    lines = tuple(_line(line, parcel) for line, parcel in db.session.execute(statement))
    state = BatchState(batch.state)
    return BatchView(
        batch.id, batch.number, batch.number, state, BATCH.labels[state], TONES.get(state, "neutral"), BATCH.next_step[state],
        batch.version, batch.hall_organisation_id, identity.organisation_name(batch.hall_organisation_id), batch.created_at,
        batch.offered_name, batch.offered_at, batch.offered_count, batch.taken_name, batch.taken_at, batch.taken_count,
        batch.courier_name, batch.courier_staff_no, batch.remark, batch.offered_by, lines, batch_parts(actor, batch),
    )  # fmt: skip


def _line(line: HandoverLine, parcel: Parcel) -> LineView:
    return LineView(
        parcel.id, parcel.number, parcel.waybill_no or "", rules.masked_name(parcel.receiver_name),
        f"{parcel.receiver_city}{parcel.receiver_county}", parcel.contents, parcel.seal_no or "", parcel.weight_g, line.outcome,
    )  # fmt: skip


def batches_statement(actor: Actor) -> sa.Select[Any]:
    """Lists of the hall, newest first, with their number of lines."""
    lines = (
        sa.select(sa.func.count())
        .where(HandoverLine.batch_id == HandoverBatch.id)
        .correlate(HandoverBatch)
        .scalar_subquery()
    )
    statement = sa.select(HandoverBatch, lines.label("lines"))
    if not oversees(actor):
        statement = statement.where(HandoverBatch.hall_organisation_id == actor.organisation_id)
    return statement.order_by(HandoverBatch.created_at.desc(), HandoverBatch.id.desc())


def batch_rows(rows: Sequence[Any]) -> tuple[BatchRow, ...]:
    """Rows of `batches_statement` as values."""
    return tuple(
        BatchRow(
            b.id,
            b.number,
            b.state,
            BATCH.labels[BatchState(b.state)],
            TONES.get(b.state, "neutral"),
            b.created_at,
            n,
            b.taken_at,
        )
        for b, n in rows
    )


def open_batches(actor: Actor) -> tuple[BatchRow, ...]:
    """Lists of the hall that are not signed on both sides yet."""
    statement = batches_statement(actor).where(HandoverBatch.state.in_((BatchState.OPEN, BatchState.OFFERED))).limit(20)
    return batch_rows(db.session.execute(statement).all())
