"""Reactions of payments to its own events: what is told to the gateway after commit, and what it told us."""

from app.kernel.outbox import Handlers
from payments import services
from payments.agency_documents import issue_payout_advice, issue_refund_receipt
from payments.documents import issue_receipt
from payments.events import (
    BankEntryConfirmed,
    BillPaid,
    NoticeReceived,
    PaymentStarted,
    RefundApproved,
    StatementApplied,
)
from payments.gateways import gateway_of
from payments.outgoing_events import (
    BankAccountActivated,
    DisputeAnswered,
    PayoutApproved,
    PayoutArrived,
    RefundSucceeded,
    TransferReversalRequested,
)
from payments.services.bank_accounts import make_account_known
from payments.services.disputes import sync_dispute
from payments.services.payouts import send_payout as send
from payments.services.reconciliation import compare
from payments.services.reversals import send_reversal


def open_cashier(event: PaymentStarted) -> None:
    """Send the stored request of an attempt; the outbox repeats it while the gateway does not answer."""
    services.send_payment(event.payment_id)


def send_refund(event: RefundApproved) -> None:
    """Send the stored request of a refund."""
    services.send_refund(event.refund_id)


def fold_notice(event: NoticeReceived) -> None:
    """Fetch the object that a notice is about."""
    services.fold_notice(event)


def follow_bank_entry(event: BankEntryConfirmed) -> None:
    """Take a confirmed movement over: the payment it pays, or the refund it sent."""
    if event.payment_id is not None:
        services.sync_payment(event.payment_id)
    if event.refund_id is not None:
        services.sync_refund(event.refund_id)


def compare_statement(event: StatementApplied) -> None:
    """Compare the books with an account whose statement was taken over."""
    compare(gateway_of(event.gateway))


def tell_bank_account(event: BankAccountActivated) -> None:
    """Make an agency's account known to the provider."""
    make_account_known(event.bank_account_id)


def send_payout(event: PayoutApproved) -> None:
    """Send an approved payout as far as it goes."""
    send(event.payout_id)


def call_transfer_back(event: TransferReversalRequested) -> None:
    """Ask for money back that was refunded after it had been paid out."""
    send_reversal(event.reversal_id)


def hand_in_answer(event: DisputeAnswered) -> None:
    """Hand our answer to a dispute in."""
    sync_dispute(event.dispute_id)


HANDLERS: Handlers = {
    BankEntryConfirmed: (follow_bank_entry,),
    StatementApplied: (compare_statement,),
    BankAccountActivated: (tell_bank_account,),
    PayoutApproved: (send_payout,),
    TransferReversalRequested: (call_transfer_back,),
    DisputeAnswered: (hand_in_answer,),
    RefundSucceeded: (issue_refund_receipt,),
    PayoutArrived: (issue_payout_advice,),
    BillPaid: (issue_receipt,),
    PaymentStarted: (open_cashier,),
    RefundApproved: (send_refund,),
    NoticeReceived: (fold_notice,),
}
