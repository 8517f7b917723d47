"""Where a parcel goes: reading a pasted address, changing it before the courier has it, and what remains afterwards."""

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import addresses, places
from delivery.addresses import Parsed
from delivery.carriers import chosen
from delivery.events import WaybillVoided
from delivery.models.batches import HandoverLine, LineOutcome
from delivery.models.parcels import Parcel
from delivery.models.waybills import Waybill, WaybillState
from delivery.policy import must_see_parcel
from delivery.ports import Capability, Party
from delivery.services.codes import check_code
from delivery.services.merging import travelling_in
from delivery.services.orders import Receiver, checked_receiver, take_receiver
from delivery.services.schedules import address_at, point_for, promise_to
from delivery.services.terms import terms_of
from delivery.states import PARCEL, ParcelState, Part

FREE = (ParcelState.CREATED, ParcelState.READY, ParcelState.PACKED, ParcelState.RETURNED)
"""No number was asked for: the new address is simply written."""


@dataclass(frozen=True)
class ChangeAddress:
    """Another receiver or address. The applicant proves itself with the pick-up code, staff say how it was verified."""

    receiver: Receiver
    code: str = field(default="", repr=False)
    reason: str = ""
    version: int | None = None


@dataclass(frozen=True)
class ChoosePoint:
    """The collection point where the parcel is to wait."""

    collection_point_id: UUID
    code: str = field(default="", repr=False)
    version: int | None = None


def read_pasted(text: str) -> Parsed:
    """Take a pasted line apart; where we do not find the county, the carrier is asked. Call with no transaction open."""
    parsed = addresses.parse(text, places.gazetteer())
    if parsed.code and places.named(parsed.code):
        return parsed
    return _by_carrier(text, parsed) or parsed


def _by_carrier(text: str, parsed: Parsed) -> Parsed | None:
    carrier = chosen.carrier()
    if Capability.ADDRESS_PARSE not in carrier.capabilities or len(text.strip()) < 6:
        return None
    reply = carrier.parse_address(" ".join(text.split())[:200])
    for each in reply.value or ():
        code = places.code_of(each.prov, each.city, each.county)
        if code and addresses.agrees(text, (each.prov, each.city, each.county)):
            path = tuple(dict.fromkeys((each.prov, each.city, each.county)))
            return Parsed(parsed.name, parsed.mobile, path, code, each.address or parsed.address)
    return None


def change_address(actor: Actor, parcel_id: UUID, command: ChangeAddress) -> None:
    """Send it elsewhere, until the hand-over. A number that was taken is cancelled and another one asked for.

    Raises Refused (wrong code, address outside the service, unreachable for the carrier), Conflict (code locked, on a
    hand-over list, or with the courier already: then only another day or an interception is possible).
    """
    checked_receiver(command.receiver)
    parcel = get(Parcel, parcel_id)
    parts = must_see_parcel(actor, parcel)
    refuse_late(parcel)
    if not parts.intersection((Part.HALL, Part.SUPERVISOR, Part.APPLICANT)):
        raise NotAllowed
    _verify(parcel, parts, command)
    _reachable(parcel, command.receiver)
    db.session.rollback()  # what was read is read again under the lock
    _write(actor, parcel_id, command)


def change_by_link(actor: Actor, parcel_id: UUID, command: ChangeAddress) -> None:
    """The same by whoever holds the receiver's link; only with the pick-up code. Raises as `change_address`."""
    checked_receiver(command.receiver)
    refuse_late(get(Parcel, parcel_id))
    check_code(parcel_id, command.code)
    _reachable(get(Parcel, parcel_id), command.receiver)
    db.session.rollback()
    _write(actor, parcel_id, command)


def choose_point(actor: Actor, parcel_id: UUID, command: ChoosePoint, *, by_link: bool = False) -> None:
    """Let it wait at a collection point of the hall instead, until the hand-over; only with the pick-up code.

    Raises NotAllowed for anybody but the receiver, Refused for a point that is not offered, and as `change_address`.
    """
    parcel = get(Parcel, parcel_id)
    if not by_link and Part.APPLICANT not in must_see_parcel(actor, parcel):
        raise NotAllowed
    refuse_late(parcel)
    point = point_for(command.collection_point_id, parcel.hall_organisation_id)
    check_code(parcel_id, command.code)
    there = Receiver(
        parcel.receiver_name, parcel.receiver_mobile, point.prov, point.city, point.county, address_at(point)
    )
    _reachable(parcel, there)
    db.session.rollback()
    reason = N_("The receiver collects it at a collection point")
    _write(actor, parcel_id, ChangeAddress(there, reason=reason, version=command.version), command.collection_point_id)


