"""BID_REF (竞价最优价): the quote nearest to a reference price wins.

Source: Haizhou, in its four steps. (1) A base percentage is drawn from the rule book's set (95, 96, 97, 98). (2) The highest and
the lowest quote are removed and cannot win; the reference price is the average of the rest times the base percentage, to the fen.
(3) The nearest quote wins. (4) With public money fewer than three quotes fail; with private money a single quote wins; below the
rule book's number of quotes (six) nothing is removed.

Where the source is silent, one public draw decides, never this installation: the base percentage, which of several equal highest
(or lowest) quotes is the removed one (the one drawn last), and the order of quotes that are equally near.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.rulebook import RuleBook
from marketplace.rules.selection.gates import minimum_quotes
from marketplace.rules.selection.lots import base_percent, drawn, even, places
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.outcome import Entrant, Inputs, Reason, ReasonCode, Step, conclude, failed, quoted


@dataclass(frozen=True)
class Reference:
    """The reference price in fen, and who was removed before it was averaged."""

    price_fen: int
    highest: Entrant | None
    lowest: Entrant | None


def next_step(inputs: Inputs, book: RuleBook) -> Step:
    """The ranking by distance from the reference price, the draw it needs first, or the failure for too few quotes."""
    bidders = quoted(inputs)
    needed_quotes = minimum_quotes(book, inputs.method, inputs.fund_source)
    if len(bidders) < needed_quotes:
        return failed(inputs, "too_few_quotes", quotes=len(bidders), needed=needed_quotes)
    if len(bidders) == 1:
        only = bidders[0]
        return conclude(inputs, [(only, Reason(ReasonCode.ONLY_QUOTE, {"price_fen": only.price_fen}))], {})
    needed = even(DrawPurpose.BASE_PERCENT, bidders)
    lots = drawn(inputs, needed)
    if lots is None:
        return needed
    percent = base_percent(lots.seed, book.bidref_base_percent_set)
    order = places(lots)
    found = reference(bidders, percent, order, drop_from=book.bidref_drop_extremes_min_quotes)
    removed = {
        found.highest: ReasonCode.HIGHEST_REMOVED,
        found.lowest: ReasonCode.LOWEST_REMOVED,
    }
    rest = [bidder for bidder in bidders if bidder not in removed]
    ranking = sorted(rest, key=lambda bidder: (_distance(bidder, found), order[bidder.uscc]))
    unplaced = {
        bidder.registration_id: Reason(code, {"price_fen": bidder.price_fen})
        for bidder, code in removed.items()
        if bidder is not None
    }
    rows = [(bidder, _reason(bidder, found, rest)) for bidder in ranking]
    return conclude(inputs, rows, unplaced, reference_fen=found.price_fen, base_percent=percent)


def reference(bidders: Sequence[Entrant], percent: int, order: Mapping[str, int], *, drop_from: int) -> Reference:
    """The reference price of these quotes under a base percentage, rounded half up to the fen."""
    highest = lowest = None
    rest = list(bidders)
    if len(bidders) >= drop_from:
        highest = max(rest, key=lambda bidder: (bidder.price_fen or 0, order[bidder.uscc]))
        rest.remove(highest)
        lowest = min(rest, key=lambda bidder: (bidder.price_fen or 0, -order[bidder.uscc]))
        rest.remove(lowest)
    total = sum(bidder.price_fen or 0 for bidder in rest)
    exact = Fraction(total * percent, len(rest) * 100)
    return Reference(int(exact + Fraction(1, 2)), highest, lowest)


def _distance(bidder: Entrant, found: Reference) -> int:
    return abs((bidder.price_fen or 0) - found.price_fen)


def _reason(bidder: Entrant, found: Reference, rest: Sequence[Entrant]) -> Reason:
    distance = _distance(bidder, found)
    facts = {"price_fen": bidder.price_fen, "reference_fen": found.price_fen, "distance_fen": distance}
    if distance > min(_distance(other, found) for other in rest):
        return Reason(ReasonCode.FARTHER, facts)
    shared = sum(_distance(other, found) == distance for other in rest) > 1
    return Reason(ReasonCode.NEAREST_BY_DRAW if shared else ReasonCode.NEAREST, facts)
