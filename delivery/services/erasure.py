"""Erasing a receiver when the retention period is over (PIPL art. 19, 47): everywhere we wrote them, not only in the parcel.

What stays: that a parcel of this case was delivered when, to which county, to which class of signer, under which number.
The case file itself is kept by archive law and belongs to the domain above, which hears `ReceiverErased`.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import notices
from app.kernel import audit, clock, files, inbox, outbox, timeline
from app.kernel.access import SYSTEM
from app.kernel.db import db, lock, use_case
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery import documents, privacy
from delivery import terms as rule_book
from delivery.events import ReceiverErased
from delivery.models.complaints import Complaint
from delivery.models.mandates import LetterOfAuthority
from delivery.models.papers import PapersOrder
from delivery.models.parcels import Parcel
from delivery.models.proofs import DoorRecord
from delivery.models.reports import CarrierEvent
from delivery.models.tasks import ParcelTask
from delivery.models.waybills import Waybill
from delivery.queries.parcels import ENDED, window_of
from delivery.queries.proofs import proof_paper

TABLES: Final = (
    "parcel", "waybill", "carrier_event", "door_record", "parcel_task", "letter_of_authority", "delivery_complaint", "papers_order",
    "inbox_notice", "outbox_message", "audit_event", "timeline_record", "notice", "mail_message", "idempotency_key",
    "approval_service", "stored_file", "issued_document",
)  # fmt: skip
"""Tables that held a receiver, for the rewriting of their files."""
REASON: Final = N_("Retention period over")


def due(limit: int = 200) -> list[UUID]:
    """Ended parcels whose retention period is over and that still hold their receiver."""
    before = clock.now() - timedelta(days=rule_book.in_force().receiver_kept_days)
    statement = (
        sa.select(Parcel.id)
        .where(Parcel.erased_at.is_(None), Parcel.state.in_(ENDED), _ended_at() <= before)
        .order_by(Parcel.id)
    )
    return list(db.session.scalars(statement.limit(limit)))


def _ended_at() -> sa.ColumnElement[datetime]:
    """The latest moment that anything happened to a parcel that has ended."""
    return sa.func.coalesce(
        Parcel.delivered_at, Parcel.last_report_at, Parcel.handed_over_at, Parcel.ready_at, Parcel.created_at
    )


@use_case
def erase_receiver(parcel_id: UUID) -> bool:
    """Erase one receiver if the period is over; returns whether that happened now."""
    parcel = lock(Parcel, parcel_id)
    if parcel.erased_at or not privacy.may_erase(
        window_of(parcel), clock.now(), rule_book.in_force().receiver_kept_days
    ):
        return False
    erase_everywhere(parcel, REASON)
    return True


def erase_everywhere(parcel: Parcel, reason: str) -> None:
    """Erase the receiver of a locked parcel from every place. Call inside a transaction."""
    names = frozenset(name for name in (parcel.receiver_name, parcel.signer_name) if name)
    db.session.flush()
    audit.erase(SYSTEM, "parcel", parcel.id, reason)
    _carrier(parcel)
    _letters(parcel, reason)
    _complaints(parcel, reason)
    _papers(parcel, reason)
    _tasks(parcel)
    _proofs(parcel)
    outbox.forget(str(parcel.id))
    inbox.forget(str(parcel.id), *_numbers(parcel))
    notices.forget(f"/parcels/{parcel.id}")
    timeline.forget("parcel", parcel.id, names)
    parcel.receiver_name = parcel.receiver_mobile = parcel.receiver_address = parcel.pickup_code = ""
    parcel.signer_name = parcel.booking_problem = parcel.check_problem = None
    parcel.erased_at = clock.now()
    event = ReceiverErased(parcel.id, parcel.subject, parcel.thread_id)
    _redact_papers(parcel, reason)
    record(parcel, "erased", SYSTEM, title=N_("Receiver erased after the retention period"), event=event)


def _numbers(parcel: Parcel) -> list[str]:
    return list(db.session.scalars(sa.select(Waybill.waybill_no).where(Waybill.parcel_id == parcel.id)))


def _carrier(parcel: Parcel) -> None:
    db.session.execute(sa.update(Waybill).where(Waybill.parcel_id == parcel.id).values(label_pdf=None))
    for row in db.session.scalars(sa.select(CarrierEvent).where(CarrierEvent.parcel_id == parcel.id)):
        row.raw = {}
        row.seen = {**row.seen, "description": "", "signer_name": ""}


def _letters(parcel: Parcel, reason: str) -> None:
    for letter in db.session.scalars(sa.select(LetterOfAuthority).where(LetterOfAuthority.parcel_id == parcel.id)):
        audit.erase(SYSTEM, letter.object_type, letter.id, reason)
        timeline.forget(letter.object_type, letter.id, frozenset({letter.agent_name}))
        letter.agent_name = letter.agent_id_last4 = ""
        if letter.file_id is not None:
            files.erase(letter.file_id)
            letter.file_id = None


def _complaints(parcel: Parcel, reason: str) -> None:
    for complaint in db.session.scalars(sa.select(Complaint).where(Complaint.parcel_id == parcel.id)):
        audit.erase(SYSTEM, complaint.object_type, complaint.id, reason)
        timeline.forget(complaint.object_type, complaint.id, frozenset())
        notices.forget(f"/delivery-complaints/{complaint.id}")
        inbox.forget(str(complaint.id))
        complaint.text = ""
        complaint.answer = complaint.answer and ""
        complaint.decision = complaint.decision and ""


def _papers(parcel: Parcel, reason: str) -> None:
    statement = sa.select(PapersOrder).where(PapersOrder.subject == parcel.subject, PapersOrder.erased_at.is_(None))
    for order in db.session.scalars(statement):
        audit.erase(SYSTEM, order.object_type, order.id, reason)
        timeline.forget(order.object_type, order.id, frozenset({order.sender_name}))
        notices.forget(f"/papers/{order.id}")
        outbox.forget(str(order.id))
        inbox.forget(str(order.id), *((order.waybill_no,) if order.waybill_no else ()))
        order.sender_name = order.sender_mobile = order.sender_address = ""
        order.reports, order.remark, order.problem, order.erased_at = [], None, None, clock.now()


def _proofs(parcel: Parcel) -> None:
    """What couriers recorded at the door: signer, document tail, note, photo and signature; their hashes stay."""
    for row in db.session.scalars(sa.select(DoorRecord).where(DoorRecord.parcel_id == parcel.id)):
        for file_id in (row.photo_file_id, row.signature_file_id):
            if file_id is not None:
                row.photo_file_id = row.signature_file_id = None
                db.session.flush()  # the row lets go of the file first
                files.erase(file_id)
        row.signer_name = row.id_last4 = row.note = None


def _redact_papers(parcel: Parcel, reason: str) -> None:
    """The issued proofs: the signature is drawn on them, and they name the signer in part."""
    db.session.flush()
    for record_id in db.session.scalars(sa.select(DoorRecord.id).where(DoorRecord.parcel_id == parcel.id)).all():
        documents.redact_proof(proof_paper(record_id), reason)


def _tasks(parcel: Parcel) -> None:
    db.session.execute(sa.update(ParcelTask).where(ParcelTask.parcel_id == parcel.id).values(fact="", resolution=None))


def erased_since(moment: datetime) -> bool:
    """Whether anything was erased since then."""
    return db.session.scalar(sa.select(Parcel.id).where(Parcel.erased_at >= moment).limit(1)) is not None
