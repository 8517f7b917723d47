"""The statutory clock in both modes, the term for serving, and what may be demanded."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.calendar import WorkCalendar
from approvals.rules import (
    DemandProblem,
    ListedVersion,
    StatutoryClock,
    demand_problem,
    read_statutory_clock,
    serve_deadline,
)
from marketplace.rules.service_clock import Pause

CHINA = WorkCalendar()
HEARING = Pause(date(2026, 6, 3), date(2026, 6, 9))
CASE = StatutoryClock(limit_wd=10, starts_on=date(2026, 6, 1), special_procedures=(HEARING,))
DAY = timedelta(days=1)


def test_a_hearing_does_not_count_by_law() -> None:
    reading = read_statutory_clock(CASE, CHINA, date(2026, 6, 10))
    assert (reading.used_wd, reading.paused_wd, reading.planned_finish) == (3, 4, date(2026, 6, 22))


def test_where_the_promise_includes_it_a_hearing_counts() -> None:
    reading = read_statutory_clock(replace(CASE, special_procedures_count=True), CHINA, date(2026, 6, 10))
    assert (reading.used_wd, reading.paused_wd, reading.planned_finish) == (7, 0, date(2026, 6, 15))


def test_a_decision_stops_the_limit() -> None:
    decided = replace(CASE, decided_on=date(2026, 6, 12))
    assert read_statutory_clock(decided, CHINA, date(2026, 9, 1)).used_wd == 5


@pytest.mark.parametrize(
    ("decided_on", "last_day"),
    [
        (date(2026, 6, 8), date(2026, 6, 23)),  # over the Dragon Boat holiday
        (date(2026, 9, 24), date(2026, 10, 15)),  # over Mid-Autumn and National Day, with their make-up days
        (date(2026, 2, 13), date(2026, 3, 5)),  # over the Spring Festival; 14 and 28 February are worked
    ],
)
def test_the_result_is_served_within_ten_working_days(decided_on: date, last_day: date) -> None:
    assert serve_deadline(decided_on, CHINA) == last_day
    assert CHINA.count_working_days(decided_on, last_day) == 10


@given(
    start=st.integers(0, 60),
    length=st.integers(0, 30),
    limit=st.integers(1, 40),
    offset=st.integers(0, 120),
)
def test_the_lenient_mode_never_ends_earlier_than_the_strict_one(
    start: int, length: int, limit: int, offset: int
) -> None:
    accepted = date(2026, 3, 2)
    pause = Pause(accepted + DAY * start, accepted + DAY * (start + length))
    lawful = StatutoryClock(limit, accepted, (pause,))
    strict = replace(lawful, special_procedures_count=True)
    today = accepted + DAY * offset
    by_law, promised = read_statutory_clock(lawful, CHINA, today), read_statutory_clock(strict, CHINA, today)
    assert by_law.planned_finish is not None
    assert promised.planned_finish is not None
    assert by_law.planned_finish >= promised.planned_finish
    assert by_law.used_wd + by_law.paused_wd == promised.used_wd


IN_FORCE = ListedVersion(is_published=True, effective_from=date(2026, 1, 1), effective_to=date(2027, 1, 1))


@pytest.mark.parametrize(
    ("version", "on", "already", "problem"),
    [
        (IN_FORCE, date(2026, 1, 1), False, None),
        (IN_FORCE, date(2026, 12, 31), False, None),
        (IN_FORCE, date(2025, 12, 31), False, DemandProblem.NOT_YET_IN_FORCE),
        (IN_FORCE, date(2027, 1, 1), False, DemandProblem.NO_LONGER_IN_FORCE),
        (IN_FORCE, date(2026, 6, 1), True, DemandProblem.ALREADY_DEMANDED),
        (replace(IN_FORCE, is_on_list=False), date(2026, 6, 1), False, DemandProblem.CANCELLED),
        (replace(IN_FORCE, approvals=("PL-2", "PL-3")), date(2026, 6, 1), False, DemandProblem.OTHER_APPROVAL),
        (replace(IN_FORCE, approvals=("PL-2", "PL-1")), date(2026, 6, 1), False, None),
        (replace(IN_FORCE, is_published=False), date(2026, 6, 1), False, DemandProblem.NOT_PUBLISHED),
        (None, date(2026, 6, 1), False, DemandProblem.NOT_PUBLISHED),
    ],
)
def test_only_the_list_in_force_may_be_demanded(
    version: ListedVersion | None, on: date, already: bool, problem: DemandProblem | None
) -> None:
    assert demand_problem(version, on, "PL-1", already_demanded=already) is problem
