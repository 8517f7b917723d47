"""MERIT_CREDIT (信用择优选取): credit makes the big list, weighted numbers draw the small list, the owner picks from it.

Source: Guangdong, in force since 2021-07-03. The registered are ranked by credit and eliminated from the bottom (nobody above
somebody who stays is eliminated, so equals at the limit all stay); numbers are given in proportion to the credit, one per point;
the draw takes the small list; the owner picks and says why. The ranking for successions: the picked, the rest of the small list
and then of the big list in the order of the draw. An owner who does not pick in time leaves it to that order.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marketplace.rulebook import RuleBook
from marketplace.rules.selection.lots import drawn, places
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.outcome import (
    Entrant,
    Inputs,
    NeedsDraw,
    NeedsOwner,
    Reason,
    ReasonCode,
    Standing,
    Step,
    conclude,
    listed,
)


def next_step(inputs: Inputs, book: RuleBook) -> Step:  # noqa: ARG001 - every method has the same signature
    """The draw of the small list, the owner's pick, or the ranking."""
    entrants = listed(inputs)
    big = big_list(entrants, inputs.terms.big_list or len(entrants))
    needed = small_list_draw(big, inputs.terms.small_list or 1)
    lots = drawn(inputs, needed)
    if lots is None:
        return needed
    order = places(lots)
    by_draw = sorted(big, key=lambda entrant: order[entrant.uscc])
    small = [entrant for entrant in by_draw if entrant.standing != Standing.STRUCK][: needed.seats]
    picked = inputs.choice.registration_id if inputs.choice else None
    if inputs.choice is None and small:
        return NeedsOwner(tuple(entrant.registration_id for entrant in small), is_choice=True)
    first = [entrant for entrant in big if entrant.registration_id == picked]
    ranking = [*first, *(entrant for entrant in by_draw if entrant not in first)]
    limit = min((entrant.points or 0 for entrant in big), default=0)
    on_small = {entrant.registration_id for entrant in small}
    rows = [
        (entrant, _reason(inputs, entrant, order[entrant.uscc], on_small, needed.seats, is_first=index == 0))
        for index, entrant in enumerate(ranking)
    ]
    below = {
        entrant.registration_id: Reason(ReasonCode.BELOW_BIG_LIST, {"points": entrant.points or 0, "limit": limit})
        for entrant in entrants
        if entrant not in big
    }
    facts = {"big_list": len(big), "small_list": [str(entrant.registration_id) for entrant in small]}
    return conclude(inputs, rows, below, **facts)


def big_list(entrants: Sequence[Entrant], size: int) -> tuple[Entrant, ...]:
    """The best `size` by credit and everybody level with the last of them."""
    ranked = sorted((entrant.points or 0 for entrant in entrants), reverse=True)
    limit = ranked[min(size, len(ranked)) - 1] if ranked else 0
    return tuple(entrant for entrant in entrants if (entrant.points or 0) >= limit)


def tickets_of(points: int) -> int:
    """The numbers of an agency in the draw: one per point of credit, and never none."""
    return max(1, points)


def small_list_draw(big: Sequence[Entrant], size: int) -> NeedsDraw:
    """The weighted draw that takes the small list from the big one."""
    tickets: dict[UUID, int] = {entrant.registration_id: tickets_of(entrant.points or 0) for entrant in big}
    return NeedsDraw(DrawPurpose.SMALL_LIST, max(1, min(size, len(big))), tickets)


def _reason(inputs: Inputs, entrant: Entrant, place: int, on_small: set[UUID], size: int, *, is_first: bool) -> Reason:
    facts: dict[str, Any] = {
        "points": entrant.points or 0,
        "tickets": tickets_of(entrant.points or 0),
        "drawn": place,
        "size": size,
    }
    if is_first and inputs.choice and inputs.choice.registration_id == entrant.registration_id:
        return Reason(ReasonCode.CHOSEN, {**facts, "why": inputs.choice.reason})
    if entrant.registration_id not in on_small:
        return Reason(ReasonCode.NOT_ON_SMALL_LIST, facts)
    if is_first:
        return Reason(ReasonCode.NOT_CHOSEN_IN_TIME, facts)
    return Reason(ReasonCode.ON_SMALL_LIST, facts)
