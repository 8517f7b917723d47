"""Attempts to pay: written down first, told to the gateway after commit, and followed until the gateway says how it ended.

`sync_payment` is the one way in which the gateway's word reaches our books; the notice handler, the return page, the
refresh button and the jobs all call it. A lost notice costs seconds, not money.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app

from app.kernel import clock, faults
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.numbering import next_number
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from app.settings import Settings
from payments import ledger, rules
from payments.errors import another_attempt, attempt_finished, not_offered, not_payable
from payments.events import BillPaid, PaymentFailed, PaymentStarted, PaymentSucceeded
from payments.gateways import gateway_for, gateway_of
from payments.models.bills import WATCHERS, Bill, BillItem
from payments.models.payments import Payment, PaymentBill
from payments.observed import Attempt, Conclusion, Misfit, PaymentFact, Reported, Share, conclude
from payments.policy import parts_seen
from payments.ports import Declined, PaymentOrder, Refusal, Unknown
from payments.services import refunds
from payments.services.bills import tell_payee, tell_payer
from payments.services.books import post
from payments.states import BILL, LIVE, PAYMENT, BillKind, BillState, Part, PaymentState, Standing

log = logging.getLogger(__name__)
ANYBODY = Actor(None, None, frozenset(), "")
"""Who pays with the code of a printed bill."""


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
    """Write down an attempt to pay one bill; see `start_joint_payment`."""
    return start_joint_payment(actor, (bill_id,), command)


@use_case
def start_joint_payment(actor: Actor, bill_ids: Sequence[UUID], command: StartPayment) -> UUID:
    """Write down an attempt to pay these bills together, or return the one that is live: a double click meets itself.

    Calls nothing outside. The outbox sends the stored request after commit; a page may do so at once with
    `send_payment`. Raises NotFound, NotAllowed, Refused for bills that must not share a payment or for too large an
    amount, Conflict for a bill that is not due or is being paid in another attempt.
    """
    bills = [
        lock(Bill, bill_id) for bill_id in sorted(set(bill_ids))
    ]  # always in this order: two baskets never deadlock
    if any(Part.PAYER not in parts_seen(actor, bill) for bill in bills):
        raise NotAllowed
    rules.check_together(
        {b.kind for b in bills}, {(b.payer_organisation_id, b.payer_user_id) for b in bills}, len(bills)
    )
    return begin_attempt(actor, bills, command, "/pay/return/{payment_id}")


@use_case
def start_payment_by_code(pay_code: str, command: StartPayment) -> UUID:
    """Write down an attempt to pay the bill with this payment code: whoever holds the paper may pay it.

    The payer comes back to the page of the code. Raises NotFound for an unknown code; else as `start_joint_payment`.
    A bank transfer needs the payer's own page, so it is not offered here.
    """
    bill_id = db.session.scalar(sa.select(Bill.id).where(Bill.pay_code == pay_code))
    if bill_id is None:
        raise NotFound
    if command.method == rules.BANK_TRANSFER:
        raise not_offered()
    return begin_attempt(ANYBODY, [lock(Bill, bill_id)], command, f"/pay/code/{pay_code}")


def begin_attempt(actor: Actor, bills: Sequence[Bill], command: StartPayment, back: str) -> UUID:
    """Write down an attempt on these locked bills, or return their live one. Raises Conflict as `start_joint_payment`."""
    live = _live_attempt(bills)
    if live is not None:
        return live
    if any(bill.state != BillState.OPEN for bill in bills):
        raise not_payable()
    ordered = sorted(bills, key=lambda bill: (bill.due_at, bill.number))
    payment = _new_payment(actor, ordered, command, back)
    db.session.add(payment)
    db.session.flush()
    for position, bill in enumerate(ordered, 1):
        db.session.add(_part(payment, bill, position))
    db.session.flush()  # a second live attempt on one of the bills is refused here, by the partial unique index
    detail = {"amount_fen": payment.amount_fen, "number": payment.number, "bills": [bill.number for bill in ordered]}
    record(payment, "start", actor, title=N_("Payment started"), detail=detail)
    publish(PaymentStarted(payment.id))
    return payment.id


def _live_attempt(bills: Sequence[Bill]) -> UUID | None:
    """The live attempt on exactly these bills. Raises Conflict when one of them is being paid in another attempt."""
    asked = {bill.id: bill for bill in bills}
    live = sa.select(PaymentBill).where(PaymentBill.bill_id.in_(asked), PaymentBill.standing == Standing.LIVE)
    found = {row.bill_id: row.payment_id for row in db.session.scalars(live)}
    if not found:
        return None
    attempts = set(found.values())
    if len(attempts) == 1 and len(found) == len(asked):
        (attempt,) = attempts
        if len(_bills_of(attempt)) == len(asked):
            return attempt
    raise another_attempt(asked[min(found)].number)


def _bills_of(payment_id: UUID) -> list[UUID]:
    """The bills of an attempt, in the order in which they are locked. They never change."""
    return list(
        db.session.scalars(
            sa.select(PaymentBill.bill_id).where(PaymentBill.payment_id == payment_id).order_by(PaymentBill.bill_id)
        )
    )


def _part(payment: Payment, bill: Bill, position: int) -> PaymentBill:
    earlier = sa.select(sa.func.count()).select_from(PaymentBill).where(PaymentBill.bill_id == bill.id)
    return PaymentBill(
        payment_id=payment.id,
        bill_id=bill.id,
        position=position,
        attempt=(db.session.scalar(earlier) or 0) + 1,
        amount_fen=bill.amount_fen,
        standing=Standing.LIVE.value,
    )


def _new_payment(actor: Actor, bills: Sequence[Bill], command: StartPayment, back: str) -> Payment:
    payment_id = new_id()
    first = bills[0]
    amount_fen = sum(bill.amount_fen for bill in bills)
    provider = gateway_for(command.method, BillKind(first.kind))
    if provider is None:
        raise not_offered()
    rules.check_amount(amount_fen, provider.caps.most_fen)
    number = next_number("JK")
    moment = clock.now()
    payer = f"org:{first.payer_organisation_id}" if first.payer_organisation_id else f"user:{first.payer_user_id}"
    return Payment(
        id=payment_id,
        number=number,
        thread_id=first.thread_id,
        kind=first.kind,
        gateway=provider.code,
        method=command.method,
        amount_fen=amount_fen,
        currency=first.currency,
        state=PaymentState.NEW.value,
        request=provider.request_for(_order(bills, payment_id, number, command, back)),
        idempotency_key=f"payment-{payment_id}",
        started_by=actor.user_id,
        readers=[payer, *WATCHERS],
        started_at=moment,
        check_at=rules.next_check(moment, moment),
    )


def _order(bills: Sequence[Bill], payment_id: UUID, number: str, command: StartPayment, back: str) -> PaymentOrder:
    here = cast("Settings", current_app.extensions["chaoshi_settings"]).public_url.rstrip("/")
    place = {bill.id: n for n, bill in enumerate(bills)}
    found = db.session.scalars(sa.select(BillItem).where(BillItem.bill_id.in_(place)))
    items = sorted(found, key=lambda item: (place[item.bill_id], item.position))
    numbers = "、".join(bill.number for bill in bills)
    return PaymentOrder(
        payment_id=payment_id,
        number=number,
        kind=BillKind(bills[0].kind),
        bill_number=numbers,
        description=f"{numbers} {bills[0].title}"[:300],
        lines=tuple((item.title, item.basis, item.amount_fen) for item in items),
        amount_fen=sum(bill.amount_fen for bill in bills),
        currency=bills[0].currency,
        method=command.method,
        language=command.language,
        success_url=here + back.format(payment_id=payment_id),
        cancel_url=here + (f"/bills/{bills[0].id}" if "{" in back else back),
        own_page=f"{here}/pay/cashier/{payment_id}",
    )


# --- outside calls: never inside a transaction ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What an outside call needs of an attempt, read before it."""

    state: PaymentState
    gateway: str
    session_ref: str | None
    request: dict[str, Any]
    key: str
    started_at: datetime


