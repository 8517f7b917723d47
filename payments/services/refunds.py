"""Refunds of held money: asked for by one person, approved by another, sent after commit, followed to their end."""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock, faults
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import ledger, rules
from payments.errors import nothing_to_refund, refund_under_way, same_person
from payments.events import BillRefunded, RefundApproved
from payments.gateways import gateway_of
from payments.ledger import Account, AccountType
from payments.models.bills import Bill
from payments.models.payments import Payment, PaymentBill
from payments.models.refunds import Refund
from payments.observed import RefundFact
from payments.policy import parts_seen
from payments.ports import Declined, Refusal
from payments.services.bills import tell_payer
from payments.services.books import post
from payments.states import BILL, REFUND, UNFINISHED_REFUND, BillKind, BillState, Part, RefundState, Standing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecideRefund:
    """A decision about a refund; a refusal gives its reason."""

    reason: str | None = None
    version: int | None = None


@use_case
def refund(actor: Actor, bill_id: UUID, reason: str) -> UUID:
    """Ask for the whole amount of a paid bill to go back to its payer; the caller has decided that it may.

    The money is held apart at once, so it can neither be released nor refunded twice. Another person approves.
    Raises Conflict when the bill is not paid or a refund is under way, Overdrawn when the money is no longer there.
    """
    bill = lock(Bill, bill_id)
    payment = db.session.scalar(
        sa.select(Payment)
        .join(PaymentBill, PaymentBill.payment_id == Payment.id)
        .where(PaymentBill.bill_id == bill.id, PaymentBill.standing == Standing.CREDITED)
    )
    if bill.state != BillState.PAID or payment is None:
        raise nothing_to_refund()
    return _request(actor, bill, payment, bill.amount_fen, reason, ledger.destination(BillKind(bill.kind), bill.id))


def request_for_surplus(payment: Payment, bill: Bill, amount_fen: int) -> UUID:
    """Ask for money that fits no open bill to go back, in the caller's transaction; an operator approves it."""
    reason = N_("Received money that fits no open bill")
    return _request(SYSTEM, bill, payment, amount_fen, reason, ledger.suspense())


def _request(actor: Actor, bill: Bill, payment: Payment, amount_fen: int, reason: str, source: Account) -> UUID:
    unfinished = sa.select(Refund.id).where(
        Refund.payment_id == payment.id, Refund.bill_id == bill.id, Refund.state.in_(UNFINISHED_REFUND)
    )
    if db.session.scalar(unfinished.limit(1)) is not None:
        raise refund_under_way()
    assert payment.payment_ref is not None, "a payment that succeeded has its reference"
    refund_id = new_id()
    moment = clock.now()
    row = Refund(
        id=refund_id,
        bill_id=bill.id,
        payment_id=payment.id,
        thread_id=bill.thread_id,
        amount_fen=amount_fen,
        state=RefundState.REQUESTED.value,
        reason=reason,
        source=source.code,
        request=gateway_of(payment.gateway).refund_request(payment.payment_ref, amount_fen, refund_id),
        idempotency_key=f"refund-{refund_id}",
        requested_by=actor.user_id,
        readers=list(bill.audience()),
        requested_at=moment,
        check_at=moment,
    )
    db.session.add(row)
    db.session.flush()  # a second unfinished refund of the payment is refused here, by the partial unique index
    post(ledger.refund_held(refund_id, source, amount_fen, moment, f"{bill.number} {reason}"[:300], bill.id))
    record(row, "request", actor, title=N_("Refund asked for"), reason=reason, detail={"amount_fen": amount_fen})
    notify(to_role=Role.OPERATOR, kind="payment.refund-requested", subject=N_("A refund waits for approval: %(number)s"),
           text=N_("Check the reason and approve or refuse it."), link=f"/refunds/{refund_id}",
           thread_id=bill.thread_id, params={"number": bill.number})  # fmt: skip
    return refund_id


@use_case
def approve_refund(actor: Actor, refund_id: UUID, command: DecideRefund) -> None:
    """Let a refund go out. Raises Refused when the approver is the one who asked for it."""
    bill = lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id, seen=command.version)
    if row.requested_by is not None and row.requested_by == actor.user_id:
        raise same_person()
    row.approved_by = actor.user_id
    move(row, REFUND, "approve", actor, parts_seen(actor, bill), event=RefundApproved(row.id))


