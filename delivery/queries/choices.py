"""What receivers chose for parcels of a list: the day, and the collection point where it waits. One statement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from app.kernel.db import db
from delivery.models.schedules import CollectionPoint
from delivery.models.terms import ParcelTerms


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen day or point, or both."""

    day: date | None
    point: str | None


NO_CHOICE = Choice(None, None)


def choices_of(parcel_ids: Iterable[UUID]) -> Mapping[UUID, Choice]:
    """By parcel; those without a choice are not in it."""
    statement = (
        sa.select(ParcelTerms.parcel_id, ParcelTerms.preferred_day, CollectionPoint.name)
        .outerjoin(CollectionPoint, CollectionPoint.id == ParcelTerms.collection_point_id)
        .where(
            ParcelTerms.parcel_id.in_(list(parcel_ids)),
            sa.or_(ParcelTerms.preferred_day.is_not(None), ParcelTerms.collection_point_id.is_not(None)),
        )
    )
    return {parcel_id: Choice(day, point) for parcel_id, day, point in db.session.execute(statement)}