def _known(payment_id: UUID) -> _Known:
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(Payment, payment_id, fresh=True)
    known = _Known(
        PaymentState(row.state), row.gateway, row.session_ref, row.request, row.idempotency_key, row.started_at
    )
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
    provider = gateway_of(known.gateway)
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
        fact = gateway_of(known.gateway).fetch(known.session_ref)
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
    get(Payment, payment_id)  # 404 for none
    if any(Part.PAYER not in parts_seen(actor, get(Bill, bill_id)) for bill_id in _bills_of(payment_id)):
        raise NotAllowed
    try:
        if sync_payment(payment_id) not in LIVE:
            return PaymentState(_known(payment_id).state)
        known = _known(payment_id)
        if known.session_ref is None:
            raise attempt_finished()
        fact = gateway_of(known.gateway).cancel(known.session_ref)
    except (Unknown, Refusal) as failure:
        raise GatewayUnreachable from failure
    if fact.status is Reported.EXPIRED:
        fact = replace(fact, status=Reported.CANCELED)
    return apply_fact(payment_id, fact)


# --- the gateway's word, taken over ----------------------------------------------------------------------------------


@use_case
def apply_fact(payment_id: UUID, fact: PaymentFact) -> PaymentState:
    """Take over what the gateway reports: states and ledger in one transaction. The same fact twice changes nothing."""
    paid = lock_attempt(payment_id)
    payment = paid.payment
    _remember(payment, fact)
    conclusion = conclude(_attempt(paid), fact)
    match conclusion.action:
        case None:
            payment.check_at = rules.next_check(payment.started_at, clock.now())
        case "succeed":
            credit(paid, fact, dict(conclusion.unfit))
        case "set_aside":
            _set_aside(paid, fact, conclusion)
        case "offer":
            move(payment, PAYMENT, "offer", SYSTEM, {Part.SYSTEM})
        case action:
            _give_up(paid, action, fact.problem)
    return PaymentState(payment.state)


