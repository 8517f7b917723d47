"""Two-way courier (双向寄递): originals are collected from the applicant, compared at the hall, and go back with the result."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.numbering import next_number
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import places, rules
from delivery import terms as rule_book
from delivery.carriers import chosen
from delivery.events import PapersCancelled, PapersReceived, PapersRequested, ParcelHandedOver
from delivery.models.papers import PapersOrder
from delivery.models.parcels import Parcel
from delivery.observed import Status, fold
from delivery.policy import papers_parts
from delivery.ports import Booking, Party, Report, Shipment, Verdict
from delivery.ports import Reply as CarrierReply
from delivery.services.orders import Receiver, checked_receiver
from delivery.services.schedules import promise_to
from delivery.states import PAPERS, PapersState, Part

LEASE: Final = timedelta(seconds=90)
WINDOWS: Final = ("09:00-11:00", "11:00-13:00", "14:00-16:00", "16:00-18:00")
MOST_PAPERS: Final = 20
WEIGHT_G: Final = 300


@dataclass(frozen=True)
class CollectPapers:
    """For the domain above, which has authorised the applicant: what is collected where and when."""

    thread_id: UUID
    subject: str
    hall_organisation_id: UUID
    applicant_user_id: UUID
    sender: Receiver
    papers: tuple[str, ...]
    day: date
    window: str


@dataclass(frozen=True)
class ReceivePapers:
    """What the hall found when it compared the papers with the list: names that were missing, and a remark."""

    missing: tuple[str, ...] = ()
    remark: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class WantedCollection:
    """A claimed order: what to send to the carrier."""

    shipment: Shipment = field(repr=False)


@use_case
def collect_papers(actor: Actor, command: CollectPapers) -> UUID:
    """Order a courier to the applicant. A subject has one open collection: a second one is refused.

    Raises Refused for papers, day, window or sender that cannot be, Conflict while another collection is open.
    """
    checked_receiver(command.sender)
    promise_to(command.hall_organisation_id, command.sender.prov, command.sender.city, command.sender.county)
    papers = [each.strip()[:80] for each in command.papers if each.strip()]
    if not 1 <= len(papers) <= MOST_PAPERS:
        raise Refused("papers", N_("List between one and twenty papers, one a line."), field="papers")
    today = clock.today()
    days = rule_book.in_force().choose_day_days
    if not today < command.day <= today + timedelta(days=days):
        raise Refused("day", N_("Choose a day from tomorrow within %(days)s days."), field="day", params={"days": days})
    if command.window not in WINDOWS:
        raise Refused("window", N_("Choose one of the time windows."), field="window")
    known = sa.select(PapersOrder.number).where(
        PapersOrder.subject == command.subject, PapersOrder.state.in_((PapersState.REQUESTED, PapersState.BOOKED))
    )
    if (number := db.session.scalar(known)) is not None:
        raise Conflict("collection-open", N_("Collection %(number)s is still under way."), params={"number": number})
    sender, number = command.sender, next_number("SJ")
    order = PapersOrder(
        id=new_id(), number=number, thread_id=command.thread_id, subject=command.subject,
        hall_organisation_id=command.hall_organisation_id, applicant_user_id=command.applicant_user_id,
        state=PapersState.REQUESTED, created_at=clock.now(), papers=papers, sender_name=sender.name.strip(),
        sender_mobile=sender.mobile, sender_prov=sender.prov, sender_city=sender.city, sender_county=sender.county,
        sender_address=sender.address.strip(), pickup_on=command.day, pickup_window=command.window, order_no=number,
        due_at=clock.now(), reports=[], missing=[],
    )  # fmt: skip
    db.session.add(order)
    db.session.flush()
    record(
        order,
        "requested",
        actor,
        title=N_("Collection of originals ordered"),
        detail={"number": number, "papers": len(papers)},
    )
    publish(PapersRequested(order.id))
    return order.id


# --- the carrier: calls outside transactions --------------------------------------------------------------------


def due(limit: int = 50) -> list[UUID]:
    """Collections about which the carrier is to be asked now."""
    statement = (
        sa.select(PapersOrder.id)
        .where(PapersOrder.due_at <= clock.now(), PapersOrder.state.in_((PapersState.REQUESTED, PapersState.BOOKED)))
        .order_by(PapersOrder.due_at)
    )
    return list(db.session.scalars(statement.limit(limit)))


def ask(papers_id: UUID) -> bool:
    """Ask the carrier for the number or, once there is one, for its reports; returns whether it answered."""
    wanted = _claim(papers_id)
    if wanted is None:
        return False
    if isinstance(wanted, str):
        return _keep_reports(papers_id, wanted, chosen.carrier().track(wanted))
    return _keep_number(papers_id, chosen.carrier().book(wanted.shipment))


@use_case
def _claim(papers_id: UUID) -> WantedCollection | str | None:
    order = lock(PapersOrder, papers_id)
    now = clock.now()
    if order.due_at is None or order.due_at > now or order.state not in (PapersState.REQUESTED, PapersState.BOOKED):
        return None
    order.due_at = now + LEASE
    return order.waybill_no or WantedCollection(_shipment(order))


def _shipment(order: PapersOrder) -> Shipment:
    sender = Party(
        order.sender_name,
        order.sender_mobile,
        order.sender_prov,
        order.sender_city,
        order.sender_county,
        order.sender_address,
    )
    hall = places.sender_of(order.hall_organisation_id, sender)
    assert order.order_no is not None
    remark = f"上门取件 {order.pickup_on.isoformat()} {order.pickup_window} {order.number}"
    return Shipment(order.order_no, sender, hall, "申请材料原件", WEIGHT_G, order.created_at, remark=remark)


@use_case
def _keep_number(papers_id: UUID, reply: CarrierReply[Booking]) -> bool:
    order = lock(PapersOrder, papers_id)
    if order.state != PapersState.REQUESTED:
        return False
    if reply.value is None:
        order.tries += 1
        order.problem = rules.masked_text(reply.text)[:300]
        pause = rules.retry_delay(order.tries, chosen.pace())
        order.due_at = clock.now() + pause if reply.retryable else None
        if reply.verdict is Verdict.REFUSED:
            _tell_hall(
                order,
                N_("The courier refused collection %(number)s"),
                N_("Call the applicant and agree on another way."),
            )
        return False
    order.waybill_no, order.problem, order.tries = reply.value.waybill_no, None, 0
    order.due_at = clock.now() + chosen.pace().floor
    move(order, PAPERS, "take_number", SYSTEM, {Part.SYSTEM}, detail={"waybill_no": order.waybill_no})
    notify(
        to_user=order.applicant_user_id, kind="delivery.papers", thread_id=order.thread_id, link=f"/papers/{order.id}",
        subject=N_("The courier comes for your papers: %(day)s %(window)s"),
        text=N_("Have the papers of your list ready in an open envelope; the courier compares them with you."),
        params={"day": order.pickup_on.isoformat(), "window": order.pickup_window},
    )  # fmt: skip
    return True


@use_case
def _keep_reports(papers_id: UUID, waybill_no: str, reply: CarrierReply[tuple[Report, ...]]) -> bool:
    order = lock(PapersOrder, papers_id)
    if order.state != PapersState.BOOKED or order.waybill_no != waybill_no:
        return False
    order.tries += 1
    if reply.value is None:
        order.problem = rules.masked_text(reply.text)[:300]
        order.due_at = clock.now() + rules.retry_delay(order.tries, chosen.pace())
        return False
    tracking = fold(each.observation for each in reply.value)
    order.problem, order.reports = None, [_plain(each) for each in reply.value]
    order.due_at = rules.next_poll(clock.now(), tracking, order.tries, chosen.pace())
    if tracking.status != order.observed_status:
        order.observed_status, order.observed_since, order.tries = tracking.status, tracking.since, 0
        record(
            order,
            f"carrier_{tracking.status}",
            SYSTEM,
            title=N_("The carrier reports on the originals"),
            detail={"status": str(tracking.status)},
        )
        if tracking.status is Status.DELIVERED:
            _tell_hall(
                order,
                N_("Originals %(number)s were delivered to the hall"),
                N_("Open the envelope, compare the papers with the list and confirm."),
            )
    return True


def _plain(report: Report) -> dict[str, Any]:
    seen = report.observation
    return {"at": seen.occurred_at.isoformat(), "title": seen.name or seen.code, "office": seen.office}


def cancel_at_carrier(papers_id: UUID) -> bool:
    """Give the number of a cancelled collection up; returns whether nothing more is to be done."""
    order = get(PapersOrder, papers_id)
    if order.waybill_no is None or order.order_no is None:
        return True
    numbers = order.order_no, order.waybill_no
    db.session.rollback()
    return not chosen.carrier().cancel(*numbers, "申请人取消取件").retryable


# --- people -----------------------------------------------------------------------------------------------------


def _seen(actor: Actor, papers_id: UUID, version: int | None) -> tuple[PapersOrder, frozenset[Part]]:
    order = lock(PapersOrder, papers_id, seen=version)
    parts = papers_parts(actor, order)
    if not parts:
        raise NotFound
    return order, parts


@use_case
def receive_papers(actor: Actor, papers_id: UUID, command: ReceivePapers) -> None:
    """Compare the papers with the list at the hall. What is missing is told to the applicant at once."""
    order, parts = _seen(actor, papers_id, command.version)
    unknown = set(command.missing) - set(order.papers)
    if unknown:
        raise Refused("not-on-list", N_("Only papers of the list can be missing."), field="missing")
    order.received_at, order.received_by, order.due_at = clock.now(), actor.user_id, None
    order.missing, order.remark = list(command.missing), command.remark
    move(
        order, PAPERS, "receive", actor, parts, event=PapersReceived(order.id, order.subject, order.thread_id),
        detail={"listed": len(order.papers), "missing": len(order.missing)},
    )  # fmt: skip
    text = (
        N_("All papers of your list are there.")
        if not command.missing
        else N_("Not in the envelope: %(missing)s. Please call the hall.")
    )
    notify(
        to_user=order.applicant_user_id, kind="delivery.papers", thread_id=order.thread_id, link=f"/papers/{order.id}",
        subject=N_("Your originals %(number)s are at the hall"), text=text,
        params={"number": order.number, "missing": "、".join(order.missing)},
    )  # fmt: skip


@use_case
def cancel_papers(actor: Actor, papers_id: UUID, command: object) -> None:
    """Give the collection up before the courier has the papers. Raises Conflict afterwards."""
    order, parts = _seen(actor, papers_id, getattr(command, "version", None))
    if order.state == PapersState.BOOKED and order.observed_status not in (Status.LABEL_CREATED, Status.CANCELLED):
        raise Conflict("papers-under-way", N_("The courier has the papers already."))
    order.due_at = None
    move(
        order,
        PAPERS,
        "cancel",
        actor,
        parts,
        reason=str(getattr(command, "reason", "")),
        event=PapersCancelled(order.id),
    )


@use_case
def give_papers_back(actor: Actor, papers_id: UUID, command: object) -> None:
    """The applicant took the originals at the window."""
    order, parts = _seen(actor, papers_id, getattr(command, "version", None))
    if not parts.intersection((Part.HALL, Part.SUPERVISOR)):
        raise NotAllowed
    move(order, PAPERS, "send_back", actor, parts)


@use_case
def send_back_along(event: ParcelHandedOver) -> None:
    """The originals of a case travel in the envelope of its result."""
    statement = sa.select(PapersOrder.id).where(
        PapersOrder.subject == event.subject, PapersOrder.state == PapersState.RECEIVED
    )
    for papers_id in list(db.session.scalars(statement)):
        order = lock(PapersOrder, papers_id)
        order.parcel_id = event.parcel_id
        move(order, PAPERS, "send_back", SYSTEM, {Part.SYSTEM}, detail={"waybill_no": event.waybill_no})


def originals_of(parcel: Parcel) -> tuple[str, ...]:
    """Papers that have to go back in this parcel: what the hall received for its case and did not miss."""
    statement = sa.select(PapersOrder).where(
        PapersOrder.subject == parcel.subject, PapersOrder.state == PapersState.RECEIVED
    )
    return tuple(name for order in db.session.scalars(statement) for name in order.papers if name not in order.missing)


def _tell_hall(order: PapersOrder, subject: str, text: str) -> None:
    notify(
        to_organisation=order.hall_organisation_id, kind="delivery.papers", thread_id=order.thread_id, link=f"/papers/{order.id}",
        subject=subject, text=text, params={"number": order.number},
    )  # fmt: skip
