import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.calendar import (
    InvalidCalendar,
    UnknownYear,
    WorkCalendar,
    YearTable,
    beijing_date,
    provisional_year,
)

CALENDAR = WorkCalendar()
D = dt.date.fromisoformat


def days(text: str) -> set[dt.date]:
    """Dates and inclusive ranges as the State Council's notices print them: "2026-01-01..03 2026-01-04"."""
    found = set()
    for part in text.split():
        first, _, last = part.partition("..")
        start = D(first)
        end = D(last if len(last) == 10 else first[: -len(last)] + last) if last else start
        found |= {start + dt.timedelta(days=n) for n in range((end - start).days + 1)}
    return found


# The notices of the General Office of the State Council, typed from the notices themselves, not from a library.
OFF = days(
    "2024-01-01 2024-02-10..17 2024-04-04..06 2024-05-01..05 2024-06-10 2024-09-15..17 2024-10-01..07 "
    "2025-01-01 2025-01-28..2025-02-04 2025-04-04..06 2025-05-01..05 2025-05-31..2025-06-02 2025-10-01..08 "
    "2026-01-01..03 2026-02-15..23 2026-04-04..06 2026-05-01..05 2026-06-19..21 2026-09-25..27 2026-10-01..07"
)
MAKE_UP = days(
    "2024-02-04 2024-02-18 2024-04-07 2024-04-28 2024-05-11 2024-09-14 2024-09-29 2024-10-12 "
    "2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11 "
    "2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10"
)
TRUTH = {
    day: (day in MAKE_UP) or (day.weekday() < 5 and day not in OFF)
    for day in (D("2024-01-01") + dt.timedelta(days=n) for n in range(1096))
}


def test_every_one_of_1096_days() -> None:
    assert len(TRUTH) == 1096
    assert {day for day, worked in TRUTH.items() if CALENDAR.is_working_day(day) != worked} == set()


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_working_days_of_a_year(year, count) -> None:
    assert CALENDAR.count_working_days(dt.date(year - 1, 12, 31), dt.date(year, 12, 31)) == count


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-09-24", 5, "2026-10-09"),
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-09-30", 5, "2026-10-13"),
        ("2026-02-15", 0, "2026-02-24"),
    ],
)
def test_adds_working_days(start, count, end) -> None:
    assert CALENDAR.add_working_days(D(start), count) == D(end)


def test_refuses_a_year_nobody_published() -> None:
    with pytest.raises(UnknownYear) as refusal:
        CALENDAR.add_working_days(D("2026-12-30"), 5)
    assert refusal.value.year == 2027
    assert CALENDAR.add_working_days(D("2026-12-30"), 1) == D("2026-12-31")


def test_a_provisional_year_answers_and_says_so() -> None:
    calendar = WorkCalendar({2027: provisional_year(2027)})
    late = calendar.deadline(dt.datetime(2026, 12, 30, 2, tzinfo=dt.UTC), 5)
    assert (late.day, late.provisional) == (D("2027-01-07"), True)
    early = calendar.deadline(dt.datetime(2026, 12, 30, 2, tzinfo=dt.UTC), 1)
    assert (early.day, early.provisional) == (D("2026-12-31"), False)
    assert [calendar.is_working_day(D(day)) for day in ("2027-02-05", "2027-02-08", "2027-02-09", "2027-10-03")] == [
        False,
        False,
        True,
        False,
    ]
    assert not calendar.covers(D("2026-11-21"), 60)
    assert calendar.covers(D("2026-10-01"), 60)


def test_the_operators_table_comes_first() -> None:
    closed = YearTable(2026, frozenset({D("2026-11-23")}), frozenset({D("2026-11-22")}), notice="T-1")
    calendar = WorkCalendar({2026: closed})
    assert calendar.add_working_days(D("2026-11-20"), 2) == D("2026-11-24")


def test_a_deadline_is_the_end_of_the_beijing_day() -> None:
    deadline = CALENDAR.deadline(dt.datetime(2026, 9, 24, 15, 59, tzinfo=dt.UTC), 5)
    assert deadline.at == dt.datetime(2026, 10, 9, 15, 59, 59, tzinfo=dt.UTC)
    after_midnight_in_beijing = CALENDAR.deadline(dt.datetime(2026, 9, 23, 16, 0, tzinfo=dt.UTC), 5)
    assert after_midnight_in_beijing.day == D("2026-10-09")
    before_midnight_in_beijing = CALENDAR.deadline(dt.datetime(2026, 9, 23, 15, 59, 59, tzinfo=dt.UTC), 5)
    assert before_midnight_in_beijing.day == D("2026-10-08")


def test_today_is_a_beijing_date() -> None:
    assert beijing_date(dt.datetime(2025, 12, 31, 16, 0, 1, tzinfo=dt.UTC)) == D("2026-01-01")
    assert beijing_date(dt.datetime(2025, 12, 31, 15, 59, 59, tzinfo=dt.UTC)) == D("2025-12-31")
    with pytest.raises(ValueError, match="time zone"):
        beijing_date(dt.datetime(2026, 1, 1))


def test_next_and_previous() -> None:
    assert CALENDAR.next_working_day(D("2026-09-30")) == D("2026-10-08")
    assert CALENDAR.previous_working_day(D("2026-10-08")) == D("2026-09-30")
    assert CALENDAR.on_or_after(D("2026-10-10")) == D("2026-10-10")  # a Saturday that is worked
    with pytest.raises(ValueError, match="forward"):
        CALENDAR.add_working_days(D("2026-09-30"), -1)


@given(st.dates(D("2024-01-01"), D("2026-06-30")), st.integers(1, 100))
def test_adding_then_counting_is_identity(start, count) -> None:
    end = CALENDAR.add_working_days(start, count)
    assert CALENDAR.count_working_days(start, end) == count
    assert CALENDAR.is_working_day(end)
    assert CALENDAR.count_working_days(end, start) == -count


@given(st.dates(D("2024-01-02"), D("2026-12-30")))
def test_next_and_previous_are_inverse_on_working_days(day) -> None:
    if CALENDAR.is_working_day(day):
        assert CALENDAR.next_working_day(CALENDAR.previous_working_day(day)) == day


GOOD = {
    "year": 2027,
    "off": ["2027-01-01", "2027-02-06"],
    "working_weekends": ["2027-02-07"],
    "notice": "国办发明电〔2026〕1号",
}


def test_imports_a_file() -> None:
    table = YearTable.from_json(json.dumps(GOOD))
    assert (table.year, table.notice, table.provisional) == (2027, "国办发明电〔2026〕1号", False)
    assert table.is_working_day(D("2027-02-07"))
    assert table.working_days == 261 - 1 + 1


@pytest.mark.parametrize(
    "change",
    [
        {"off": ["2026-01-01"]},
        {"off": []},
        {"off": [f"2027-01-{day:02d}" for day in range(1, 32)] + [f"2027-03-{day:02d}" for day in range(1, 11)]},
        {"working_weekends": ["2027-02-08"]},
        {"working_weekends": ["2027-02-06"]},
        {"off": ["2027-02-30"]},
        {"off": [20270101]},
        {"year": "2027"},
        {"holidays": []},
    ],
)
def test_refuses_a_file_that_cannot_be_right(change) -> None:
    with pytest.raises(InvalidCalendar):
        YearTable.from_json(json.dumps(GOOD | change))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "not json"])
def test_refuses_what_is_no_calendar_file(text) -> None:
    with pytest.raises(InvalidCalendar):
        YearTable.from_json(text)
