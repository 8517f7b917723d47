"""Hand-over lists: scanned, counted and signed on both sides; what is missing stays with the hall, line by line."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery.errors import already_listed, same_person, wrong_turn
from delivery.events import BatchTakenOver
from delivery.models.batches import HandoverBatch, HandoverLine, LineOutcome
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.policy import must_see_batch
from delivery.services.differences import note_missing, settle_by_list
from delivery.services.handing_over import hand_over
from delivery.services.scanning import find_scanned
from delivery.services.tasks import raise_task
from delivery.states import BATCH, STAFF, BatchState, ParcelState


@dataclass(frozen=True)
class AddToBatch:
    """A scanned code: waybill number, parcel number or seal."""

    code: str
    version: int | None = None


@dataclass(frozen=True)
class RemoveFromBatch:
    """A line to be taken off."""

    parcel_id: UUID
    version: int | None = None


@dataclass(frozen=True)
class OfferBatch:
    """The hall's signature: how many were counted."""

    counted: int
    version: int | None = None


@dataclass(frozen=True)
class TakeOver:
    """The courier's signature: who, how many were counted, which were missing."""

    courier_name: str
    courier_staff_no: str
    counted: int
    missing: tuple[UUID, ...] = ()
    remark: str | None = None
    version: int | None = None


@use_case
def open_batch(actor: Actor) -> UUID:
    """Begin a list for the actor's hall. An empty open list of the same person is used again."""
    if actor.organisation_id is None or actor.user_id is None:
        raise NotAllowed
    empty = (
        sa.select(HandoverBatch.id)
        .outerjoin(HandoverLine, HandoverLine.batch_id == HandoverBatch.id)
        .where(
            HandoverBatch.hall_organisation_id == actor.organisation_id, HandoverBatch.created_by == actor.user_id,
            HandoverBatch.state == BatchState.OPEN, HandoverLine.id.is_(None),
        )
        .limit(1)
    )  # fmt: skip
    known = db.session.scalar(empty)
    if known is not None:
        return known
    batch = HandoverBatch(
        id=new_id(), number=next_number("JJ"), hall_organisation_id=actor.organisation_id, state=BatchState.OPEN,
        created_at=clock.now(), created_by=actor.user_id,
    )  # fmt: skip
    if not must_see_batch(actor, batch).intersection(STAFF):
        raise NotAllowed
    db.session.add(batch)
    db.session.flush()  # record() names its id
    record(batch, "opened", actor, title=N_("Hand-over list begun"), detail={"number": batch.number})
    return batch.id


@use_case
def add_to_batch(actor: Actor, batch_id: UUID, command: AddToBatch) -> UUID:
    """Put a scanned parcel on an open list; returns the parcel. A repeated scan of a listed parcel changes nothing.

    Raises Refused for a code of no parcel of this hall, Conflict for a parcel that is elsewhere or not ready.
    """
    batch = _open(actor, batch_id)
    parcel = find_scanned(batch.hall_organisation_id, command.code)
    listed = db.session.execute(
        sa.select(HandoverLine.batch_id, HandoverBatch.number)
        .join(HandoverBatch, HandoverBatch.id == HandoverLine.batch_id)
        .where(HandoverLine.parcel_id == parcel.id, HandoverLine.outcome == LineOutcome.LISTED)
    ).first()
    if listed is not None and listed.batch_id == batch.id:
        return parcel.id
    if listed is not None:
        raise already_listed(parcel.number, listed.number)
    if parcel.state != ParcelState.WAYBILLED:
        raise wrong_turn(parcel.number, parcel.state)
    db.session.add(
        HandoverLine(
            id=new_id(), batch_id=batch.id, parcel_id=parcel.id, outcome=LineOutcome.LISTED, listed_at=clock.now()
        )
    )
    return parcel.id


@use_case
def remove_from_batch(actor: Actor, batch_id: UUID, command: RemoveFromBatch) -> None:
    """Take a line off an open list."""
    batch = _open(actor, batch_id)
    db.session.execute(
        sa.delete(HandoverLine).where(
            HandoverLine.batch_id == batch.id, HandoverLine.parcel_id == command.parcel_id,
            HandoverLine.outcome == LineOutcome.LISTED,
        )
    )  # fmt: skip


