"""What may be billed, paid, released and refunded. Pure; amounts in whole fen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.kernel.errors import Refused
from app.kernel.words import N_
from payments.states import BillKind, BillState

MOST_TOGETHER = 20
"""Bills in one payment; a cashier session takes at most 100 lines."""

BANK_TRANSFER = "bank_transfer"
METHODS = ("alipay", "wechat_pay", "card", BANK_TRANSFER)
METHOD_LABELS = {
    "alipay": N_("Alipay"),
    "wechat_pay": N_("WeChat Pay"),
    "card": N_("Bank card"),
    BANK_TRANSFER: N_("Bank transfer with voucher"),
}

TRANSFER_LIFETIME = timedelta(days=14)
"""So long a bank transfer is waited for; money that comes later is credited while the bill is still open."""

KEY_LIFETIME = timedelta(hours=20)
"""Gateways forget idempotency keys after 24 hours; an older request is looked up, never sent again."""


@dataclass(frozen=True)
class BillLine:
    """One item of a bill: what for, how much is asked for (fen, 0 for "this item is free"), and on what basis.

    `standard` is the tariff that the amount follows; `reduction_fen` was taken off it, on the ground named in `reduction`.
    """

    title: str
    amount_fen: int
    basis: str
    standard: str = ""
    reduction_fen: int = 0
    reduction: str = ""

    @property
    def full_fen(self) -> int:
        """The amount before the reduction, in fen."""
        return self.amount_fen + self.reduction_fen


def total_of(lines: Sequence[BillLine]) -> int:
    """The amount of a bill in fen. Raises Refused for an empty, negative or too large one."""
    if not lines:
        raise Refused("bill-empty", N_("A bill needs at least one line."))
    if any(type(line.amount_fen) is not int or line.amount_fen < 0 for line in lines):
        raise Refused("line-amount", N_("A line's amount is a whole number of fen, zero or more."))
    if any(type(line.reduction_fen) is not int or line.reduction_fen < 0 for line in lines):
        raise Refused("line-amount", N_("A line's amount is a whole number of fen, zero or more."))
    if any(line.reduction_fen and not line.reduction for line in lines):
        raise Refused("line-reduction", N_("A reduction names its ground."))
    total = sum(line.amount_fen for line in lines)
    if total < 1:
        raise Refused("bill-amount", N_("A bill's amount must be more than zero."))
    return total


def check_amount(amount_fen: int, most_fen: int | None) -> None:
    """Raises Refused for an amount above what the chosen gateway takes at once."""
    if most_fen is not None and amount_fen > most_fen:
        raise Refused(
            "amount-too-large-online",
            N_(
                "This amount is above what can be paid online at once (999,999.99 yuan). Pay it by bank transfer, or ask for the bill to be split by milestone."
            ),
        )


def check_together(kinds: Collection[str], payers: Collection[object], count: int) -> None:
    """Refuse to pay bills together that must not share one payment. Raises Refused.

    One payment carries one kind of money: service fees are held, courier fees are owed to the carrier, and statutory money
    goes to the treasury account and to nothing else (BUSINESS-RULES 4.7).
    """
    if not 1 <= count <= MOST_TOGETHER:
        raise Refused("bills-together", N_("Choose between 1 and %(most)s bills."), params={"most": MOST_TOGETHER})
    if len(set(kinds)) > 1:
        raise Refused("routes-mixed", N_("These bills go different ways and cannot share one payment: service fees are held, courier fees go to the carrier, statutory fees straight to the treasury account. Pay each kind by itself."))  # fmt: skip
    if len(set(payers)) > 1:
        raise Refused("payers-mixed", N_("These bills have different payers and cannot share one payment."))


def check_payee(kind: BillKind, *, has_payee: bool) -> None:
    """A service fee has an agency that will receive it; other money must not name one. Raises Refused."""
    if (kind is BillKind.SERVICE_FEE) != has_payee:
        raise Refused("bill-payee", N_("A service fee names its agency, and only a service fee does."))


def is_overdue(state: str, due_at: datetime, now: datetime) -> bool:
    """Tell whether a bill should have been paid by now. A bill owed does not vanish with its date."""
    return state == BillState.OPEN and now > due_at


def next_check(created_at: datetime, now: datetime) -> datetime:
    """When to ask the gateway again about a silent attempt: soon at first, then with pauses that grow with its age."""
    age = now - created_at
    pause = min(max(age / 4, timedelta(seconds=60)), timedelta(minutes=30))
    return now + pause
