"""What waits for somebody in payments."""

from app.kernel.access import Actor
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from payments.bank_states import BANK_STATEMENT, IN_SUSPENSE, UNMATCHED_MONEY, StatementState, UnmatchedState
from payments.outgoing_states import (
    BANK_ACCOUNT,
    PAYMENT_DISPUTE,
    PAYOUT,
    BankAccountState,
    DisputeState,
    PayoutState,
)
from payments.policy import Permission
from payments.queries.agency_money import bank_accounts_page, payouts_page
from payments.queries.bills import due_bills
from payments.queries.disputes import disputes_page
from payments.queries.refunds import refunds_page
from payments.queries.statements import statements_page
from payments.queries.unmatched import unmatched_page
from payments.states import BILL, REFUND, BillState, RefundState


def worklist(actor: Actor) -> tuple[WorkItem, ...]:
    """What waits for the actor in payments: bills to pay, and for operators refunds to decide."""
    if not actor.is_signed_in:
        return ()
    bills = [
        WorkItem(Turn.MINE, N_("Bill"), b.number, b.title, BILL.labels[BillState.OPEN], N_("Pay the bill"),
                 f"/bills/{b.id}", b.due_at)
        for b in due_bills(actor)
    ]  # fmt: skip
    if not actor.may(Permission.REFUND_DECIDE):
        return tuple(bills)
    waiting = refunds_page(state=RefundState.REQUESTED)
    asked = [
        WorkItem(Turn.MINE, N_("Refund"), r.bill_number, r.title, REFUND.labels[RefundState.REQUESTED],
                 N_("Approve or refuse the refund"), f"/refunds/{r.id}", None, r.requested_at)
        for r in waiting.items
        if r.requested_by != actor.user_id
    ]  # fmt: skip
    return (*bills, *asked, *_outgoing(actor), *_at_the_bank(actor))


def _at_the_bank(actor: Actor) -> list[WorkItem]:
    """Unmatched money to decide about and statements to take over, for those who read the bank's statements."""
    if not actor.may(Permission.BANK_ENTER):
        return []
    money = [
        WorkItem(Turn.MINE, N_("Unmatched money"), m.entry_number, m.counterparty, UNMATCHED_MONEY.labels[state],
                 UNMATCHED_MONEY.next_step[state], f"/unmatched-money/{m.id}", None, m.found_at)
        for state in IN_SUSPENSE
        for m in unmatched_page(state=state).items
        if state in (UnmatchedState.OPEN, UnmatchedState.TO_SEND) or m.proposed_by != actor.user_id
    ]  # fmt: skip
    checked = [
        WorkItem(Turn.MINE, N_("Bank statement"), s.number, s.file_name, BANK_STATEMENT.labels[StatementState.CHECKED],
                 BANK_STATEMENT.next_step[StatementState.CHECKED], f"/bank-statements/{s.id}", None, s.handed_in_at)
        for s in statements_page(state=StatementState.CHECKED).items
        if s.handed_in_by != actor.user_id
    ]  # fmt: skip
    return [*money, *checked]


def _outgoing(actor: Actor) -> list[WorkItem]:
    """Payouts to approve, accounts to check and disputes to answer or settle. A fixed number of statements."""
    payouts = [
        WorkItem(Turn.MINE, N_("Payout"), p.number, p.agency_name, PAYOUT.labels[PayoutState.REQUESTED],
                 N_("Approve or refuse the payout"), f"/payouts/{p.id}", None, p.requested_at)
        for p in payouts_page(organisation_id=None, state=PayoutState.REQUESTED).items
        if actor.user_id not in (p.requested_by, p.first_approved_by)
    ]  # fmt: skip
    accounts = [
        WorkItem(Turn.MINE, N_("Bank account"), a.masked, a.agency_name, BANK_ACCOUNT.labels[state],
                 BANK_ACCOUNT.next_step[state], f"/bank-accounts/{a.id}", None, a.entered_at)
        for state in (BankAccountState.ENTERED, BankAccountState.CHECKED)
        for a in bank_accounts_page(state=state).items
        if a.checked_by != actor.user_id
    ]  # fmt: skip
    disputed = [
        WorkItem(Turn.MINE, N_("Disputed payment"), d.bill_number, d.bill_title, PAYMENT_DISPUTE.labels[state],
                 N_("Decide who bears the loss.") if d.state == DisputeState.LOST else PAYMENT_DISPUTE.next_step[state],
                 f"/disputes/{d.id}", d.due_by if d.is_open else None, d.opened_at)
        for state in (DisputeState.NEEDS_RESPONSE, DisputeState.LOST)
        for d in disputes_page(state=state).items
        if (d.answered_at is None if d.is_open else d.loss_settled is None)
    ]  # fmt: skip
    return [*payouts, *accounts, *disputed]
