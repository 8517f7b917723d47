"""What is published about selections rests on what the winners really get, and one page costs a fixed number of statements."""

from __future__ import annotations

from flask import Flask

from marketplace.queries.fairness import abnormally_low, near_identical_quotes
from marketplace.queries.statistics import statistics
from tests.marketplace.procurement_builders import Clock, Story
from tests.marketplace.quotes.builders import a_bidding, opened, quoted, waiting


def bid(clock_at: Clock, *prices: str) -> Story:
    bidding = a_bidding(clock_at, len(prices))
    opened(waiting(quoted(bidding, *prices)))
    return bidding.story


def test_the_winning_quote_is_counted_not_the_ceiling(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "170000.00", "90000.00", "160000.00")
    ceiling = story.procurement.ceiling_fen
    assert ceiling is not None
    found = statistics()
    assert (found.notices, found.results, found.amount_fen) == (1, 1, 9_000_000)
    assert found.price_reduction == 1000 - 1000 * 9_000_000 // ceiling
    assert found.registrants == 3


def test_a_result_far_below_its_ceiling_is_shown_to_the_supervision(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "170000.00", "90000.00", "160000.00")
    (low,) = abnormally_low()
    assert (low.procurement_id, low.price_fen) == (story.id, 9_000_000)
    assert near_identical_quotes() == ()


def test_quotes_that_nearly_agree_are_shown(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "170000.00", "169990.00", "150000.00")
    (pair,) = near_identical_quotes()
    assert (pair.procurement_id, pair.lower_fen, pair.higher_fen) == (story.id, 16_999_000, 17_000_000)
    assert abnormally_low() == ()
