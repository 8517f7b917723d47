"""Getting a waybill number without ever having two: the order number is stored before the first call and used for
every repetition of it, an answer that was lost is asked for again, and a number too many is cancelled.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import rules
from delivery.carriers import chosen
from delivery.chosen_days import day_window
from delivery.events import WaybillTaken, WaybillVoided
from delivery.models.parcels import Parcel
from delivery.models.schedules import CollectionPoint
from delivery.models.tasks import TaskKind
from delivery.models.terms import ParcelTerms
from delivery.models.waybills import Waybill, WaybillState
from delivery.own_courier import NUMBER_SERIES, OWN_CARRIER, is_own_number
from delivery.places import sender_of
from delivery.policy import must_see_parcel
from delivery.ports import Booking, Capability, LabelSize, Party, Reply, Shipment, Verdict
from delivery.services.quietly import note
from delivery.services.tasks import drop_tasks, raise_task
from delivery.services.terms import terms_of
from delivery.states import PARCEL, STAFF, ParcelState, Part
from delivery.terms import FeeMode

OWN_CANCELLED: Final[Reply[None]] = Reply(Verdict.OK)
LEASE: Final = timedelta(seconds=90)
"""While a call is out nobody else makes it; longer than its timeouts."""


@dataclass(frozen=True)
class PrintLabel:
    """A print of a label; a second one says why."""

    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class EnterNumber:
    """A number that a person was told by the carrier."""

    waybill_no: str
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class WantedBooking:
    """A claimed booking: what to send, under which order number."""

    parcel_id: UUID
    shipment: Shipment = field(repr=False)


def book(parcel_id: UUID) -> bool:
    """Ask the carrier for a number if one is due, outside any transaction; returns whether a number is known now.

    A parcel of the hall's own couriers gets a number of our own series.
    """
    if number_ourselves(parcel_id):
        return True
    wanted = _claim_booking(parcel_id)
    if wanted is None:
        return False
    reply = chosen.carrier().book(wanted.shipment)
    return record_booking(parcel_id, wanted.shipment.order_no, reply)


def bookings_due(limit: int = 50) -> list[UUID]:
    """Parcels whose number is to be asked for now."""
    statement = (
        sa.select(Parcel.id)
        .where(Parcel.state == ParcelState.BOOKING, Parcel.booking_due_at <= clock.now())
        .order_by(Parcel.booking_due_at)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


@use_case
def number_ourselves(parcel_id: UUID) -> bool:
    """Give a parcel of our own couriers its number at once; False for parcels of outside carriers."""
    parcel = lock(Parcel, parcel_id)
    if parcel.carrier != OWN_CARRIER or parcel.state != ParcelState.BOOKING or parcel.order_no is None:
        return False
    booking = Booking(next_number(NUMBER_SERIES), destination_name=parcel.receiver_county[:60])
    return record_booking(parcel.id, parcel.order_no, Reply.ok(booking))


@use_case
def _claim_booking(parcel_id: UUID) -> WantedBooking | None:
    parcel = lock(Parcel, parcel_id)
    now = clock.now()
    if parcel.state != ParcelState.BOOKING or parcel.booking_due_at is None or parcel.booking_due_at > now:
        return None
    note(parcel, booking_due_at=now + LEASE)
    return WantedBooking(parcel.id, _shipment(parcel))


def _shipment(parcel: Parcel) -> Shipment:
    assert parcel.order_no is not None
    receiver = Party(
        parcel.receiver_name, parcel.receiver_mobile, parcel.receiver_prov, parcel.receiver_city, parcel.receiver_county,
        parcel.receiver_address,
    )  # fmt: skip
    assert parcel.checked_at is not None
    terms = terms_of(parcel.id)
    remark = " ".join((f"封签 {parcel.seal_no}", *_choices(terms)))
    wished = terms.preferred_day
    told = wished is not None and wished >= clock.today() and Capability.CHOSEN_DAY in chosen.carrier().capabilities
    deliver = day_window(wished) if told and wished else None
    return Shipment(
        parcel.order_no, sender_of(parcel.hall_organisation_id, receiver), receiver, parcel.contents, parcel.weight_g,
        parcel.checked_at, remark=remark, deliver=deliver, receiver_code=parcel.pickup_code, receiver_pays=terms.fee_mode == FeeMode.ON_DELIVERY,
    )  # fmt: skip


def _choices(terms: ParcelTerms) -> Iterator[str]:
    """Where and when the receiver wants it, for the people who carry it; a field of the order says it too where there is one."""
    if terms.collection_point_id is not None:
        point = db.session.get_one(CollectionPoint, terms.collection_point_id)
        yield f"收件人到{point.name}自提，请勿上门"
    if terms.preferred_day is not None:
        yield f"预约 {terms.preferred_day.isoformat()} 投递"


@use_case
def record_booking(parcel_id: UUID, order_no: str, reply: Reply[Booking]) -> bool:
    """Write down what the carrier said to a booking; returns whether a number is known.

    A number that comes when another is already live is one too many and is given up at the carrier.
    """
    parcel = lock(Parcel, parcel_id)
    if reply.value is not None:
        _learn(parcel, order_no, (reply.value.waybill_no, *reply.value.other_waybill_nos), source="booking")
        if parcel.state == ParcelState.BOOKING and parcel.order_no == order_no:
            _take_number(parcel, SYSTEM, reply.value)
        return True
    if parcel.state != ParcelState.BOOKING or parcel.order_no != order_no:
        return False
    problem = rules.masked_text(reply.text)[:300]
    note(parcel, booking_tries=parcel.booking_tries + 1, booking_problem=problem)
    if reply.retryable:
        due = clock.now() + rules.retry_delay(parcel.booking_tries - 1, chosen.pace())
        uncertain = parcel.booking_uncertain or reply.verdict is Verdict.UNCERTAIN
        note(parcel, booking_uncertain=uncertain, booking_due_at=due)
        return False
    note(parcel, booking_due_at=None)
    kind = TaskKind.BOOKING_UNCLEAR if parcel.booking_uncertain else TaskKind.BOOKING_REFUSED
    raise_task(parcel, kind, cause=f"{order_no}:{parcel.booking_tries}", fact=problem)
    return False


def _take_number(parcel: Parcel, actor: Actor, booking: Booking, *, action: str = "take_number", reason: str | None = None,
                 parts: Iterable[Part] = (Part.SYSTEM,)) -> None:  # fmt: skip
    parcel.waybill_no = booking.waybill_no
    parcel.route_code = booking.route_code or None
    parcel.package_name = booking.package_name or None
    parcel.destination_name = booking.destination_name or None
    parcel.booking_due_at = parcel.booking_problem = None
    drop_tasks(parcel, TaskKind.BOOKING_REFUSED, TaskKind.BOOKING_UNCLEAR)
    move(
        parcel, PARCEL, action, actor, parts, reason=reason, event=WaybillTaken(parcel.id, booking.waybill_no),
        detail={"waybill_no": booking.waybill_no},
    )  # fmt: skip


def _learn(parcel: Parcel, order_no: str, numbers: tuple[str, ...], *, source: str) -> None:
    """Keep every number ever heard of. The first becomes live if none is; all others are to be cancelled."""
    known = {
        row.waybill_no: row for row in db.session.scalars(sa.select(Waybill).where(Waybill.parcel_id == parcel.id))
    }
    has_live = any(row.state == WaybillState.LIVE for row in known.values())
    for number in numbers:
        if number in known:
            continue
        wanted = not has_live and parcel.state == ParcelState.BOOKING and parcel.order_no == order_no
        has_live = has_live or wanted
        db.session.add(
            Waybill(
                id=new_id(),
                parcel_id=parcel.id,
                waybill_no=number,
                order_no=order_no,
                source=source,
                state=WaybillState.LIVE if wanted else WaybillState.CANCELLING,
                created_at=clock.now(),
                cancel_due_at=None if wanted else clock.now(),
            )
        )
        if not wanted:
            record(
                parcel,
                "extra_waybill",
                SYSTEM,
                title=N_("A second waybill is being cancelled"),
                detail={"waybill_no": number},
            )
    db.session.flush()  # the partial unique index on live numbers speaks here, not at the end


def adopt_number(parcel_id: UUID, order_no: str, waybill_no: str) -> bool:
    """A notice names an unknown number for our order number. Believe it only if the carrier has reports under it."""
    reply = chosen.carrier().track(waybill_no)
    if not reply.value:
        return False
    return record_booking(parcel_id, order_no, Reply.ok(Booking(waybill_no)))


@use_case
def enter_number(actor: Actor, parcel_id: UUID, command: EnterNumber) -> None:
    """A supervisor enters a number that the carrier told by telephone. Raises Refused for what is no number or taken."""
    parcel = lock(Parcel, parcel_id, seen=command.version)
    parts = must_see_parcel(actor, parcel)
    number = rules.normal_scan(command.waybill_no)
    if not rules.is_waybill_no(number):
        raise Refused(
            "not-a-waybill",
            N_("A waybill number has 13 digits, or two letters, nine digits, two letters."),
            field="waybill_no",
        )
    if db.session.scalar(sa.select(Waybill.id).where(Waybill.waybill_no == number)) is not None:
        raise Refused("waybill-known", N_("This number already belongs to a parcel."), field="waybill_no")
    if parcel.state == ParcelState.BOOKING and parcel.order_no:
        _learn(parcel, parcel.order_no, (number,), source="person")
    _take_number(parcel, actor, Booking(number), action="enter_number", reason=command.reason, parts=parts)


@use_case
def retry_booking(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Ask again at once, under the same order number: the carrier must not make a second one of it."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    if not must_see_parcel(actor, parcel).intersection(STAFF):
        raise NotAllowed
    if parcel.state != ParcelState.BOOKING:
        raise Refused("not-booking", N_("No waybill number is being asked for."))
    parcel.booking_due_at = clock.now()
    record(parcel, "booking_retried", actor, title=N_("Waybill number asked for again"))


@use_case
def unbook(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Stop asking and pack again; refused while the carrier may already hold the order."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    if parcel.booking_uncertain:
        raise Refused("booking-uncertain", N_("The carrier may already hold this order. Settle that first."))
    move(parcel, PARCEL, "unbook", actor, parts, reason=str(getattr(command, "reason", "")))
    parcel.booking_due_at = parcel.packed_by = parcel.packed_at = parcel.seal_no = None
    parcel.checked_by = parcel.checked_at = None
    drop_tasks(parcel, TaskKind.BOOKING_REFUSED, TaskKind.BOOKING_UNCLEAR)


@use_case
def void_waybill(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Give up the number before hand-over: it is cancelled at the carrier, the parcel is packed again."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    number = parcel.waybill_no or ""
    _refuse_while_listed(parcel)
    move(
        parcel, PARCEL, "void_waybill", actor, parts, reason=str(getattr(command, "reason", "")),
        event=WaybillVoided(parcel.id, number),
    )  # fmt: skip
    db.session.execute(
        sa.update(Waybill)
        .where(Waybill.waybill_no == number)
        .values(state=WaybillState.CANCELLING, cancel_due_at=clock.now())
    )
    parcel.waybill_no = parcel.route_code = parcel.package_name = parcel.destination_name = None
    parcel.packed_by = parcel.packed_at = parcel.checked_by = parcel.checked_at = parcel.seal_no = None
    parcel.label_printed_at = None


def _refuse_while_listed(parcel: Parcel) -> None:
    from delivery.models.batches import HandoverLine, LineOutcome

    listed = sa.select(HandoverLine.id).where(
        HandoverLine.parcel_id == parcel.id, HandoverLine.outcome == LineOutcome.LISTED
    )
    if db.session.scalar(listed) is not None:
        raise Refused("on-a-list", N_("Take the parcel off its hand-over list first."))


@use_case
def mark_label_printed(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Note that a label was printed. A second print needs a reason, is counted and stands in the log. Raises Refused."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    if not must_see_parcel(actor, parcel).intersection(STAFF):
        raise NotAllowed
    if parcel.state != ParcelState.WAYBILLED:
        raise Refused("no-label-now", N_("A label can be printed once the waybill number is there, until hand-over."))
    reason = str(getattr(command, "reason", None) or "").strip()
    if parcel.label_printed_at is not None and not reason:
        raise Refused(
            "reprint-reason", N_("Say why the label is printed again, and destroy the old one."), field="reason"
        )
    parcel.label_printed_at = clock.now()
    parcel.label_prints += 1
    record(
        parcel, "label_printed", actor, title=N_("Label printed"), reason=reason or None, detail={"count": parcel.label_prints}
    )  # fmt: skip


# --- labels and cancellations: calls to the carrier outside transactions ---


def fetch_label(waybill_no: str) -> bool:
    """Get the carrier's label and keep it; False where the carrier has none now. Own labels fill the gap."""
    if is_own_number(waybill_no):
        return True  # no other label will come
    reply = chosen.carrier().label(waybill_no, LabelSize.MEDIUM)
    if reply.value is None:
        return False
    _keep_label(waybill_no, reply.value)
    return True


