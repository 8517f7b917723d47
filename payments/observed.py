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
class Share:
    """One of the bills that an attempt pays together, as it is when a fact arrives."""

    bill_id: UUID
    is_open: bool
    another_is_live: bool


@dataclass(frozen=True)
class Attempt:
    """What we know of the attempt and its bills when a fact arrives."""

    state: PaymentState
    amount_fen: int
    currency: str
    shares: tuple[Share, ...]


class Misfit(StrEnum):
    """Why received money cannot be credited to its bill."""

    AMOUNT = "amount"
    CURRENCY = "currency"
    BILL_CLOSED = "bill_closed"
    ANOTHER_ATTEMPT = "another_attempt"


@dataclass(frozen=True)
class Conclusion:
    """The step to take on the attempt (an action of the payment machine), or None.

    `misfit` says why nothing can be credited; `unfit` which bills of a success cannot take their share any more.
    """

    action: str | None
    misfit: Misfit | None = None
    unfit: tuple[tuple[UUID, Misfit], ...] = ()


NOTHING = Conclusion(None)
_DONE = (PaymentState.SUCCEEDED, PaymentState.SURPLUS)
_ENDINGS = {Reported.FAILED: "fail", Reported.CANCELED: "cancel", Reported.EXPIRED: "expire"}


def conclude(attempt: Attempt, fact: PaymentFact) -> Conclusion:
    """Decide what a fact means for an attempt.

    A repeated fact concludes nothing. Money is credited only when amount and currency are those asked for; then each bill
    takes its share if it is still open and no other attempt on it is live. What does not fit is set aside, never dropped.
    A late success of an attempt that we took for finished counts like any other. Nothing takes back a success: refunds are
    rows of their own.
    """
    if attempt.state in _DONE:
        return NOTHING
    if fact.status is Reported.SUCCEEDED:
        return _received(attempt, fact)
    if attempt.state not in (PaymentState.NEW, PaymentState.PENDING):
        return NOTHING
    if fact.status is Reported.WAITING:
        return Conclusion("offer") if attempt.state is PaymentState.NEW else NOTHING
    return Conclusion(_ENDINGS[fact.status])


def _received(attempt: Attempt, fact: PaymentFact) -> Conclusion:
    if fact.currency != attempt.currency:
        return Conclusion("set_aside", Misfit.CURRENCY)
    if fact.amount_fen != attempt.amount_fen:
        return Conclusion("set_aside", Misfit.AMOUNT)
    unfit = tuple((share.bill_id, why) for share in attempt.shares if (why := _misfit(share)) is not None)
    if len(unfit) == len(attempt.shares):
        return Conclusion("set_aside", unfit[0][1])
    return Conclusion("succeed", unfit=unfit)


def _misfit(share: Share) -> Misfit | None:
    if not share.is_open:
        return Misfit.BILL_CLOSED
    return Misfit.ANOTHER_ATTEMPT if share.another_is_live else None