@dataclass(frozen=True)
class Paid:
    """An attempt with its bills and their parts in it, all locked; in the order in which they are shown."""

    payment: Payment
    parts: tuple[tuple[Bill, PaymentBill], ...]

    @property
    def first(self) -> Bill:
        return self.parts[0][0]

    @property
    def memo(self) -> str:
        numbers = "、".join(bill.number for bill, _ in self.parts)
        return f"{numbers} {self.first.title}"[:300]


def lock_attempt(payment_id: UUID) -> Paid:
    """Lock an attempt with its bills, bills first, in the caller's transaction."""
    bills = {bill_id: lock(Bill, bill_id) for bill_id in _bills_of(payment_id)}  # bills before payment, always
    payment = lock(Payment, payment_id)
    rows = db.session.scalars(
        sa.select(PaymentBill)
        .where(PaymentBill.payment_id == payment_id)
        .order_by(PaymentBill.position)
        .execution_options(populate_existing=True)
    )
    return Paid(payment, tuple((bills[row.bill_id], row) for row in rows))


def _remember(payment: Payment, fact: PaymentFact) -> None:
    payment.session_ref = payment.session_ref or fact.session_ref
    payment.payment_ref = payment.payment_ref or fact.payment_ref
    payment.cashier_url = payment.cashier_url or fact.cashier_url
    payment.expires_at = fact.expires_at or payment.expires_at
    payment.method = fact.method or payment.method
    payment.problem = fact.problem


def _attempt(paid: Paid) -> Attempt:
    payment = paid.payment
    others = set(
        db.session.scalars(
            sa.select(PaymentBill.bill_id).where(
                PaymentBill.bill_id.in_([bill.id for bill, _ in paid.parts]),
                PaymentBill.payment_id != payment.id,
                PaymentBill.standing == Standing.LIVE,
            )
        )
    )
    return Attempt(
        state=PaymentState(payment.state),
        amount_fen=payment.amount_fen,
        currency=payment.currency,
        shares=tuple(
            Share(b.id, is_open=b.state == BillState.OPEN, another_is_live=b.id in others) for b, _ in paid.parts
        ),
    )


