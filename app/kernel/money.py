"""Amounts of money: whole fen (0.01 yuan), never floating point.

The currency is always CNY. Stored as BIGINT fen, typed and shown in yuan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

MAX_FEN: Final = 10**15 - 1
"""Just under ten trillion yuan: above any public fee, far below 2**63, so sums of many amounts cannot overflow BIGINT."""

_YUAN: Final = re.compile(r"(?P<sign>-?)(?P<yuan>0|[1-9][0-9]{0,12})(?:\.(?P<fen>[0-9]{1,2}))?", re.ASCII)


class InvalidAmount(ValueError):
    """The text or number is not an amount of money this product can hold."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An exact amount in fen. Immutable; compares, adds and subtracts exactly.

    Raises InvalidAmount for anything but an int within +-MAX_FEN (a bool or a float is a mistake, not an amount).
    """

    fen: int

    def __post_init__(self) -> None:
        if type(self.fen) is not int:
            raise InvalidAmount(f"an amount is a whole number of fen, not {type(self.fen).__name__}")
        if abs(self.fen) > MAX_FEN:
            raise InvalidAmount("the amount is outside the range of this product")

    @classmethod
    def from_yuan(cls, text: str) -> Self:
        """Read yuan as people type them: "1", "1.5", "1.05". No sign but minus, no exponent, no separators, at most two decimals.

        Raises InvalidAmount.
        """
        match = _YUAN.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise InvalidAmount("write the amount in yuan with at most two decimals, for example 1280.50")
        fen = int(match["yuan"]) * 100 + int((match["fen"] or "").ljust(2, "0"))
        return cls(-fen if match["sign"] else fen)

    @property
    def yuan(self) -> str:
        """Plain text with exactly two decimals, for forms and wires: "1280.50"."""
        sign = "-" if self.fen < 0 else ""
        return f"{sign}{abs(self.fen) // 100}.{abs(self.fen) % 100:02d}"

    @property
    def grouped(self) -> str:
        """Text for people, with thousands separators: "1,280.50"."""
        sign = "-" if self.fen < 0 else ""
        return f"{sign}{abs(self.fen) // 100:,}.{abs(self.fen) % 100:02d}"

    @property
    def capitals(self) -> str:
        """The amount in banking capitals, as contracts and receipts must also state it: 壹仟贰佰捌拾元伍角整."""
        return _capitals(self.fen)

    def allocate(self, shares: Sequence[int]) -> tuple[Money, ...]:
        """Split by integer weights without losing a fen: the parts sum to the whole.

        The largest remainders get the fen that are left over; equal remainders go to the earlier part.
        Raises InvalidAmount when there is no positive weight or a negative one.
        """
        total = sum(shares)
        if total <= 0 or any(share < 0 for share in shares):
            raise InvalidAmount("an amount is split by weights of zero or more, at least one of them positive")
        sign = -1 if self.fen < 0 else 1
        portions = [divmod(abs(self.fen) * share, total) for share in shares]
        parts = [quotient for quotient, _ in portions]
        missing = abs(self.fen) - sum(parts)
        by_remainder = sorted(range(len(parts)), key=lambda index: (-portions[index][1], index))
        for index in by_remainder[:missing]:
            parts[index] += 1
        return tuple(Money(sign * part) for part in parts)

    def percent(self, basis_points: int) -> Money:
        """The share of `basis_points` ten-thousandths, rounded half up to a fen (away from zero)."""
        sign = -1 if (self.fen < 0) != (basis_points < 0) else 1
        return Money(sign * ((abs(self.fen) * abs(basis_points) * 2 + 10_000) // 20_000))

    def __add__(self, other: Money) -> Money:
        return Money(self.fen + other.fen)

    def __sub__(self, other: Money) -> Money:
        return Money(self.fen - other.fen)

    def __neg__(self) -> Money:
        return Money(-self.fen)

    def __mul__(self, times: int) -> Money:
        if type(times) is not int:
            raise InvalidAmount("multiply an amount only by a whole number; use percent() or allocate() for shares")
        return Money(self.fen * times)

    def __bool__(self) -> bool:
        return self.fen != 0

    def __str__(self) -> str:
        return self.yuan


ZERO: Final = Money(0)

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_SMALL_UNITS: Final = ("", "拾", "佰", "仟")
_LARGE_UNITS: Final = ("", "万", "亿", "兆")


def _capitals(fen: int) -> str:
    """Capitals by the rule of 《支付结算办法》 annex 1: 零 for gaps inside the number, 整 when it ends at yuan or jiao."""
    yuan, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    text = "负" if fen < 0 else ""
    if yuan:
        text += _integer_capitals(yuan) + "元"
    if not rest:
        return (text or "零元") + "整"
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif yuan:
        text += "零"
    return text + (_DIGITS[cents] + "分" if cents else "整")


def _integer_capitals(number: int) -> str:
    text = ""
    gap = False
    for power in reversed(range(4)):
        group = number // 10_000**power % 10_000
        if not group:
            gap = bool(text)
            continue
        if text and (gap or group < 1_000):
            text += "零"
        text += _group_capitals(group) + _LARGE_UNITS[power]
        gap = False
    return text


def _group_capitals(group: int) -> str:
    text = ""
    gap = False
    for power in reversed(range(4)):
        digit = group // 10**power % 10
        if digit:
            text += ("零" if gap else "") + _DIGITS[digit] + _SMALL_UNITS[power]
            gap = False
        else:
            gap = bool(text)
    return text
