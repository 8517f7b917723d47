"""The announced rounds lie in the future of every freeze, and a value counts when two persons read the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.calendar import UnknownYear, WorkCalendar, beijing_date
from marketplace.rulebook import DEFAULT_RULE_BOOK
from marketplace.rules import draw
from marketplace.rules.selection.random_draw import agreed_value, announced_sources, counting_round

CALENDAR = WorkCalendar()
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 25), timezones=st.just(UTC)).map(
    lambda m: m.replace(microsecond=0)
)


@given(frozen_at=moments, minutes=st.integers(0, 180), name=st.sampled_from([draw.DEMO, draw.DRAND]))
def test_a_source_is_unknown_for_at_least_ten_minutes_after_the_freeze(
    frozen_at: datetime, minutes: int, name: str
) -> None:
    book = replace(DEFAULT_RULE_BOOK, draw_challenge_minutes=minutes)
    known = draw.published_at(counting_round(name, frozen_at, book, CALENDAR))
    assert known is not None
    assert known - frozen_at >= timedelta(seconds=600)
    assert known - frozen_at >= timedelta(minutes=minutes)


@given(frozen_at=moments)
def test_quicknet_counts_at_ten_of_the_next_working_day(frozen_at: datetime) -> None:
    source = counting_round(draw.DRAND, frozen_at, DEFAULT_RULE_BOOK, CALENDAR)
    known = draw.published_at(source)
    assert known is not None
    day = CALENDAR.next_working_day(beijing_date(frozen_at))
    ten = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    assert ten <= known < ten + timedelta(seconds=3)


def test_the_next_working_day_knows_holidays_and_made_up_days() -> None:
    eve = datetime(2026, 9, 30, 9, tzinfo=UTC)  # before National Day 2026
    known = draw.published_at(counting_round(draw.DRAND, eve, DEFAULT_RULE_BOOK, CALENDAR))
    assert known is not None
    assert known.date() == datetime(2026, 10, 8, tzinfo=UTC).date()
    with pytest.raises(UnknownYear):
        counting_round(draw.DRAND, datetime(2026, 12, 31, 12, tzinfo=UTC), DEFAULT_RULE_BOOK, CALENDAR)


def test_a_source_without_a_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="no announced rule"):
        counting_round(draw.KUAILE8, datetime(2026, 3, 2, tzinfo=UTC), DEFAULT_RULE_BOOK, CALENDAR)


def test_a_demonstration_announces_only_its_own_beacon() -> None:
    assert announced_sources(demonstration=True) == (draw.DEMO,)
    assert announced_sources(demonstration=False) == (draw.DRAND,)


ANNA, BELA, CARL = uuid4(), uuid4(), uuid4()


@pytest.mark.parametrize(
    ("readings", "agreed"),
    [
        ([], None),
        ([(ANNA, "a")], None),
        ([(ANNA, "a"), (ANNA, "a")], None),
        ([(ANNA, "a"), (BELA, "b")], None),
        ([(ANNA, "a"), (BELA, "a")], "a"),
        ([(ANNA, "a"), (BELA, "b"), (ANNA, "b")], "b"),
        ([(ANNA, "a"), (BELA, "b"), (CARL, "b")], "b"),
        ([(ANNA, "a"), (ANNA, "b"), (BELA, "a")], None),
    ],
)
def test_two_persons_agree_by_their_latest_readings(readings: list, agreed: str | None) -> None:
    assert agreed_value(draw.DRAND, readings) == agreed


def test_the_demonstration_needs_no_second_person() -> None:
    assert agreed_value(draw.DEMO, [(None, "a")]) == "a"
