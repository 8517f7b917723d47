"""Attempts to pay: written down first, told to the gateway after commit, and followed until the gateway says how it ended.

`sync_payment` is the one way in which the gateway's word reaches our books; the notice handler, the return page, the
refresh button and the jobs all call it. A lost notice costs seconds, not money.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app

from app.kernel import clock, faults
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.errors import DomainError, NotAllowed
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from app.settings import Settings
from payments import ledger, rules
from payments.errors import attempt_finished, not_payable
from payments.events import BillPaid, PaymentStarted
from payments.gateways import gateway
from payments.models.bills import WATCHERS, Bill, BillItem
from payments.models.payments import Payment
from payments.observed import Attempt, Conclusion, PaymentFact, Reported, conclude
from payments.policy import parts_seen
from payments.ports import Declined, PaymentOrder, Refusal, Unknown
from payments.services import refunds
from payments.services.bills import tell_payee, tell_payer
from payments.services.books import post
from payments.states import BILL, LIVE, PAYMENT, BillKind, BillState, Part, PaymentState

log = logging.getLogger(__name__)


class GatewayUnreachable(DomainError):
    """The gateway does not answer; nothing is lost, it is tried again by itself."""

    code = "gateway-unreachable"
    title = N_(
        "The payment provider does not answer at the moment. Nothing was lost; it will be tried again by itself."
    )
    status = 503


@dataclass(frozen=True)
class StartPayment:
    """How the payer wants to pay (None: chosen at the cashier), and in which language the cashier speaks (BCP 47)."""

    method: str | None = None
    language: str = "zh"


@use_case
def start_payment(actor: Actor, bill_id: UUID, command: StartPayment) -> UUID:
    """Write down an attempt, or return the one that is already live: a double click meets itself.

    Calls nothing outside. The outbox sends the stored request after commit; a page may do so at once with
    `send_payment`. Raises NotFound, NotAllowed, Conflict for a bill that is not due.
    """
    bill = lock(Bill, bill_id)
    if Part.PAYER not in parts_seen(actor, bill):
        raise NotAllowed
    live = db.session.scalar(sa.select(Payment.id).where(Payment.bill_id == bill.id, Payment.state.in_(LIVE)))
    if live is not None:
        return live
    if bill.state != BillState.OPEN:
        raise not_payable()
    rules.check_payable_online(bill.amount_fen)
    payment = _new_payment(actor, bill, command)
    db.session.add(payment)
    db.session.flush()  # a second live attempt is refused here, by the partial unique index
    record(payment, "start", actor, title=N_("Payment started"), detail={"amount_fen": payment.amount_fen})
    publish(PaymentStarted(payment.id))
    return payment.id


def _new_payment(actor: Actor, bill: Bill, command: StartPayment) -> Payment:
    payment_id = new_id()
    provider = gateway()
    number = db.session.scalar(sa.select(sa.func.count()).where(Payment.bill_id == bill.id)) or 0
    moment = clock.now()
    payer = f"org:{bill.payer_organisation_id}" if bill.payer_organisation_id else f"user:{bill.payer_user_id}"
    return Payment(
        id=payment_id,
        bill_id=bill.id,
        thread_id=bill.thread_id,
        attempt=number + 1,
        gateway=provider.code,
        method=command.method,
        amount_fen=bill.amount_fen,
        currency=bill.currency,
        state=PaymentState.NEW.value,
        request=provider.request_for(_order(bill, payment_id, command)),
        idempotency_key=f"payment-{payment_id}",
        started_by=actor.user_id,
        readers=[payer, *WATCHERS],
        started_at=moment,
        check_at=rules.next_check(moment, moment),
    )


def _order(bill: Bill, payment_id: UUID, command: StartPayment) -> PaymentOrder:
    here = cast("Settings", current_app.extensions["chaoshi_settings"]).public_url.rstrip("/")
    items = db.session.scalars(sa.select(BillItem).where(BillItem.bill_id == bill.id).order_by(BillItem.position))
    return PaymentOrder(
        payment_id=payment_id,
        bill_number=bill.number,
        description=f"{bill.number} {bill.title}",
        lines=tuple((item.title, item.basis, item.amount_fen) for item in items),
        amount_fen=bill.amount_fen,
        currency=bill.currency,
        method=command.method,
        language=command.language,
        success_url=f"{here}/pay/return/{payment_id}",
        cancel_url=f"{here}/bills/{bill.id}",
    )


# --- outside calls: never inside a transaction ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What an outside call needs of an attempt, read before it."""

    state: PaymentState
    session_ref: str | None
    request: dict[str, Any]
    key: str
    started_at: datetime


