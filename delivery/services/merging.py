"""Several results of one receiver in one envelope (合并寄递): one waybill, and every case still sees its own journey."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, lock, use_case
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery.events import (
    ParcelDelivered,
    ParcelDeliveryRevoked,
    ParcelHandedOver,
    ParcelLost,
    ParcelReturned,
)
from delivery.models.parcels import Parcel
from delivery.models.terms import FeeState
from delivery.policy import must_see_parcel
from delivery.services.terms import terms_of
from delivery.states import PARCEL, ParcelState, Part

CONTENTS_LENGTH = 200
JOINT = "；"


@dataclass(frozen=True)
class Merge:
    """The parcel that this one is put into."""

    into_id: UUID
    version: int | None = None


@use_case
def merge(actor: Actor, parcel_id: UUID, command: Merge) -> None:
    """Put a parcel into another one of the same receiver and hall before either is packed.

    Raises NotFound for a parcel of somebody else, Refused where the receivers differ, Conflict for one that is packed,
    merged already, or itself holds another.
    """
    if parcel_id == command.into_id:
        raise Refused("merge-itself", N_("A parcel cannot be put into itself."), field="into_id")
    first, second = sorted((parcel_id, command.into_id))
    rows = {each: lock(Parcel, each, seen=command.version if each == parcel_id else None) for each in (first, second)}
    parcel, main = rows[parcel_id], rows[command.into_id]
    parts = must_see_parcel(actor, parcel)
    if not parts or not must_see_parcel(actor, main):
        raise NotFound
    _refuse_unlike(parcel, main)
    terms = terms_of(main.id)
    contents = f"{main.contents}{JOINT}{parcel.contents}"
    if len(contents) > CONTENTS_LENGTH:
        raise Conflict("envelope-full", N_("So much does not go into one envelope."))
    terms.own_contents = terms.own_contents or main.contents
    main.contents, main.weight_g = contents, main.weight_g + parcel.weight_g
    main.serve_by = min(main.serve_by, parcel.serve_by)
    parcel.merged_into_id = main.id
    move(parcel, PARCEL, "merge", actor, parts, detail={"into": main.number})
    record(
        main, "joined", actor, title=N_("Another result of the receiver was added"), detail={"parcel": parcel.number}
    )


def _refuse_unlike(parcel: Parcel, main: Parcel) -> None:
    if parcel.state == ParcelState.MERGED:
        raise Conflict(
            "already-merged", N_("Parcel %(number)s already travels in another one."), params={"number": parcel.number}
        )
    for each in (parcel, main):
        if each.state != ParcelState.READY:
            raise Conflict(
                "not-mergeable", N_("Parcel %(number)s is not waiting to be packed, so nothing can be put together."),
                params={"number": each.number},
            )  # fmt: skip
    if db.session.scalar(
        sa.select(Parcel.id).where(Parcel.merged_into_id == parcel.id, Parcel.state == ParcelState.MERGED).limit(1)
    ):
        raise Conflict(
            "holds-others", N_("Parcel %(number)s already holds another one."), params={"number": parcel.number}
        )
    if receiver_key(parcel) != receiver_key(main):
        raise Refused(
            "other-receiver",
            N_("Only parcels of one receiver at one address, from one hall, go together."),
            field="into_id",
        )
    if FeeState.OWED in (terms_of(parcel.id).fee_state, terms_of(main.id).fee_state):
        raise Conflict("postage-owed", N_("The applicant has not paid the postage yet; packing waits for it."))


def receiver_key(parcel: Parcel) -> tuple[object, ...]:
    """What must be equal before two parcels go together."""
    terms = terms_of(parcel.id)
    return (
        parcel.hall_organisation_id, parcel.applicant_user_id, parcel.receiver_name, parcel.receiver_mobile, parcel.receiver_prov,
        parcel.receiver_city, parcel.receiver_county, parcel.receiver_address, parcel.who_may_sign, terms.collection_point_id,
        terms.fee_mode,
    )  # fmt: skip


@use_case
def split(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Take a parcel out again, as long as its envelope is not packed."""
    main_id = get(Parcel, parcel_id).merged_into_id
    if main_id is None:
        raise Conflict("not-merged", N_("This parcel travels alone."))
    first, second = sorted((parcel_id, main_id))
    seen = getattr(command, "version", None)
    rows = {each: lock(Parcel, each, seen=seen if each == parcel_id else None) for each in (first, second)}
    parcel, main = rows[parcel_id], rows[main_id]
    parts = must_see_parcel(actor, parcel)
    if main.state not in (ParcelState.READY, ParcelState.CANCELLED):
        raise Conflict("already-packed", N_("The envelope is packed; what is in it cannot be changed any more."))
    _take_out(actor, parcel, main, parts)


