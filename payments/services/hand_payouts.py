"""Payouts by hand: an agency whose account the provider cannot pay is paid by a bank transfer that two persons confirm.

An approved payout becomes a printed transfer order; the bank's voucher is entered by one clerk and confirmed by another
(or by an imported statement), and only then the money leaves the books.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import get, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import ledger, outgoing_ledger, rules
from payments.gateways import gateway, gateways
from payments.models.bank import BankEntry, Direction
from payments.models.payouts import BankAccount, Payout
from payments.observed import Movement
from payments.outgoing_events import PayoutArrived
from payments.outgoing_states import PAYOUT, BankAccountState, PayoutState
from payments.policy import Permission, agency_parts
from payments.queries.agency_money import payout_block
from payments.services.bank_entries import check_clerk, make_entry
from payments.services.books import post
from payments.services.payout_steps import BLOCKED, fail_payout, tell_agency
from payments.services.sealing import unseal
from payments.states import BankEntryState, BillKind, Part

S = PayoutState


@dataclass(frozen=True)
class Because:
    """Why a step is taken."""

    reason: str
    version: int | None = None


@dataclass(frozen=True)
class NoteTransfer:
    """The line of the statement by which a payout left: the bank's serial number (voucher) and when."""

    bank_ref: str
    moved_at: datetime
    version: int | None = None


@dataclass(frozen=True)
class NotePayoutBack:
    """The line of the statement by which a payout came back from the agency's bank."""

    bank_ref: str
    moved_at: datetime
    version: int | None = None


def paying_account() -> str | None:
    """The bank account of ours that service fees are paid out from, by its gateway code; None where there is none."""
    found = (
        one.code
        for one in gateways()
        if rules.BANK_TRANSFER in one.caps.methods and BillKind.SERVICE_FEE in one.caps.kinds
    )
    return next(found, None)


def is_by_hand(row: Payout) -> bool:
    """Whether people transfer this payout at the bank."""
    return row.gateway != gateway().code


@use_case
def pay_by_transfer(actor: Actor, account_id: UUID, command: Because) -> None:
    """Have payouts to this account in use made by bank transfer, with a reason: the provider cannot pay it.

    Raises NotFound for a stranger, NotAllowed, Conflict where this installation has no bank account.
    """
    if paying_account() is None:
        raise Conflict("no-paying-account", N_("No bank account is set up from which this could be paid."))
    _switch(actor, account_id, command, by_transfer=True)


@use_case
def pay_by_provider(actor: Actor, account_id: UUID, command: Because) -> None:
    """Have payouts to this account made by the provider again, with a reason."""
    _switch(actor, account_id, command, by_transfer=False)


def _switch(actor: Actor, account_id: UUID, command: Because, *, by_transfer: bool) -> None:
    row = lock(BankAccount, account_id, seen=command.version)
    if Part.OPERATOR not in agency_parts(actor, row.organisation_id) or not actor.may(Permission.BANK_ACCOUNT_CHECK):
        raise NotAllowed
    if row.state != BankAccountState.ACTIVE:
        raise Conflict("account-not-in-use", N_("This account is not in use."))
    if row.by_transfer != by_transfer:
        row.by_transfer = by_transfer
        title = (
            N_("Paid out by bank transfer from now on") if by_transfer else N_("Paid out by the provider from now on")
        )
        record(row, "route", actor, title=title, reason=command.reason, detail={"by_transfer": by_transfer})


def _lock(actor: Actor, payout_id: UUID, version: int | None) -> tuple[Payout, frozenset[Part]]:
    row = lock(Payout, payout_id, seen=version)
    parts = agency_parts(actor, row.payee_organisation_id)
    if not is_by_hand(row):
        raise Conflict(
            "paid-by-provider", N_("The payment provider makes this payout; there is nothing to do by hand.")
        )
    return row, parts


@use_case
def order_transfer(actor: Actor, payout_id: UUID, command: Plain) -> None:
    """Issue the transfer order of an approved payout: from now on somebody may be at the bank with it.

    Raises Conflict while payouts of the agency are blocked or the account was replaced.
    """
    row, parts = _lock(actor, payout_id, command.version)
    block = payout_block(row.payee_organisation_id)
    if block is not None:
        raise Conflict(f"payout-{block}", BLOCKED[block])
    if get(BankAccount, row.bank_account_id).state != BankAccountState.ACTIVE:
        raise Conflict(
            "account-not-in-use", N_("This account is not in use. Refuse this payout; it can be asked for anew.")
        )
    row.submitted_at = clock.now()
    row.transfer_ref = f"order:{row.number}-{row.attempt}"
    move(row, PAYOUT, "order", actor, parts, detail={"amount_fen": row.amount_fen})


@use_case
def recall_order(actor: Actor, payout_id: UUID, command: Because) -> None:
    """Take a transfer order back that nobody has carried out, with a reason."""
    row, parts = _lock(actor, payout_id, command.version)
    row.submitted_at = row.transfer_ref = None
    row.attempt += 1
    move(row, PAYOUT, "recall_order", actor, parts, reason=command.reason)


