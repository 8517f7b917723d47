"""The selection engine: one pure function over every method, used by the services and by the replay alike."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from marketplace.rulebook import RuleBook
from marketplace.rules.selection import bid_low, bid_ref, combined, direct, merit_credit, merit_plan, random_draw
from marketplace.rules.selection.methods import Method
from marketplace.rules.selection.outcome import Inputs, Outcome, Step

METHODS: Final[Mapping[str, Callable[[Inputs, RuleBook], Step]]] = {
    Method.RANDOM: random_draw.next_step,
    Method.BID_LOW: bid_low.next_step,
    Method.BID_REF: bid_ref.next_step,
    Method.MERIT_CREDIT: merit_credit.next_step,
    Method.MERIT_PLAN: merit_plan.next_step,
    Method.COMBINED: combined.next_step,
    Method.DIRECT: direct.next_step,
}


def next_step(inputs: Inputs, book: RuleBook) -> Step:
    """What these inputs lead to under this rule book: a draw, the owner's part, or the outcome.

    Raises ValueError when the draw among the inputs is not the one the method needs.
    """
    return METHODS[inputs.method](inputs, book)


def replayed(inputs: Mapping[str, Any], book: RuleBook) -> dict[str, Any] | None:
    """The outcome that stored inputs lead to today; None when they do not decide at all."""
    step = next_step(Inputs.from_json(inputs), book)
    return step.to_json() if isinstance(step, Outcome) else None
