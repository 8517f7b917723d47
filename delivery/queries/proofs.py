"""Proofs of delivery: what a courier recorded, masked for whoever asks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.words import N_
from delivery import rules
from delivery.doorstep import Doubt, FailReason, IdType, NextStep, RecordKind, Signer
from delivery.models.parcels import Parcel
from delivery.models.proofs import DoorRecord, Standing
from delivery.policy import must_see_parcel, oversees
from delivery.states import STAFF, Part
from delivery.words import ID_TYPES

SIGNERS: Final = {
    Signer.SELF: N_("the receiver in person"),
    Signer.AGENT: N_("somebody the receiver named, with the pick-up code"),
    Signer.FAMILY: N_("a member of the family"),
    Signer.RECEPTION: N_("reception, guard or locker"),
    Signer.UNATTENDED: N_("left without anybody taking it"),
}
REASONS: Final = {
    FailReason.ABSENT: N_("Nobody there"),
    FailReason.UNREACHABLE: N_("Telephone not answered"),
    FailReason.ASKED_LATER: N_("Receiver asks for another day"),
    FailReason.WRONG_ADDRESS: N_("Address wrong"),
    FailReason.MOVED: N_("Moved away"),
    FailReason.NOBODY_OF_THAT_NAME: N_("Nobody of that name"),
    FailReason.REFUSED: N_("Receiver refuses it"),
    FailReason.NOT_IDENTIFIED: N_("Could not show who they are"),
    FailReason.COLLECTS: N_("Receiver will collect it"),
    FailReason.DAMAGED: N_("Parcel is damaged"),
    FailReason.NO_ACCESS: N_("No access to the building"),
}
NEXT_STEPS: Final = {
    NextStep.TRY_AGAIN: N_("Try again tomorrow"),
    NextStep.CALL: N_("The hall calls the receiver"),
    NextStep.KEEP: N_("Keep at the post office"),
    NextStep.RETURN: N_("Return to the hall"),
}
STANDINGS: Final = {
    Standing.COUNTED: (N_("Counts as delivered"), "success"),
    Standing.EVIDENCE: (N_("Evidence beside the carrier's report"), "active"),
    Standing.DOUBTFUL: (N_("A person has to look"), "warning"),
    Standing.CONFLICT: (N_("Second delivery of the same parcel"), "danger"),
    Standing.REFUSED: (N_("From a handset that was given up"), "danger"),
    Standing.LATE: (N_("Came after the parcel was settled"), "neutral"),
}
DOUBTS: Final = {
    Doubt.SIGNER_NOT_ALLOWED: N_("The receiver did not allow this person to sign."),
    Doubt.UNATTENDED: N_("Nobody took it in person."),
    Doubt.NOT_IDENTIFIED: N_("Neither the right code nor a document was shown."),
    Doubt.CODE_WRONG: N_("The pick-up code was wrong."),
    Doubt.CODE_LOCKED: N_("The code of this stop was locked."),
    Doubt.NO_SIGNATURE: N_("There is no signature."),
    Doubt.TIME: N_("The time of the handset cannot be right."),
    Doubt.HANDSET_GIVEN_UP: N_("The handset had been replaced or given up before this arrived."),
}


@dataclass(frozen=True)
class ProofView:
    """One record for pages. Pictures are offered only to those who may see them."""

    id: UUID
    number: str
    kind: str
    courier_name: str
    occurred_at: datetime
    device_at: datetime
    received_at: datetime
    clock_error: timedelta
    is_skewed: bool
    standing: str
    standing_label: str
    tone: str
    doubts: tuple[str, ...]
    signer_label: str
    signer_name: str = field(repr=False)
    id_label: str = field(repr=False)
    code_check: str
    reason_label: str
    next_label: str
    note: str = field(repr=False)
    photo_sha256: str
    signature_sha256: str
    shows_photo: bool
    shows_signature: bool


def proofs_of(parcel_id: UUID, actor: Actor) -> tuple[ProofView, ...]:
    """The records of a parcel, oldest first. Raises NotFound for a parcel that the actor may not see."""
    parcel = get(Parcel, parcel_id)
    parts = must_see_parcel(actor, parcel)
    statement = sa.select(DoorRecord).where(DoorRecord.parcel_id == parcel.id).order_by(DoorRecord.received_at)
    rows = list(db.session.scalars(statement))
    if not parts.intersection(STAFF) and not oversees(actor):  # a receiver sees deliveries, not the talk about them
        rows = [row for row in rows if row.kind == RecordKind.DELIVERED]
    return tuple(_view(row, parts, oversight=oversees(actor)) for row in rows)


def _view(row: DoorRecord, parts: frozenset[Part], *, oversight: bool) -> ProofView:
    full = bool(parts) and not oversight
    pictures = may_see_pictures(parts)
    label, tone = STANDINGS[Standing(row.standing)]
    document = ID_TYPES[IdType(row.id_type)] if row.id_type else ""
    return ProofView(
        row.id, row.number, row.kind, row.courier_name, row.occurred_at, row.device_at, row.received_at,
        timedelta(milliseconds=row.offset_ms), row.is_skewed, row.standing, label, tone,
        tuple(DOUBTS[Doubt(each)] for each in row.doubts), SIGNERS[Signer(row.signer)] if row.signer else "",
        (row.signer_name or "") if full else rules.masked_name(row.signer_name or ""), document if full else "",
        row.code_check, REASONS[FailReason(row.reason)] if row.reason else "", NEXT_STEPS[NextStep(row.next_step)] if row.next_step else "",
        (row.note or "") if full else "", row.photo_sha256 or "", row.signature_sha256 or "",
        pictures and row.photo_file_id is not None, pictures and row.signature_file_id is not None,
    )  # fmt: skip


def may_see_pictures(parts: frozenset[Part]) -> bool:
    """Faces and signatures: the post, its supervisor, and the receiver themselves."""
    return not parts.isdisjoint((Part.POST, Part.SUPERVISOR, Part.APPLICANT))


def picture_file(record_id: UUID, kind: str, actor: Actor) -> UUID:
    """The stored file of a record's photo or signature. Raises NotFound for what is not there or not theirs to see."""
    row = get(DoorRecord, record_id)
    parts = must_see_parcel(actor, get(Parcel, row.parcel_id))
    file_id = {"photo": row.photo_file_id, "signature": row.signature_file_id}.get(kind)
    if (
        file_id is None
        or not may_see_pictures(parts)
        or (parts == {Part.APPLICANT} and row.kind != RecordKind.DELIVERED)
    ):
        raise NotFound
    return file_id


