"""The working-day clock of a service: limit, used, paused, remaining, planned finish.

All periods are half open the way the Civil Code counts them (arts. 201 and 203): the day of an event does not
count, the last day does. So a clock started on Monday has used one day at the end of Tuesday; a pause asked for
on Wednesday and ended on Friday takes Thursday and Friday out of the count.

Nothing here asks the time or knows a holiday: today and the calendar are arguments.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from app.kernel.calendar import UnknownYear


class WorkCalendar(Protocol):
    """The working days of one jurisdiction. Every method raises UnknownYear about a year it does not know."""

    def is_working_day(self, day: date, /) -> bool:
        """Whether people work on that day (make-up Saturdays and Sundays included)."""

    def add_working_days(self, day: date, count: int, /) -> date:
        """The day on which a period of `count` working days ends; `day` itself does not count."""

    def count_working_days(self, after: date, until: date, /) -> int:
        """How many working days lie after `after`, up to and including `until`."""


class Light(StrEnum):
    """The traffic light of a running period (BUSINESS-RULES 2.9 rule 6)."""

    GREEN = "green"  # more than half of the limit is left
    LIME = "lime"  # between the two thresholds: nothing to worry about yet
    YELLOW = "yellow"  # 30 % or less is left
    RED = "red"  # the limit has passed


GREEN_ABOVE_PERCENT = 50
YELLOW_UPTO_PERCENT = 30


@dataclass(frozen=True)
class Pause:
    """Days that do not count: those after `starts_on`, up to and including `ends_on` (None: it still lasts)."""

    starts_on: date
    ends_on: date | None = None

    def __post_init__(self) -> None:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            message = "a pause cannot end before it starts"
            raise ValueError(message)


@dataclass(frozen=True)
class ServiceClock:
    """What a clock is made of. `starts_on` is the day of the event that started it; limits are working days."""

    limit_wd: int
    starts_on: date
    pauses: tuple[Pause, ...] = ()
    stopped_on: date | None = None  # the day the deliverable (or the decision) came

    def __post_init__(self) -> None:
        if self.limit_wd < 1:
            message = "a time limit is at least one working day"
            raise ValueError(message)


@dataclass(frozen=True)
class ClockReading:
    """What the clock shows on one day. All numbers are working days."""

    limit_wd: int
    used_wd: int
    paused_wd: int
    remaining_wd: int  # negative: so many days late
    starts_on: date
    planned_finish: date | None  # None: it lies in a year whose holidays nobody has announced yet
    is_paused: bool  # the planned finish then moves on with every working day
    is_stopped: bool
    light: Light

    @property
    def is_overdue(self) -> bool:
        """Whether more days were used than the limit allows."""
        return self.remaining_wd < 0

    @property
    def late_wd(self) -> int:
        """Working days beyond the limit, 0 when in time."""
        return max(0, -self.remaining_wd)


def read_clock(clock: ServiceClock, calendar: WorkCalendar, today: date) -> ClockReading:
    """Read the clock on a day. A finish in a year nobody has announced yet is None: it is shown as pending, not guessed."""
    until = today if clock.stopped_on is None else min(today, clock.stopped_on)
    spans = tuple(_merged(clock.pauses, open_until=max(until, clock.starts_on)))
    paused = _paused_days(spans, calendar, clock.starts_on, until)
    used = calendar.count_working_days(clock.starts_on, max(until, clock.starts_on)) - paused
    remaining = clock.limit_wd - used
    return ClockReading(
        limit_wd=clock.limit_wd,
        used_wd=used,
        paused_wd=paused,
        remaining_wd=remaining,
        starts_on=clock.starts_on,
        planned_finish=_finish(clock, spans, calendar),
        is_paused=clock.stopped_on is None and any(pause.ends_on is None for pause in clock.pauses),
        is_stopped=clock.stopped_on is not None,
        light=light_of(remaining, clock.limit_wd),
    )


def light_of(remaining_wd: int, limit_wd: int) -> Light:
    """Green above 50 % left, yellow at 30 % and below, red once overdue, lime between."""
    if remaining_wd < 0:
        return Light.RED
    if remaining_wd * 100 <= limit_wd * YELLOW_UPTO_PERCENT:
        return Light.YELLOW
    if remaining_wd * 100 <= limit_wd * GREEN_ABOVE_PERCENT:
        return Light.LIME
    return Light.GREEN


def _merged(pauses: Iterable[Pause], open_until: date) -> Iterator[tuple[date, date]]:
    """Overlapping and touching pauses as one span, so that no day is taken out twice."""
    spans = sorted((pause.starts_on, pause.ends_on or max(pause.starts_on, open_until)) for pause in pauses)
    current: tuple[date, date] | None = None
    for start, end in spans:
        if current is not None and start <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


def _paused_days(spans: tuple[tuple[date, date], ...], calendar: WorkCalendar, start: date, until: date) -> int:
    return sum(
        calendar.count_working_days(max(begin, start), min(end, until))
        for begin, end in spans
        if max(begin, start) < min(end, until)
    )


def _finish(clock: ServiceClock, spans: tuple[tuple[date, date], ...], calendar: WorkCalendar) -> date | None:
    try:
        return _last_day(clock, spans, calendar)
    except UnknownYear:
        return None


def _last_day(clock: ServiceClock, spans: tuple[tuple[date, date], ...], calendar: WorkCalendar) -> date:
    """Push the finish on until it leaves room for every paused day before it (never moves back, so it ends)."""
    finish = calendar.add_working_days(clock.starts_on, clock.limit_wd)
    while True:
        paused = _paused_days(spans, calendar, clock.starts_on, finish)
        moved = calendar.add_working_days(clock.starts_on, clock.limit_wd + paused)
        if moved == finish:
            return finish
        finish = moved
