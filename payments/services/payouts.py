"""Payouts: asked for by the agency, an operator or the calendar, approved by another person, sent after commit.

A payout is a transfer to the agency's account at the provider and a payout from there to its bank. Nothing is sent
while the agency's account is being changed or its balance is frozen by a dispute.
"""

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock, faults
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import ledger, outgoing_ledger, rules
from payments.gateways import gateway
from payments.gateways.outgoing import outgoing
from payments.models.payouts import BankAccount, Payout, TransferReversal
from payments.outgoing_events import PayoutApproved, PayoutArrived
from payments.outgoing_ports import BankPayoutFact, NotSettled, ReversalFact, TransferFact
from payments.outgoing_states import PAYOUT, UNFINISHED_PAYOUT, BankAccountState, PayoutState
from payments.policy import Permission, agency_parts
from payments.ports import Declined, Refusal
from payments.queries.agency_money import payout_block
from payments.services.books import balances_of, post
from payments.services.hand_payouts import is_by_hand, paying_account, tell_to_order
from payments.services.held import withhold_debt
from payments.services.payout_steps import BLOCKED, fail_payout, payout_facts, tell_agency, unhold_payout
from payments.states import Part
from payments.terms import terms

log = logging.getLogger(__name__)
S = PayoutState
WATCH_PAID = timedelta(days=7)
"""Banks send payouts back for days after they seemed to have arrived."""


@dataclass(frozen=True)
class AskPayout:
    """How much (fen); None: all of the balance."""

    amount_fen: int | None = None


@dataclass(frozen=True)
class DecidePayout:
    """A decision about a payout; a refusal gives its reason."""

    reason: str | None = None
    version: int | None = None


@use_case
def ask_payout(actor: Actor, organisation_id: UUID, command: AskPayout) -> UUID:
    """Ask for a payout of an agency's balance; the money is held apart at once, an operator approves.

    Raises NotFound, NotAllowed, Conflict while payouts are blocked, Refused for more than the balance.
    """
    parts = agency_parts(actor, organisation_id)
    is_own = Part.PAYEE in parts and actor.may(Permission.PAYOUT_ASK)
    if not is_own and not actor.may(Permission.PAYOUT_DECIDE):
        raise NotAllowed
    return _request(actor, organisation_id, command.amount_fen, None)


def _request(actor: Actor, agency: UUID, amount_fen: int | None, scheduled_on: date | None) -> UUID:
    block = payout_block(agency)
    if block is not None:
        raise Conflict(f"payout-{block}", BLOCKED[block])
    code = ledger.payable(agency).code
    payout_id, moment, number = new_id(), clock.now(), next_number("CK")
    withhold_debt(f"payout:{payout_id}", agency, -balances_of([code]).get(code, 0), number, None)
    balance = -balances_of([code]).get(code, 0)
    amount = balance if amount_fen is None else amount_fen
    if not 1 <= amount <= balance:
        raise Refused(
            "payout-amount", N_("The amount must be more than zero and not above the balance."), field="amount_fen"
        )
    account = _account_in_use(agency)
    row = Payout(
        id=payout_id,
        thread_id=new_id(),
        number=number,
        payee_organisation_id=agency,
        bank_account_id=account.id,
        amount_fen=amount,
        state=S.REQUESTED.value,
        gateway=_paid_from(account),
        attempt=1,
        scheduled_on=scheduled_on,
        requested_by=actor.user_id,
        requested_at=moment,
        check_at=moment,
    )
    db.session.add(row)
    db.session.flush()
    post(outgoing_ledger.payout_held(row.id, agency, amount, moment, number))
    record(
        row, "request", actor, title=N_("Payout asked for"), detail={"amount_fen": amount, "account": account.masked}
    )
    notify(to_role=Role.OPERATOR, kind="payment.payout-requested", subject=N_("A payout waits for approval: %(number)s"),
           text=N_("%(amount)s yuan. Check the account and approve or refuse it."), link=f"/payouts/{row.id}",
           thread_id=row.thread_id, params=payout_facts(row))  # fmt: skip
    return row.id


def _paid_from(account: BankAccount) -> str:
    """The provider, or the bank account of ours where people have to transfer the money."""
    by_hand = paying_account() if account.by_transfer else None
    return by_hand or gateway().code


