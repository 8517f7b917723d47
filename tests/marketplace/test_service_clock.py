"""The working-day clock against a day-by-day count and against dates worked out by hand."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.calendar import WorkCalendar
from marketplace.rules.service_clock import Light, Pause, ServiceClock, light_of, read_clock

MONDAY = date(2026, 6, 1)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ListedCalendar:
    """Monday to Friday, minus `off`, plus `extra`: a calendar small enough to check by eye."""

    off: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        return day in self.extra or (day.weekday() < 5 and day not in self.off)

    def add_working_days(self, start: date, days: int) -> date:
        day = start
        while days > 0:
            day += ONE_DAY
            days -= self.is_working_day(day)
        return day

    def count_working_days(self, start: date, end: date) -> int:
        days = (start + ONE_DAY * n for n in range(1, (end - start).days + 1))
        return sum(self.is_working_day(day) for day in days)


PLAIN = ListedCalendar()
# The Dragon Boat holiday of 2026: Friday 19 June off, no make-up day.
DRAGON_BOAT = ListedCalendar(off=frozenset({date(2026, 6, 19)}))

offsets = st.integers(0, 60)


@st.composite
def calendars(draw: st.DrawFn) -> ListedCalendar:
    days = st.dates(MONDAY, MONDAY + timedelta(days=120))
    return ListedCalendar(
        off=frozenset(draw(st.sets(days, max_size=20))), extra=frozenset(draw(st.sets(days, max_size=6)))
    )


@st.composite
def pauses(draw: st.DrawFn) -> Pause:
    start = MONDAY + timedelta(days=draw(offsets))
    return Pause(start, draw(st.none() | st.integers(0, 20).map(lambda length: start + timedelta(days=length))))


@st.composite
def clocks(draw: st.DrawFn) -> ServiceClock:
    return ServiceClock(
        limit_wd=draw(st.integers(1, 30)),
        starts_on=MONDAY + timedelta(days=draw(st.integers(0, 10))),
        pauses=tuple(draw(st.lists(pauses(), max_size=4))),
        stopped_on=draw(st.none() | offsets.map(lambda n: MONDAY + timedelta(days=10 + n))),
    )


def counted_by_hand(clock: ServiceClock, calendar: ListedCalendar, today: date) -> tuple[int, int]:
    """(used, paused) by looking at each single day: slow, and nothing like the code under test."""
    used = paused = 0
    day = clock.starts_on + ONE_DAY
    while day <= min(today, clock.stopped_on or today):
        if calendar.is_working_day(day):
            off = any(pause.starts_on < day <= (pause.ends_on or date.max) for pause in clock.pauses)
            used, paused = used + (not off), paused + off
        day += ONE_DAY
    return used, paused


def test_the_day_of_the_start_does_not_count() -> None:
    clock = ServiceClock(limit_wd=5, starts_on=MONDAY)
    assert read_clock(clock, PLAIN, MONDAY).used_wd == 0
    assert read_clock(clock, PLAIN, date(2026, 6, 2)).used_wd == 1
    assert read_clock(clock, PLAIN, MONDAY).planned_finish == date(2026, 6, 8)


def test_a_pause_moves_the_finish_by_its_working_days() -> None:
    clock = ServiceClock(10, MONDAY, (Pause(date(2026, 6, 3), date(2026, 6, 9)),))
    reading = read_clock(clock, PLAIN, date(2026, 6, 10))
    assert (reading.used_wd, reading.paused_wd, reading.remaining_wd) == (3, 4, 7)
    assert reading.planned_finish == date(2026, 6, 19)
    assert read_clock(clock, DRAGON_BOAT, date(2026, 6, 10)).planned_finish == date(2026, 6, 22)


def test_an_open_pause_holds_the_count_and_carries_the_finish_along() -> None:
    clock = ServiceClock(5, MONDAY, (Pause(date(2026, 6, 2)),))
    first, second = (read_clock(clock, PLAIN, day) for day in (date(2026, 6, 3), date(2026, 6, 4)))
    assert (first.used_wd, second.used_wd) == (1, 1)
    assert (first.planned_finish, second.planned_finish) == (date(2026, 6, 9), date(2026, 6, 10))
    assert first.is_paused


def test_a_stopped_clock_stays_where_it_is() -> None:
    clock = ServiceClock(5, MONDAY, stopped_on=date(2026, 6, 4))
    reading = read_clock(clock, PLAIN, date(2026, 12, 1))
    assert (reading.used_wd, reading.remaining_wd, reading.is_stopped, reading.is_overdue) == (3, 2, True, False)


def test_the_last_day_is_still_in_time_and_the_next_is_one_day_late() -> None:
    clock = ServiceClock(5, MONDAY)
    last, next_day = read_clock(clock, PLAIN, date(2026, 6, 8)), read_clock(clock, PLAIN, date(2026, 6, 9))
    assert (last.is_overdue, last.light, last.remaining_wd) == (False, Light.YELLOW, 0)
    assert (next_day.is_overdue, next_day.light, next_day.late_wd) == (True, Light.RED, 1)


def test_two_pauses_over_the_same_days_count_once() -> None:
    overlapping = (Pause(date(2026, 6, 2), date(2026, 6, 5)), Pause(date(2026, 6, 3), date(2026, 6, 9)))
    joined = (Pause(date(2026, 6, 2), date(2026, 6, 9)),)
    day = date(2026, 6, 15)
    assert read_clock(ServiceClock(9, MONDAY, overlapping), PLAIN, day) == read_clock(
        ServiceClock(9, MONDAY, joined), PLAIN, day
    )


@pytest.mark.parametrize(
    ("remaining", "light"),
    [
        (20, Light.GREEN),
        (11, Light.GREEN),
        (10, Light.LIME),
        (7, Light.LIME),
        (6, Light.YELLOW),
        (0, Light.YELLOW),
        (-1, Light.RED),
    ],
)
def test_light_of_a_limit_of_twenty_days(remaining: int, light: Light) -> None:
    assert light_of(remaining, 20) is light


def test_impossible_clocks_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one working day"):
        ServiceClock(0, MONDAY)
    with pytest.raises(ValueError, match="cannot end before"):
        Pause(MONDAY, MONDAY - ONE_DAY)


@given(clocks(), calendars(), offsets)
def test_used_and_paused_are_what_a_count_of_each_day_gives(
    clock: ServiceClock, calendar: ListedCalendar, offset: int
) -> None:
    today = MONDAY + timedelta(days=offset)
    reading = read_clock(clock, calendar, today)
    assert (reading.used_wd, reading.paused_wd) == counted_by_hand(clock, calendar, today)
    assert reading.used_wd + reading.remaining_wd == clock.limit_wd


@given(clocks(), calendars())
def test_the_planned_finish_is_the_day_the_limit_is_used_up(clock: ServiceClock, calendar: ListedCalendar) -> None:
    running = replace(clock, stopped_on=None, pauses=tuple(p for p in clock.pauses if p.ends_on is not None))
    finish = read_clock(running, calendar, running.starts_on).planned_finish
    assert finish is not None
    assert calendar.is_working_day(finish)
    assert read_clock(running, calendar, finish).remaining_wd == 0
    assert read_clock(running, calendar, finish - ONE_DAY).remaining_wd == 1
    beyond = calendar.add_working_days(max([finish, *(p.ends_on for p in running.pauses if p.ends_on)]), 1)
    assert read_clock(running, calendar, beyond).is_overdue


@given(clocks(), calendars(), st.randoms(use_true_random=False))
def test_the_order_of_the_pauses_does_not_matter(clock: ServiceClock, calendar: ListedCalendar, random: object) -> None:
    shuffled = list(clock.pauses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    today = MONDAY + timedelta(days=30)
    assert read_clock(replace(clock, pauses=tuple(shuffled)), calendar, today) == read_clock(clock, calendar, today)


@given(clocks(), calendars(), offsets)
def test_a_day_later_never_uses_less_and_at_most_one_more(
    clock: ServiceClock, calendar: ListedCalendar, offset: int
) -> None:
    today = MONDAY + timedelta(days=offset)
    before, after = read_clock(clock, calendar, today), read_clock(clock, calendar, today + ONE_DAY)
    assert 0 <= after.used_wd - before.used_wd <= 1
    assert after.planned_finish is not None
    assert before.planned_finish is not None
    assert after.planned_finish >= before.planned_finish


CHINA = WorkCalendar()


def test_the_golden_week_of_2026_and_its_make_up_days() -> None:
    # 25-27 September is Mid-Autumn, 1-7 October National Day; 20 September and 10 October are worked.
    signed = ServiceClock(5, date(2026, 9, 24))
    assert read_clock(signed, CHINA, date(2026, 9, 24)).planned_finish == date(2026, 10, 9)
    assert read_clock(ServiceClock(5, date(2026, 9, 30)), CHINA, date(2026, 9, 30)).planned_finish == date(2026, 10, 13)
    assert read_clock(ServiceClock(1, date(2026, 2, 13)), CHINA, date(2026, 2, 13)).planned_finish == date(2026, 2, 14)


def test_a_pause_over_the_golden_week_takes_out_only_its_working_days() -> None:
    clock = ServiceClock(5, date(2026, 9, 24), (Pause(date(2026, 9, 28), date(2026, 10, 8)),))
    reading = read_clock(clock, CHINA, date(2026, 10, 9))
    # used: 28 September, 9 October; paused: 29, 30 September and 8 October
    assert (reading.used_wd, reading.paused_wd, reading.remaining_wd) == (2, 3, 3)
    assert reading.planned_finish == date(2026, 10, 13)  # 10 (make-up Saturday), 12, 13 October


def test_a_finish_in_a_year_without_a_calendar_is_pending_and_the_count_goes_on() -> None:
    reading = read_clock(ServiceClock(5, date(2026, 12, 30)), CHINA, date(2026, 12, 31))
    assert (reading.used_wd, reading.remaining_wd, reading.planned_finish) == (1, 4, None)
