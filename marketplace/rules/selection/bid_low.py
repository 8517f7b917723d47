"""BID_LOW (竞价选取): the lowest valid quote wins; who is level is ordered by draw.

Source: Haizhou (lowest price wins, a tie of two or more is drawn, public money needs three quotes) and Chongqing (up to three
rounds). The last valid quote of each agency counts; `effective_quote` says which one that is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from marketplace.rulebook import RuleBook
from marketplace.rules.selection.gates import minimum_quotes
from marketplace.rules.selection.lots import drawn, even, level, places
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.outcome import Entrant, Inputs, Reason, ReasonCode, Step, conclude, failed, quoted
from marketplace.rules.selection.quotes import OpenedQuote


def next_step(inputs: Inputs, book: RuleBook) -> Step:
    """The ranking by price, a draw among those who are level, or the failure for too few quotes."""
    bidders = quoted(inputs)
    needed_quotes = minimum_quotes(book, inputs.method, inputs.fund_source)
    if len(bidders) < needed_quotes:
        return failed(inputs, "too_few_quotes", quotes=len(bidders), needed=needed_quotes)
    by_price: dict[int, list[Entrant]] = defaultdict(list)
    for bidder in bidders:
        by_price[bidder.price_fen or 0].append(bidder)
    tied = level(by_price)
    lots = None
    if tied:
        needed = even(DrawPurpose.TIE, tied)
        lots = drawn(inputs, needed)
        if lots is None:
            return needed
    order = places(lots)
    ranking = sorted(bidders, key=lambda bidder: (bidder.price_fen or 0, order.get(bidder.uscc, 0)))
    lowest = min(by_price)
    rows = [(bidder, _reason(bidder, lowest, len(by_price[bidder.price_fen or 0]), order)) for bidder in ranking]
    return conclude(inputs, rows, {}, lowest_fen=lowest)


def _reason(bidder: Entrant, lowest: int, sharing: int, order: Mapping[str, int]) -> Reason:
    price = bidder.price_fen or 0
    if price > lowest:
        return Reason(ReasonCode.HIGHER_PRICE, {"price_fen": price, "more_fen": price - lowest})
    if sharing > 1:
        facts = {"price_fen": price, "others": sharing - 1, "drawn": order[bidder.uscc]}
        return Reason(ReasonCode.LOWEST_BY_DRAW, facts)
    return Reason(ReasonCode.LOWEST, {"price_fen": price})


def effective_quote(quotes: Iterable[OpenedQuote]) -> OpenedQuote | None:
    """The quote of one agency that counts after several rounds: the last valid one that is not above an earlier valid one.

    In a further round a price may only fall; a higher one does not count and the earlier stays. Without a valid quote the last
    one is returned, so that its fault can be shown; None without any.
    """
    chosen: OpenedQuote | None = None
    for quote in sorted(quotes, key=lambda quote: quote.round):
        if chosen is None or not chosen.is_valid or (quote.is_valid and quote.price_fen <= chosen.price_fen):
            chosen = quote
    return chosen
