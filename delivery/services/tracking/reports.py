"""The stored reports of parcels as the fold wants them, and the proofs that stand beside them."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

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


def sound_proofs(parcel_ids: Iterable[UUID]) -> dict[UUID, DoorRecord]:
    """Our own couriers' first sound records of the deliveries that are reported, where there are any."""
    statement = sa.select(DoorRecord).join(Parcel, Parcel.id == DoorRecord.parcel_id).where(
        DoorRecord.parcel_id.in_(list(parcel_ids)), DoorRecord.kind == RecordKind.DELIVERED,
        DoorRecord.standing.in_((Standing.EVIDENCE, Standing.COUNTED)), DoorRecord.received_at >= Parcel.handed_over_at,
    )  # fmt: skip
    found: dict[UUID, DoorRecord] = {}
    for record in db.session.scalars(statement.order_by(DoorRecord.received_at)):
        found.setdefault(record.parcel_id, record)
    return found


def proof_hashes(proof: DoorRecord) -> dict[str, str]:
    """What the chain of custody keeps of a proof: its number and the hashes of its pictures."""
    facts = {"proof": proof.number, "photo_sha256": proof.photo_sha256, "signature_sha256": proof.signature_sha256}
    return {name: value for name, value in facts.items() if value}


def observations(parcel: Parcel) -> list[Observation]:
    """All stored reports of one parcel under its present number."""
    return stored_observations({parcel.id: parcel.waybill_no})[parcel.id]


def stored_observations(numbers: Mapping[UUID, str | None]) -> dict[UUID, list[Observation]]:
    """All stored reports of these parcels under these numbers; the carrier's raw records are not read."""
    statement = sa.select(
        CarrierEvent.parcel_id, CarrierEvent.waybill_no, CarrierEvent.occurred_at, CarrierEvent.key, CarrierEvent.seen
    ).where(CarrierEvent.parcel_id.in_(numbers))
    found: dict[UUID, list[Observation]] = {parcel_id: [] for parcel_id in numbers}
    for row in db.session.execute(statement):
        if row.waybill_no == numbers[row.parcel_id]:
            found[row.parcel_id].append(observation_of(row))
    return found
