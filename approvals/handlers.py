"""Reactions of approvals to what happens in the domains below, and to its own decisions."""

from uuid import UUID

import delivery.services as delivery
from app.kernel.db import use_case
from app.kernel.outbox import Handlers
from approvals.events import CaseDecided
from approvals.services import demands, postage, results
from delivery.events import (
    CourierFeeDropped,
    CourierFeeOwed,
    ParcelDelivered,
    ParcelDeliveryRevoked,
    ParcelLost,
    ReceiverErased,
)
from marketplace.events.contracts import DeliverableAccepted
from payments.events import BillPaid, BillRefunded

PREFIX = "case:"


def case_id_of(subject: str | None) -> UUID | None:
    """The case that a subject names, or None for the subject of another domain."""
    return UUID(subject.removeprefix(PREFIX)) if subject and subject.startswith(PREFIX) else None


@use_case
def take_accepted_deliverable(event: DeliverableAccepted) -> None:
    """The approving department reads the deliverable directly; nobody hands it in again."""
    case_id = case_id_of(event.case_subject)
    if case_id:
        demands.take_deliverable(case_id, event)


@use_case
def make_electronic_certificate(event: CaseDecided) -> None:
    """Where nothing has to be printed the certificate is made at once."""
    results.make_electronic_certificate(event.case_id)


@use_case
def tell_of_use(event: CaseDecided) -> None:
    """The department has used what the agencies delivered: it is asked to rate it."""
    demands.tell_of_use(event.case_id)


@use_case
def mark_served(event: ParcelDelivered) -> None:
    """The courier delivered the result."""
    case_id = case_id_of(event.subject)
    if case_id:
        results.parcel_delivered(case_id, event.parcel_id, event.signer_name, event.signer_class, event.delivered_at)


@use_case
def reopen_service(event: ParcelDeliveryRevoked) -> None:
    """The courier took the delivery back."""
    case_id = case_id_of(event.subject)
    if case_id:
        results.parcel_delivery_revoked(case_id, event.parcel_id)


@use_case
def make_lost_result_again(event: ParcelLost) -> None:
    """The courier lost the result."""
    case_id = case_id_of(event.subject)
    if case_id:
        results.parcel_lost(case_id, event.parcel_id)


@use_case
def forget_receiver(event: ReceiverErased) -> None:
    """The retention period of a parcel is over."""
    case_id = case_id_of(event.subject)
    if case_id:
        results.erase_receiver(case_id)


@use_case
def bill_postage(event: CourierFeeOwed) -> None:
    """The applicant pays the postage at the payment counter."""
    case_id = case_id_of(event.subject)
    if case_id:
        postage.open_bill(case_id, event.parcel_id, event.fee_fen)


@use_case
def drop_postage(event: CourierFeeDropped) -> None:
    """The parcel does not leave: its unpaid bill is withdrawn."""
    postage.withdraw_bill(event.parcel_id)


@use_case
def postage_paid(event: BillPaid) -> None:
    """The postage of a parcel was paid: it may be packed."""
    parcel_id = postage.parcel_of(event.subject)
    if parcel_id:
        delivery.fee_paid(parcel_id, event.amount_fen)


@use_case
def postage_given_back(event: BillRefunded) -> None:
    """The postage of a parcel was refunded."""
    parcel_id = postage.parcel_of(event.subject)
    if parcel_id:
        delivery.fee_given_back(parcel_id)


HANDLERS: Handlers = {
    DeliverableAccepted: (take_accepted_deliverable,),
    CaseDecided: (make_electronic_certificate, tell_of_use),
    ParcelDelivered: (mark_served,),
    ParcelDeliveryRevoked: (reopen_service,),
    ParcelLost: (make_lost_result_again,),
    ReceiverErased: (forget_receiver,),
    CourierFeeOwed: (bill_postage,),
    CourierFeeDropped: (drop_postage,),
    BillPaid: (postage_paid,),
    BillRefunded: (postage_given_back,),
}