@dataclass(frozen=True)
class OrderPaper:
    """What the bank needs to carry an order out. `account_number` is the whole number: it is shown on this paper only."""

    number: str
    amount_fen: int
    holder_name: str
    bank_name: str
    branch_code: str | None
    account_number: str
    ordered_at: datetime


@use_case
def read_order(actor: Actor, payout_id: UUID) -> OrderPaper:
    """What the printed order says; whoever reads the whole account number is written down. Raises NotFound, NotAllowed."""
    row = get(Payout, payout_id)
    if Part.OPERATOR not in agency_parts(actor, row.payee_organisation_id) or not actor.may(Permission.PAYOUT_DECIDE):
        raise NotAllowed
    account = get(BankAccount, row.bank_account_id)
    number = unseal(account.sealed_number)
    if not is_by_hand(row) or row.submitted_at is None or number is None:
        raise NotFound
    record(row, "print_order", actor, title=N_("The transfer order was printed"))
    return OrderPaper(row.transfer_ref.removeprefix("order:") if row.transfer_ref else row.number, row.amount_fen,
                      account.holder_name, account.bank_name, account.branch_code, number, row.submitted_at)  # fmt: skip


@use_case
def note_transfer(actor: Actor, payout_id: UUID, command: NoteTransfer) -> UUID:
    """Enter the bank's voucher of a payout; somebody else confirms the entry, and then it leaves the books."""
    row, parts = _lock(actor, payout_id, command.version)
    row.gateway_ref = f"{row.gateway}:{command.bank_ref}"
    move(row, PAYOUT, "note_transfer", actor, parts, detail={"voucher": command.bank_ref})
    entry = payout_entry(row, command.bank_ref)
    entry.moved_at = command.moved_at
    return make_entry(actor, entry)


@use_case
def note_payout_back(actor: Actor, payout_id: UUID, command: NotePayoutBack) -> UUID:
    """Enter that the agency's bank sent a payout back; somebody else confirms it, and then it has failed."""
    check_clerk(actor)
    row, _parts = _lock(actor, payout_id, command.version)
    if row.state != S.PAID:
        raise Conflict(
            "payout-not-sent", N_("This payout has not left our account, as far as two persons have confirmed.")
        )
    entry = payout_entry(row, command.bank_ref, came_back=True)
    entry.moved_at = command.moved_at
    return make_entry(actor, entry)


def payout_entry(row: Payout, bank_ref: str, *, came_back: bool = False) -> BankEntry:
    """The entry, not yet stored, by which a payout leaves our account or comes back to it."""
    return BankEntry(
        state=BankEntryState.ENTERED.value,
        thread_id=row.thread_id,
        gateway=row.gateway,
        direction=(Direction.IN if came_back else Direction.OUT).value,
        payout_id=row.id,
        bank_ref=bank_ref,
        counterparty=get(BankAccount, row.bank_account_id).holder_name,
        amount_fen=row.amount_fen,
    )


def confirm_line(entry: BankEntry) -> None:
    """A confirmed line of the statement moves its payout on, in the caller's transaction: paid, or failed when it came back."""
    assert entry.payout_id is not None, "an entry of a payout"
    row = lock(Payout, entry.payout_id)
    sign = -1 if entry.direction == Direction.OUT else 1
    moved = Movement(entry.bank_ref, "transfer", sign * entry.amount_fen, 0, ledger.CNY, entry.moved_at, entry.number)
    post(outgoing_ledger.payout_moved(entry.gateway, moved, row.id, f"{row.number} {entry.number}"))
    if entry.direction == Direction.IN:
        fail_payout(row, "returned-by-bank")
        return
    if row.state == S.SUBMITTED:  # the statement came before anybody entered the voucher
        row.gateway_ref = f"{entry.gateway}:{entry.bank_ref}"
        move(row, PAYOUT, "travel", SYSTEM, {Part.SYSTEM})
    row.arrived_at = row.finished_at = clock.now()
    row.problem = None
    move(row, PAYOUT, "arrive", SYSTEM, {Part.SYSTEM}, detail={"amount_fen": row.amount_fen, "entry": entry.number})
    publish(PayoutArrived(row.id))
    tell_agency(row, "arrived", N_("Paid out: %(number)s"), N_("%(amount)s yuan were paid to your bank account."))


def reject_line(entry: BankEntry) -> None:
    """The entry of a voucher was wrong: the order stands, and the right voucher can be entered."""
    assert entry.payout_id is not None, "an entry of a payout"
    if entry.direction == Direction.OUT:
        row = lock(Payout, entry.payout_id)
        row.gateway_ref = None
        move(row, PAYOUT, "reject_voucher", SYSTEM, {Part.SYSTEM}, detail={"entry": entry.number})


def tell_to_order(payout_id: UUID) -> None:
    """Tell the operators that an approved payout waits for its transfer order, in the caller's transaction."""
    row = get(Payout, payout_id)
    notify(to_role=Role.OPERATOR, kind="payment.payout-by-hand", subject=N_("A payout is to be made by bank transfer: %(number)s"),
           text=N_("Issue the transfer order, have it carried out, and enter the bank's voucher."),
           link=f"/payouts/{row.id}", thread_id=row.thread_id, params={"number": row.number})  # fmt: skip
