"""The stored reports of a parcel as the fold wants them."""

from typing import Final

import sqlalchemy as sa

from app.kernel.db import db
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent
from delivery.observed import Observation
from delivery.readings import observation_of
from delivery.states import ParcelState

WATCHED: Final = (ParcelState.HANDED_OVER, ParcelState.DELIVERED, ParcelState.CLOSED)


def observations(parcel: Parcel) -> list[Observation]:
    """All stored reports under the present number."""
    statement = sa.select(CarrierEvent).where(
        CarrierEvent.parcel_id == parcel.id, CarrierEvent.waybill_no == parcel.waybill_no
    )
    return [observation_of(row) for row in db.session.scalars(statement)]