@use_case
def offer_batch(actor: Actor, batch_id: UUID, command: OfferBatch) -> None:
    """The hall signs for the count. Raises Refused where the count differs from the list, or it is empty."""
    batch = _mine(actor, batch_id, command.version)
    lines = len(_lines(batch.id))
    if not lines:
        raise Refused("empty-list", N_("Scan at least one parcel onto the list."))
    if command.counted != lines:
        raise Refused(
            "count-differs", N_("The list holds %(lines)s parcels, you counted %(counted)s."), field="counted",
            params={"lines": lines, "counted": command.counted},
        )  # fmt: skip
    batch.offered_by, batch.offered_name = actor.user_id, actor.name
    batch.offered_at, batch.offered_count = clock.now(), lines
    move(batch, BATCH, "offer", actor, must_see_batch(actor, batch), detail={"count": lines})


@use_case
def reopen_batch(actor: Actor, batch_id: UUID, command: object) -> None:
    """The list was wrong: the hall's signature is taken back."""
    batch = _mine(actor, batch_id, getattr(command, "version", None))
    parts = must_see_batch(actor, batch)
    move(batch, BATCH, "reopen", actor, parts, reason=str(getattr(command, "reason", "")))
    batch.offered_by = batch.offered_name = batch.offered_at = batch.offered_count = None


@use_case
def cancel_batch(actor: Actor, batch_id: UUID, command: object) -> None:
    """Drop an open list; its parcels can be put on another."""
    batch = _mine(actor, batch_id, getattr(command, "version", None))
    parts = must_see_batch(actor, batch)
    move(batch, BATCH, "cancel", actor, parts, reason=str(getattr(command, "reason", "")))
    db.session.execute(sa.delete(HandoverLine).where(HandoverLine.batch_id == batch.id))


@use_case
def take_over(actor: Actor, batch_id: UUID, command: TakeOver) -> None:
    """The courier signs. What is there is handed over; what is missing stays with the hall and becomes a task.

    Raises Refused for the person who signed for the hall, for a line that is not on the list, and where the count does
    not agree with list and missing lines.
    """
    batch = _mine(actor, batch_id, command.version)
    parts = must_see_batch(actor, batch)
    if batch.state == BatchState.OFFERED and batch.offered_by == actor.user_id:
        raise same_person()
    lines = _lines(batch.id)
    missing = set(command.missing)
    _check_count(lines, missing, command.counted)
    batch.taken_by, batch.taken_name, batch.taken_at = actor.user_id, actor.name, clock.now()
    batch.taken_count, batch.courier_name = command.counted, command.courier_name
    batch.courier_staff_no, batch.remark = command.courier_staff_no, command.remark
    move(
        batch, BATCH, "take_over", actor, parts, event=BatchTakenOver(batch.id),
        detail={"count": command.counted, "missing": len(missing), "courier_staff_no": command.courier_staff_no},
    )  # fmt: skip
    for line in lines:
        parcel = lock(Parcel, line.parcel_id)
        if parcel.id in missing:
            line.outcome = LineOutcome.MISSING
            note_missing(parcel, batch)
            raise_task(parcel, TaskKind.MISSING_AT_HANDOVER, cause=str(batch.id), fact=batch.number)
            record(
                parcel,
                "missing",
                actor,
                title=N_("Missing when the list was handed over"),
                detail={"list": batch.number},
            )
        else:
            line.outcome = LineOutcome.TAKEN
            hand_over(actor, parcel, batch)
            settle_by_list(parcel, actor, batch)


def _check_count(lines: list[HandoverLine], missing: set[UUID], counted: int) -> None:
    unknown = missing - {line.parcel_id for line in lines}
    if unknown:
        raise Refused("not-on-this-list", N_("A missing parcel must be one of this list."), field="missing")
    if counted != len(lines) - len(missing):
        raise Refused(
            "count-differs", N_("%(lines)s on the list, %(missing)s missing: the count must be %(expected)s."), field="counted",
            params={"lines": len(lines), "missing": len(missing), "expected": len(lines) - len(missing)},
        )  # fmt: skip


def _mine(actor: Actor, batch_id: UUID, seen: int | None) -> HandoverBatch:
    batch = lock(HandoverBatch, batch_id, seen=seen)
    if not must_see_batch(actor, batch).intersection(STAFF):
        raise NotAllowed
    return batch


def _open(actor: Actor, batch_id: UUID) -> HandoverBatch:
    batch = _mine(actor, batch_id, None)
    if batch.state != BatchState.OPEN:
        raise Refused("list-signed", N_("This list is signed. Reopen it to change it, or begin another."))
    return batch


def _lines(batch_id: UUID) -> list[HandoverLine]:
    statement = sa.select(HandoverLine).where(HandoverLine.batch_id == batch_id).order_by(HandoverLine.parcel_id)
    return list(db.session.scalars(statement))