def _known(payment_id: UUID) -> _Known:
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(Payment, payment_id)
    db.session.refresh(row)
    known = _Known(PaymentState(row.state), row.session_ref, row.request, row.idempotency_key, row.started_at)
    db.session.rollback()  # ends the read; nothing stays open while we wait for the gateway
    return known


def send_payment(payment_id: UUID) -> None:
    """Tell the gateway about a new attempt: the stored request under the stored key, so a repeat is the same attempt.

    Raises Unknown when nobody knows whether it arrived; the attempt stays as it is and is sent again. An attempt too old
    for its key is never sent again but looked up.
    """
    known = _known(payment_id)
    if known.state is not PaymentState.NEW:
        return
    provider = gateway()
    if clock.now() - known.started_at > rules.KEY_LIFETIME:
        found = provider.search(payment_id, known.started_at)
        if found is None:
            _end(payment_id, "fail", "never-arrived")
        else:
            apply_fact(payment_id, found)
        return
    faults.point("payment-before-call")
    try:
        fact = provider.start(known.request, known.key)
    except (Declined, Refusal) as refusal:
        log.warning("the gateway refused an attempt", extra={"payment_id": str(payment_id)}, exc_info=refusal)
        _end(payment_id, "fail", "refused-by-gateway")
        return
    faults.point("payment-after-call")
    apply_fact(payment_id, fact)


def sync_payment(payment_id: UUID) -> PaymentState:
    """Ask the gateway what has become of an attempt and take it over. Raises Unknown when it does not answer."""
    known = _known(payment_id)
    if known.state is PaymentState.NEW:
        send_payment(payment_id)
        known = _known(payment_id)
    if known.session_ref is None or known.state in (PaymentState.SUCCEEDED, PaymentState.SURPLUS):
        return known.state
    try:
        fact = gateway().fetch(known.session_ref)
    except Refusal:
        log.exception("the gateway does not know an attempt of ours", extra={"payment_id": str(payment_id)})
        _end(payment_id, "fail", "unknown-at-gateway")
        return _known(payment_id).state
    faults.point("payment-after-fetch")
    return apply_fact(payment_id, fact)


def cancel_payment(actor: Actor, payment_id: UUID) -> PaymentState:
    """Close the payer's own attempt at the gateway, unless it has succeeded meanwhile.

    Raises NotFound, NotAllowed, Conflict for a finished attempt, GatewayUnreachable.
    """
    bill = get(Bill, get(Payment, payment_id).bill_id)
    if Part.PAYER not in parts_seen(actor, bill):
        raise NotAllowed
    try:
        if sync_payment(payment_id) not in LIVE:
            return PaymentState(_known(payment_id).state)
        known = _known(payment_id)
        if known.session_ref is None:
            raise attempt_finished()
        fact = gateway().cancel(known.session_ref)
    except (Unknown, Refusal) as failure:
        raise GatewayUnreachable from failure
    if fact.status is Reported.EXPIRED:
        fact = replace(fact, status=Reported.CANCELED)
    return apply_fact(payment_id, fact)


# --- the gateway's word, taken over ----------------------------------------------------------------------------------


