"""The stored reports of a parcel as the fold wants them."""

from typing import Final

import sqlalchemy as sa

from app.kernel.db import db
from delivery.doorstep import RecordKind
from delivery.models.parcels import Parcel
from delivery.models.proofs import DoorRecord, Standing
from delivery.models.reports import CarrierEvent
from delivery.observed import Observation
from delivery.readings import observation_of
from delivery.states import ParcelState

WATCHED: Final = (ParcelState.HANDED_OVER, ParcelState.DELIVERED, ParcelState.CLOSED)


def sound_proof(parcel: Parcel) -> DoorRecord | None:
    """Our own courier's sound record of the delivery that is reported, if there is one."""
    statement = sa.select(DoorRecord).where(
        DoorRecord.parcel_id == parcel.id, DoorRecord.kind == RecordKind.DELIVERED,
        DoorRecord.standing.in_((Standing.EVIDENCE, Standing.COUNTED)), DoorRecord.received_at >= parcel.handed_over_at,
    )  # fmt: skip
    return db.session.scalar(statement.order_by(DoorRecord.received_at).limit(1))


def proof_hashes(proof: DoorRecord) -> dict[str, str]:
    """What the chain of custody keeps of a proof: its number and the hashes of its pictures."""
    facts = {"proof": proof.number, "photo_sha256": proof.photo_sha256, "signature_sha256": proof.signature_sha256}
    return {name: value for name, value in facts.items() if value}


def observations(parcel: Parcel) -> list[Observation]:
    """All stored reports under the present number."""
    statement = sa.select(CarrierEvent).where(
        CarrierEvent.parcel_id == parcel.id, CarrierEvent.waybill_no == parcel.waybill_no
    )
    return [observation_of(row) for row in db.session.scalars(statement)]
