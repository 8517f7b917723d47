"""What a handset uploads: each record stored once, judged once, and only then acted upon.

A record never gets lost because of a rule: what cannot count is kept with its doubts and put before a person. Only what
names a foreign round, or reuses an id, is refused.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, DomainError, NotFound
from app.kernel.files import Upload, keep
from app.kernel.numbering import next_number
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery import doorstep, own_courier
from delivery.doorstep import CodeCheck, Doubt, Evidence, FailReason, NextStep, RecordKind, Signer
from delivery.events import DeliveryRecorded
from delivery.models.parcels import Parcel
from delivery.models.proofs import DoorRecord, Standing
from delivery.models.rounds import CourierRound, RoundStop, StopState
from delivery.models.tasks import TaskKind
from delivery.observed import SignerClass
from delivery.own_courier import OWN_CARRIER
from delivery.policy import must_see_round
from delivery.ports import Report
from delivery.services import codes
from delivery.services.mandates import signatory
from delivery.services.own_courier import tell
from delivery.services.quietly import note
from delivery.services.rounds import stop_of
from delivery.services.tasks import raise_task
from delivery.services.tracking import settle_by_proof
from delivery.states import ParcelState, Part

log = logging.getLogger(__name__)
DELIVERIES: Final = (Standing.COUNTED, Standing.EVIDENCE, Standing.DOUBTFUL)
"""Standings of a delivery that a second one conflicts with."""


@dataclass(frozen=True)
class DoorReport:
    """One record as it came from a handset. `id` is made there; times are the device's."""

    id: UUID
    round_id: UUID
    parcel_id: UUID
    kind: RecordKind
    device_at: datetime
    noted_offset: timedelta
    signer: Signer | None = None
    signer_name: str = field(default="", repr=False)
    id_type: str | None = None
    id_last4: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    reason: FailReason | None = None
    next_step: NextStep | None = None
    note: str = field(default="", repr=False)
    handset_no: int = 1
    """Which handset of the round it was, as the round told it."""
    photo: bytes | None = field(default=None, repr=False)
    signature: bytes | None = field(default=None, repr=False)

    @property
    def fingerprint(self) -> str:
        """By which a reused id with other content is told apart; the code is in it only as part of the hash."""
        facts = [
            self.round_id, self.parcel_id, self.kind, self.device_at.isoformat(), self.signer, self.signer_name, self.id_type,
            self.id_last4, self.code, self.reason, self.next_step, self.note, _digest(self.photo), _digest(self.signature),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(facts, default=str, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Delivery:
    """One upload: which handset, when it was sent by the handset's clock, and at most twenty records."""

    device_id: str
    sent_at: datetime
    records: tuple[DoorReport, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one record. `retry` asks the handset to send it again; everything else is settled."""

    id: UUID
    result: str
    standing: str = ""
    doubts: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    params: dict[str, object] = field(default_factory=dict)


def receive(actor: Actor, upload: Delivery) -> tuple[Outcome, ...]:
    """Store what can be stored, each record in a transaction of its own; one that fails does not hold up the others."""
    return tuple(_receive_one(actor, upload, each) for each in upload.records)


def _receive_one(actor: Actor, upload: Delivery, report: DoorReport) -> Outcome:
    try:
        return store_record(actor, upload.device_id, upload.sent_at, report)
    except DomainError as refusal:
        return Outcome(
            report.id, "refused", code=refusal.code, message=refusal.detail or refusal.title, params=refusal.params
        )
    except DBAPIError:
        log.exception("door record not stored", extra={"record": str(report.id)})
        return Outcome(report.id, "retry", code="busy", message=N_("The server is busy. This record is sent again."))


@use_case
def store_record(actor: Actor, device_id: str, sent_at: datetime, report: DoorReport) -> Outcome:
    """Store, judge and follow one record. A repeat answers what the first said.

    Raises NotFound for a round or parcel that this courier never had, Conflict for a round that nobody took out and for
    an id that came with other content, and what the file store says of a broken picture.
    """
    found = lock(CourierRound, report.round_id)
    if Part.COURIER not in must_see_round(actor, found):
        raise NotFound
    known = db.session.get(DoorRecord, report.id)
    if known is not None:
        return _repeated(known, actor, report)
    if found.set_out_at is None:
        raise Conflict("not-set-out", N_("This round was not taken out."))
    stop = stop_of(found.id, report.parcel_id)
    parcel = lock(Parcel, report.parcel_id)
    timing = doorstep.timing(report.device_at, report.noted_offset, sent_at, clock.now(), found.set_out_at)
    given_up = report.handset_no < found.handset_no
    check = _checked_code(actor, parcel, report, counts=not given_up)
    doubts = list(_doubts(parcel, report, check, timing.occurred_at))
    if given_up:
        doubts.append(Doubt.HANDSET_GIVEN_UP)
    if timing.is_absurd:
        doubts.append(Doubt.TIME)
    row = DoorRecord(
        id=report.id, number=next_number("QS"), fingerprint=report.fingerprint, stop_id=stop.id, parcel_id=parcel.id, waybill_no=parcel.waybill_no or "",
        courier_user_id=actor.user_id, courier_name=actor.name, device_id=device_id, kind=report.kind,
        standing=Standing.REFUSED if given_up else _standing(parcel, report, doubts), doubts=[str(each) for each in doubts], device_at=report.device_at,
        offset_ms=round(timing.offset.total_seconds() * 1000), occurred_at=timing.occurred_at, received_at=clock.now(),
        is_skewed=timing.is_skewed, signer=report.signer, signer_name=report.signer_name or None, id_type=report.id_type,
        id_last4=report.id_last4, code_check=check, reason=report.reason, next_step=report.next_step, note=report.note or None,
    )  # fmt: skip
    _keep_pictures(actor, row, report)
    db.session.add(row)
    db.session.flush()  # the partial unique index on counted deliveries speaks here
    _write_down(actor, parcel, row)
    if given_up:
        if row.kind == RecordKind.DELIVERED:
            raise_task(parcel, TaskKind.DOUBTFUL_PROOF, cause=str(row.id), fact=row.number)
        return _outcome(row, "stored")
    _follow(actor, stop, parcel, row)
    return _outcome(row, "stored")


def _repeated(known: DoorRecord, actor: Actor, report: DoorReport) -> Outcome:
    if known.fingerprint != report.fingerprint or known.courier_user_id != actor.user_id:
        raise Conflict("record-id-reused", N_("This record was sent before with other content."))
    return _outcome(known, "repeated")


def _outcome(row: DoorRecord, result: str) -> Outcome:
    """What the handset is told of a stored record; one of a handset that was given up is refused each time it is sent."""
    if row.standing != Standing.REFUSED:
        return Outcome(row.id, result, row.standing, tuple(row.doubts))
    return Outcome(
        row.id, "refused", row.standing, tuple(row.doubts), "handset-given-up",
        N_("This handset was replaced or given up. The record is kept as evidence and does not count; the hall looks at it."),
    )  # fmt: skip


def _checked_code(actor: Actor, parcel: Parcel, report: DoorReport, *, counts: bool) -> CodeCheck:
    check = doorstep.check_code(parcel.pickup_code, report.code)
    if counts and check is CodeCheck.WRONG and not codes.is_locked(parcel.id):
        codes.count_try(parcel, actor, fits=False)
    return check


def _doubts(parcel: Parcel, report: DoorReport, check: CodeCheck, occurred_at: datetime) -> Sequence[Doubt]:
    if report.kind is not RecordKind.DELIVERED or report.signer is None:
        return ()
    has_id = bool(report.id_type and report.id_last4)
    allowed = signatory(parcel.id, occurred_at)
    evidence = Evidence(
        report.signer, report.signer_name, check, has_id, report.signature is not None,
        is_named=allowed.names(report.signer_name, report.id_last4 or ""),
    )  # fmt: skip
    return doorstep.doubts(allowed.who, evidence, locked=codes.is_locked(parcel.id))


def _standing(parcel: Parcel, report: DoorReport, doubts: Sequence[Doubt]) -> Standing:
    if report.kind is RecordKind.CODE_LOCKED:
        return Standing.EVIDENCE
    if _delivery_of(parcel) is not None:
        return Standing.CONFLICT if report.kind is RecordKind.DELIVERED else Standing.LATE
    own = parcel.carrier == OWN_CARRIER
    watched = (
        (ParcelState.HANDED_OVER,) if own else (ParcelState.HANDED_OVER, ParcelState.DELIVERED, ParcelState.CLOSED)
    )
    if parcel.state not in watched:
        return Standing.DOUBTFUL if report.kind is RecordKind.DELIVERED else Standing.LATE
    if doubts:
        return Standing.DOUBTFUL
    return Standing.COUNTED if own else Standing.EVIDENCE


def _delivery_of(parcel: Parcel) -> UUID | None:
    """A delivery that was recorded before, since the parcel was handed over."""
    statement = sa.select(DoorRecord.id).where(
        DoorRecord.parcel_id == parcel.id, DoorRecord.kind == RecordKind.DELIVERED, DoorRecord.standing.in_(DELIVERIES),
        DoorRecord.received_at >= parcel.handed_over_at,
    )  # fmt: skip
    return db.session.scalar(statement.limit(1))


def _keep_pictures(actor: Actor, row: DoorRecord, report: DoorReport) -> None:
    if report.photo is not None:
        kept = keep(Upload(f"{row.number}-photo.jpg", report.photo), actor)
        row.photo_file_id, row.photo_sha256 = kept.id, kept.sha256
    if report.signature is not None:
        kept = keep(Upload(f"{row.number}-signature.png", report.signature), actor)
        row.signature_file_id, row.signature_sha256 = kept.id, kept.sha256


TITLES: Final = {
    RecordKind.DELIVERED: N_("The courier recorded a delivery"),
    RecordKind.FAILED: N_("The courier recorded a failed attempt"),
    RecordKind.CODE_LOCKED: N_("The pick-up code was wrong five times"),
}


def _write_down(actor: Actor, parcel: Parcel, row: DoorRecord) -> None:
    detail = {
        "record": row.number, "standing": row.standing, "doubts": row.doubts, "at": row.occurred_at.isoformat(),
        "device_at": row.device_at.isoformat(), "signer": row.signer, "reason": row.reason, "next_step": row.next_step,
        "photo_sha256": row.photo_sha256, "signature_sha256": row.signature_sha256,
    }  # fmt: skip
    event = DeliveryRecorded(row.id) if row.kind == RecordKind.DELIVERED else None
    kept = {name: value for name, value in detail.items() if value}
    record(parcel, f"door_{row.kind}", actor, title=TITLES[RecordKind(row.kind)], detail=kept, event=event)


def _follow(actor: Actor, stop: RoundStop, parcel: Parcel, row: DoorRecord) -> None:
    match RecordKind(row.kind):
        case RecordKind.CODE_LOCKED:
            codes.lock_code(parcel, actor)
        case RecordKind.DELIVERED:
            _follow_delivery(stop, parcel, row)
        case RecordKind.FAILED:
            _follow_failure(stop, parcel, row)


def _follow_delivery(stop: RoundStop, parcel: Parcel, row: DoorRecord) -> None:
    if stop.outcome != StopState.TAKEN_OFF:
        stop.outcome = StopState.DELIVERED
    if row.standing == Standing.CONFLICT:
        raise_task(parcel, TaskKind.TWO_DELIVERIES, cause=str(row.id), fact=row.number)
        return
    _close_other_stops(stop)
    if row.standing == Standing.DOUBTFUL and parcel.carrier != OWN_CARRIER:
        raise_task(parcel, TaskKind.DOUBTFUL_PROOF, cause=str(row.id), fact=row.number)
    if parcel.carrier == OWN_CARRIER and parcel.state == ParcelState.HANDED_OVER:
        tell(parcel, _as_report(parcel, row))
    elif row.standing == Standing.EVIDENCE:
        settle_by_proof(parcel)
        note(parcel, next_poll_at=clock.now())  # what the carrier says is wanted soon


def _as_report(parcel: Parcel, row: DoorRecord) -> Report:
    assert parcel.waybill_no is not None
    sound = row.standing == Standing.COUNTED
    signer = doorstep.SIGNER_CLASSES[Signer(row.signer)] if row.signer else SignerClass.UNSTATED
    if not sound and signer in (SignerClass.IN_PERSON, SignerClass.PROXY):
        signer = SignerClass.UNSTATED  # whoever it was did not prove it
    name = row.signer_name or (parcel.receiver_name if row.signer == Signer.SELF else "")
    at = row.received_at if Doubt.TIME in row.doubts else row.occurred_at
    return own_courier.delivered(parcel.waybill_no, row.number, at, signer, name)


def _follow_failure(stop: RoundStop, parcel: Parcel, row: DoorRecord) -> None:
    if stop.outcome == StopState.OPEN:
        stop.outcome = StopState.FAILED
    if row.standing == Standing.LATE:
        return
    assert row.reason is not None
    assert row.next_step is not None
    reason, step = FailReason(row.reason), NextStep(row.next_step)
    if parcel.carrier == OWN_CARRIER and parcel.waybill_no is not None:
        at = row.received_at if Doubt.TIME in row.doubts else row.occurred_at
        tell(parcel, *own_courier.failed(parcel.waybill_no, row.number, at, reason, step))
    elif step is not NextStep.TRY_AGAIN:
        raise_task(parcel, TaskKind.DELIVERY_FAILED, cause=str(row.id), fact=doorstep.REASON_CODES[reason])


def _close_other_stops(stop: RoundStop) -> None:
    """A parcel that was delivered is not to be carried about by somebody else."""
    db.session.execute(
        sa.update(RoundStop)
        .where(RoundStop.parcel_id == stop.parcel_id, RoundStop.id != stop.id, RoundStop.outcome == StopState.OPEN)
        .values(outcome=StopState.TAKEN_OFF)
    )


def _digest(content: bytes | None) -> str | None:
    return hashlib.sha256(content).hexdigest() if content is not None else None
