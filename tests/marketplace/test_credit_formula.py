"""The credit formula: bounds, monotony, decay, smoothing, exact borders, and one score worked out by hand."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rulebook import DEFAULT_RULE_BOOK as BOOK
from marketplace.rules.credit import (
    Component,
    CreditFacts,
    DeductionFact,
    Grade,
    Rater,
    RatingFact,
    ServiceFact,
    UseFact,
    credit_score,
    decay,
    grade_of,
)

TODAY = date(2026, 11, 20)
AGES = st.integers(-5, 400)
IDS = st.uuids()


def day(age: int) -> date:
    return TODAY - timedelta(days=age)


ratings = st.builds(
    lambda age, i, rater, stars, default: RatingFact(day(age), f"contract:{i}", i, rater, stars, default),
    AGES,
    IDS,
    st.sampled_from(Rater),
    st.integers(100, 500),
    st.booleans(),
)
services = st.builds(
    lambda age, i, a, b: ServiceFact(day(age), f"contract:{i}", i, a, b), AGES, IDS, st.booleans(), st.booleans()
)
uses = st.builds(lambda age, i, a: UseFact(day(age), f"contract:{i}", i, a), AGES, IDS, st.booleans())
deductions = st.builds(
    lambda age, i, points: DeductionFact(day(age), f"measure:{i}", i, points), AGES, IDS, st.integers(1, 20)
)
facts = st.builds(
    CreditFacts,
    st.lists(ratings, max_size=6),
    st.lists(services, max_size=6),
    st.lists(uses, max_size=4),
    st.lists(deductions, max_size=4),
)


def score(given_facts: CreditFacts) -> int:
    return credit_score(given_facts, TODAY, BOOK).hundredths


def test_nothing_known_is_the_start() -> None:
    found = credit_score(CreditFacts(), TODAY, BOOK)
    assert (found.hundredths, found.grade, found.is_provisional) == (10000, Grade.A, True)


def test_worked_out_by_hand() -> None:
    """Every part of one agency's score, worked out on paper.

    Ratings: an owner's 4.60 today (92 points, weight 1), an owner's 3.00 of 73 days ago (60, 292/365 = 0.8), a department's
    5.00 today (100, 3/5), a default 5.00 today (100, 1/2). Mean (300 + 92 + 48 + 60 + 50) / (3 + 2.9) = 550 / 5.9 =
    93.2203; of 60 points 55.93. On time: one late today, (300 + 0) / 4 = 75 of 10 points: 7.50. Without rework: the same
    service was, 7.50. First pass: no use, 7.50. Conduct: 10 points of 73 days ago are 8 today: 15 - 8 = 7.00.
    """
    i = UUID(int=1)
    found = credit_score(
        CreditFacts(
            (
                RatingFact(TODAY, "", i, Rater.OWNER, 460),
                RatingFact(day(73), "", i, Rater.OWNER, 300),
                RatingFact(TODAY, "", i, Rater.DEPARTMENT, 500),
                RatingFact(TODAY, "", i, Rater.OWNER, 500, is_default=True),
            ),
            (ServiceFact(TODAY, "", i, on_time=False, without_rework=True),),
            (),
            (DeductionFact(day(73), "", i, 10),),
        ),
        TODAY,
        BOOK,
    )
    assert {c.component: c.points for c in found.components} == {
        Component.RATING: 5593,
        Component.ON_TIME: 750,
        Component.WITHOUT_REWORK: 750,
        Component.FIRST_PASS: 750,
        Component.CONDUCT: 700,
    }
    assert (found.hundredths, found.points, found.grade, found.is_provisional) == (8543, 85, Grade.B, False)


@pytest.mark.parametrize(
    ("hundredths", "grade"),
    [(10000, "A"), (9000, "A"), (8999, "B"), (8000, "B"), (7999, "C"), (6000, "C"), (5999, "D"), (0, "D")],
)
def test_borders(hundredths: int, grade: str) -> None:
    assert grade_of(hundredths, BOOK) == grade


@pytest.mark.parametrize(("age", "parts"), [(-1, 0), (0, 365), (1, 364), (364, 1), (365, 0), (366, 0)])
def test_decay(age: int, parts: int) -> None:
    assert decay(day(age), TODAY, BOOK) * 365 == parts


def test_few_ratings_are_smoothed() -> None:
    worst = RatingFact(TODAY, "", UUID(int=1), Rater.OWNER, 100)
    found = [credit_score(CreditFacts((worst,) * n), TODAY, BOOK) for n in (1, 3, 100)]
    # (300 + 20 n) / (3 + n) of 60 points: 80, 60 and 22.33 per cent
    assert [f.components[0].points for f in found] == [4800, 3600, 1339]
    assert [f.is_provisional for f in found] == [True, False, False]


@given(facts)
def test_bounds_and_the_sum_of_the_parts(given_facts: CreditFacts) -> None:
    found = credit_score(given_facts, TODAY, BOOK)
    assert 0 <= found.hundredths <= 10000
    assert found.hundredths == sum(c.points for c in found.components)
    assert all(0 <= c.points <= c.maximum for c in found.components)


@given(facts, ratings, st.integers(1, 400))
def test_a_better_rating_never_lowers_the_score(others: CreditFacts, rating: RatingFact, more: int) -> None:
    better = replace(rating, stars=min(500, rating.stars + more))
    assert score(replace(others, ratings=[*others.ratings, better])) >= score(
        replace(others, ratings=[*others.ratings, rating])
    )


@given(facts, services)
def test_a_better_service_never_lowers_the_score(others: CreditFacts, service: ServiceFact) -> None:
    better = replace(service, on_time=True, without_rework=True)
    assert score(replace(others, services=[*others.services, better])) >= score(
        replace(others, services=[*others.services, service])
    )


@given(facts, deductions)
def test_a_deduction_never_raises_the_score(others: CreditFacts, deduction: DeductionFact) -> None:
    assert score(replace(others, deductions=[*others.deductions, deduction])) <= score(others)


@given(facts, st.randoms())
def test_the_order_of_facts_changes_nothing(given_facts: CreditFacts, chance) -> None:  # type: ignore[no-untyped-def]
    mixed = CreditFacts(
        *(chance.sample(list(rows), len(rows)) for rows in (given_facts.ratings, given_facts.services)),
        *(chance.sample(list(rows), len(rows)) for rows in (given_facts.uses, given_facts.deductions)),
    )
    assert score(mixed) == score(given_facts)
