"""Bank transfers: vouchers of payers, and lines of the statement that one clerk enters and another confirms."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import NotAllowed, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import rules
from payments.errors import attempt_finished, own_entry
from payments.events import BankEntryConfirmed
from payments.gateways import gateways
from payments.models.bank import BankEntry, Direction, TransferVoucher
from payments.models.bills import Bill
from payments.models.payments import Payment, PaymentBill
from payments.models.refunds import Refund
from payments.models.statements import UnmatchedMoney
from payments.policy import parts_seen
from payments.services.bank_entries import check_clerk, clerk_parts, make_entry
from payments.services.hand_payouts import confirm_line, reject_line
from payments.services.unmatched import note_returned, return_entry, set_aside
from payments.states import BANK_ENTRY, LIVE, BankEntryState, Part, PaymentState, RefundState


@dataclass(frozen=True)
class HandInVoucher:
    """The slip of a transfer, and what the payer wants to say about it."""

    file: Upload
    note: str | None = None


@dataclass(frozen=True)
class EnterMovement:
    """A line of the bank's statement. `reference` is what the payer wrote: the number of a payment, if it is known."""

    gateway: str
    bank_ref: str
    counterparty: str
    amount_fen: int
    moved_at: datetime
    reference: str | None = None


@dataclass(frozen=True)
class EnterRefundSent:
    """The line of the statement by which a refund, or unmatched money, left our account."""

    bank_ref: str
    counterparty: str
    moved_at: datetime


@dataclass(frozen=True)
class DecideEntry:
    """A decision about an entry; a rejection gives its reason."""

    reason: str | None = None
    version: int | None = None


@use_case
def hand_in_voucher(actor: Actor, payment_id: UUID, command: HandInVoucher) -> UUID:
    """Keep the slip of a transfer and tell the clerks. Raises NotFound, NotAllowed, Conflict for a finished attempt."""
    payment = lock(Payment, payment_id)
    bills = db.session.scalars(
        sa.select(Bill).join(PaymentBill, PaymentBill.bill_id == Bill.id).where(PaymentBill.payment_id == payment_id)
    )
    if any(Part.PAYER not in parts_seen(actor, bill) for bill in bills):
        raise NotAllowed
    if payment.state not in LIVE or payment.method != rules.BANK_TRANSFER:
        raise attempt_finished()
    assert actor.user_id is not None, "a payer is signed in"
    voucher = TransferVoucher(
        id=new_id(),
        payment_id=payment_id,
        file_id=keep(command.file, actor).id,
        note=command.note or "",
        uploaded_by=actor.user_id,
        uploaded_at=clock.now(),
    )
    db.session.add(voucher)
    record(payment, "voucher", actor, title=N_("Voucher of the bank transfer handed in"))
    notify(to_role=Role.OPERATOR, kind="payment.voucher", subject=N_("A bank transfer waits to be found: %(number)s"),
           text=N_("Compare the voucher with the bank statement and enter the movement."),
           link="/bank-transfers", thread_id=payment.thread_id, params={"number": payment.number})  # fmt: skip
    return voucher.id


@use_case
def enter_movement(actor: Actor, command: EnterMovement) -> UUID:
    """Enter money that came in. Without a known reference it is unmatched, and goes to suspense once it is confirmed.

    Raises Conflict for a movement that was entered before, Refused for a reference that is no transfer to this account.
    """
    check_clerk(actor)
    payment = _payment_named(command)
    return make_entry(
        actor,
        BankEntry(
            state=BankEntryState.ENTERED.value,
            thread_id=payment.thread_id if payment else new_id(),
            gateway=command.gateway,
            direction=Direction.IN.value,
            payment_id=payment.id if payment else None,
            bank_ref=command.bank_ref,
            counterparty=command.counterparty,
            amount_fen=command.amount_fen,
            moved_at=command.moved_at,
        ),
    )


