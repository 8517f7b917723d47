"""Reactions to our own facts. Those that call the carrier run without a transaction and bear a repeat."""

from typing import Final

import sqlalchemy as sa

from app.kernel.access import SYSTEM
from app.kernel.db import db, use_case
from app.kernel.outbox import Handlers
from delivery import documents, queries
from delivery.carriers import chosen
from delivery.events import (
    BatchTakenOver,
    DeliveryRecorded,
    DifferenceSettled,
    PapersCancelled,
    PapersRequested,
    ParcelChecked,
    ParcelDelivered,
    ParcelDeliveryRevoked,
    ParcelHandedOver,
    ParcelLost,
    ParcelReturned,
    WaybillTaken,
    WaybillVoided,
)
from delivery.models.batches import HandoverLine, LineOutcome
from delivery.models.parcels import Parcel
from delivery.models.waybills import Waybill
from delivery.own_courier import is_own_number
from delivery.ports import Capability, Verdict
from delivery.queries.differences import differences_of
from delivery.services import merging, papers, schedules, waybills


class CarrierNotReady(Exception):
    """The carrier could not answer now: the outbox tries again."""


def book_waybill(event: ParcelChecked) -> None:
    """Ask for a number at once; if that fails the job goes on asking."""
    waybills.book(event.parcel_id)


def fetch_label(event: WaybillTaken) -> None:
    """Keep the carrier's label beside the number. Until it is there our own label is printed."""
    if not waybills.fetch_label(event.waybill_no):
        raise CarrierNotReady(event.waybill_no)


def cancel_waybill(event: WaybillVoided) -> None:
    """Give the number up at the carrier; if that fails the job goes on trying."""
    row_id = db.session.scalar(sa.select(Waybill.id).where(Waybill.waybill_no == event.waybill_no))
    if row_id is not None:
        waybills.cancel_at_carrier(row_id)


def announce_handover(event: BatchTakenOver) -> None:
    """Tell the carrier what lies ready, where it takes such notices. EMS does not; the simulator's counter does."""
    carrier = chosen.carrier()
    if Capability.HANDOVER_NOTICE not in carrier.capabilities:
        return
    statement = (
        sa.select(Parcel.waybill_no)
        .join(HandoverLine, HandoverLine.parcel_id == Parcel.id)
        .where(HandoverLine.batch_id == event.batch_id, HandoverLine.outcome == LineOutcome.TAKEN)
    )
    numbers = tuple(number for number in db.session.scalars(statement) if number and not is_own_number(number))
    db.session.rollback()  # no snapshot stays open during the call
    if numbers and carrier.announce_handover(numbers).verdict in (Verdict.UNAVAILABLE, Verdict.UNCERTAIN):
        raise CarrierNotReady(str(event.batch_id))


@use_case
def issue_list(event: BatchTakenOver | DifferenceSettled) -> None:
    """Make the signed list a numbered paper that can be checked; anew with each difference that is cleared up."""
    documents.issue_list(queries.batch_view(event.batch_id, SYSTEM), differences_of(event.batch_id))


@use_case
def issue_proof(event: DeliveryRecorded) -> None:
    """Make the proof of delivery a numbered paper that can be checked."""
    documents.issue_proof(queries.proof_paper(event.record_id))


def order_collection(event: PapersRequested) -> None:
    """Ask for the number of a collection at once; if that fails the job goes on asking."""
    papers.ask(event.papers_id)


def cancel_collection(event: PapersCancelled) -> None:
    """Give the number of a cancelled collection up at the carrier."""
    if not papers.cancel_at_carrier(event.papers_id):
        raise CarrierNotReady(str(event.papers_id))


def promise_again(event: ParcelHandedOver) -> None:
    """The promised day counts from the real hand-over."""
    schedules.expect_again(event.parcel_id, event.handed_over_at)


HANDLERS: Final[Handlers] = {
    ParcelChecked: (book_waybill,),
    WaybillTaken: (fetch_label,),
    WaybillVoided: (cancel_waybill,),
    BatchTakenOver: (announce_handover, issue_list),
    DeliveryRecorded: (issue_proof,),
    DifferenceSettled: (issue_list,),
    ParcelHandedOver: (promise_again, merging.handed_over_along, papers.send_back_along),
    ParcelDelivered: (merging.delivered_along,),
    ParcelDeliveryRevoked: (merging.revoked_along,),
    ParcelReturned: (merging.returned_along,),
    ParcelLost: (merging.lost_along,),
    PapersRequested: (order_collection,),
    PapersCancelled: (cancel_collection,),
}
