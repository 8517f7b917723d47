"""MERIT_PLAN (方案择优选取、询比选取): sealed quotes with plans, scored by weighted criteria with reasons; the highest total wins.

Source: Guangdong (the owner compares service response, staff and price). The owner scores 0..100 for every criterion but the
price, with a reason for each; the price is scored by the machine: 100 times the lowest valid quote over this quote. Sums are kept
in integers (a total of 1,000,000 is 100 points), so that no rounding decides; who is level is ordered by draw.
"""

from collections import defaultdict

from marketplace.rulebook import RuleBook
from marketplace.rules.selection.gates import minimum_quotes
from marketplace.rules.selection.lots import drawn, even, level, places
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.outcome import (
    Entrant,
    Inputs,
    NeedsOwner,
    Reason,
    ReasonCode,
    Standing,
    Step,
    conclude,
    failed,
    quoted,
)
from marketplace.rules.selection.terms import Criterion

FULL = 1_000_000
"""A total of 100 points."""


def next_step(inputs: Inputs, book: RuleBook) -> Step:
    """The owner's comparison, a draw among those who are level, the ranking, or the failure for too few plans."""
    bidders = quoted(inputs)
    needed_quotes = minimum_quotes(book, inputs.method, inputs.fund_source)
    if len(bidders) < needed_quotes:
        return failed(inputs, "too_few_quotes", quotes=len(bidders), needed=needed_quotes)
    if not inputs.is_scored:
        standing = tuple(e.registration_id for e in bidders if e.standing != Standing.STRUCK)
        return NeedsOwner(standing, is_choice=False) if standing else failed(inputs, "ranking_exhausted")
    lowest = min(bidder.price_fen or 0 for bidder in bidders)
    compared = [bidder for bidder in bidders if bidder.scores]
    totals = {bidder.uscc: total(bidder, inputs.terms.criteria, lowest) for bidder in compared}
    by_total: dict[int, list[Entrant]] = defaultdict(list)
    for bidder in compared:
        by_total[totals[bidder.uscc]].append(bidder)
    tied = level(by_total)
    lots = None
    if tied:
        needed = even(DrawPurpose.TIE, tied)
        lots = drawn(inputs, needed)
        if lots is None:
            return needed
    order = places(lots)
    ranking = sorted(compared, key=lambda bidder: (-totals[bidder.uscc], order.get(bidder.uscc, 0)))
    rows = []
    for bidder in ranking:
        points = totals[bidder.uscc]
        code = ReasonCode.TOTAL_BY_DRAW if len(by_total[points]) > 1 else ReasonCode.TOTAL
        rows.append((bidder, Reason(code, {"total": spelled(points)})))
    return conclude(inputs, rows, {}, lowest_fen=lowest, totals={code: spelled(t) for code, t in totals.items()})


def total(bidder: Entrant, criteria: tuple[Criterion, ...], lowest_fen: int) -> int:
    """The weighted sum of one bidder in ten-thousandths of a point; its scores stand in the order of the judged criteria."""
    scores = iter(bidder.scores)
    found = 0
    for criterion in criteria:
        found += criterion.weight * (
            price_points(bidder, lowest_fen) if criterion.is_price else next(scores).points * 100
        )
    return found


def price_points(bidder: Entrant, lowest_fen: int) -> int:
    """Hundredths of a point for the price: 10,000 for the lowest valid quote, rounded down."""
    assert bidder.price_fen, "only opened, valid quotes are compared"
    return lowest_fen * 10_000 // bidder.price_fen


def spelled(points: int) -> str:
    """A total as it is shown: points with four decimals, exact."""
    return f"{points // 10_000}.{points % 10_000:04d}"