@use_case
def reject_refund(actor: Actor, refund_id: UUID, command: DecideRefund) -> None:
    """Refuse a refund, with a reason; its money lies where it lay before."""
    bill = lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id, seen=command.version)
    row.finished_at = clock.now()
    move(row, REFUND, "reject", actor, parts_seen(actor, bill), reason=command.reason)
    _unhold(row, bill)


def _unhold(row: Refund, bill: Bill) -> None:
    source = Account(row.source, AccountType.LIABILITY)
    post(ledger.refund_unheld(row.id, source, row.amount_fen, clock.now(), f"{bill.number} {row.reason}", bill.id))


# --- outside calls: never inside a transaction ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What an outside call needs of a refund, read before it."""

    state: RefundState
    gateway: str
    ref: str | None
    request: dict[str, Any]
    key: str


def _known(refund_id: UUID) -> _Known:
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(Refund, refund_id)
    db.session.refresh(row)
    known = _Known(RefundState(row.state), _gateway_of(row), row.gateway_ref, row.request, row.idempotency_key)
    db.session.rollback()  # ends the read; nothing stays open while we wait for the gateway
    return known


def send_refund(refund_id: UUID) -> None:
    """Tell the gateway about an approved refund: the stored request under the stored key, so that it is sent once.

    Raises Unknown when nobody knows whether it arrived; it is sent again.
    """
    known = _known(refund_id)
    if known.state is not RefundState.APPROVED:
        return
    try:
        fact = gateway_of(known.gateway).refund(known.request, known.key)
    except (Declined, Refusal) as refusal:
        log.warning("the gateway refused a refund", extra={"refund_id": str(refund_id)}, exc_info=refusal)
        _refused(refund_id, str(refusal)[:200])
        return
    faults.point("refund-after-call")
    apply_refund(refund_id, fact)


def sync_refund(refund_id: UUID) -> RefundState:
    """Ask the gateway what has become of a refund and take it over. Raises Unknown when it does not answer."""
    known = _known(refund_id)
    if known.state is RefundState.APPROVED:
        send_refund(refund_id)
        return _known(refund_id).state
    if known.ref is None or known.state in (RefundState.FAILED, RefundState.REJECTED):
        return known.state
    return apply_refund(refund_id, gateway_of(known.gateway).fetch_refund(known.ref))


@use_case
def apply_refund(refund_id: UUID, fact: RefundFact) -> RefundState:
    """Take over what the gateway reports of a refund, with its movements. The same fact twice changes nothing."""
    bill = lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id)
    row.gateway_ref = row.gateway_ref or fact.ref
    row.check_at = rules.next_check(row.requested_at, clock.now())
    for movement in fact.movements:
        post(ledger.refund_moved(_gateway_of(row), movement, row.id, f"{bill.number} {row.reason}", bill.id))
    state = RefundState(row.state)
    if fact.status == "pending" and state is RefundState.APPROVED:
        move(row, REFUND, "send", SYSTEM, {Part.SYSTEM})
    elif fact.status == "succeeded" and state in (RefundState.APPROVED, RefundState.PENDING):
        _finish(row, bill)
    elif fact.status == "failed" and state is not RefundState.FAILED:
        _fail(row, bill, fact.problem or "failed")
    return RefundState(row.state)


def _gateway_of(row: Refund) -> str:
    return get(Payment, row.payment_id).gateway


def _is_credited(row: Refund) -> bool:
    return row.source != ledger.suspense().code


def _finish(row: Refund, bill: Bill) -> None:
    row.finished_at = clock.now()
    move(row, REFUND, "succeed", SYSTEM, {Part.SYSTEM}, detail={"amount_fen": row.amount_fen})
    if _is_credited(row):
        gone = BillRefunded(bill.id, bill.subject, bill.thread_id, row.amount_fen)
        move(bill, BILL, "refund", SYSTEM, {Part.SYSTEM}, event=gone, detail={"amount_fen": row.amount_fen})
    tell_payer(bill, "refunded", N_("Money returned: %(number)s"), N_("The payment for %(title)s was returned to you."))


def _fail(row: Refund, bill: Bill, problem: str) -> None:
    row.problem = problem
    row.finished_at = clock.now()
    was_done = row.state == RefundState.SUCCEEDED
    move(row, REFUND, "fail", SYSTEM, {Part.SYSTEM}, detail={"problem": problem})
    _unhold(row, bill)
    if was_done and _is_credited(row):
        move(bill, BILL, "refund_returned", SYSTEM, {Part.SYSTEM})


@use_case
def _refused(refund_id: UUID, problem: str) -> None:
    bill = lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id)
    if row.state == RefundState.APPROVED:
        _fail(row, bill, problem)
