"""What happened to money that leaves."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class PayoutApproved(Event):
    """A payout may be sent; the provider is told after commit."""

    name: ClassVar[str] = "payments.payout-approved"
    payout_id: UUID


@dataclass(frozen=True)
class PayoutArrived(Event):
    """A payout has reached the agency's bank."""

    name: ClassVar[str] = "payments.payout-arrived"
    payout_id: UUID


@dataclass(frozen=True)
class PayoutFailed(Event):
    """A payout did not reach the agency's bank, or came back; the money is the agency's balance again."""

    name: ClassVar[str] = "payments.payout-failed"
    payout_id: UUID


@dataclass(frozen=True)
class BankAccountActivated(Event):
    """An agency's new account is in use; the provider is told after commit."""

    name: ClassVar[str] = "payments.bank-account-activated"
    bank_account_id: UUID


@dataclass(frozen=True)
class TransferReversalRequested(Event):
    """A transfer is to be called back; the provider is told after commit."""

    name: ClassVar[str] = "payments.transfer-reversal-requested"
    reversal_id: UUID


@dataclass(frozen=True)
class DisputeOpened(Event):
    """A payer's bank disputes a payment; its money is frozen."""

    name: ClassVar[str] = "payments.dispute-opened"
    dispute_id: UUID


@dataclass(frozen=True)
class DisputeClosed(Event):
    """The payer's bank has decided a dispute (its state says how)."""

    name: ClassVar[str] = "payments.dispute-closed"
    dispute_id: UUID


@dataclass(frozen=True)
class DisputeAnswered(Event):
    """Our answer to a dispute is written down; the provider is told after commit."""

    name: ClassVar[str] = "payments.dispute-answered"
    dispute_id: UUID


@dataclass(frozen=True)
class RefundSucceeded(Event):
    """Money is back with the payer."""

    name: ClassVar[str] = "payments.refund-succeeded"
    refund_id: UUID