def _verify(parcel: Parcel, parts: frozenset[Part], command: ChangeAddress) -> None:
    if Part.APPLICANT in parts:
        check_code(parcel.id, command.code)
    elif not command.reason.strip():
        raise Refused("reason-missing", N_("Say how you made sure that the receiver wants this."), field="reason")


def _reachable(parcel: Parcel, receiver: Receiver) -> None:
    promise_to(parcel.hall_organisation_id, receiver.prov, receiver.city, receiver.county)
    carrier = chosen.carrier()
    if Capability.REACHABILITY not in carrier.capabilities:
        return
    there = Party(receiver.name, receiver.mobile, receiver.prov, receiver.city, receiver.county, receiver.address)
    reply = carrier.reachable(places.sender_of(parcel.hall_organisation_id, there), there, parcel.weight_g)
    if reply.value is False:
        raise Refused(
            "unreachable",
            N_("The carrier does not deliver to this address. Choose another one, or a collection point."),
            field="address",
        )


def refuse_late(parcel: Parcel) -> None:
    """Raises Conflict once the courier has the parcel, and says what is still possible."""
    if parcel.state in (
        ParcelState.HANDED_OVER,
        ParcelState.DELIVERED,
        ParcelState.LOST,
        ParcelState.CLOSED,
        ParcelState.CANCELLED,
    ):
        raise Conflict(
            "already-handed-over",
            N_(
                "The courier has the parcel, so its address is fixed. Choose another day, or have it stopped and brought back."
            ),
        )
    if parcel.state == ParcelState.MERGED:
        raise Conflict("travels-in-another", N_("This parcel travels in another one: change the address there."))
    if parcel.state == ParcelState.BOOKING and parcel.booking_uncertain:
        raise Conflict("booking-uncertain", N_("The carrier may already hold this order. Settle that first."))
    listed = sa.select(HandoverLine.id).where(
        HandoverLine.parcel_id == parcel.id, HandoverLine.outcome == LineOutcome.LISTED
    )
    if db.session.scalar(listed) is not None:
        raise Conflict(
            "being-handed-over", N_("The parcel stands on a hand-over list. Ask the hall to take it off first.")
        )


@use_case
def _write(actor: Actor, parcel_id: UUID, command: ChangeAddress, point_id: UUID | None = None) -> None:
    parcel = lock(Parcel, parcel_id, seen=command.version)
    refuse_late(parcel)
    take_receiver(parcel, command.receiver)
    for each in travelling_in(parcel.id):
        take_receiver(lock(Parcel, each.id), command.receiver)
    terms = terms_of(parcel.id)
    terms.collection_point_id = point_id
    reason = command.reason.strip() or N_("The receiver wants it elsewhere")
    if parcel.state in FREE:
        record(parcel, "receiver_changed", actor, title=N_("Address changed"), reason=reason)
        return
    _new_round(parcel)
    if parcel.state == ParcelState.BOOKING:  # asked for, not answered, and surely not taken
        record(parcel, "receiver_changed", actor, title=N_("Address changed"), reason=reason)
        return
    number = parcel.waybill_no or ""
    db.session.execute(
        sa.update(Waybill)
        .where(Waybill.parcel_id == parcel.id, Waybill.state == WaybillState.LIVE)
        .values(state=WaybillState.CANCELLING, cancel_due_at=clock.now())
    )
    parcel.waybill_no = parcel.route_code = parcel.package_name = parcel.destination_name = parcel.label_printed_at = (
        None
    )
    move(parcel, PARCEL, "rebook", actor, {Part.SYSTEM}, reason=reason, event=WaybillVoided(parcel.id, number))


def _new_round(parcel: Parcel) -> None:
    """A new order number: the carrier must not take the new address for a repetition of the old order."""
    parcel.rounds += 1
    parcel.order_no = f"{parcel.number}-{parcel.rounds}"
    parcel.booking_due_at, parcel.booking_tries = clock.now(), 0
    parcel.booking_uncertain, parcel.booking_problem = False, None