def _account_in_use(agency: UUID) -> BankAccount:
    return db.session.scalars(
        sa.select(BankAccount).where(
            BankAccount.organisation_id == agency, BankAccount.state == BankAccountState.ACTIVE
        )
    ).one()


@use_case
def approve_payout(actor: Actor, payout_id: UUID, command: DecidePayout) -> None:
    """Let a payout go out. One by the calendar needs two approvals; nobody approves the own request or twice.

    Raises Refused for the same person, Conflict while payouts of the agency are blocked.
    """
    row = lock(Payout, payout_id, seen=command.version)
    parts = agency_parts(actor, row.payee_organisation_id)
    if actor.user_id in (row.requested_by, row.first_approved_by):
        raise Refused(
            "same-person", N_("A payout is approved by somebody who has neither asked for it nor approved it before.")
        )
    block = payout_block(row.payee_organisation_id)
    if block is not None:
        raise Conflict(f"payout-{block}", BLOCKED[block])
    if row.requested_by is None and row.first_approved_by is None and row.state == S.REQUESTED:
        if Part.OPERATOR not in parts:
            raise NotAllowed
        row.first_approved_by = actor.user_id
        record(row, "approve_first", actor, title=N_("First approval of two"))
        return
    row.approved_by = actor.user_id
    move(row, PAYOUT, "approve", actor, parts, event=PayoutApproved(row.id))
    if is_by_hand(row):
        tell_to_order(row.id)


@use_case
def reject_payout(actor: Actor, payout_id: UUID, command: DecidePayout) -> None:
    """Refuse a payout that was not sent, with a reason; the money is the agency's balance again."""
    row = lock(Payout, payout_id, seen=command.version)
    row.finished_at = clock.now()
    move(row, PAYOUT, "reject", actor, agency_parts(actor, row.payee_organisation_id), reason=command.reason)
    unhold_payout(row)
    tell_agency(
        row, "rejected", N_("A payout was refused: %(number)s"), N_("%(amount)s yuan are in your balance again.")
    )


@use_case
def request_by_calendar(organisation_id: UUID, day: date) -> bool:
    """Ask for the payout of a payout day; False when it is blocked, too small, or one is under way or asked for."""
    under_way = sa.select(Payout.id).where(
        Payout.payee_organisation_id == organisation_id,
        sa.or_(Payout.state.in_(UNFINISHED_PAYOUT), Payout.scheduled_on == day),
    )
    if db.session.scalar(under_way.limit(1)) is not None or payout_block(organisation_id) is not None:
        return False
    codes = [ledger.payable(organisation_id).code, ledger.receivable(organisation_id).code]
    found = balances_of(codes)
    if -found.get(codes[0], 0) - found.get(codes[1], 0) < max(1, terms().payout_min_fen):
        return False
    _request(SYSTEM, organisation_id, None, day)
    return True


# --- outside calls: never inside a transaction ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What an outside call needs of a payout, read before it."""

    state: PayoutState
    request: dict[str, Any] | None
    key: str
    amount_fen: int
    is_old: bool
    transfer_ref: str | None
    gateway_ref: str | None
    account_ref: str | None
    is_by_hand: bool


def _known(payout_id: UUID) -> _Known:
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(Payout, payout_id, fresh=True)
    account_ref = db.session.scalar(sa.select(BankAccount.connect_ref).where(BankAccount.id == row.bank_account_id))
    is_old = row.submitted_at is not None and clock.now() - row.submitted_at > rules.KEY_LIFETIME
    known = _Known(PayoutState(row.state), row.request, f"payout-{row.id}-{row.attempt}", row.amount_fen, is_old,
                   row.transfer_ref, row.gateway_ref, account_ref, is_by_hand(row))  # fmt: skip
    db.session.rollback()  # ends the read; nothing stays open while we wait for the provider
    return known