@dataclass(frozen=True)
class ProofPaper:
    """What the paper of a delivery says; a person is masked on it, because whoever holds it can read it."""

    record_id: UUID
    parcel_id: UUID
    thread_id: UUID
    number: str
    parcel_number: str
    waybill_no: str
    hall_name: str
    contents: str
    receiver: str
    place: str
    signer: str
    signer_name: str
    document: str
    code_check: str
    courier_name: str
    occurred_at: datetime
    received_at: datetime
    is_skewed: bool
    standing: str
    doubts: tuple[str, ...]
    photo_sha256: str
    signature_sha256: str
    signature_file_id: UUID | None


def proof_paper(record_id: UUID) -> ProofPaper:
    """The record for its paper."""
    row = get(DoorRecord, record_id)
    parcel = get(Parcel, row.parcel_id)
    facts: dict[str, Any] = {
        "hall_name": identity.organisation_name(parcel.hall_organisation_id),
        "receiver": rules.masked_name(parcel.receiver_name),
        "signer_name": rules.masked_name(row.signer_name or ""),
    }
    return ProofPaper(
        record_id=row.id, parcel_id=parcel.id, thread_id=parcel.thread_id, number=row.number, parcel_number=parcel.number,
        waybill_no=parcel.waybill_no or "", contents=parcel.contents, place=f"{parcel.receiver_city}{parcel.receiver_county}",
        signer=row.signer or "", document=row.id_type or "", code_check=row.code_check, courier_name=row.courier_name,
        occurred_at=row.occurred_at, received_at=row.received_at, is_skewed=row.is_skewed, standing=row.standing,
        doubts=tuple(row.doubts), photo_sha256=row.photo_sha256 or "", signature_sha256=row.signature_sha256 or "",
        signature_file_id=row.signature_file_id, **facts,
    )  # fmt: skip
