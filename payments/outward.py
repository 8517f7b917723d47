"""What partners' systems are told of bills and their money: thin messages that name objects, their state and amount.

Amounts in whole fen. Persons are not named; who wants more reads the object from the API.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.documents import issued_for
from app.kernel.db import db, get
from app.kernel.event import Event
from app.kernel.words import N_
from app.webhooks.catalogue import Announcement, WebhookEvent
from payments.documents import RECEIPT
from payments.events import (
    BillOpened,
    BillPaid,
    BillRefunded,
    BillVoided,
    HeldMoneyReleased,
    PaymentFailed,
    PaymentSucceeded,
    ReceiptIssued,
    RefundFailed,
    RefundRejected,
    RefundRequested,
)
from payments.models.bills import Bill
from payments.models.disputes import PaymentDispute
from payments.models.payments import Payment, PaymentBill
from payments.models.payouts import Payout
from payments.models.refunds import Refund
from payments.outgoing_events import DisputeClosed, DisputeOpened, PayoutArrived, PayoutFailed, RefundSucceeded


def _known(ids: Iterable[UUID | None]) -> frozenset[UUID]:
    return frozenset(one for one in ids if one is not None)


def _bill_facts(bill: Bill, amount_fen: int) -> dict[str, Any]:
    return {
        "bill_id": str(bill.id),
        "number": bill.number,
        "kind": bill.kind,
        "subject": bill.subject,
        "state": bill.state,
        "amount_fen": amount_fen,
        "currency": bill.currency,
    }


def _of_bill(event: Any) -> Announcement:
    """The bill's identity and amount, to its payer's and payee's organisations."""
    bill = get(Bill, event.bill_id)
    facts = _bill_facts(bill, getattr(event, "amount_fen", bill.amount_fen))
    return Announcement(_known((bill.payer_organisation_id, bill.payee_organisation_id)), facts, bill.thread_id)


def _of_receipt(event: ReceiptIssued) -> Announcement:
    """The bill with the number of its receipt, to payer and payee."""
    told = _of_bill(event)
    number = next((paper.number for paper in issued_for(f"bill:{event.bill_id}") if paper.kind == RECEIPT), None)
    return Announcement(told.organisations, {**told.data, "receipt_number": number}, told.thread_id)


def _of_payment(event: PaymentSucceeded | PaymentFailed) -> Announcement:
    """The attempt with its bills, to the payer alone: a payee is told when a bill is paid, not of attempts."""
    payment = get(Payment, event.payment_id)
    bills = db.session.execute(
        sa.select(PaymentBill.bill_id, Bill.payer_organisation_id)
        .join(Bill, Bill.id == PaymentBill.bill_id)
        .where(PaymentBill.payment_id == payment.id)
        .order_by(PaymentBill.position)
    ).all()
    data = {
        "payment_id": str(payment.id),
        "number": payment.number,
        "bill_ids": [str(row.bill_id) for row in bills],
        "method": payment.method,
        "state": payment.state,
        "problem": payment.problem,
        "amount_fen": payment.amount_fen,
        "currency": payment.currency,
    }
    return Announcement(_known(row.payer_organisation_id for row in bills), data, payment.thread_id)


def _of_refund(event: Any) -> Announcement:
    """The refund with its bill, to the bill's payer and payee."""
    refund = get(Refund, event.refund_id)
    bill = get(Bill, refund.bill_id)
    data = {
        "refund_id": str(refund.id),
        "bill_id": str(bill.id),
        "payment_id": str(refund.payment_id),
        "state": refund.state,
        "problem": refund.problem,
        "amount_fen": refund.amount_fen,
        "currency": bill.currency,
    }
    return Announcement(_known((bill.payer_organisation_id, bill.payee_organisation_id)), data, refund.thread_id)


def _of_payout(event: PayoutArrived | PayoutFailed) -> Announcement:
    """The payout, to its agency."""
    payout = get(Payout, event.payout_id)
    data = {
        "payout_id": str(payout.id),
        "number": payout.number,
        "state": payout.state,
        "problem": payout.problem,
        "amount_fen": payout.amount_fen,
        "currency": "CNY",
    }
    return Announcement(frozenset({payout.payee_organisation_id}), data, payout.thread_id)


def _of_dispute(event: DisputeOpened | DisputeClosed) -> Announcement:
    """The dispute, to the agencies whose money is frozen: the payer deals with the own bank."""
    dispute = get(PaymentDispute, event.dispute_id)
    agencies = db.session.scalars(
        sa.select(Bill.payee_organisation_id)
        .join(PaymentBill, PaymentBill.bill_id == Bill.id)
        .where(PaymentBill.payment_id == dispute.payment_id)
    )
    data = {
        "dispute_id": str(dispute.id),
        "bill_id": str(dispute.bill_id),
        "payment_id": str(dispute.payment_id),
        "state": dispute.state,
        "due_by": dispute.due_by.isoformat() if dispute.due_by else None,
        "amount_fen": dispute.amount_fen,
        "currency": "CNY",
    }
    return Announcement(_known(agencies), data, dispute.thread_id)


_TOLD: tuple[tuple[str, type[Event], str, Callable[[Any], Announcement]], ...] = (
    ("bill.opened", BillOpened, N_("A bill is due"), _of_bill),
    ("bill.paid", BillPaid, N_("A bill was paid"), _of_bill),
    ("bill.voided", BillVoided, N_("A bill was cancelled"), _of_bill),
    ("bill.released", HeldMoneyReleased, N_("Held money was released to the agency"), _of_bill),
    ("bill.refunded", BillRefunded, N_("Money was returned to the payer"), _of_bill),
    ("receipt.issued", ReceiptIssued, N_("The receipt of a bill was issued"), _of_receipt),
    ("payment.succeeded", PaymentSucceeded, N_("A payment succeeded"), _of_payment),
    ("payment.failed", PaymentFailed, N_("A payment failed, was given up or expired"), _of_payment),
    ("refund.requested", RefundRequested, N_("A refund was asked for"), _of_refund),
    ("refund.rejected", RefundRejected, N_("A refund was refused"), _of_refund),
    ("refund.succeeded", RefundSucceeded, N_("A refund reached the payer"), _of_refund),
    ("refund.failed", RefundFailed, N_("A refund did not reach the payer"), _of_refund),
    ("payout.paid", PayoutArrived, N_("A payout reached the agency's bank"), _of_payout),
    ("payout.failed", PayoutFailed, N_("A payout did not reach the agency's bank"), _of_payout),
    ("dispute.opened", DisputeOpened, N_("A payment is disputed by the payer's bank"), _of_dispute),
    ("dispute.closed", DisputeClosed, N_("A dispute was decided"), _of_dispute),
)
WEBHOOK_EVENTS = tuple(WebhookEvent(*told) for told in _TOLD)
