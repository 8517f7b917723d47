"""Settling a month with the carrier: the file checked, compared, differences resolved, confirmed by both sides, paid."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import NotAllowed, NotFound, Refused
from app.kernel.files import Upload
from app.kernel.numbering import next_number
from app.kernel.spreadsheets import read_table
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import documents
from delivery.custody import CustodyKind
from delivery.errors import same_person
from delivery.models.custody import CustodyStep
from delivery.models.desk import Claim
from delivery.models.parcels import Parcel
from delivery.models.settlement import BillDifference, CarrierBill, CarrierBillLine, CarrierTariff
from delivery.own_courier import is_own_number
from delivery.places import hall_path
from delivery.policy import SETTLE, must_see_hall
from delivery.settlement import BillLine, LineKind, Order, Rate, Zone, compare, read_bill, zone_of
from delivery.states import CARRIER_BILL, CLAIM, CarrierBillState, ClaimState, Part

MOST_PROBLEMS: Final = 500


@dataclass(frozen=True)
class HandIn:
    """The carrier's file for one month of one hall."""

    hall_organisation_id: UUID
    month: str
    file: Upload


@dataclass(frozen=True)
class ResolveBillDifference:
    """Which side is right, or another amount; and why."""

    difference_id: UUID
    resolution: str
    reason: str
    agreed_fen: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class ResolveKind:
    """Which side is right in everything of one kind that is still open; and why."""

    kind: str
    resolution: str
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class NotePayment:
    """What the treasury did."""

    paid_on: date
    voucher_no: str
    version: int | None = None


@dataclass(frozen=True)
class AddTariff:
    """A rate of the contract from a day on."""

    zone: str
    valid_from: date
    first_g: int
    first_fen: int
    next_g: int
    next_fen: int
    return_percent: int
    basis: str


@use_case
def add_tariff(actor: Actor, command: AddTariff) -> None:
    """Add a rate. Rates are never changed: a new one begins on its day. Raises NotAllowed, Refused for a second of the day."""
    if not actor.may(SETTLE):
        raise NotAllowed
    known = sa.select(CarrierTariff.id).where(
        CarrierTariff.zone == command.zone, CarrierTariff.valid_from == command.valid_from
    )
    if db.session.scalar(known) is not None:
        raise Refused("rate-known", N_("A rate of this zone already begins on this day."), field="valid_from")
    db.session.add(CarrierTariff(id=new_id(), added_by_name=actor.name, added_at=clock.now(), **vars(command)))


@use_case
def hand_in(actor: Actor, command: HandIn) -> UUID:
    """Check a file: the dry run. Nothing is compared yet; problems are kept by row and column.

    Raises NotAllowed, and Refused for what is no table or a month that has a bill already.
    """
    if not actor.may(SETTLE) or actor.user_id is None:
        raise NotAllowed
    identity.organisation(command.hall_organisation_id)
    standing = sa.select(CarrierBill.number).where(
        CarrierBill.hall_organisation_id == command.hall_organisation_id, CarrierBill.month == command.month,
        CarrierBill.state != CarrierBillState.DISCARDED,
    )  # fmt: skip
    if number := db.session.scalar(standing):
        raise Refused(
            "month-billed",
            N_("Bill %(number)s stands for this month. Put it away first."),
            field="month",
            params={"number": number},
        )
    lines, problems = read_bill(read_table(command.file.name, command.file.content), command.month)
    bill = CarrierBill(
        id=new_id(), number=next_number("DZ"), hall_organisation_id=command.hall_organisation_id, month=command.month,
        state=CarrierBillState.CHECKED, file_name=command.file.name[:200],
        file_sha256=hashlib.sha256(command.file.content).hexdigest(),
        problems=[{"row": each.row, "column": each.column, "message": each.message} for each in problems[:MOST_PROBLEMS]],
        line_count=len(lines), billed_fen=sum(line.fee_fen for line in lines), handed_in_by=actor.user_id,
        handed_in_name=actor.name, created_at=clock.now(),
    )  # fmt: skip
    db.session.add(bill)
    db.session.flush()  # its lines refer to it
    db.session.add_all(CarrierBillLine(id=new_id(), bill_id=bill.id, **vars(line)) for line in lines)
    record(
        bill,
        "checked",
        actor,
        title=N_("Bill of the carrier checked"),
        detail={"file": bill.file_name, "lines": len(lines)},
    )
    return bill.id


