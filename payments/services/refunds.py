"""Refunds, whole or in part, of held or of released money: asked for by one person, approved by another, sent after commit, followed to their end."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock, faults
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import held_money, ledger, rules
from payments.errors import more_than_held, nothing_to_refund, refund_under_way, same_person
from payments.events import BillRefunded, RefundApproved, RefundFailed, RefundRejected, RefundRequested
from payments.gateways import gateway_of
from payments.ledger import Account, AccountType
from payments.models.bills import Bill
from payments.models.held import RefundShare
from payments.models.payments import Payment, PaymentBill
from payments.models.refunds import Refund
from payments.observed import RefundFact
from payments.outgoing_events import RefundSucceeded
from payments.policy import parts_seen
from payments.ports import Declined, Refusal
from payments.queries.held import standing_of
from payments.services.bills import tell_payee, tell_payer
from payments.services.books import balances_of, post
from payments.services.reversals import call_back_for_debt
from payments.states import (
    BILL,
    REFUND,
    SENT_REFUND,
    UNFINISHED_REFUND,
    BillKind,
    BillState,
    Part,
    RefundState,
    Standing,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecideRefund:
    """A decision about a refund; a refusal gives its reason."""

    reason: str | None = None
    version: int | None = None


@use_case
def refund(actor: Actor, bill_id: UUID, reason: str, amount_fen: int | None = None) -> UUID:
    """Ask for money of a paid bill to go back to its payer: all that is held, or `amount_fen`.

    The caller has decided that it may. The money is held apart at once, so it can neither be released nor refunded
    twice; another person approves. More than is held is taken back from the agency: from its balance, and what it no
    longer has becomes its debt at approval. Raises Conflict when the bill is not paid, a refund is under way or so much
    cannot go back.
    """
    bill = lock(Bill, bill_id)
    payment = db.session.scalar(
        sa.select(Payment)
        .join(PaymentBill, PaymentBill.payment_id == Payment.id)
        .where(PaymentBill.bill_id == bill.id, PaymentBill.standing == Standing.CREDITED)
    )
    if bill.state not in (BillState.PAID, BillState.RELEASED) or payment is None:
        raise nothing_to_refund()
    _check_no_other(payment, bill)
    if BillKind(bill.kind) is not BillKind.SERVICE_FEE:
        amount = amount_fen or _left(bill)
        if not 1 <= amount <= _left(bill):
            raise nothing_to_refund()
        source = ledger.destination(BillKind(bill.kind), bill.id)
        return _request(actor, bill, payment, amount, reason, source, [(source, amount)])
    standing = standing_of(bill.id)
    amount = standing.free if amount_fen is None else amount_fen
    parts = held_money.refund_shares(standing, amount)
    if parts is None:
        raise more_than_held() if standing.held or standing.returnable else nothing_to_refund()
    taken = [
        (ledger.escrow(bill.id), parts.from_held),
        *_at_hand(bill, parts.from_agency),
        (ledger.PLATFORM_FEE, parts.from_fee),
    ]
    source = ledger.escrow(bill.id) if parts.from_held else ledger.payable(_agency(bill))
    return _request(actor, bill, payment, amount, reason, source, taken)


def _agency(bill: Bill) -> UUID:
    assert bill.payee_organisation_id is not None, "a service fee has its agency"
    return bill.payee_organisation_id


def _left(bill: Bill) -> int:
    """What of a bill whose money is not held has neither gone back nor is on its way."""
    gone = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_fen), 0)).where(
        Refund.bill_id == bill.id,
        Refund.state.not_in((RefundState.REJECTED, RefundState.FAILED)),
        Refund.source != ledger.suspense().code,
    )
    return bill.amount_fen - int(db.session.scalar(gone) or 0)


def _at_hand(bill: Bill, amount_fen: int) -> list[tuple[Account, int]]:
    """So much of a sum as lies in the agency's balance now."""
    if amount_fen == 0:
        return []
    account = ledger.payable(_agency(bill))
    return [(account, min(amount_fen, -balances_of([account.code]).get(account.code, 0)))]


def request_for_surplus(payment: Payment, bill: Bill, amount_fen: int) -> UUID:
    """Ask for money that fits no open bill to go back, in the caller's transaction; an operator approves it."""
    reason = N_("Received money that fits no open bill")
    return _request(SYSTEM, bill, payment, amount_fen, reason, ledger.suspense(), [(ledger.suspense(), amount_fen)])