def _take_out(actor: Actor, parcel: Parcel, main: Parcel, parts: frozenset[Part] | set[Part]) -> None:
    move(parcel, PARCEL, "split", actor, parts, detail={"from": main.number})
    parcel.merged_into_id = None
    db.session.flush()
    terms = terms_of(main.id)
    rest = [each.contents for each in travelling_in(main.id)]
    main.contents = JOINT.join([terms.own_contents or main.contents, *rest])
    main.weight_g = max(main.weight_g - parcel.weight_g, 1)
    if not rest:
        terms.own_contents = None


def travelling_in(main_id: UUID) -> list[Parcel]:
    """The parcels that travel in another one, in the order they were ordered."""
    statement = sa.select(Parcel).where(Parcel.merged_into_id == main_id, Parcel.state == ParcelState.MERGED)
    return list(db.session.scalars(statement.order_by(Parcel.number)))


# --- what happens to the envelope happens to everything in it ---


@use_case
def handed_over_along(event: ParcelHandedOver) -> None:
    """Tell every case in the envelope that it is with the courier."""
    for each in _locked(event.parcel_id):
        told = ParcelHandedOver(each.id, each.subject, each.thread_id, event.waybill_no, event.handed_over_at)
        record(
            each,
            "handed_over_along",
            SYSTEM,
            title=N_("Handed over to the courier"),
            detail={"waybill_no": event.waybill_no},
            event=told,
        )


@use_case
def delivered_along(event: ParcelDelivered) -> None:
    """Every case in the envelope is served with it."""
    for each in _locked(event.parcel_id):
        if each.delivered_at == event.delivered_at:
            continue
        each.delivered_at, each.signer_class, each.signer_name = (
            event.delivered_at,
            event.signer_class,
            event.signer_name,
        )
        told = ParcelDelivered(
            each.id, each.subject, each.thread_id, event.signer_name, event.signer_class, event.delivered_at
        )
        record(
            each,
            "delivered_along",
            SYSTEM,
            title=N_("Delivered"),
            detail={"at": event.delivered_at.isoformat()},
            event=told,
        )


@use_case
def revoked_along(event: ParcelDeliveryRevoked) -> None:
    """No case in the envelope counts as served any more."""
    for each in _locked(event.parcel_id):
        if each.delivered_at is None:
            continue
        each.delivered_at = each.signer_class = each.signer_name = None
        told = ParcelDeliveryRevoked(each.id, each.subject, each.thread_id)
        record(each, "revoked_along", SYSTEM, title=N_("Delivery taken back by the carrier"), event=told)


@use_case
def returned_along(event: ParcelReturned) -> None:
    """Everything in the envelope is back at the hall."""
    for each in _locked(event.parcel_id):
        told = ParcelReturned(each.id, each.subject, each.thread_id, event.reason)
        record(each, "returned_along", SYSTEM, title=N_("Received back at the hall"), event=told)


@use_case
def lost_along(event: ParcelLost) -> None:
    """Everything in the envelope has to be issued again."""
    for each in _locked(event.parcel_id):
        move(each, PARCEL, "lose_along", SYSTEM, {Part.SYSTEM}, event=ParcelLost(each.id, each.subject, each.thread_id))


def _locked(main_id: UUID) -> list[Parcel]:
    return [lock(Parcel, each.id) for each in travelling_in(main_id)]


@use_case
def settle_along(main_id: UUID) -> int:
    """Close what travelled in a closed envelope; put back what lay in a cancelled one. Returns how many."""
    main = lock(Parcel, main_id)
    members = _locked(main_id)
    for each in members:
        if main.state == ParcelState.CLOSED:
            move(each, PARCEL, "close_along", SYSTEM, {Part.SYSTEM})
        elif main.state == ParcelState.CANCELLED:
            _take_out(SYSTEM, each, main, {Part.SYSTEM})
    return len(members)


def to_settle(limit: int = 200) -> list[UUID]:
    """Closed or cancelled parcels in which others still travel."""
    member = sa.orm.aliased(Parcel)
    statement = (
        sa.select(Parcel.id)
        .join(member, member.merged_into_id == Parcel.id)
        .where(member.state == ParcelState.MERGED, Parcel.state.in_((ParcelState.CLOSED, ParcelState.CANCELLED)))
        .distinct()
    )
    return list(db.session.scalars(statement.limit(limit)))