@use_case
def apply_fact(payment_id: UUID, fact: PaymentFact) -> PaymentState:
    """Take over what the gateway reports: states and ledger in one transaction. The same fact twice changes nothing."""
    bill = lock(Bill, get(Payment, payment_id).bill_id)  # bill before payment, always
    payment = lock(Payment, payment_id)
    _remember(payment, fact)
    conclusion = conclude(_attempt(payment, bill), fact)
    match conclusion.action:
        case None:
            payment.check_at = rules.next_check(payment.started_at, clock.now())
        case "succeed":
            _credit(payment, bill, fact)
        case "set_aside":
            _set_aside(payment, bill, fact, conclusion)
        case action:
            move(payment, PAYMENT, action, SYSTEM, {Part.SYSTEM}, detail={"problem": fact.problem})
    return PaymentState(payment.state)


def _remember(payment: Payment, fact: PaymentFact) -> None:
    payment.session_ref = payment.session_ref or fact.session_ref
    payment.payment_ref = payment.payment_ref or fact.payment_ref
    payment.cashier_url = payment.cashier_url or fact.cashier_url
    payment.expires_at = fact.expires_at or payment.expires_at
    payment.method = fact.method or payment.method
    payment.problem = fact.problem


def _attempt(payment: Payment, bill: Bill) -> Attempt:
    others = sa.select(Payment.id).where(Payment.bill_id == bill.id, Payment.id != payment.id, Payment.state.in_(LIVE))
    return Attempt(
        state=PaymentState(payment.state),
        amount_fen=payment.amount_fen,
        currency=payment.currency,
        bill_is_open=bill.state == BillState.OPEN,
        another_is_live=db.session.scalar(others.limit(1)) is not None,
    )


def _credit(payment: Payment, bill: Bill, fact: PaymentFact) -> None:
    assert fact.charge is not None, "a success carries its movement"
    moment = clock.now()
    payment.succeeded_at = moment
    payment.problem = None
    bill.paid_at = moment
    memo = f"{bill.number} {bill.title}"
    post(ledger.charge_settled(payment.gateway, fact.charge, BillKind(bill.kind), bill.id, memo))
    faults.point("payment-after-posting")
    move(payment, PAYMENT, "succeed", SYSTEM, {Part.SYSTEM}, detail={"amount_fen": fact.amount_fen})
    paid = BillPaid(bill.id, bill.subject, bill.thread_id, bill.amount_fen)
    move(bill, BILL, "pay", SYSTEM, {Part.SYSTEM}, event=paid, detail={"amount_fen": bill.amount_fen})
    tell_payer(bill, "bill-paid", N_("Payment received: %(number)s"), N_("%(title)s: %(amount)s yuan were received."))
    tell_payee(bill, "money-held", N_("A bill to you was paid: %(number)s"),
               N_("%(title)s: %(amount)s yuan are held for you until the result is accepted."))  # fmt: skip


def _set_aside(payment: Payment, bill: Bill, fact: PaymentFact, conclusion: Conclusion) -> None:
    assert fact.charge is not None, "a success carries its movement"
    assert conclusion.misfit is not None
    payment.succeeded_at = clock.now()
    payment.misfit = conclusion.misfit.value
    post(ledger.charge_set_aside(payment.gateway, fact.charge, f"{bill.number}: {conclusion.misfit}", bill.id))
    facts = {"amount_fen": fact.amount_fen, "currency": fact.currency, "misfit": conclusion.misfit.value}
    move(payment, PAYMENT, "set_aside", SYSTEM, {Part.SYSTEM}, detail=facts)
    if fact.charge.currency == ledger.CNY:
        refunds.request_for_surplus(payment, bill, fact.charge.gross_fen)
    tell_payer(bill, "surplus", N_("Money received twice or not as billed: %(number)s"),
               N_("We received a payment that does not fit this bill. It is set aside and will be returned to you."))  # fmt: skip


@use_case
def _end(payment_id: UUID, action: str, problem: str) -> None:
    lock(Bill, get(Payment, payment_id).bill_id)
    payment = lock(Payment, payment_id)
    if payment.state in LIVE:
        payment.problem = problem
        move(payment, PAYMENT, action, SYSTEM, {Part.SYSTEM}, detail={"problem": problem})
