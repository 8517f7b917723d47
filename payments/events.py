"""What happened to bills and their money, told to the domains above."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class BillOpened(Event):
    """Somebody owes an amount (fen)."""

    name: ClassVar[str] = "payments.bill-opened"
    bill_id: UUID
    subject: str
    thread_id: UUID
    amount_fen: int


@dataclass(frozen=True)
class BillPaid(Event):
    """The gateway confirmed the whole amount (fen) and the ledger holds it. Told once for each bill."""

    name: ClassVar[str] = "payments.bill-paid"
    bill_id: UUID
    subject: str
    thread_id: UUID
    amount_fen: int


@dataclass(frozen=True)
class BillVoided(Event):
    """The bill is no longer owed; nothing had been paid."""

    name: ClassVar[str] = "payments.bill-voided"
    bill_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class HeldMoneyReleased(Event):
    """So much (fen, gross) of a held service fee now belongs to the agency; told for every part."""

    name: ClassVar[str] = "payments.held-money-released"
    bill_id: UUID
    subject: str
    thread_id: UUID
    amount_fen: int


@dataclass(frozen=True)
class HeldMoneyUnfrozen(Event):
    """A freeze on a bill's money has ended; what was due meanwhile may be released."""

    name: ClassVar[str] = "payments.held-money-unfrozen"
    bill_id: UUID
    subject: str
    thread_id: UUID


@dataclass(frozen=True)
class BillRefunded(Event):
    """The last of a paid bill's held money (`amount_fen`) went back to the payer; nothing of the bill is held any more."""

    name: ClassVar[str] = "payments.bill-refunded"
    bill_id: UUID
    subject: str
    thread_id: UUID
    amount_fen: int


@dataclass(frozen=True)
class PaymentStarted(Event):
    """An attempt is written down, with its request and key; the gateway is told after commit."""

    name: ClassVar[str] = "payments.payment-started"
    payment_id: UUID


@dataclass(frozen=True)
class PaymentSucceeded(Event):
    """The gateway has the money of an attempt; what of it was credited to which bill stands with the attempt."""

    name: ClassVar[str] = "payments.payment-succeeded"
    payment_id: UUID


@dataclass(frozen=True)
class PaymentFailed(Event):
    """An attempt ended without money: refused, given up by the payer, or expired (its state says which)."""

    name: ClassVar[str] = "payments.payment-failed"
    payment_id: UUID


@dataclass(frozen=True)
class ReceiptIssued(Event):
    """The receipt of a paid bill can be fetched."""

    name: ClassVar[str] = "payments.receipt-issued"
    bill_id: UUID


@dataclass(frozen=True)
class RefundRequested(Event):
    """Somebody asked for money to go back; it waits for another person's approval."""

    name: ClassVar[str] = "payments.refund-requested"
    refund_id: UUID


@dataclass(frozen=True)
class RefundRejected(Event):
    """A refund was refused; the money lies where it lay before."""

    name: ClassVar[str] = "payments.refund-rejected"
    refund_id: UUID


@dataclass(frozen=True)
class RefundFailed(Event):
    """A refund did not reach the payer, or came back; the money lies where it lay before."""

    name: ClassVar[str] = "payments.refund-failed"
    refund_id: UUID


@dataclass(frozen=True)
class RefundApproved(Event):
    """A refund may be sent; the gateway is told after commit."""

    name: ClassVar[str] = "payments.refund-approved"
    refund_id: UUID


@dataclass(frozen=True)
class NoticeReceived(Event):
    """A genuine notice of the gateway is stored; `notice_id` is the gateway's own id of it."""

    name: ClassVar[str] = "payments.notice-received"
    gateway: str
    notice_id: str
    payment_id: UUID | None
    session_ref: str | None
    payment_ref: str | None


@dataclass(frozen=True)
class BankEntryConfirmed(Event):
    """Two persons have read a movement on the bank's statement; the payment or refund it belongs to is synced."""

    name: ClassVar[str] = "payments.bank-entry-confirmed"
    entry_id: UUID
    payment_id: UUID | None
    refund_id: UUID | None


@dataclass(frozen=True)
class StatementApplied(Event):
    """All movements of an account over some days are known; the books are compared with them."""

    name: ClassVar[str] = "payments.statement-applied"
    statement_id: UUID
    gateway: str
