"""Facts that delivery tells others, and those it tells itself. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class ParcelHandedOver(Event):
    """The courier signed for the parcel."""

    name: ClassVar[str] = "delivery.parcel-handed-over"
    parcel_id: UUID
    subject: str
    thread_id: UUID
    waybill_no: str
    handed_over_at: datetime


@dataclass(frozen=True)
class ParcelDelivered(Event):
    """The parcel counts as served. Not final: `ParcelDeliveryRevoked` may follow."""

    name: ClassVar[str] = "delivery.parcel-delivered"
    parcel_id: UUID
    subject: str
    thread_id: UUID
    signer_name: str
    signer_class: str
    delivered_at: datetime


@dataclass(frozen=True)
class ParcelDeliveryRevoked(Event):
    """The carrier took a delivery back."""

    name: ClassVar[str] = "delivery.parcel-delivery-revoked"
    parcel_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class ParcelReturned(Event):
    """The parcel is back in the hall."""

    name: ClassVar[str] = "delivery.parcel-returned"
    parcel_id: UUID
    subject: str
    thread_id: UUID
    reason: str


@dataclass(frozen=True)
class ParcelLost(Event):
    """The carrier declared the parcel lost: the contents must be issued again."""

    name: ClassVar[str] = "delivery.parcel-lost"
    parcel_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class ParcelCancelled(Event):
    """The delivery will not take place."""

    name: ClassVar[str] = "delivery.parcel-cancelled"
    parcel_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class ParcelChecked(Event):
    """Packed and checked: a waybill number is wanted."""

    name: ClassVar[str] = "delivery.parcel-checked"
    parcel_id: UUID


@dataclass(frozen=True)
class WaybillTaken(Event):
    """A waybill number is known: its label can be fetched."""

    name: ClassVar[str] = "delivery.waybill-taken"
    parcel_id: UUID
    waybill_no: str


@dataclass(frozen=True)
class WaybillVoided(Event):
    """A waybill is given up and must be cancelled at the carrier."""

    name: ClassVar[str] = "delivery.waybill-voided"
    parcel_id: UUID
    waybill_no: str


@dataclass(frozen=True)
class BatchTakenOver(Event):
    """Both sides signed a hand-over list."""

    name: ClassVar[str] = "delivery.batch-taken-over"
    batch_id: UUID


@dataclass(frozen=True)
class DifferenceSettled(Event):
    """It was said what became of a parcel that was missing on a signed list."""

    name: ClassVar[str] = "delivery.difference-settled"
    batch_id: UUID


@dataclass(frozen=True)
class DeliveryRecorded(Event):
    """A courier's record of a delivery is stored: its paper can be made."""

    name: ClassVar[str] = "delivery.delivery-recorded"
    record_id: UUID


@dataclass(frozen=True)
class CourierFeeOwed(Event):
    """The applicant pays the postage (fen) before the parcel is packed or leaves; the domain above makes the bill."""

    name: ClassVar[str] = "delivery.courier-fee-owed"
    parcel_id: UUID
    subject: str
    thread_id: UUID
    fee_fen: int


@dataclass(frozen=True)
class CourierFeeDropped(Event):
    """An owed fee is owed no more: the parcel does not leave, or another way of paying holds."""

    name: ClassVar[str] = "delivery.courier-fee-dropped"
    parcel_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class ReceiverErased(Event):
    """The retention period of a parcel's receiver is over: whoever keeps a copy erases it too."""

    name: ClassVar[str] = "delivery.receiver-erased"
    parcel_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class PapersRequested(Event):
    """An applicant wants originals collected: a waybill number is wanted."""

    name: ClassVar[str] = "delivery.papers-requested"
    papers_id: UUID


@dataclass(frozen=True)
class PapersReceived(Event):
    """The originals lie at the hall, compared with the applicant's list."""

    name: ClassVar[str] = "delivery.papers-received"
    papers_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class PapersCancelled(Event):
    """The collection of originals is given up."""

    name: ClassVar[str] = "delivery.papers-cancelled"
    papers_id: UUID