def _mine(actor: Actor, bill_id: UUID, command: object) -> tuple[CarrierBill, frozenset[Part]]:
    bill = lock(CarrierBill, bill_id, seen=getattr(command, "version", None))
    return bill, must_see_hall(actor, bill.hall_organisation_id)


@use_case
def compare_bill(actor: Actor, bill_id: UUID, command: object) -> None:
    """Hold every line against the parcels that the courier took in that month. Raises Refused while the file has problems."""
    bill, parts = _mine(actor, bill_id, command)
    if bill.problems:
        raise Refused("bill-problems", N_("Put this bill away and hand in a corrected file: it has problems."))
    rates, orders = _rates(), _orders(bill)
    if not rates:
        raise Refused("no-tariff", N_("Enter the rates of the contract first."))
    found = compare(_lines(bill.id), orders, rates, _granted(bill))
    db.session.execute(sa.delete(BillDifference).where(BillDifference.bill_id == bill.id))
    db.session.add_all(BillDifference(id=new_id(), bill_id=bill.id, **vars(each)) for each in found)
    bill.compared_at, bill.ours_count = clock.now(), len(orders)
    bill.ours_fen = bill.billed_fen + sum(each.ours_fen - each.billed_fen for each in found)
    move(bill, CARRIER_BILL, "compare", actor, parts, detail={"differences": len(found)})


def _lines(bill_id: UUID) -> list[BillLine]:
    rows = db.session.scalars(
        sa.select(CarrierBillLine).where(CarrierBillLine.bill_id == bill_id).order_by(CarrierBillLine.row)
    )
    return [
        BillLine(
            row.row, row.waybill_no, LineKind(row.kind), row.accepted_on, row.weight_g, Zone(row.zone), row.fee_fen
        )
        for row in rows
    ]


def _rates() -> list[Rate]:
    return [
        Rate(Zone(row.zone), row.valid_from, row.first_g, row.first_fen, row.next_g, row.next_fen, row.return_percent)
        for row in db.session.scalars(sa.select(CarrierTariff))
    ]


