"""Draws inside a selection: which draw a step needs, and the order that the completed one gives.

There is no other chance in this package than GMDRAW/1 on a published list with an announced public value of the future.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, TypeVar

from marketplace.rules import draw as gmdraw
from marketplace.rules.draw import DrawResult
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.outcome import Entrant, Inputs, NeedsDraw

T = TypeVar("T")
_BASE: Final = b"GMDRAW/1 base percent\n"


def even(purpose: DrawPurpose, entrants: Iterable[Entrant], seats: int = 1) -> NeedsDraw:
    """A draw in which every entrant has one number."""
    tickets = {entrant.registration_id: 1 for entrant in entrants}
    return NeedsDraw(purpose, min(seats, len(tickets)), tickets)


def drawn(inputs: Inputs, needed: NeedsDraw) -> DrawResult | None:
    """The completed draw, computed again from its two public files; None while there is none.

    Raises ValueError when the draw is not the one that these inputs need: another list, other weights, another number of seats.
    """
    if inputs.draw is None:
        return None
    draw_file = inputs.draw.draw_txt.encode("ascii")
    demonstration = inputs.draw.is_demonstration
    frozen = gmdraw.parse_draw(draw_file, demonstration=demonstration)
    codes = {entrant.registration_id: entrant.uscc for entrant in inputs.entrants}
    expected = {codes[registration]: weight for registration, weight in needed.tickets.items()}
    if {entry.code: entry.weight for entry in frozen.entries} != expected or frozen.seats != needed.seats:
        raise ValueError(f"draw {frozen.draw_id} is not the draw that this selection needs")
    return gmdraw.rank(draw_file, inputs.draw.beacon_txt.encode("ascii"), demonstration=demonstration)


def places(result: DrawResult | None) -> Mapping[str, int]:
    """The place of each code in a draw; empty without one."""
    return {row.code: row.place for row in result.ranking} if result else {}


def base_percent(seed: str, percents: tuple[int, ...]) -> int:
    """The base percentage drawn by a seed: SHA-256 of the seed under its own label, modulo the number of percentages.

    For the four percentages of the field's rule the choice is exactly uniform, because four divides 2**256.
    """
    number = int.from_bytes(sha256(_BASE + bytes.fromhex(seed)).digest(), "big")
    return percents[number % len(percents)]


def level(groups: Mapping[T, list[Entrant]]) -> tuple[Entrant, ...]:
    """Everybody who shares a value with somebody else."""
    return tuple(entrant for group in groups.values() if len(group) > 1 for entrant in group)
