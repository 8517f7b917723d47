"""Measures of fairness from counts (indicators, not verdicts); pure.

Source: the Zhangzhou test (share of the four strongest agencies of a county), the patterns that supervision models look for
(repeated owner and winner pairs, quotes that lie close together, abnormal low quotes).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

TOP = 4


def top_share(wins: Mapping[Any, int], top: int = TOP) -> int | None:
    """Per mille of all wins that went to the `top` strongest; None without a win."""
    total = sum(wins.values())
    if not total:
        return None
    return 1000 * sum(sorted(wins.values(), reverse=True)[:top]) // total


@dataclass(frozen=True, slots=True)
class Luck:
    """How often somebody was drawn and how often it was to be expected. `deviation` in standard deviations."""

    entries: int
    wins: int
    expected: float
    deviation: float


def luck(chances: Sequence[tuple[int, bool]]) -> Luck:
    """Draws of one agency as (entries on the list, whether it won), each entry with an equal chance."""
    expected = sum(1 / size for size, _ in chances)
    variance = sum((1 / size) * (1 - 1 / size) for size, _ in chances)
    wins = sum(won for _, won in chances)
    deviation = (wins - expected) / sqrt(variance) if variance else 0.0
    return Luck(len(chances), wins, expected, deviation)
