"""What a scanner, a hurried hand or a damaged label meant: check digits and near codes. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from delivery.rules import check_digit, has_sound_check_digit, is_waybill_no

SHORTEST_END: Final = 4
"""The last characters of a code that are enough to suggest by: what people read out loud."""
MOST_SUGGESTIONS: Final = 3


def is_misread(code: str) -> bool:
    """Whether the code has the form of a waybill number, but its check digit does not agree."""
    return is_waybill_no(code) and not has_sound_check_digit(code)


def right_digit(code: str) -> str | None:
    """The number with the check digit that its other digits ask for; None where none is known for its form."""
    if not is_misread(code):
        return None
    return code[:10] + check_digit(code[2:10]) + code[11:]


def near(code: str, known: Iterable[str]) -> tuple[str, ...]:
    """Known codes that the given one may have meant, the likeliest first; at most three.

    One character wrong, missing, too many or swapped with its neighbour, unreadable places written as `?` or `*`, or
    only the end of the code.
    """
    ranked = sorted((rank, each) for each in set(known) if (rank := _distance(code, each)) is not None)
    return tuple(each for _, each in ranked[:MOST_SUGGESTIONS])


def _distance(code: str, known: str) -> int | None:
    if any(mark in code for mark in "?*"):
        return 0 if _fits(code, known) else None
    if len(code) >= SHORTEST_END and code != known and known.endswith(code):
        return 1
    return 2 if len(code) >= SHORTEST_END and _is_one_apart(code, known) else None


def _fits(pattern: str, known: str) -> bool:
    """Each `?` or `*` stands for one unreadable character; at least half of the code must be readable."""
    readable = sum(each not in "?*" for each in pattern)
    if len(pattern) != len(known) or readable * 2 < len(pattern):
        return False
    return all(mark in "?*" or mark == each for mark, each in zip(pattern, known, strict=True))


def _is_one_apart(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        apart = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        return len(apart) == 1 or _is_swapped(one, other, apart)
    shorter, longer = sorted((one, other), key=len)
    return any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))


def _is_swapped(one: str, other: str, apart: Sequence[int]) -> bool:
    return (
        len(apart) == 2
        and apart[1] == apart[0] + 1
        and one[apart[0]] == other[apart[1]]
        and one[apart[1]] == other[apart[0]]
    )