def _request(
    actor: Actor,
    bill: Bill,
    payment: Payment,
    amount_fen: int,
    reason: str,
    source: Account,
    shares: Sequence[tuple[Account, int]],
) -> UUID:
    _check_no_other(payment, bill)
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
    taken = [(account, fen) for account, fen in shares if fen]
    if taken:
        post(ledger.refund_held(refund_id, taken, moment, _memo(row, bill), bill.id))
        _remember_shares(row, taken)
    record(row, "request", actor, title=N_("Refund asked for"), reason=reason, detail={"amount_fen": amount_fen},
           event=RefundRequested(refund_id))  # fmt: skip
    notify(to_role=Role.OPERATOR, kind="payment.refund-requested", subject=N_("A refund waits for approval: %(number)s"),
           text=N_("Check the reason and approve or refuse it."), link=f"/refunds/{refund_id}",
           thread_id=bill.thread_id, params={"number": bill.number})  # fmt: skip
    return refund_id


def _check_no_other(payment: Payment, bill: Bill) -> None:
    unfinished = sa.select(Refund.id).where(
        Refund.payment_id == payment.id, Refund.bill_id == bill.id, Refund.state.in_(UNFINISHED_REFUND)
    )
    if db.session.scalar(unfinished.limit(1)) is not None:
        raise refund_under_way()


def _memo(row: Refund, bill: Bill) -> str:
    return f"{bill.number} {row.reason}"[:300]


def _remember_shares(row: Refund, shares: Iterable[tuple[Account, int]]) -> None:
    db.session.add_all(RefundShare(id=new_id(), refund_id=row.id, account=a.code, amount_fen=fen) for a, fen in shares)
    db.session.flush()


def _shares_of(row: Refund) -> list[tuple[str, int]]:
    rows = sa.select(RefundShare.account, RefundShare.amount_fen).where(RefundShare.refund_id == row.id)
    return [(code, int(fen)) for code, fen in db.session.execute(rows)]


@use_case
def approve_refund(actor: Actor, refund_id: UUID, command: DecideRefund) -> None:
    """Let a refund go out. Raises Refused when the approver is the one who asked for it."""
    bill = lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id, seen=command.version)
    if row.requested_by is not None and row.requested_by == actor.user_id:
        raise same_person()
    row.approved_by = actor.user_id
    _owe_the_rest(row, bill)
    move(row, REFUND, "approve", actor, parts_seen(actor, bill), event=RefundApproved(row.id))


def _owe_the_rest(row: Refund, bill: Bill) -> None:
    """What the agency does not have at approval becomes its debt; a transfer that went out is called back for it."""
    rest = row.amount_fen - sum(fen for _, fen in _shares_of(row))
    if rest <= 0:
        return
    at_hand = [(account, fen) for account, fen in _at_hand(bill, rest) if fen]
    debt = rest - sum(fen for _, fen in at_hand)
    shares = [*at_hand, (ledger.receivable(_agency(bill)), debt)] if debt else at_hand
    post(ledger.refund_owed(row.id, shares, clock.now(), _memo(row, bill), bill.id))
    _remember_shares(row, shares)
    if debt:
        call_back_for_debt(row.id, _agency(bill), debt)
        tell_payee(bill, "agency-debt", N_("A refund of released money: %(number)s"),
                   N_("%(title)s: %(amount)s yuan are withheld from what you receive next."), amount_fen=debt)  # fmt: skip


@use_case
def reject_refund(actor: Actor, refund_id: UUID, command: DecideRefund) -> None:
    """Refuse a refund, with a reason; its money lies where it lay before."""
    bill = lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id, seen=command.version)
    row.finished_at = clock.now()
    refused = RefundRejected(row.id)
    move(row, REFUND, "reject", actor, parts_seen(actor, bill), reason=command.reason, event=refused)
    _unhold(row, bill)


def _unhold(row: Refund, bill: Bill) -> None:
    """Put the shares back. The agency's debt is ended first; what was paid off meanwhile goes to its balance."""
    given: list[tuple[Account, int]] = []
    agency_fen = 0
    for code, fen in _shares_of(row):
        if code.startswith(("payable:", "receivable:")):
            agency_fen += fen
        elif code == ledger.PLATFORM_FEE.code:
            given.append((ledger.PLATFORM_FEE, fen))
        else:
            given.append((Account(code, AccountType.LIABILITY), fen))
    if agency_fen:
        debt = ledger.receivable(_agency(bill))
        ended = min(agency_fen, balances_of([debt.code]).get(debt.code, 0))
        given += [(debt, ended), (ledger.payable(_agency(bill)), agency_fen - ended)]
    if given:
        post(ledger.refund_unheld(row.id, given, clock.now(), _memo(row, bill), bill.id))


# --- outside calls: never inside a transaction ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What an outside call needs of a refund, read before it."""

    state: RefundState
    gateway: str
    ref: str | None
    request: dict[str, Any]
    key: str
    submitted_at: datetime | None
    payment_ref: str | None


