"""Opening, cancelling and releasing bills."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import pay_codes
from payments.errors import attempt_under_way
from payments.events import BillOpened, BillVoided
from payments.models.bills import Bill, BillItem
from payments.models.payments import PaymentBill
from payments.policy import parts_seen
from payments.rules import BillLine, check_payee, total_of
from payments.states import BILL, BillKind, BillState, Part, Standing


@dataclass(frozen=True)
class OpenBill:
    """What is to be paid by whom, for which subject, until when. Amounts in fen; `subject` like "contract:<uuid>"."""

    thread_id: UUID
    subject: str
    kind: BillKind
    title: str
    payer_organisation_id: UUID | None
    payer_user_id: UUID | None
    payee_organisation_id: UUID | None
    lines: tuple[BillLine, ...]
    due_at: datetime


@dataclass(frozen=True)
class VoidBill:
    """Why a bill is cancelled, and the version of it that the page showed."""

    reason: str
    version: int | None = None


@use_case
def open_bill(actor: Actor, command: OpenBill) -> UUID:
    """Open a bill in the caller's transaction and tell the payer. Raises Refused for lines or a payee that cannot be."""
    check_payee(command.kind, has_payee=command.payee_organisation_id is not None)
    bill = Bill(
        id=new_id(),
        thread_id=command.thread_id,
        number=next_number("ZD"),
        pay_code=pay_codes.new_code(command.kind, clock.today().year),
        subject=command.subject,
        kind=command.kind.value,
        title=command.title,
        payer_organisation_id=command.payer_organisation_id,
        payer_user_id=command.payer_user_id,
        payee_organisation_id=command.payee_organisation_id,
        amount_fen=total_of(command.lines),
        state=BillState.OPEN.value,
        opened_at=clock.now(),
        due_at=command.due_at,
    )
    db.session.add(bill)
    db.session.flush()  # the lines refer to the bill
    db.session.add_all(
        BillItem(
            bill_id=bill.id,
            position=n,
            title=line.title,
            amount_fen=line.amount_fen,
            basis=line.basis,
            standard=line.standard or None,
            reduction_fen=line.reduction_fen,
            reduction=line.reduction or None,
        )
        for n, line in enumerate(command.lines, 1)
    )
    opened = BillOpened(bill.id, bill.subject, bill.thread_id, bill.amount_fen)
    record(bill, "open", actor, title=N_("Bill opened"), detail={"amount_fen": bill.amount_fen, "number": bill.number},
           event=opened)  # fmt: skip
    tell_payer(
        bill,
        "bill-due",
        N_("A bill is due: %(number)s"),
        N_("%(title)s, %(amount)s yuan. Pay it at the payment counter."),
    )
    return bill.id


def _facts(bill: Bill, amount_fen: int | None) -> dict[str, str]:
    amount = Money(bill.amount_fen if amount_fen is None else amount_fen)
    return {"number": bill.number, "title": bill.title, "amount": amount.grouped}


def tell_payer(bill: Bill, kind: str, subject: str, text: str, amount_fen: int | None = None) -> None:
    """Send the payer a notice about the bill, in the caller's transaction. `amount_fen`: a part of it (the whole)."""
    facts = _facts(bill, amount_fen)
    notify(
        to_organisation=bill.payer_organisation_id,
        to_user=None if bill.payer_organisation_id else bill.payer_user_id,
        kind=f"payment.{kind}",
        subject=subject,
        text=text,
        link=f"/bills/{bill.id}",
        thread_id=bill.thread_id,
        params=facts,
    )


def tell_payee(bill: Bill, kind: str, subject: str, text: str, amount_fen: int | None = None) -> None:
    """Send the agency a notice about the bill's money, in the caller's transaction. `amount_fen`: a part of it (the whole)."""
    if bill.payee_organisation_id is None:
        return
    facts = _facts(bill, amount_fen)
    notify(
        to_organisation=bill.payee_organisation_id,
        kind=f"payment.{kind}",
        subject=subject,
        text=text,
        link=f"/bills/{bill.id}",
        thread_id=bill.thread_id,
        params=facts,
    )


@use_case
def void_bill(actor: Actor, bill_id: UUID, command: VoidBill) -> None:
    """Cancel an unpaid bill by the operator, with a reason. Raises Conflict while an attempt may still take money."""
    bill = lock(Bill, bill_id, seen=command.version)
    _void(actor, bill, parts_seen(actor, bill), command.reason)


@use_case
def withdraw_bill(actor: Actor, bill_id: UUID, reason: str) -> None:
    """Cancel an unpaid bill for the domain that opened it (its subject no longer asks for money)."""
    _void(actor, lock(Bill, bill_id), frozenset({Part.OPENER}), reason)


def _void(actor: Actor, bill: Bill, parts: frozenset[Part], reason: str) -> None:
    live = sa.select(PaymentBill.payment_id).where(
        PaymentBill.bill_id == bill.id, PaymentBill.standing == Standing.LIVE
    )
    if db.session.scalar(live.limit(1)) is not None:
        raise attempt_under_way()
    move(bill, BILL, "void", actor, parts, reason=reason,
         event=BillVoided(bill.id, bill.subject, bill.thread_id))  # fmt: skip
    tell_payer(bill, "bill-void", N_("Bill %(number)s was cancelled"), N_("%(title)s is no longer due."))
