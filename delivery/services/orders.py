"""A delivery order from its beginning to its end, without the carrier: order, correct, cancel, confirm, dispute."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import rules
from delivery.custody import CustodyKind
from delivery.events import ParcelCancelled
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.models.terms import ParcelTerms
from delivery.policy import must_see_parcel
from delivery.services.custody import hand_on
from delivery.services.fees import agree, checked_mode, drop
from delivery.services.schedules import expect, promise_or_default
from delivery.services.tasks import raise_task
from delivery.services.terms import terms_of
from delivery.states import PARCEL, ParcelState, Part

ACTIVE: Final = tuple(
    state for state in ParcelState if state not in (ParcelState.CLOSED, ParcelState.CANCELLED, ParcelState.LOST)
)


@dataclass(frozen=True)
class Receiver:
    """To whom; the region names are full names of GB/T 2260."""

    name: str = field(repr=False)
    mobile: str = field(repr=False)
    prov: str
    city: str
    county: str
    address: str = field(repr=False)


@dataclass(frozen=True)
class OrderParcel:
    """What the domain that needs something delivered asks for. `serve_by` is the statutory last moment."""

    thread_id: UUID
    subject: str
    hall_organisation_id: UUID
    receiver: Receiver
    contents: str
    who_may_sign: str
    serve_by: datetime
    applicant_user_id: UUID
    weight_g: int = 120
    department: str = ""
    item: str = ""
    """Whose decision it brings, and on which approval item: for the statistics."""

    collection_point_id: UUID | None = None
    """A post office or agency point where the parcel waits, instead of the receiver's door."""
    fee_mode: str | None = None
    """None: the first way of paying that the rule book offers."""


@dataclass(frozen=True)
class Dispute:
    """The receiver says that what the carrier reports is not so."""

    reason: str
    version: int | None = None


def checked_receiver(receiver: Receiver) -> None:
    """Raises Refused with the field that cannot be delivered to."""
    if not receiver.name.strip() or len(receiver.name) > 60:
        raise Refused("receiver-name", N_("Give the receiver's name."), field="name")
    if not rules.is_mobile(receiver.mobile):
        raise Refused("receiver-mobile", N_("Give a mainland mobile number of eleven digits."), field="mobile")
    for part in ("prov", "city", "county"):
        if not getattr(receiver, part).strip():
            raise Refused("receiver-region", N_("Choose province, city and county."), field=part)
    if not 2 <= len(receiver.address.strip()) <= 200:
        raise Refused("receiver-address", N_("Give street, number and room."), field="address")


@use_case
def order_parcel(actor: Actor, command: OrderParcel) -> UUID:
    """Make a delivery order. A subject has one active order: a repeat returns it.

    Called by the domain above, which has decided that this may be sent. Raises Refused, NotFound (hall).
    """
    checked_receiver(command.receiver)
    rules.WhoMaySign(command.who_may_sign)
    identity.organisation(command.hall_organisation_id)
    known = db.session.scalar(
        sa.select(Parcel.id).where(Parcel.subject == command.subject, Parcel.state.in_(ACTIVE)).limit(1)
    )
    if known is not None:
        return known
    receiver = command.receiver
    parcel = Parcel(
        id=new_id(), number=next_number("JD"), thread_id=command.thread_id, subject=command.subject,
        hall_organisation_id=command.hall_organisation_id, applicant_user_id=command.applicant_user_id, state=ParcelState.CREATED,
        created_at=clock.now(), serve_by=command.serve_by, contents=command.contents[:200], department=command.department[:120], item=command.item[:200],
        who_may_sign=command.who_may_sign, weight_g=command.weight_g, receiver_name=receiver.name.strip(),
        receiver_mobile=receiver.mobile, receiver_prov=receiver.prov, receiver_city=receiver.city,
        receiver_county=receiver.county, receiver_address=receiver.address.strip(),
        pickup_code=f"{secrets.randbelow(1_000_000):06d}",
    )  # fmt: skip
    db.session.add(parcel)
    db.session.flush()  # move() and record() name its id
    _agree_terms(parcel, command)
    record(parcel, "ordered", actor, title=N_("Delivery by courier ordered"), detail={"number": parcel.number})
    notify(
        to_user=parcel.applicant_user_id, kind="delivery.ordered", thread_id=parcel.thread_id, link=f"/parcels/{parcel.id}",
        subject=N_("Your result will come by courier: %(number)s"),
        text=N_("Pick-up code %(code)s. Show it, or your identity card, to the courier. Tell it to nobody else."),
        params={"number": parcel.number, "code": parcel.pickup_code},
    )  # fmt: skip
    return parcel.id