def _orders(bill: CarrierBill) -> list[Order]:
    """What the courier took in the month, by the chain of custody: it knows every round, not only the last."""
    year, month = map(int, bill.month.split("-"))
    begin = datetime.combine(date(year, month, 1), time(), clock.BEIJING)
    end = datetime.combine(date(year + month // 12, month % 12 + 1, 1), time(), clock.BEIJING)
    region = hall_path(bill.hall_organisation_id)
    taken = db.session.execute(
        sa.select(CustodyStep.waybill_no, CustodyStep.at, Parcel.weight_g, Parcel.receiver_prov, Parcel.receiver_city)
        .join(Parcel, Parcel.id == CustodyStep.parcel_id)
        .where(
            Parcel.hall_organisation_id == bill.hall_organisation_id, CustodyStep.kind == CustodyKind.COLLECTED,
            CustodyStep.at >= begin, CustodyStep.at < end, CustodyStep.waybill_no.is_not(None),
        )
    ).all()  # fmt: skip
    back = set(
        db.session.scalars(
            sa.select(CustodyStep.waybill_no)
            .join(Parcel, Parcel.id == CustodyStep.parcel_id)
            .where(Parcel.hall_organisation_id == bill.hall_organisation_id, CustodyStep.kind == CustodyKind.RETURNED)
        )
    )
    return [
        Order(row.waybill_no, clock.beijing_day(row.at), row.weight_g, zone_of(region, row.receiver_prov, row.receiver_city),
              row.waybill_no in back)
        for row in taken
        if not is_own_number(row.waybill_no)  # what our own couriers bring, nobody bills
    ]  # fmt: skip


def _granted(bill: CarrierBill) -> dict[str, int]:
    rows = db.session.execute(
        sa.select(Claim.waybill_no, Claim.granted_fen).where(
            Claim.hall_organisation_id == bill.hall_organisation_id, Claim.state == ClaimState.GRANTED
        )
    )
    return {number: fen for number, fen in rows if fen}


@use_case
def resolve_bill_difference(actor: Actor, bill_id: UUID, command: ResolveBillDifference) -> None:
    """Say which side is right. Only before both sides confirmed. Raises NotAllowed, NotFound, Refused."""
    bill = _being_settled(actor, bill_id, command)
    found = db.session.scalar(
        sa.select(BillDifference).where(BillDifference.id == command.difference_id, BillDifference.bill_id == bill.id)
    )
    if found is None:
        raise NotFound
    if command.resolution == "other" and command.agreed_fen is None:
        raise Refused("amount-missing", N_("Give the amount that both sides agree on."), field="agreed_fen")
    _settle(actor, found, command.resolution, command.reason, command.agreed_fen)
    record(
        bill, "difference_settled", actor, title=N_("Difference of the bill settled"), reason=command.reason,
        detail={"waybill_no": found.waybill_no, "agreed_fen": found.agreed_fen},
    )  # fmt: skip


@use_case
def resolve_kind(actor: Actor, bill_id: UUID, command: ResolveKind) -> None:
    """Say which side is right in all open differences of a kind: a wrong rate touches every line of a zone.

    Raises NotAllowed, and Refused where none of them is open.
    """
    bill = _being_settled(actor, bill_id, command)
    still_open = db.session.scalars(
        sa.select(BillDifference).where(
            BillDifference.bill_id == bill.id, BillDifference.kind == command.kind, BillDifference.resolution.is_(None)
        )
    ).all()
    if not still_open:
        raise Refused("differences-none", N_("No difference of this kind is open."), field="kind")
    for found in still_open:
        _settle(actor, found, command.resolution, command.reason, None)
    record(
        bill, "differences_settled", actor, title=N_("Differences of one kind settled"), reason=command.reason,
        detail={"kind": command.kind, "resolution": command.resolution, "waybill_nos": [each.waybill_no for each in still_open],
                "agreed_fen": sum(each.agreed_fen or 0 for each in still_open)},
    )  # fmt: skip


def _being_settled(actor: Actor, bill_id: UUID, command: object) -> CarrierBill:
    bill, parts = _mine(actor, bill_id, command)
    if Part.ACCOUNTANT not in parts:
        raise NotAllowed
    if bill.state != CarrierBillState.COMPARED:
        raise Refused("bill-confirmed", N_("This bill is confirmed. Take it back to the differences first."))
    return bill


def _settle(actor: Actor, found: BillDifference, resolution: str, reason: str, agreed_fen: int | None) -> None:
    found.agreed_fen = {"theirs": found.billed_fen, "ours": found.ours_fen}.get(resolution, agreed_fen)
    found.resolution, found.reason = resolution, reason
    found.resolved_name, found.resolved_at = actor.name, clock.now()


def agreed_total(bill: CarrierBill) -> int:
    """What is to be paid in fen: the bill, with every resolved difference at its agreed amount."""
    changes = sa.select(sa.func.coalesce(sa.func.sum(BillDifference.agreed_fen - BillDifference.billed_fen), 0)).where(
        BillDifference.bill_id == bill.id, BillDifference.agreed_fen.is_not(None)
    )
    return bill.billed_fen + int(db.session.scalar(changes) or 0)


@use_case
def confirm_bill(actor: Actor, bill_id: UUID, command: object) -> None:
    """Confirm the total for the platform. Raises Refused while a difference is open."""
    bill, parts = _mine(actor, bill_id, command)
    still = sa.select(sa.func.count()).where(BillDifference.bill_id == bill.id, BillDifference.resolution.is_(None))
    if count := db.session.scalar(still):
        raise Refused("differences-open", N_("%(count)s differences are not settled yet."), params={"count": count})
    bill.agreed_fen = agreed_total(bill)
    bill.confirmed_by, bill.confirmed_name, bill.confirmed_at = actor.user_id, actor.name, clock.now()
    move(bill, CARRIER_BILL, "confirm", actor, parts, detail={"agreed_fen": bill.agreed_fen})
    notify(
        to_organisation=bill.hall_organisation_id, kind="delivery.bill-confirmed", link=f"/carrier-bills/{bill.id}", thread_id=bill.id,
        subject=N_("Bill %(number)s waits for the carrier's confirmation"), text=N_("Compare the total and confirm it for the carrier."),
        params={"number": bill.number},
    )  # fmt: skip


@use_case
def countersign_bill(actor: Actor, bill_id: UUID, command: object) -> None:
    """The carrier's side confirms the same total. Raises Refused for the person who confirmed for the platform."""
    bill, parts = _mine(actor, bill_id, command)
    if bill.confirmed_by is not None and bill.confirmed_by == actor.user_id:
        raise same_person()
    bill.countersigned_by, bill.countersigned_name, bill.countersigned_at = actor.user_id, actor.name, clock.now()
    move(bill, CARRIER_BILL, "countersign", actor, parts, detail={"agreed_fen": bill.agreed_fen})


@use_case
def reopen_bill(actor: Actor, bill_id: UUID, command: object) -> None:
    """One side takes its word back: the differences are looked at again, and both sides confirm anew."""
    bill, parts = _mine(actor, bill_id, command)
    move(bill, CARRIER_BILL, "reopen", actor, parts, reason=str(getattr(command, "reason", "")))
    bill.agreed_fen = bill.confirmed_by = bill.confirmed_name = bill.confirmed_at = None
    bill.countersigned_by = bill.countersigned_name = bill.countersigned_at = None


@use_case
def order_payment(actor: Actor, bill_id: UUID, command: object) -> None:
    """Issue the payment order to the finance office; compensations on the bill count as received with it."""
    bill, parts = _mine(actor, bill_id, command)
    bill.payment_order_no, bill.ordered_at = bill.payment_order_no or next_number("FK"), clock.now()
    move(
        bill,
        CARRIER_BILL,
        "order_payment",
        actor,
        parts,
        detail={"number": bill.payment_order_no, "fen": bill.agreed_fen},
    )
    _count_compensations(bill)
    documents.issue_payment_order(bill)


def _count_compensations(bill: CarrierBill) -> None:
    numbers = sa.select(CarrierBillLine.waybill_no).where(
        CarrierBillLine.bill_id == bill.id, CarrierBillLine.kind == LineKind.CLAIM
    )
    found = sa.select(Claim.id).where(
        Claim.hall_organisation_id == bill.hall_organisation_id,
        Claim.state == ClaimState.GRANTED,
        Claim.waybill_no.in_(numbers),
    )
    for claim_id in db.session.scalars(found.order_by(Claim.id)).all():
        claim = lock(Claim, claim_id)
        claim.paid_at = clock.now()
        move(claim, CLAIM, "pay", SYSTEM, {Part.SYSTEM}, detail={"bill": bill.number})


@use_case
def note_payment(actor: Actor, bill_id: UUID, command: NotePayment) -> None:
    """Note day and voucher of the treasury."""
    bill, parts = _mine(actor, bill_id, command)
    if command.paid_on > clock.today():
        raise Refused("paid-later", N_("The day of payment lies in the future."), field="paid_on")
    bill.paid_on, bill.voucher_no = command.paid_on, command.voucher_no
    move(bill, CARRIER_BILL, "note_payment", actor, parts, detail={"voucher_no": command.voucher_no})


@use_case
def discard_bill(actor: Actor, bill_id: UUID, command: object) -> None:
    """Put a bill away; a corrected file may be handed in for the month."""
    bill, parts = _mine(actor, bill_id, command)
    move(bill, CARRIER_BILL, "discard", actor, parts, reason=str(getattr(command, "reason", "")))