def credit(
    paid: Paid,
    fact: PaymentFact,
    unfit: Mapping[UUID, Misfit],
    settle: Callable[[Sequence[ledger.Credit]], ledger.Posting] | None = None,
) -> None:
    """Credit the bills of a locked attempt, but for the `unfit`. `settle` makes another posting than that of a charge."""
    assert fact.charge is not None, "a success carries its movement"
    payment = paid.payment
    moment = clock.now()
    payment.succeeded_at = moment
    payment.problem = None
    shares = [
        ledger.Credit(bill.id, _account(bill, unfit), part.amount_fen) for bill, part in paid.parts
    ]  # fmt: skip
    settled = settle(shares) if settle else ledger.charge_settled(payment.gateway, fact.charge, shares, paid.memo)
    post(settled, subject=f"payment:{payment.id}")
    faults.point("payment-after-posting")
    arrived = PaymentSucceeded(payment.id)
    move(payment, PAYMENT, "succeed", SYSTEM, {Part.SYSTEM}, event=arrived, detail={"amount_fen": fact.amount_fen})
    for bill, part in paid.parts:
        if bill.id in unfit:
            _return_part(payment, bill, part, unfit[bill.id])
        else:
            part.standing = Standing.CREDITED.value
            _mark_paid(bill, moment)


def _account(bill: Bill, unfit: Mapping[UUID, Misfit]) -> ledger.Account:
    return ledger.suspense() if bill.id in unfit else ledger.destination(BillKind(bill.kind), bill.id)


def _mark_paid(bill: Bill, moment: datetime) -> None:
    bill.paid_at = moment
    paid = BillPaid(bill.id, bill.subject, bill.thread_id, bill.amount_fen)
    move(bill, BILL, "pay", SYSTEM, {Part.SYSTEM}, event=paid, detail={"amount_fen": bill.amount_fen})
    tell_payer(bill, "bill-paid", N_("Payment received: %(number)s"), N_("%(title)s: %(amount)s yuan were received."))
    tell_payee(bill, "money-held", N_("A bill to you was paid: %(number)s"),
               N_("%(title)s: %(amount)s yuan are held for you until the result is accepted."))  # fmt: skip


def _return_part(payment: Payment, bill: Bill, part: PaymentBill, misfit: Misfit) -> None:
    """The share of a bill that no longer takes money goes back, while the other bills of the payment are credited."""
    part.standing, part.misfit = Standing.SET_ASIDE.value, misfit.value
    db.session.flush()
    refunds.request_for_surplus(payment, bill, part.amount_fen)
    _tell_surplus(bill)


def _set_aside(paid: Paid, fact: PaymentFact, conclusion: Conclusion) -> None:
    assert fact.charge is not None, "a success carries its movement"
    assert conclusion.misfit is not None
    payment, first = paid.payment, paid.first
    payment.succeeded_at = clock.now()
    payment.misfit = conclusion.misfit.value
    for _bill, part in paid.parts:
        part.standing, part.misfit = Standing.SET_ASIDE.value, conclusion.misfit.value
    aside = ledger.charge_set_aside(payment.gateway, fact.charge, f"{first.number}: {conclusion.misfit}", first.id)
    post(aside, subject=f"payment:{payment.id}")
    facts = {"amount_fen": fact.amount_fen, "currency": fact.currency, "misfit": conclusion.misfit.value}
    move(payment, PAYMENT, "set_aside", SYSTEM, {Part.SYSTEM}, detail=facts)
    if fact.charge.currency == ledger.CNY:
        refunds.request_for_surplus(payment, first, fact.charge.gross_fen)
    _tell_surplus(first)


def _tell_surplus(bill: Bill) -> None:
    tell_payer(bill, "surplus", N_("Money received twice or not as billed: %(number)s"),
               N_("We received a payment that does not fit this bill. It is set aside and will be returned to you."))  # fmt: skip


@use_case
def _end(payment_id: UUID, action: str, problem: str) -> None:
    paid = lock_attempt(payment_id)
    if paid.payment.state in LIVE:
        paid.payment.problem = problem
        _give_up(paid, action, problem)


def _give_up(paid: Paid, action: str, problem: str | None) -> None:
    """End an attempt that took no money, so that each of its bills can be paid in another one."""
    for _bill, part in paid.parts:
        part.standing = Standing.OVER.value
    ended = PaymentFailed(paid.payment.id)
    move(paid.payment, PAYMENT, action, SYSTEM, {Part.SYSTEM}, event=ended, detail={"problem": problem})