def _payment_named(command: EnterMovement) -> Payment | None:
    accounts = {one.code for one in gateways() if rules.BANK_TRANSFER in one.caps.methods}
    if command.gateway not in accounts:
        raise Refused("bank-account", N_("Choose the account on which the money arrived."), field="gateway")
    if command.reference is None:
        return None
    found = db.session.scalar(
        sa.select(Payment).where(Payment.number == command.reference, Payment.gateway == command.gateway)
    )
    if found is None:
        raise Refused("bank-reference", N_("No transfer to this account has this reference. Leave it empty if the payer is not known."), field="reference")  # fmt: skip
    return found


@use_case
def enter_refund_sent(actor: Actor, refund_id: UUID, command: EnterRefundSent) -> UUID:
    """Enter that a refund was transferred back, by its whole amount. Raises NotFound for one that is not waiting for it."""
    check_clerk(actor)
    refund = lock(Refund, refund_id)
    payment = get(Payment, refund.payment_id)
    if refund.state != RefundState.PENDING or payment.method != rules.BANK_TRANSFER:
        raise NotFound
    return make_entry(
        actor,
        BankEntry(
            state=BankEntryState.ENTERED.value,
            thread_id=refund.thread_id,
            gateway=payment.gateway,
            direction=Direction.OUT.value,
            refund_id=refund_id,
            bank_ref=command.bank_ref,
            counterparty=command.counterparty,
            amount_fen=refund.amount_fen,
            moved_at=command.moved_at,
        ),
    )


@use_case
def enter_money_returned(actor: Actor, money_id: UUID, command: EnterRefundSent) -> UUID:
    """Enter that unmatched money was transferred back. Raises Conflict unless two persons have decided so."""
    check_clerk(actor)
    entry = return_entry(lock(UnmatchedMoney, money_id), command.bank_ref, command.counterparty)
    entry.moved_at = command.moved_at
    return make_entry(actor, entry)


@use_case
def confirm_entry(actor: Actor, entry_id: UUID, command: DecideEntry) -> None:
    """Confirm another's entry; it moves the books after commit. Raises Refused for one's own entry.

    Money in that no payment waits for (none is named, or it has been paid before) goes to suspense at once.
    """
    settle_entry(actor, lock(BankEntry, entry_id, seen=command.version))


def settle_entry(actor: Actor, entry: BankEntry) -> None:
    """Confirm a locked entry as the second person, in the caller's transaction, and move what it is about.

    Raises Refused for one's own entry.
    """
    _decide(actor, entry)
    is_awaited = entry.payment_id is not None and _is_awaited(entry.payment_id)
    event = BankEntryConfirmed(entry.id, entry.payment_id, entry.refund_id)
    move(entry, BANK_ENTRY, "confirm", actor, clerk_parts(actor), event=event, detail={"amount_fen": entry.amount_fen})
    if entry.payout_id is not None:
        confirm_line(entry)
    elif entry.returns_id is not None:
        note_returned(entry)
    elif entry.refund_id is None and not is_awaited:
        set_aside(entry)


def _is_awaited(payment_id: UUID) -> bool:
    """Tell whether this is the first money for a payment; decided under the payment's lock."""
    payment = lock(Payment, payment_id)
    if payment.state in (PaymentState.SUCCEEDED, PaymentState.SURPLUS):
        return False
    earlier = sa.select(BankEntry.id).where(
        BankEntry.payment_id == payment_id, BankEntry.state == BankEntryState.CONFIRMED
    )
    return db.session.scalar(earlier.limit(1)) is None


@use_case
def reject_entry(actor: Actor, entry_id: UUID, command: DecideEntry) -> None:
    """Reject a wrong entry, with a reason; the movement can then be entered again as it stands on the statement."""
    entry = lock(BankEntry, entry_id, seen=command.version)
    _decide(actor, entry)
    entry.reason = command.reason
    move(entry, BANK_ENTRY, "reject", actor, clerk_parts(actor), reason=command.reason)
    if entry.payout_id is not None:
        reject_line(entry)


def _decide(actor: Actor, entry: BankEntry) -> None:
    if entry.entered_by == actor.user_id:
        raise own_entry()
    entry.decided_by, entry.decided_at = actor.user_id, clock.now()
