"""COMBINED (竞价入围后随机选取): the lowest quotes are shortlisted, a draw among them decides.

Source: Huizhou (online bidding plus a drum draw). Everybody who quotes as low as the last place of the shortlist stands on it, so
that no tie is decided before the draw. Who is not shortlisted has no place and cannot follow a winner who drops out.
"""

from collections.abc import Sequence

from marketplace.rulebook import RuleBook
from marketplace.rules.selection.gates import minimum_quotes
from marketplace.rules.selection.lots import drawn, even, places
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.outcome import Entrant, Inputs, Reason, ReasonCode, Step, conclude, failed, quoted


def next_step(inputs: Inputs, book: RuleBook) -> Step:
    """The draw among the shortlisted, its ranking, or the failure for too few quotes."""
    bidders = quoted(inputs)
    needed_quotes = minimum_quotes(book, inputs.method, inputs.fund_source)
    if len(bidders) < needed_quotes:
        return failed(inputs, "too_few_quotes", quotes=len(bidders), needed=needed_quotes)
    limit, short = shortlist(bidders, inputs.terms.small_list or len(bidders))
    needed = even(DrawPurpose.SELECTION, short, inputs.seats)
    lots = drawn(inputs, needed)
    if lots is None:
        return needed
    order = places(lots)
    rows = [
        (
            bidder,
            Reason(
                ReasonCode.DRAWN_OF_SHORTLISTED,
                {"price_fen": bidder.price_fen, "drawn": order[bidder.uscc], "entries": len(short)},
            ),
        )
        for bidder in sorted(short, key=lambda bidder: order[bidder.uscc])
    ]
    missed = {
        bidder.registration_id: Reason(ReasonCode.NOT_SHORTLISTED, {"price_fen": bidder.price_fen, "limit_fen": limit})
        for bidder in bidders
        if bidder not in short
    }
    return conclude(inputs, rows, missed, limit_fen=limit, shortlisted=len(short))


def shortlist(bidders: Sequence[Entrant], size: int) -> tuple[int, tuple[Entrant, ...]]:
    """The highest price that is shortlisted, and everybody at or below it."""
    prices = sorted(bidder.price_fen or 0 for bidder in bidders)
    limit = prices[min(size, len(prices)) - 1]
    return limit, tuple(bidder for bidder in bidders if (bidder.price_fen or 0) <= limit)