@use_case
def _submit(payout_id: UUID) -> bool:
    """Write down that the provider is about to be told, unless the payout is blocked or the account not known there."""
    row = lock(Payout, payout_id)
    if is_by_hand(row):
        return False
    if row.state != S.APPROVED:
        return row.state == S.SUBMITTED
    account = get(BankAccount, row.bank_account_id)
    if account.by_transfer:
        _hand_over(row, account)
        return False
    block = payout_block(row.payee_organisation_id)
    if account.state != BankAccountState.ACTIVE and block is None:
        row.bank_account_id = _account_in_use(row.payee_organisation_id).id
        account = get(BankAccount, row.bank_account_id)
    if block is not None or not account.is_known or account.connect_ref is None:
        row.problem = str(block) if block is not None else "account-unknown"
        row.check_at = clock.now() + timedelta(minutes=30 if block is not None else 1)
        return False
    row.request = outgoing().transfer_request(account.connect_ref, row.amount_fen, row.id, row.number)
    row.submitted_at, row.problem = clock.now(), None
    move(row, PAYOUT, "submit", SYSTEM, {Part.SYSTEM})
    return True


def _hand_over(row: Payout, account: BankAccount) -> None:
    """Nothing has moved, and the account is one that the provider cannot pay: people transfer the money."""
    row.gateway, row.request, row.problem = _paid_from(account), None, None
    if is_by_hand(row):
        tell_to_order(row.id)


def send_payout(payout_id: UUID) -> None:
    """Move an approved payout on as far as it goes: transfer, then payout to the bank, each under its stored key.

    Balance that has not settled puts the payout back in the queue, with a new key. Raises Unknown when nobody knows
    whether a call arrived; it is repeated, and looked up once its key is too old.
    """
    if not _submit(payout_id):
        return
    known = _known(payout_id)
    assert known.request is not None, "stored with the state"
    assert known.account_ref is not None, "checked with the state"
    if known.transfer_ref is None:
        faults.point("payout-before-call")
        fact = _transferred(payout_id, known)
        if fact is None:
            return
        faults.point("payout-after-call")
        apply_transfer(payout_id, fact)
    try:
        told = outgoing().pay_out(known.account_ref, known.amount_fen, payout_id, f"{known.key}-bank")
    except NotSettled:
        _wait(payout_id, "not-settled-there")
        return
    except (Declined, Refusal) as refusal:
        log.warning("the provider refused a payout to the bank", extra={"payout_id": str(payout_id)}, exc_info=refusal)
        _call_back(payout_id, str(refusal)[:200])
        return
    _apply_bank(payout_id, told)


def _transferred(payout_id: UUID, known: _Known) -> TransferFact | None:
    assert known.request is not None, "stored with the state"
    if known.is_old:
        found = outgoing().search_transfer(payout_id)
        if found is None:
            _postpone(payout_id, "never-arrived")
        return found
    try:
        return outgoing().transfer(known.request, known.key)
    except NotSettled:
        _postpone(payout_id, "not-settled")
    except (Declined, Refusal) as refusal:
        log.warning("the provider refused a transfer", extra={"payout_id": str(payout_id)}, exc_info=refusal)
        _fail_unsent(payout_id, str(refusal)[:200])
    return None


@use_case
def _postpone(payout_id: UUID, problem: str) -> None:
    """Nothing has moved: the payout stays approved and is tried again with a new key."""
    row = lock(Payout, payout_id)
    if row.state == S.SUBMITTED and row.transfer_ref is None:
        row.attempt += 1
        row.problem, row.check_at = problem, clock.now() + timedelta(hours=1)
        move(row, PAYOUT, "postpone", SYSTEM, {Part.SYSTEM}, detail={"problem": problem})


@use_case
def _wait(payout_id: UUID, problem: str) -> None:
    row = lock(Payout, payout_id)
    row.attempt += 1
    row.problem, row.check_at = problem, clock.now() + timedelta(hours=1)


@use_case
def _fail_unsent(payout_id: UUID, problem: str) -> None:
    row = lock(Payout, payout_id)
    if row.state == S.SUBMITTED and row.transfer_ref is None:
        fail_payout(row, problem)


@use_case
def apply_transfer(payout_id: UUID, fact: TransferFact) -> None:
    """Take over a transfer with its movement. The same fact twice changes nothing."""
    row = lock(Payout, payout_id)
    row.transfer_ref = row.transfer_ref or fact.ref
    post(outgoing_ledger.payout_moved(row.gateway, fact.movement, row.id, row.number))


