"""What may be billed, paid, released and refunded. Pure; amounts in whole fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.kernel.errors import Refused
from app.kernel.words import N_
from payments.states import BillKind, BillState

LARGEST_FEN = 99_999_999
"""The largest amount one gateway session takes: 999,999.99 yuan."""

METHODS = ("alipay", "wechat_pay", "card")
METHOD_LABELS = {"alipay": N_("Alipay"), "wechat_pay": N_("WeChat Pay"), "card": N_("Bank card")}

KEY_LIFETIME = timedelta(hours=20)
"""Gateways forget idempotency keys after 24 hours; an older request is looked up, never sent again."""


@dataclass(frozen=True)
class BillLine:
    """One item of a bill: what for, how much (fen, 0 for "this item is free"), and on what basis."""

    title: str
    amount_fen: int
    basis: str


def total_of(lines: Sequence[BillLine]) -> int:
    """The amount of a bill in fen. Raises Refused for an empty, negative or too large one."""
    if not lines:
        raise Refused("bill-empty", N_("A bill needs at least one line."))
    if any(type(line.amount_fen) is not int or line.amount_fen < 0 for line in lines):
        raise Refused("line-amount", N_("A line's amount is a whole number of fen, zero or more."))
    total = sum(line.amount_fen for line in lines)
    if total < 1:
        raise Refused("bill-amount", N_("A bill's amount must be more than zero."))
    return total


def check_payable_online(amount_fen: int) -> None:
    """Raises Refused for an amount above what one cashier session takes."""
    if amount_fen > LARGEST_FEN:
        raise Refused(
            "amount-too-large-online",
            N_(
                "This amount is above what can be paid online at once (999,999.99 yuan). Pay it by bank transfer, or ask for the bill to be split by milestone."
            ),
        )


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
