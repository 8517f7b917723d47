"""What payments need from a provider that pays out to agencies and passes on disputes. Requests are plain JSON, stored first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from payments.observed import Movement
from payments.ports import Refusal


class NotSettled(Refusal):
    """A final no for this key: the money has not settled yet. It is tried again later, with another key."""


@dataclass(frozen=True)
class ReversalFact:
    """A transfer, or a part of it, that came back; fen."""

    ref: str
    amount_fen: int
    movement: Movement


@dataclass(frozen=True)
class TransferFact:
    """A transfer to an agency's account at the provider, with what of it came back; fen."""

    ref: str
    amount_fen: int
    movement: Movement
    reversals: tuple[ReversalFact, ...]

    @property
    def is_back(self) -> bool:
        return sum(one.amount_fen for one in self.reversals) >= self.amount_fen


@dataclass(frozen=True)
class BankPayoutFact:
    """The payout from the agency's account at the provider to its bank."""

    ref: str
    status: Literal["in_transit", "paid", "failed"]
    problem: str | None


@dataclass(frozen=True)
class DisputeFact:
    """A dispute as the provider tells it; fen, and what moved on our balance."""

    ref: str
    status: Literal["needs_response", "under_review", "won", "lost"]
    amount_fen: int
    currency: str
    reason: str
    due_by: datetime | None
    opened_at: datetime
    movements: tuple[Movement, ...]


class OutgoingGateway(Protocol):
    """Every method that reaches out may raise Unknown or Refusal; `transfer` and `pay_out` also NotSettled."""

    def open_account(
        self, holder_name: str, number: str, branch_code: str | None, organisation_id: UUID, key: str
    ) -> str:
        """Make the agency known with its bank account; the provider's id of it."""

    def change_account(self, ref: str, holder_name: str, number: str, branch_code: str | None, key: str) -> None:
        """Put another bank account in place of the agency's present one."""

    def transfer_request(self, account_ref: str, amount_fen: int, payout_id: UUID, number: str) -> dict[str, Any]:
        """Build the request of a transfer, to be stored. Calls nothing."""

    def transfer(self, request: Mapping[str, Any], key: str) -> TransferFact:
        """Move money to the agency's account at the provider. The same key moves it once."""

    def search_transfer(self, payout_id: UUID) -> TransferFact | None:
        """Find a transfer whose reference was lost, by our own id."""

    def fetch_transfer(self, ref: str) -> TransferFact:
        """Ask what has become of a transfer."""

    def pay_out(self, account_ref: str, amount_fen: int, payout_id: UUID, key: str) -> BankPayoutFact:
        """Have the agency's account pay out to its bank. The same key pays once."""

    def fetch_pay_out(self, account_ref: str, ref: str) -> BankPayoutFact:
        """Ask what has become of a payout to the bank."""

    def reversal_request(self, transfer_ref: str, amount_fen: int, reversal_id: UUID) -> dict[str, Any]:
        """Build the request that calls a transfer back, to be stored. Calls nothing."""

    def reverse(self, request: Mapping[str, Any], key: str) -> ReversalFact:
        """Call a transfer back, whole or in part. The same key calls it back once."""

    def disputes_of(self, payment_ref: str) -> tuple[DisputeFact, ...]:
        """All disputes of a payment."""

    def fetch_dispute(self, ref: str) -> DisputeFact:
        """Ask what has become of a dispute."""

    def answer_dispute(self, ref: str, text: str, key: str) -> DisputeFact:
        """Hand in our evidence; it can be done once."""
