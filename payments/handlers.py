"""Reactions of payments to its own events: what is told to the gateway after commit, and what it told us."""

from app.kernel.outbox import Handlers
from payments import services
from payments.documents import issue_receipt
from payments.events import BankEntryConfirmed, BillPaid, NoticeReceived, PaymentStarted, RefundApproved


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


HANDLERS: Handlers = {
    BankEntryConfirmed: (follow_bank_entry,),
    BillPaid: (issue_receipt,),
    PaymentStarted: (open_cashier,),
    RefundApproved: (send_refund,),
    NoticeReceived: (fold_notice,),
}
