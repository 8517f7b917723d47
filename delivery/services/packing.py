"""Packing with a second person: contents, receiver and seal are compared before a waybill is taken."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Refused
from app.kernel.transitions import move
from app.kernel.words import N_
from delivery.custody import CustodyKind
from delivery.errors import other_seal, same_person, seal_taken
from delivery.events import ParcelChecked
from delivery.models.parcels import Parcel
from delivery.policy import must_see_parcel
from delivery.rules import normal_scan
from delivery.services.custody import hand_on, hash_of
from delivery.services.fees import refuse_unpaid
from delivery.states import PARCEL


@dataclass(frozen=True)
class Pack:
    """What the packer declares."""

    seal_no: str
    weight_g: int
    contents_compared: bool
    version: int | None = None


@dataclass(frozen=True)
class Check:
    """What the second person scans: the seal, so that the envelope in the hand is the one on the screen."""

    seal_no: str
    version: int | None = None


@use_case
def pack(actor: Actor, parcel_id: UUID, command: Pack) -> None:
    """Note who packed it under which seal. A seal number is used once. Raises Refused."""
    parcel = lock(Parcel, parcel_id, seen=command.version)
    parts = must_see_parcel(actor, parcel)
    if not command.contents_compared:
        raise Refused(
            "not-compared",
            N_("Compare the contents with the order first, then tick the box."),
            field="contents_compared",
        )
    refuse_unpaid(parcel)
    seal_no = normal_scan(command.seal_no)
    _take_seal(parcel, seal_no, command.seal_no)
    parcel.packed_by, parcel.packed_at = actor.user_id, clock.now()
    parcel.weight_g = command.weight_g
    parcel.checked_by = parcel.checked_at = None
    move(parcel, PARCEL, "pack", actor, parts, detail={"seal": seal_no, "weight_g": command.weight_g})
    hand_on(parcel, CustodyKind.TAKEN_TO_PACK, actor, taker_name=actor.name, evidence={"weight_g": command.weight_g})


def _take_seal(parcel: Parcel, seal_no: str, typed: str) -> None:
    taken = sa.select(Parcel.id).where(Parcel.seal_no == seal_no, Parcel.id != parcel.id)
    if not seal_no or db.session.scalar(taken) is not None:
        raise seal_taken(typed)
    try:
        with db.session.begin_nested():
            parcel.seal_no = seal_no
    except IntegrityError as race:  # at the next table somebody was faster by a moment
        raise seal_taken(typed) from race


@use_case
def return_to_packer(actor: Actor, parcel_id: UUID, command: object) -> None:
    """The second person found something: it is packed again under another seal."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    reason = str(getattr(command, "reason", ""))
    move(parcel, PARCEL, "return_to_packer", actor, parts, reason=reason)
    hand_on(parcel, CustodyKind.SENT_BACK, actor, evidence={"reason_sha256": hash_of(reason)})
    parcel.packed_by = parcel.packed_at = parcel.seal_no = None


@use_case
def check_packing(actor: Actor, parcel_id: UUID, command: object) -> None:
    """The second person agrees: from now on a waybill number is asked for.

    Raises Refused for the packer, and where the scanned seal is not the one that the packer noted.
    """
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    if parcel.state == "packed" and parcel.packed_by == actor.user_id:
        raise same_person()
    scanned = normal_scan(getattr(command, "seal_no", None) or "")
    if parcel.state == "packed" and scanned and scanned != parcel.seal_no:
        raise other_seal(scanned)
    parcel.checked_by, parcel.checked_at = actor.user_id, clock.now()
    parcel.rounds += 1
    parcel.order_no = parcel.number if parcel.rounds == 1 else f"{parcel.number}-{parcel.rounds}"
    parcel.booking_due_at, parcel.booking_tries = clock.now(), 0
    parcel.booking_uncertain, parcel.booking_problem = False, None
    move(parcel, PARCEL, "check", actor, parts, event=ParcelChecked(parcel.id))
    hand_on(parcel, CustodyKind.SEALED, actor, taker_name=actor.name, scanned=bool(scanned))