@use_case
def _apply_bank(payout_id: UUID, fact: BankPayoutFact) -> None:
    row = lock(Payout, payout_id)
    row.gateway_ref = row.gateway_ref or fact.ref
    row.problem = None
    row.check_at = rules.next_check(row.submitted_at or row.requested_at, clock.now())
    if row.state == S.SUBMITTED and fact.status != "failed":
        move(row, PAYOUT, "travel", SYSTEM, {Part.SYSTEM})
    if row.state == S.IN_TRANSIT and fact.status == "paid":
        row.arrived_at = row.finished_at = clock.now()
        row.check_at = clock.now() + timedelta(days=1)
        move(row, PAYOUT, "arrive", SYSTEM, {Part.SYSTEM}, detail={"amount_fen": row.amount_fen})
        publish(PayoutArrived(row.id))
        tell_agency(row, "arrived", N_("Paid out: %(number)s"), N_("%(amount)s yuan were paid to your bank account."))


def _call_back(payout_id: UUID, problem: str) -> None:
    """The bank did not take the money: have the transfer back, then the payout has failed and nothing is lost."""
    known = _known(payout_id)
    assert known.transfer_ref is not None, "only what was transferred can come back"
    fact = outgoing().fetch_transfer(known.transfer_ref)
    if fact.is_back:
        apply_failure(payout_id, fact.reversals, problem)
        return
    left_fen = known.amount_fen - sum(one.amount_fen for one in fact.reversals)  # a part may have ended a debt
    request = outgoing().reversal_request(known.transfer_ref, left_fen, payout_id)
    try:
        back = outgoing().reverse(request, f"payout-{payout_id}-back")
    except Refusal as refusal:
        log.critical("a failed payout cannot be called back", extra={"payout_id": str(payout_id)}, exc_info=refusal)
        _wait(payout_id, "not-called-back")
        return
    apply_failure(payout_id, (back,), problem)


@use_case
def apply_failure(payout_id: UUID, reversals: tuple[ReversalFact, ...], problem: str) -> None:
    """Take over that a payout came back whole: movement, hold and state in one transaction.

    What had been called back for a debt is in the books already and is not the agency's balance again.
    """
    row = lock(Payout, payout_id)
    back_fen = sum(
        one.amount_fen
        for one in reversals
        if post(outgoing_ledger.payout_moved(row.gateway, one.movement, row.id, row.number))
    )
    if row.state != S.FAILED:
        fail_payout(row, problem, back_fen)


def sync_payout(payout_id: UUID) -> PayoutState:
    """Ask the provider what has become of a payout and take it over. Raises Unknown when it does not answer."""
    known = _known(payout_id)
    if known.is_by_hand:
        return known.state  # the bank's statement tells, not the provider
    if known.state in (S.APPROVED, S.SUBMITTED):
        send_payout(payout_id)
    elif known.state in (S.IN_TRANSIT, S.PAID):
        assert known.account_ref is not None, "it was paid out from there"
        assert known.gateway_ref is not None, "it was told to the bank"
        told = outgoing().fetch_pay_out(known.account_ref, known.gateway_ref)
        if told.status == "failed":
            _call_back(payout_id, told.problem or "failed")
        else:
            _apply_bank(payout_id, told)
            _follow_reversals(payout_id, known)
    return _known(payout_id).state


def _follow_reversals(payout_id: UUID, known: _Known) -> None:
    """A transfer that somebody called back at the provider itself: its money is the agency's balance again."""
    assert known.transfer_ref is not None, "it was transferred"
    _take_back(payout_id, outgoing().fetch_transfer(known.transfer_ref))


@use_case
def _take_back(payout_id: UUID, fact: TransferFact) -> None:
    row = lock(Payout, payout_id)
    if row.state == S.PAID:
        row.check_at = clock.now() + (timedelta(days=1) if _is_watched(row) else timedelta(days=3650))
    ours = set(db.session.scalars(sa.select(TransferReversal.gateway_ref).where(TransferReversal.payout_id == row.id)))
    foreign = [one for one in fact.reversals if one.ref not in ours]
    for one in foreign:
        post(outgoing_ledger.transfer_back(row.gateway, one.movement, row.payee_organisation_id, 0, row.number))
    if fact.is_back and foreign and row.state == S.PAID:
        row.finished_at = clock.now()
        move(row, PAYOUT, "reverse", SYSTEM, {Part.SYSTEM})


def _is_watched(row: Payout) -> bool:
    return row.arrived_at is not None and clock.now() < row.arrived_at + WATCH_PAID
