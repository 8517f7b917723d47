"""Reactions of approvals to what happens in the domains below, and to its own decisions."""

from uuid import UUID

from app.kernel.db import use_case
from app.kernel.outbox import Handlers
from approvals.events import CaseDecided
from approvals.services import demands, results
from delivery.events import ParcelDelivered, ParcelDeliveryRevoked, ParcelLost
from marketplace.events.contracts import DeliverableAccepted

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


HANDLERS: Handlers = {
    DeliverableAccepted: (take_accepted_deliverable,),
    CaseDecided: (make_electronic_certificate, tell_of_use),
    ParcelDelivered: (mark_served,),
    ParcelDeliveryRevoked: (reopen_service,),
    ParcelLost: (make_lost_result_again,),
}
