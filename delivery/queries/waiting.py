"""What could be put on a courier's round: parcels that the couriers have, on no unfinished round."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor
from app.kernel.db import db
from delivery.models.batches import HandoverBatch, HandoverLine, LineOutcome
from delivery.models.parcels import Parcel
from delivery.models.rounds import RoundStop, StopState
from delivery.models.schedules import CollectionPoint
from delivery.models.terms import ParcelTerms
from delivery.rules import street_of
from delivery.states import ParcelState

MOST: int = 200


@dataclass(frozen=True)
class Waiting:
    """A parcel that is with the couriers but on no round; its street without house and room."""

    id: UUID
    number: str
    waybill_no: str
    place: str
    street: str
    contents: str
    serve_by: datetime
    failed_attempts: int
    chosen_day: date | None
    point: str | None


def parcels_without_round(
    actor: Actor, *, day: date | None = None, batch_id: UUID | None = None, street: str | None = None
) -> tuple[Waiting, ...]:
    """The hall's waiting parcels, by place. One statement.

    `day` leaves out those whose receivers chose a later day, and puts those of exactly that day first.
    """
    on_round = sa.exists().where(RoundStop.parcel_id == Parcel.id, RoundStop.outcome == StopState.OPEN)
    statement = (
        sa.select(Parcel, ParcelTerms.preferred_day, CollectionPoint.name)
        .outerjoin(ParcelTerms, ParcelTerms.parcel_id == Parcel.id)
        .outerjoin(CollectionPoint, CollectionPoint.id == ParcelTerms.collection_point_id)
        .where(Parcel.hall_organisation_id == actor.organisation_id, Parcel.state == ParcelState.HANDED_OVER, ~on_round)
    )
    if day is not None:
        due = ParcelTerms.preferred_day == day
        statement = statement.where(sa.or_(ParcelTerms.preferred_day.is_(None), ParcelTerms.preferred_day <= day))
        statement = statement.order_by(sa.case((due, 0), else_=1))
    if batch_id is not None:
        listed = sa.select(HandoverLine.parcel_id).where(
            HandoverLine.batch_id == batch_id, HandoverLine.outcome == LineOutcome.TAKEN
        )
        statement = statement.where(Parcel.id.in_(listed))
    if street:
        statement = statement.where(Parcel.receiver_address.contains(street, autoescape=True))
    statement = statement.order_by(
        Parcel.receiver_city, Parcel.receiver_county, Parcel.receiver_address, Parcel.number
    ).limit(MOST)
    return tuple(
        Waiting(
            row.id, row.number, row.waybill_no or "", f"{row.receiver_city}{row.receiver_county}",
            street_of(row.receiver_address), row.contents, row.serve_by, row.failed_attempts, chosen_day, point,
        )
        for row, chosen_day, point in db.session.execute(statement)
    )  # fmt: skip


def recent_batches(actor: Actor, limit: int = 20) -> tuple[tuple[UUID, str], ...]:
    """Hand-over lists that were taken over and still have parcels without a round, the newest first. One statement."""
    on_round = sa.exists().where(RoundStop.parcel_id == Parcel.id, RoundStop.outcome == StopState.OPEN)
    waiting = (
        sa.exists()
        .where(
            HandoverLine.batch_id == HandoverBatch.id, HandoverLine.outcome == LineOutcome.TAKEN,
            Parcel.id == HandoverLine.parcel_id, Parcel.state == ParcelState.HANDED_OVER, ~on_round,
        )
        .correlate(HandoverBatch)
    )  # fmt: skip
    statement = (
        sa.select(HandoverBatch.id, HandoverBatch.number)
        .where(HandoverBatch.hall_organisation_id == actor.organisation_id, waiting)
        .order_by(HandoverBatch.number.desc())
        .limit(limit)
    )
    return tuple((row.id, row.number) for row in db.session.execute(statement))