@use_case
def _keep_label(waybill_no: str, pdf: bytes) -> None:
    db.session.execute(
        sa.update(Waybill).where(Waybill.waybill_no == waybill_no).values(label_pdf=pdf, label_fetched_at=clock.now())
    )


def cancellations_due(limit: int = 50) -> list[UUID]:
    """Numbers to be given up now."""
    statement = (
        sa.select(Waybill.id)
        .where(Waybill.state == WaybillState.CANCELLING, Waybill.cancel_due_at <= clock.now())
        .order_by(Waybill.cancel_due_at)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def cancel_at_carrier(waybill_id: UUID) -> bool:
    """Give one number up; repeats by itself until the carrier says yes or no."""
    claimed = _claim_cancellation(waybill_id)
    if claimed is None:
        return False
    own = is_own_number(claimed[1])
    reply: Reply[None] = OWN_CANCELLED if own else chosen.carrier().cancel(*claimed, "重复或更正下单")
    return _record_cancellation(waybill_id, reply)


@use_case
def _claim_cancellation(waybill_id: UUID) -> tuple[str, str] | None:
    row = lock(Waybill, waybill_id)
    if row.state != WaybillState.CANCELLING or row.cancel_due_at is None or row.cancel_due_at > clock.now():
        return None
    row.cancel_due_at = clock.now() + LEASE
    row.cancel_tries += 1
    return row.order_no, row.waybill_no


@use_case
def _record_cancellation(waybill_id: UUID, reply: Reply[None]) -> bool:
    parcel = lock(Parcel, get(Waybill, waybill_id).parcel_id)  # parcels are locked before their waybills everywhere
    row = lock(Waybill, waybill_id)
    if reply.verdict is Verdict.OK:
        row.state, row.cancel_due_at = WaybillState.CANCELLED, None
        return True
    if reply.retryable:
        row.cancel_due_at = clock.now() + rules.retry_delay(row.cancel_tries, chosen.pace())
        return False
    row.state, row.cancel_due_at = WaybillState.STUCK, None
    raise_task(parcel, TaskKind.EXTRA_WAYBILL, cause=row.waybill_no, fact=f"{row.waybill_no} {reply.text}")
    return False