def _agree_terms(parcel: Parcel, command: OrderParcel) -> None:
    db.session.add(ParcelTerms(parcel_id=parcel.id, collection_point_id=command.collection_point_id))
    db.session.flush()
    promise = promise_or_default(
        parcel.hall_organisation_id, parcel.receiver_prov, parcel.receiver_city, parcel.receiver_county
    )
    agree(parcel, terms_of(parcel.id), checked_mode(command.fee_mode), promise.fee_fen)


@use_case
def contents_ready(actor: Actor, parcel_id: UUID) -> None:
    """The papers are produced: packing may begin. For the domain above, which has authorised `actor`; repeatable."""
    parcel = lock(Parcel, parcel_id)
    if parcel.ready_at is None:
        parcel.ready_at = clock.now()
        expect(parcel, parcel.ready_at)
    if move(parcel, PARCEL, "contents_ready", actor, {Part.SYSTEM}, already_ok=True):
        hand_on(parcel, CustodyKind.MADE, actor, taker_name="" if actor.is_system else actor.name)


@use_case
def declare_contents_ready(actor: Actor, parcel_id: UUID, command: object) -> None:
    """The same by the hall's own staff."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    parcel.ready_at = clock.now()
    expect(parcel, parcel.ready_at)
    move(parcel, PARCEL, "contents_ready", actor, parts)
    hand_on(parcel, CustodyKind.MADE, actor, taker_name=actor.name)


def take_receiver(parcel: Parcel, receiver: Receiver) -> None:
    """Write another receiver onto a locked parcel."""
    parcel.receiver_name, parcel.receiver_mobile = receiver.name.strip(), receiver.mobile
    parcel.receiver_prov, parcel.receiver_city, parcel.receiver_county = receiver.prov, receiver.city, receiver.county
    parcel.receiver_address = receiver.address.strip()


@use_case
def cancel_parcel(actor: Actor, parcel_id: UUID, command: Dispute) -> None:
    """Give the delivery up before it is packed."""
    parcel = lock(Parcel, parcel_id, seen=command.version)
    parts = must_see_parcel(actor, parcel)
    cancel(actor, parcel, parts, command.reason)


@use_case
def give_up(actor: Actor, parcel_id: UUID, reason: str) -> None:
    """The receiver takes the result another way: the parcel is not needed. For the domain above, which has authorised `actor`.

    Raises IllegalTransition once it is packed.
    """
    parcel = lock(Parcel, parcel_id)
    if parcel.state != ParcelState.CANCELLED:
        cancel(actor, parcel, frozenset({Part.SYSTEM}), reason)


def cancel(actor: Actor, parcel: Parcel, parts: frozenset[Part], reason: str) -> None:
    """Take the edge, and let an owed fee go. Call inside a transaction."""
    event = ParcelCancelled(parcel.id, parcel.subject, parcel.thread_id)
    drop(parcel)
    move(parcel, PARCEL, "cancel", actor, parts, reason=reason, event=event)


@use_case
def confirm_receipt(actor: Actor, parcel_id: UUID, command: object) -> None:
    """The applicant has the parcel."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    move(parcel, PARCEL, "confirm_receipt", actor, must_see_parcel(actor, parcel))


@use_case
def dispute(actor: Actor, parcel_id: UUID, command: Dispute) -> None:
    """The applicant says that a reported delivery did not reach them: a person at the hall looks at it."""
    parcel = lock(Parcel, parcel_id, seen=command.version)
    if Part.APPLICANT not in must_see_parcel(actor, parcel):
        raise NotAllowed
    if parcel.state not in (ParcelState.DELIVERED, ParcelState.CLOSED):
        raise Refused("nothing-to-dispute", N_("No delivery is reported for this parcel."))
    raise_task(parcel, TaskKind.DISPUTED, cause=str(parcel.delivered_at), fact=command.reason[:300])
    record(parcel, "disputed", actor, title=N_("The receiver says it did not arrive"), reason=command.reason)


@use_case
def close_quiet(parcel_id: UUID, actor: Actor) -> bool:
    """Close a delivery that nobody objected to. Returns whether it was closed."""
    parcel = lock(Parcel, parcel_id)
    if parcel.state != ParcelState.DELIVERED or parcel.close_at is None or parcel.close_at > clock.now():
        return False
    return move(parcel, PARCEL, "close", actor, {Part.SYSTEM})
