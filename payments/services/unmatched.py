"""Money that came to a bank account of ours with no or a wrong reference: set aside, then assigned or returned by two persons.

It lies in the suspense account until a second person has decided; nothing ever makes it income.
"""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.money import Money
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import ledger, pay_codes
from payments.bank_states import UNMATCHED_MONEY, UnmatchedState
from payments.errors import entered_twice
from payments.models.bank import BankEntry, Direction
from payments.models.bills import Bill
from payments.models.statements import UnmatchedMoney
from payments.observed import Movement
from payments.services.assigning import credit_from_suspense, fitting_attempt
from payments.services.bank_entries import clerk_parts
from payments.services.books import post
from payments.states import BankEntryState, Part


@dataclass(frozen=True)
class Assign:
    """The bill that money was meant for, by its number or its payment code, and what shows it."""

    bill: str
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class Say:
    """Why something is decided so."""

    reason: str
    version: int | None = None


def same_person_decides() -> Refused:
    """Refuse to confirm one's own proposal."""
    return Refused("same-person", N_("This is confirmed by somebody other than the one who proposed it."))


def set_aside(entry: BankEntry) -> UUID:
    """Put the money of a confirmed entry into suspense, in the caller's transaction, for two persons to decide about."""
    came = Movement(entry.bank_ref, "charge", entry.amount_fen, 0, ledger.CNY, entry.moved_at, entry.number)
    post(ledger.charge_set_aside(entry.gateway, came, f"{entry.number} {entry.counterparty}"[:300]))
    row = UnmatchedMoney(
        id=new_id(),
        thread_id=entry.thread_id,
        entry_id=entry.id,
        gateway=entry.gateway,
        amount_fen=entry.amount_fen,
        state=UnmatchedState.OPEN.value,
        found_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    record(row, "find", SYSTEM, title=N_("Money without a known purpose was set aside"),
           detail={"amount_fen": entry.amount_fen, "entry": entry.number})  # fmt: skip
    notify(to_role=Role.OPERATOR, kind="payment.unmatched-money", subject=N_("Money came in that fits no bill: %(number)s"),
           text=N_("%(amount)s yuan from %(who)s. Assign it to a bill, or return it."), link=f"/unmatched-money/{row.id}",
           thread_id=row.thread_id,
           params={"number": entry.number, "amount": Money(entry.amount_fen).grouped, "who": entry.counterparty})  # fmt: skip
    return row.id


@use_case
def assign(actor: Actor, money_id: UUID, command: Assign) -> None:
    """Propose the bill that the money was meant for; another person confirms.

    Raises Refused for an unknown bill or one that cannot take exactly this money, Conflict for one that is being paid.
    """
    row = lock(UnmatchedMoney, money_id, seen=command.version)
    bill = _named(command.bill)
    fitting_attempt(bill, row.gateway, row.amount_fen)
    row.bill_id = bill.id
    _propose(actor, row, "assign", command.reason, {"bill": bill.number})


def _named(text: str) -> Bill:
    known = {"number": text.strip().upper(), "pay_code": pay_codes.read(text)}
    found: Bill | None = db.session.scalar(
        sa.select(Bill).where(sa.or_(Bill.number == known["number"], Bill.pay_code == known["pay_code"]))
    )
    if found is None:
        raise Refused("bill-unknown", N_("There is no bill with this number or payment code."), field="bill")
    return found


@use_case
def give_back(actor: Actor, money_id: UUID, command: Say) -> None:
    """Propose to return the money to the account it came from; another person confirms."""
    row = lock(UnmatchedMoney, money_id, seen=command.version)
    _propose(actor, row, "give_back", command.reason, {})


def _propose(actor: Actor, row: UnmatchedMoney, action: str, reason: str, detail: dict[str, object]) -> None:
    row.reason, row.proposed_by, row.proposed_by_name = reason, actor.user_id, actor.name
    row.proposed_at = clock.now()
    move(row, UNMATCHED_MONEY, action, actor, clerk_parts(actor), reason=reason, detail=detail)
    notify(to_role=Role.OPERATOR, kind="payment.unmatched-proposed", subject=N_("A decision about unmatched money waits for a second person"),
           text=N_("%(who)s proposes it: %(amount)s yuan. Compare it with the statement and confirm, or decline."),
           link=f"/unmatched-money/{row.id}", thread_id=row.thread_id,
           params={"who": actor.name, "amount": Money(row.amount_fen).grouped})  # fmt: skip


@use_case
def confirm_assignment(actor: Actor, money_id: UUID, command: Plain) -> None:
    """Credit the proposed bill from suspense, as the second person; the payer is told that the bill is paid.

    Raises Refused for the one who proposed it, and what `assign` raises where the bill has changed meanwhile.
    """
    row = _decide(actor, money_id, command)
    if row.state == UnmatchedState.ASSIGNING:
        assert row.bill_id is not None, "proposed with the bill"
        entry = get(BankEntry, row.entry_id)
        row.payment_id = credit_from_suspense(actor, row.bill_id, row.id, entry)
    move(row, UNMATCHED_MONEY, "confirm_assignment", actor, clerk_parts(actor), detail={"bill_id": str(row.bill_id)})


@use_case
def confirm_return(actor: Actor, money_id: UUID, command: Plain) -> None:
    """Let the money go back, as the second person. It leaves the books when the statement shows that it left the account.

    Raises Refused for the one who proposed it.
    """
    row = _decide(actor, money_id, command)
    move(row, UNMATCHED_MONEY, "confirm_return", actor, clerk_parts(actor), detail={"amount_fen": row.amount_fen})


def _decide(actor: Actor, money_id: UUID, command: Plain) -> UnmatchedMoney:
    row = lock(UnmatchedMoney, money_id, seen=command.version)
    if row.proposed_by is not None and row.proposed_by == actor.user_id:
        raise same_person_decides()
    row.decided_by, row.decided_by_name, row.decided_at = actor.user_id, actor.name, clock.now()
    return row


@use_case
def decline(actor: Actor, money_id: UUID, command: Say) -> None:
    """Do not decide it as proposed, with a reason; also for the one who proposed it."""
    _open_again(actor, lock(UnmatchedMoney, money_id, seen=command.version), "decline", command.reason)


@use_case
def recall(actor: Actor, money_id: UUID, command: Say) -> None:
    """Do not send the money back after all. Raises Conflict once somebody has entered that it was sent."""
    row = lock(UnmatchedMoney, money_id, seen=command.version)
    sent = sa.select(BankEntry.id).where(
        BankEntry.returns_id == row.entry_id, BankEntry.state != BankEntryState.REJECTED
    )
    if db.session.scalar(sent.limit(1)) is not None:
        raise Conflict(
            "return-entered", N_("It was entered that this money has left the account. Reject that entry first.")
        )
    _open_again(actor, row, "recall", command.reason)


def _open_again(actor: Actor, row: UnmatchedMoney, action: str, reason: str) -> None:
    stood = {"reason": row.reason, "proposed_by": row.proposed_by_name, "decided_by": row.decided_by_name}
    move(row, UNMATCHED_MONEY, action, actor, clerk_parts(actor), reason=reason, detail=stood)
    row.bill_id = row.reason = None
    row.proposed_by = row.proposed_by_name = row.proposed_at = None
    row.decided_by = row.decided_by_name = row.decided_at = None


def return_entry(money: UnmatchedMoney, bank_ref: str, counterparty: str) -> BankEntry:
    """The entry, not yet stored, by which this money leaves. Raises Conflict unless it is to be sent back."""
    if money.state != UnmatchedState.TO_SEND:
        raise Conflict("not-to-send", N_("This money is not to be sent back."))
    pending = sa.select(BankEntry.id).where(
        BankEntry.returns_id == money.entry_id, BankEntry.state != BankEntryState.REJECTED
    )
    if db.session.scalar(pending.limit(1)) is not None:
        raise entered_twice()
    return BankEntry(
        state=BankEntryState.ENTERED.value,
        thread_id=money.thread_id,
        gateway=money.gateway,
        direction=Direction.OUT.value,
        returns_id=money.entry_id,
        bank_ref=bank_ref,
        counterparty=counterparty,
        amount_fen=money.amount_fen,
    )


def note_returned(entry: BankEntry) -> None:
    """A confirmed line shows that the money has left: it leaves suspense, in the caller's transaction."""
    money_id = db.session.scalar(sa.select(UnmatchedMoney.id).where(UnmatchedMoney.entry_id == entry.returns_id))
    assert money_id is not None, "entered for it"
    row = lock(UnmatchedMoney, money_id)
    left = Movement(entry.bank_ref, "refund", -entry.amount_fen, 0, ledger.CNY, entry.moved_at, entry.number)
    post(
        ledger.given_back(entry.gateway, left, f"{entry.number} {entry.counterparty}"[:300]),
        subject=f"unmatched_money:{row.id}",
    )
    move(row, UNMATCHED_MONEY, "sent", SYSTEM, {Part.SYSTEM}, detail={"entry": entry.number})