def _known(refund_id: UUID) -> _Known:
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(Refund, refund_id, fresh=True)
    payment_ref = db.session.scalar(sa.select(Payment.payment_ref).where(Payment.id == row.payment_id))
    known = _Known(
        RefundState(row.state),
        _gateway_of(row),
        row.gateway_ref,
        row.request,
        row.idempotency_key,
        row.submitted_at,
        payment_ref,
    )
    db.session.rollback()  # ends the read; nothing stays open while we wait for the gateway
    return known


@use_case
def _submit(refund_id: UUID) -> None:
    lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id)
    if row.state == RefundState.APPROVED:
        row.submitted_at = clock.now()
        move(row, REFUND, "submit", SYSTEM, {Part.SYSTEM})


def send_refund(refund_id: UUID) -> None:
    """Tell the gateway about an approved refund: the stored request under the stored key, so that it is sent once.

    Written down as submitted before the call: from then on it cannot be taken back. Raises Unknown when nobody knows
    whether it arrived; it is sent again, and looked up instead once its key is too old.
    """
    _submit(refund_id)
    known = _known(refund_id)
    if known.state is not RefundState.SUBMITTED or known.ref is not None:
        return
    assert known.submitted_at is not None, "written with the state"
    if clock.now() - known.submitted_at > rules.KEY_LIFETIME:
        assert known.payment_ref is not None, "a payment that succeeded has its reference"
        found = gateway_of(known.gateway).search_refund(known.payment_ref, refund_id)
        if found is None:
            _refused(refund_id, "never-arrived")
        else:
            apply_refund(refund_id, found)
        return
    faults.point("refund-before-call")
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
    if known.state in (RefundState.APPROVED, RefundState.SUBMITTED) and known.ref is None:
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
    if row.state == RefundState.APPROVED:  # the gateway knows it, so it was sent
        row.submitted_at = clock.now()
        move(row, REFUND, "submit", SYSTEM, {Part.SYSTEM})
    state = RefundState(row.state)
    if fact.status == "pending" and state is RefundState.SUBMITTED:
        move(row, REFUND, "wait", SYSTEM, {Part.SYSTEM})
    elif fact.status == "succeeded" and state in SENT_REFUND:
        _finish(row, bill)
    elif fact.status == "failed" and state is not RefundState.FAILED:
        _fail(row, bill, fact.problem or "failed")
    return RefundState(row.state)


def _gateway_of(row: Refund) -> str:
    return get(Payment, row.payment_id).gateway


def _escrow_share(row: Refund, bill: Bill) -> int:
    """How much of a refund came out of what the bill itself held or, for money that is never held, was credited with."""
    own = ledger.destination(BillKind(bill.kind), bill.id).code
    return sum(fen for code, fen in _shares_of(row) if code == own)


def _finish(row: Refund, bill: Bill) -> None:
    row.finished_at = clock.now()
    move(row, REFUND, "succeed", SYSTEM, {Part.SYSTEM}, detail={"amount_fen": row.amount_fen})
    if _escrow_share(row, bill):
        close_emptied_bill(bill, row.amount_fen)
    publish(RefundSucceeded(row.id))
    tell_payer(bill, "refunded", N_("Money returned: %(number)s"),
               N_("%(title)s: %(amount)s yuan were returned to you."), amount_fen=row.amount_fen)  # fmt: skip


def close_emptied_bill(bill: Bill, amount_fen: int) -> None:
    """A paid bill of which nothing is left is refunded, or released when a part went to the agency before."""
    if bill.state != BillState.PAID:
        return
    is_held = BillKind(bill.kind) is BillKind.SERVICE_FEE
    standing = standing_of(bill.id)
    if (standing.held if is_held else _left(bill)) > 0:
        return
    action = "refund_rest" if standing.released else "refund"
    if standing.released:
        bill.released_at = clock.now()
    gone = BillRefunded(bill.id, bill.subject, bill.thread_id, amount_fen)
    move(bill, BILL, action, SYSTEM, {Part.SYSTEM}, event=gone, detail={"amount_fen": amount_fen})


def _fail(row: Refund, bill: Bill, problem: str) -> None:
    row.problem = problem
    row.finished_at = clock.now()
    was_done = row.state == RefundState.SUCCEEDED
    move(row, REFUND, "fail", SYSTEM, {Part.SYSTEM}, event=RefundFailed(row.id), detail={"problem": problem})
    _unhold(row, bill)
    if _escrow_share(row, bill) and (was_done or bill.state == BillState.RELEASED) and bill.state != BillState.PAID:
        move(bill, BILL, "refund_returned", SYSTEM, {Part.SYSTEM})


@use_case
def _refused(refund_id: UUID, problem: str) -> None:
    bill = lock(Bill, get(Refund, refund_id).bill_id)
    row = lock(Refund, refund_id)
    if row.state == RefundState.SUBMITTED:
        _fail(row, bill, problem)
