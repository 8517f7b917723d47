"""What the gateway reports, and what it means for an attempt. Pure: facts in, a conclusion out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from payments.states import PaymentState

MovementKind = Literal["charge", "refund", "refund_failure", "transfer", "fee", "other"]


@dataclass(frozen=True)
class Movement:
    """One immutable movement of our balance at the gateway, in fen, signed from our side; net = gross - fee.

    `ref` is the gateway's own id of the movement (Stripe: `txn_...`) and the posting key in our ledger.
    """

    ref: str
    kind: MovementKind
    gross_fen: int
    fee_fen: int
    currency: str
    at: datetime
    object_ref: str

    @property
    def net_fen(self) -> int:
        return self.gross_fen - self.fee_fen


class Reported(StrEnum):
    """What the gateway says of an attempt, in our words."""

    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True)
class PaymentFact:
    """The present state of an attempt at the gateway. A success always carries its charge movement."""

    status: Reported
    session_ref: str | None
    payment_ref: str | None
    cashier_url: str | None
    amount_fen: int
    currency: str
    payment_id: UUID | None
    method: str | None
    expires_at: datetime | None
    charge: Movement | None
    problem: str | None


@dataclass(frozen=True)
class RefundFact:
    """The present state of a refund at the gateway."""

    ref: str
    status: Literal["pending", "succeeded", "failed"]
    amount_fen: int
    currency: str
    movements: tuple[Movement, ...]
    problem: str | None


@dataclass(frozen=True)
class Attempt:
    """What we know of the attempt and its bill when a fact arrives."""

    state: PaymentState
    amount_fen: int
    currency: str
    bill_is_open: bool
    another_is_live: bool


class Misfit(StrEnum):
    """Why received money cannot be credited to its bill."""

    AMOUNT = "amount"
    CURRENCY = "currency"
    BILL_CLOSED = "bill_closed"
    ANOTHER_ATTEMPT = "another_attempt"


@dataclass(frozen=True)
class Conclusion:
    """The step to take on the attempt (an action of the payment machine), or None; `misfit` for money set aside."""

    action: str | None
    misfit: Misfit | None = None


NOTHING = Conclusion(None)
_DONE = (PaymentState.SUCCEEDED, PaymentState.SURPLUS)
_ENDINGS = {Reported.FAILED: "fail", Reported.CANCELED: "cancel", Reported.EXPIRED: "expire"}


def conclude(attempt: Attempt, fact: PaymentFact) -> Conclusion:
    """Decide what a fact means for an attempt.

    A repeated fact concludes nothing. Money is credited only when amount and currency are the bill's own, the bill is
    still open and no other attempt is live; otherwise it is set aside, never dropped. A late success of an attempt that
    we took for finished counts like any other. Nothing takes back a success: refunds are rows of their own.
    """
    if attempt.state in _DONE:
        return NOTHING
    if fact.status is Reported.SUCCEEDED:
        misfit = _misfit(attempt, fact)
        return Conclusion("set_aside", misfit) if misfit else Conclusion("succeed")
    if attempt.state not in (PaymentState.NEW, PaymentState.PENDING):
        return NOTHING
    if fact.status is Reported.WAITING:
        return Conclusion("offer") if attempt.state is PaymentState.NEW else NOTHING
    return Conclusion(_ENDINGS[fact.status])


def _misfit(attempt: Attempt, fact: PaymentFact) -> Misfit | None:
    if fact.currency != attempt.currency:
        return Misfit.CURRENCY
    if fact.amount_fen != attempt.amount_fen:
        return Misfit.AMOUNT
    if not attempt.bill_is_open:
        return Misfit.BILL_CLOSED
    return Misfit.ANOTHER_ATTEMPT if attempt.another_is_live else None
