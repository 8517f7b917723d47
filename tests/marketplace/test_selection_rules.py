"""Every selection method as a pure function: properties, hand-made tables, weights."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.rulebook import DEFAULT_RULE_BOOK as BOOK
from marketplace.rules import draw as gmdraw
from marketplace.rules.draw import DEMO, DrawList, Entry, Source
from marketplace.rules.selection import bid_ref, merit_credit, merit_plan
from marketplace.rules.selection.bid_low import effective_quote
from marketplace.rules.selection.direct import allowed_grounds
from marketplace.rules.selection.engine import next_step, replayed
from marketplace.rules.selection.lots import base_percent
from marketplace.rules.selection.methods import DrawPurpose, Method
from marketplace.rules.selection.outcome import (
    REASON_TEXTS,
    Choice,
    DrawFiles,
    Entrant,
    Inputs,
    NeedsDraw,
    NeedsOwner,
    Outcome,
    ReasonCode,
    Score,
    Standing,
    Step,
)
from marketplace.rules.selection.quotes import OpenedQuote
from marketplace.rules.selection.terms import Criterion, DirectGround, MethodTerms
from tests.marketplace.procurement_builders import uscc

FROZEN = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
CODES = [uscc(number) for number in range(1, 31)]
CRITERIA = (Criterion("价格", 30, is_price=True), Criterion("服务方案", 50), Criterion("人员", 20))
TERMS = {
    Method.RANDOM: MethodTerms(),
    Method.BID_LOW: MethodTerms(),
    Method.BID_REF: MethodTerms(),
    Method.MERIT_CREDIT: MethodTerms(big_list=4, small_list=2),
    Method.MERIT_PLAN: MethodTerms(criteria=CRITERIA),
    Method.COMBINED: MethodTerms(small_list=3),
}


def registration(number: int) -> UUID:
    return UUID(int=number + 1)


def inputs_of(method: Method, entrants: list[Entrant], **changes: Any) -> Inputs:
    facts: dict[str, Any] = {"fund_source": "fiscal", "seats": 1, "ceiling_fen": 100_000, "terms": TERMS[method]}
    return Inputs(method=method, entrants=tuple(entrants), **{**facts, **changes})


def draw_for(inputs: Inputs, step: NeedsDraw, value: int = 0) -> DrawFiles:
    """The completed demonstration draw that a step asks for; `value` chooses the public value."""
    codes = {entrant.registration_id: entrant.uscc for entrant in inputs.entrants}
    entries = tuple(Entry(codes[who], weight) for who, weight in step.tickets.items())
    source = Source(DEMO, str(int(FROZEN.timestamp()) + 600))
    frozen = DrawList("CG-TEST-1", step.seats, FROZEN, (source,), entries)
    text = gmdraw.write_draw(frozen)
    beacon = gmdraw.write_beacons(gmdraw.parse_draw(text, demonstration=True), [sha256(b"%d" % value).hexdigest()])
    return DrawFiles(text.decode(), beacon.decode(), is_demonstration=True)


def decide(inputs: Inputs, value: int = 0) -> Outcome:
    """Walk a selection to its outcome: draws by a fixed public value, owners who score 80 and choose the first of the list."""
    for _ in range(4):
        step: Step = next_step(inputs, BOOK)
        if isinstance(step, Outcome):
            return step
        if isinstance(step, NeedsDraw):
            inputs = replace(inputs, draw=draw_for(inputs, step, value))
        elif step.is_choice:
            inputs = replace(inputs, choice=Choice(step.candidates[0], "信用最好"))
        else:
            judged = len([c for c in inputs.terms.criteria if not c.is_price])
            scored = tuple(
                replace(e, scores=tuple(Score(80, "合理") for _ in range(judged)))
                if e.registration_id in step.candidates
                else e
                for e in inputs.entrants
            )
            inputs = replace(inputs, entrants=scored, is_scored=True)
    raise AssertionError("a selection must end")


@st.composite
def selections(draw: st.DrawFn) -> Inputs:
    """Any method with 3 to 9 participants of any standing, with prices that are often equal."""
    method = draw(st.sampled_from(list(TERMS)))
    count = draw(st.integers(3, 9))
    standings = [
        Standing.LISTED,
        Standing.LISTED,
        Standing.LISTED,
        Standing.STRUCK,
        Standing.INELIGIBLE,
        Standing.AVOIDED,
    ]
    entrants = []
    for number in range(count):
        standing = draw(st.sampled_from(standings)) if number >= 3 else Standing.LISTED
        on_list = standing in {Standing.LISTED, Standing.STRUCK}
        price = draw(st.integers(1, 8)) * 1000 if on_list and (number < 3 or draw(st.booleans())) else None
        fault = "too high" if price is not None and number >= 3 and draw(st.integers(0, 5)) == 0 else None
        entrants.append(
            Entrant(
                registration(number),
                CODES[number],
                standing=standing,
                price_fen=price,
                invalid_because=fault,
                points=draw(st.integers(0, 100)) if on_list else None,
            )
        )
    return inputs_of(method, entrants)


@settings(max_examples=200, deadline=None)
@given(inputs=selections(), value=st.integers(0, 1000), seed=st.integers(0, 1000))
def test_the_order_of_the_input_changes_nothing(inputs: Inputs, value: int, seed: int) -> None:
    shuffled = list(inputs.entrants)
    random.Random(seed).shuffle(shuffled)
    assert decide(replace(inputs, entrants=tuple(shuffled)), value).to_json() == decide(inputs, value).to_json()


@settings(max_examples=300, deadline=None)
@given(inputs=selections(), value=st.integers(0, 1000))
def test_one_seat_everybody_a_reason_and_only_who_may_win(inputs: Inputs, value: int) -> None:
    outcome = decide(inputs, value)
    assert len(outcome.winners) == inputs.seats
    known = {entrant.registration_id: entrant for entrant in inputs.entrants}
    assert sorted(row.registration_id for row in outcome.placings) == sorted(known)
    assert all(row.reason.code in REASON_TEXTS for row in outcome.placings)
    winner = known[outcome.winners[0]]
    assert winner.standing == Standing.LISTED
    if inputs.method in {Method.BID_LOW, Method.BID_REF, Method.MERIT_PLAN, Method.COMBINED}:
        assert winner.has_valid_quote
    placed = [row for row in outcome.placings if row.place is not None]
    assert [row.place for row in placed] == list(range(1, len(placed) + 1))
    assert all(known[row.registration_id].standing in {Standing.LISTED, Standing.STRUCK} for row in placed)
    for row in outcome.placings:
        assert row.reason.text % {name: str(fact) for name, fact in row.reason.facts.items()}


@settings(max_examples=200, deadline=None)
@given(inputs=selections(), value=st.integers(0, 1000), data=st.data())
def test_who_drops_out_changes_nothing_for_the_others(inputs: Inputs, value: int, data: st.DataObject) -> None:
    """Dropping out comes after the list is frozen and the owner has decided: the entry is skipped."""
    final: list[Inputs] = []
    before = decide_and_keep(inputs, value, final)
    gone = data.draw(st.sampled_from([row.registration_id for row in before.placings if row.place is not None]))
    struck = tuple(replace(e, standing=Standing.STRUCK) if e.registration_id == gone else e for e in final[0].entrants)
    after = next_step(replace(final[0], entrants=struck), BOOK)
    assert isinstance(after, Outcome)
    order = [(row.registration_id, row.place) for row in before.placings if row.registration_id != gone]
    assert [(row.registration_id, row.place) for row in after.placings if row.registration_id != gone] == order
    assert gone not in after.winners


def decide_and_keep(inputs: Inputs, value: int, final: list[Inputs]) -> Outcome:
    while True:
        step = next_step(inputs, BOOK)
        if isinstance(step, Outcome):
            final.append(inputs)
            return step
        if isinstance(step, NeedsDraw):
            inputs = replace(inputs, draw=draw_for(inputs, step, value))
        elif step.is_choice:
            inputs = replace(inputs, choice=Choice(step.candidates[-1], "理由"))
        else:
            scored = tuple(
                replace(e, scores=(Score(70 + i % 3, "好"), Score(60, "好")))
                if e.registration_id in step.candidates
                else e
                for i, e in enumerate(inputs.entrants)
            )
            inputs = replace(inputs, entrants=scored, is_scored=True)


@settings(max_examples=100, deadline=None)
@given(inputs=selections(), value=st.integers(0, 1000))
def test_a_stored_result_replays_to_the_same_bytes(inputs: Inputs, value: int) -> None:
    final: list[Inputs] = []
    outcome = decide_and_keep(inputs, value, final)
    stored = final[0].to_json()
    assert Inputs.from_json(stored).to_json() == stored
    assert replayed(stored, BOOK) == outcome.to_json()


def bidders(*prices: int) -> list[Entrant]:
    return [Entrant(registration(n), CODES[n], price_fen=price) for n, price in enumerate(prices)]


# --- BID_LOW ----------------------------------------------------------------------------------------------------


def test_the_lowest_wins_without_a_draw() -> None:
    outcome = next_step(inputs_of(Method.BID_LOW, bidders(9000, 7000, 8000)), BOOK)
    assert isinstance(outcome, Outcome)
    assert [(row.uscc, row.reason.code) for row in outcome.placings] == [
        (CODES[1], ReasonCode.LOWEST),
        (CODES[2], ReasonCode.HIGHER_PRICE),
        (CODES[0], ReasonCode.HIGHER_PRICE),
    ]
    assert outcome.placings[2].reason.facts == {"price_fen": 9000, "more_fen": 2000}


def test_level_quotes_are_drawn_and_nobody_else_is() -> None:
    inputs = inputs_of(Method.BID_LOW, bidders(7000, 7000, 8000, 9000))
    step = next_step(inputs, BOOK)
    assert isinstance(step, NeedsDraw)
    assert (step.purpose, set(step.tickets)) == (DrawPurpose.TIE, {registration(0), registration(1)})
    winners = {decide(inputs, value).winners[0] for value in range(40)}
    assert winners == {registration(0), registration(1)}


@pytest.mark.parametrize(
    ("fund", "prices", "failure"), [("fiscal", (7000, 8000), "too_few_quotes"), ("social", (7000,), None)]
)
def test_public_money_needs_three_quotes(fund: str, prices: tuple[int, ...], failure: str | None) -> None:
    outcome = next_step(inputs_of(Method.BID_LOW, bidders(*prices), fund_source=fund), BOOK)
    assert isinstance(outcome, Outcome)
    assert outcome.failure == failure
    if failure:
        assert outcome.winners == ()
        assert {row.reason.code for row in outcome.placings} == {ReasonCode.FAILED}


def test_another_list_than_the_needed_one_is_no_draw() -> None:
    inputs = inputs_of(Method.BID_LOW, bidders(7000, 7000, 8000))
    step = next_step(inputs, BOOK)
    assert isinstance(step, NeedsDraw)
    more = replace(step, tickets={**step.tickets, registration(2): 1})
    with pytest.raises(ValueError, match="not the draw"):
        next_step(replace(inputs, draw=draw_for(inputs, more)), BOOK)


def quote(round_: int, price: int, fault: str | None = None) -> OpenedQuote:
    return OpenedQuote(registration(0), CODES[0], round_, price, FROZEN, fault)


def test_in_a_further_round_a_price_may_only_fall() -> None:
    def counting(*quotes: OpenedQuote) -> int | None:
        found = effective_quote(quotes)
        return found.price_fen if found else None

    assert counting() is None
    assert counting(quote(1, 9000), quote(2, 8000), quote(3, 8000)) == 8000
    assert counting(quote(1, 8000), quote(2, 9000)) == 8000
    assert counting(quote(2, 7000), quote(1, 8000)) == 7000
    assert counting(quote(1, 8000), quote(2, 100, "unreadable")) == 8000
    assert counting(quote(1, 99_000, "above"), quote(2, 8000)) == 8000
    found = effective_quote([quote(1, 99_000, "above")])
    assert found is not None
    assert not found.is_valid


# --- BID_REF: ten tables, worked by hand (yuan), against a plain computation of the same four steps ---------------

TABLES: list[tuple[list[str], int, str, int]] = [
    # quotes in yuan, base percentage, reference price, nearest (index, without ties)
    (["100.00", "90.00", "80.00"], 95, "85.50", 1),
    (["100.00", "90.00", "80.00"], 98, "88.20", 1),
    (["100.00", "98.00"], 96, "95.04", 1),
    (["120.00", "110.00", "100.00", "90.00"], 97, "101.85", 2),
    (["120.00", "110.00", "100.00", "90.00", "50.00"], 95, "89.30", 3),
    (["200.00", "100.00", "99.00", "98.00", "97.00", "10.00"], 98, "96.53", 4),
    (["200.00", "120.00", "110.00", "100.00", "95.00", "94.00", "10.00"], 95, "98.61", 3),
    (["100.01", "100.02", "100.03"], 95, "95.02", 0),
    (["1000.00", "900.00", "905.00", "910.00", "915.00", "920.00", "1.00"], 96, "873.60", 1),
    (["33.33", "33.34", "33.36"], 97, "32.34", 0),
]


def plain_reference(quotes: list[str], percent: int) -> tuple[str, int]:
    """The four steps once more with decimals and nothing of the product: reference price, index of the nearest."""
    from decimal import ROUND_HALF_UP, Decimal

    values = [Decimal(quote) for quote in quotes]
    kept = list(range(len(values)))
    if len(values) >= 6:
        kept.remove(max(kept, key=lambda n: values[n]))
        kept.remove(min(kept, key=lambda n: values[n]))
    average = sum(values[n] for n in kept) / len(kept)
    reference = (average * percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return str(reference), min(kept, key=lambda n: abs(values[n] - reference))


@pytest.mark.parametrize(("quotes", "percent", "expected", "nearest"), TABLES)
def test_reference_prices_of_ten_tables(quotes: list[str], percent: int, expected: str, nearest: int) -> None:
    fen = [int(quote.replace(".", "")) for quote in quotes]
    entrants = bidders(*fen)
    order = {entrant.uscc: n for n, entrant in enumerate(entrants, start=1)}
    found = bid_ref.reference(entrants, percent, order, drop_from=6)
    assert plain_reference(quotes, percent) == (expected, nearest)
    assert found.price_fen == int(expected.replace(".", ""))
    rest = [e for e in entrants if e not in (found.highest, found.lowest)]
    assert min(rest, key=lambda e: abs((e.price_fen or 0) - found.price_fen)) == entrants[nearest]


@settings(max_examples=200, deadline=None)
@given(prices=st.lists(st.integers(100, 10_000_000), min_size=3, max_size=15, unique=True), value=st.integers(0, 10**6))
def test_reference_selection_agrees_with_the_plain_computation(prices: list[int], value: int) -> None:
    outcome = decide(inputs_of(Method.BID_REF, bidders(*prices)), value)
    percent = outcome.facts["base_percent"]
    assert percent in BOOK.bidref_base_percent_set
    expected, nearest = plain_reference([f"{price // 100}.{price % 100:02d}" for price in prices], percent)
    assert outcome.facts["reference_fen"] == int(expected.replace(".", ""))
    if outcome.placings[0].reason.code == ReasonCode.NEAREST:
        assert outcome.winners == (registration(nearest),)


def test_extremes_are_removed_from_six_quotes_on_and_cannot_win() -> None:
    outcome = decide(inputs_of(Method.BID_REF, bidders(9000, 8000, 7900, 7800, 7700, 100)))
    reasons = {row.uscc: (row.place, row.reason.code) for row in outcome.placings}
    assert reasons[CODES[0]] == (None, ReasonCode.HIGHEST_REMOVED)
    assert reasons[CODES[5]] == (None, ReasonCode.LOWEST_REMOVED)
    assert sum(place is not None for place, _ in reasons.values()) == 4


def test_six_equal_quotes_lose_exactly_two_by_the_draw() -> None:
    outcome = decide(inputs_of(Method.BID_REF, bidders(*[8000] * 6)))
    removed = [row for row in outcome.placings if row.place is None]
    assert sorted(row.reason.code for row in removed) == [ReasonCode.HIGHEST_REMOVED, ReasonCode.LOWEST_REMOVED]


def test_a_single_private_quote_wins_without_a_reference() -> None:
    outcome = next_step(inputs_of(Method.BID_REF, bidders(8000), fund_source="social"), BOOK)
    assert isinstance(outcome, Outcome)
    assert outcome.placings[0].reason.code == ReasonCode.ONLY_QUOTE


def test_base_percentages_are_even() -> None:
    seen = Counter(base_percent(sha256(b"%d" % n).hexdigest(), (95, 96, 97, 98)) for n in range(8000))
    assert set(seen) == {95, 96, 97, 98}
    assert all(abs(count - 2000) < 180 for count in seen.values())  # four standard deviations are 155


# --- MERIT_CREDIT -----------------------------------------------------------------------------------------------


def rated(*points: int) -> list[Entrant]:
    return [Entrant(registration(n), CODES[n], points=value) for n, value in enumerate(points)]


def test_the_big_list_keeps_everybody_level_with_its_last() -> None:
    kept = merit_credit.big_list(rated(90, 80, 70, 70, 60), 3)
    assert [entrant.points for entrant in kept] == [90, 80, 70, 70]


def test_numbers_go_by_credit_and_the_shares_converge() -> None:
    inputs = inputs_of(Method.MERIT_CREDIT, rated(10, 20, 30, 40), terms=MethodTerms(big_list=4, small_list=1))
    step = next_step(inputs, BOOK)
    assert isinstance(step, NeedsDraw)
    assert list(step.tickets.values()) == [10, 20, 30, 40]
    trials = 3000
    first: Counter[UUID] = Counter()
    for value in range(trials):
        asked = next_step(replace(inputs, draw=draw_for(inputs, step, value)), BOOK)
        assert isinstance(asked, NeedsOwner)
        first[asked.candidates[0]] += 1
    for number, share in enumerate((0.1, 0.2, 0.3, 0.4)):
        assert abs(first[registration(number)] / trials - share) < 0.036  # four standard deviations at most


def test_nobody_is_without_a_number() -> None:
    assert [merit_credit.tickets_of(points) for points in (0, 1, 100)] == [1, 1, 100]


def test_the_chosen_comes_first_then_the_order_of_the_draw() -> None:
    inputs = inputs_of(Method.MERIT_CREDIT, rated(90, 80, 70, 60, 10))
    step = next_step(inputs, BOOK)
    assert isinstance(step, NeedsDraw)
    drawn = replace(inputs, draw=draw_for(inputs, step))
    asked = next_step(drawn, BOOK)
    assert isinstance(asked, NeedsOwner)
    assert len(asked.candidates) == 2
    outcome = next_step(replace(drawn, choice=Choice(asked.candidates[1], "专业更对口")), BOOK)
    assert isinstance(outcome, Outcome)
    assert outcome.winners == (asked.candidates[1],)
    codes = [row.reason.code for row in outcome.placings]
    assert codes == [
        ReasonCode.CHOSEN,
        ReasonCode.ON_SMALL_LIST,
        ReasonCode.NOT_ON_SMALL_LIST,
        ReasonCode.NOT_ON_SMALL_LIST,
        ReasonCode.BELOW_BIG_LIST,
    ]
    silent = next_step(replace(drawn, choice=Choice(None, "")), BOOK)
    assert isinstance(silent, Outcome)
    assert silent.winners == (asked.candidates[0],)
    assert silent.placings[0].reason.code == ReasonCode.NOT_CHOSEN_IN_TIME


# --- MERIT_PLAN -------------------------------------------------------------------------------------------------


def test_totals_are_exact_and_the_price_is_scored_by_the_machine() -> None:
    cheap = Entrant(registration(0), CODES[0], price_fen=8000, scores=(Score(60, "一般"), Score(70, "够用")))
    dear = Entrant(registration(1), CODES[1], price_fen=12_000, scores=(Score(95, "完整"), Score(90, "资深")))
    assert merit_plan.price_points(dear, 8000) == 6666
    assert merit_plan.spelled(merit_plan.total(cheap, CRITERIA, 8000)) == "74.0000"
    assert merit_plan.spelled(merit_plan.total(dear, CRITERIA, 8000)) == "85.4980"
    outcome = next_step(inputs_of(Method.MERIT_PLAN, [cheap, dear], is_scored=True), BOOK)
    assert isinstance(outcome, Outcome)
    assert outcome.winners == (registration(1),)


def test_equal_totals_are_drawn() -> None:
    scores = (Score(80, "好"), Score(80, "好"))
    level = [Entrant(registration(n), CODES[n], price_fen=8000, scores=scores) for n in range(2)]
    inputs = inputs_of(Method.MERIT_PLAN, level, is_scored=True)
    assert isinstance(next_step(inputs, BOOK), NeedsDraw)
    assert {decide(inputs, value).winners[0] for value in range(40)} == {registration(0), registration(1)}


# --- COMBINED and DIRECT ----------------------------------------------------------------------------------------


def test_the_shortlist_ends_at_a_price_and_its_level_quotes_stay() -> None:
    inputs = inputs_of(Method.COMBINED, bidders(7000, 7500, 8000, 8000, 9000))
    step = next_step(inputs, BOOK)
    assert isinstance(step, NeedsDraw)
    assert set(step.tickets) == {registration(n) for n in range(4)}
    outcome = decide(inputs)
    last = outcome.placings[-1]
    assert (last.uscc, last.place, last.reason.code) == (CODES[4], None, ReasonCode.NOT_SHORTLISTED)
    assert last.reason.facts["limit_fen"] == 8000


def test_grounds_of_a_direct_selection() -> None:
    def grounds(fund: str, price: int, failures: int) -> set[DirectGround]:
        return set(allowed_grounds(BOOK, fund_source=fund, price_fen=price, failures=failures))

    other = {DirectGround.EMERGENCY, DirectGround.CONTINUITY}
    assert grounds("fiscal", 50_000_00, 0) == other | {DirectGround.SMALL_AMOUNT}
    assert grounds("fiscal", 50_000_01, 0) == other
    assert grounds("mixed", 50_000_01, 2) == other | {DirectGround.AFTER_FAILURES}
    assert grounds("social", 900_000_00, 1) == {DirectGround.OWN_CHOICE}
