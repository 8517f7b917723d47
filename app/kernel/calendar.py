"""Working days of the People's Republic of China, as pure functions over a calendar that is handed in.

Order of truth for a year: the operator's table (the State Council's notice, entered and approved), then
`chinesecalendar`, else the year is unknown and UnknownYear is raised: a deadline is refused, never guessed.
A year whose notice is not out yet may be opened provisionally (`provisional_year`): weekends and the statutory
holidays, no exchanged days. Every deadline that touches such a year says so.

Civil Code art. 201: the day of the trigger does not count. Art. 203: a period that ends on a rest day ends on the
next working day, at the end of that day. Dates are Beijing dates (fixed UTC+8 since 1991; zone Asia/Shanghai).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import chinese_calendar
from chinese_calendar.constants import holidays as _library_off_days
from chinese_calendar.constants import workdays as _library_make_up_days

BEIJING: Final = ZoneInfo("Asia/Shanghai")
LIBRARY_YEARS: Final = frozenset(range(2004, max(day.year for day in _library_off_days) + 1))
MOST_OFF_DAYS: Final = 40
"""More off days than this in one notice is a typing error; the longest real list (2025) names 28."""


class UnknownYear(LookupError):
    """No published calendar covers this year, so no deadline that touches it can be computed."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the working-day calendar of {year} has not been published")
        self.year = year


class InvalidCalendar(ValueError):
    """The table of a year contradicts itself or cannot be right."""


@dataclass(frozen=True, slots=True)
class YearTable:
    """The notice of one year: days off (holidays and bridged days) and weekend days worked in exchange (调休).

    Raises InvalidCalendar for a day of another year, a "working weekend" that is no Saturday or Sunday, a day in both
    lists, no day off at all or more than MOST_OFF_DAYS.
    """

    year: int
    off: frozenset[dt.date]
    working_weekends: frozenset[dt.date]
    notice: str = ""
    provisional: bool = False

    def __post_init__(self) -> None:
        strangers = sorted(day for day in self.off | self.working_weekends if day.year != self.year)
        if strangers:
            raise InvalidCalendar(f"{strangers[0]} is not a day of {self.year}")
        weekdays = sorted(day for day in self.working_weekends if day.weekday() < 5)
        if weekdays:
            raise InvalidCalendar(f"{weekdays[0]} is no Saturday or Sunday, so it cannot be a working weekend day")
        both = sorted(self.off & self.working_weekends)
        if both:
            raise InvalidCalendar(f"{both[0]} is listed both as a day off and as a working day")
        if not 1 <= len(self.off) <= MOST_OFF_DAYS:
            raise InvalidCalendar(f"a year has between 1 and {MOST_OFF_DAYS} listed days off, not {len(self.off)}")

    def is_working_day(self, day: dt.date) -> bool:
        if day in self.off:
            return False
        return day.weekday() < 5 or day in self.working_weekends

    @property
    def working_days(self) -> int:
        """How many working days the year has: the figure to compare with the notice before approval."""
        first = dt.date(self.year, 1, 1)
        length = (dt.date(self.year + 1, 1, 1) - first).days
        return sum(self.is_working_day(first + dt.timedelta(days=n)) for n in range(length))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an import file: {"year": 2027, "off": ["2027-01-01", ...], "working_weekends": [...], "notice": "..."}.

        Raises InvalidCalendar for anything else.
        """
        try:
            document: Mapping[str, Any] = json.loads(text)
            unknown = set(document) - {"year", "off", "working_weekends", "notice"}
            if unknown or type(document["year"]) is not int:
                raise InvalidCalendar(f"unexpected content: {', '.join(sorted(unknown)) or 'year'}")
            return cls(
                year=document["year"],
                off=_dates(document["off"]),
                working_weekends=_dates(document["working_weekends"]),
                notice=str(document.get("notice", "")),
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise InvalidCalendar(f"not a calendar file: {error}") from error


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point of time by which something must be done.

    `at` is the last moment of the last Beijing day, in UTC; `day` that Beijing date. `provisional` deadlines touch a
    year whose notice is not out and are computed again when it is.
    """

    at: dt.datetime
    day: dt.date
    provisional: bool


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Which days are worked. `tables` holds the operator's approved years (and provisional ones)."""

    tables: Mapping[int, YearTable] = field(default_factory=dict)

    def is_working_day(self, day: dt.date) -> bool:
        """Raises UnknownYear."""
        return self._table(day.year).is_working_day(day)

    def is_provisional(self, year: int) -> bool:
        """Whether answers for this year may still change. Raises UnknownYear."""
        return self._table(year).provisional

    def knows(self, year: int) -> bool:
        return year in self.tables or year in LIBRARY_YEARS

    def source(self, year: int) -> str:
        """The notice that the answers of this year rest on; empty while it is provisional. Raises UnknownYear."""
        return self._table(year).notice

    def next_working_day(self, day: dt.date) -> dt.date:
        """The first working day after `day`."""
        return self.add_working_days(day, 1)

    def previous_working_day(self, day: dt.date) -> dt.date:
        """The last working day before `day`."""
        return self._walk(day, 1, -1)

    def on_or_after(self, day: dt.date) -> dt.date:
        """`day` itself when it is worked, else the next working day (Civil Code art. 203)."""
        return day if self.is_working_day(day) else self.next_working_day(day)

    def add_working_days(self, day: dt.date, count: int) -> dt.date:
        """The `count`-th working day after `day` (`day` itself never counts). `count` 0 gives `day` or the next working day.

        Raises UnknownYear, and ValueError for a negative count.
        """
        if count < 0:
            raise ValueError("count working days forward; previous_working_day() goes back")
        return self._walk(day, count, 1) if count else self.on_or_after(day)

    def count_working_days(self, after: dt.date, until: dt.date) -> int:
        """Working days in the half-open interval (after, until]; negative when `until` lies before `after`. Raises UnknownYear."""
        if until < after:
            return -self.count_working_days(until, after)
        return sum(self.is_working_day(after + dt.timedelta(days=n)) for n in range(1, (until - after).days + 1))

    def deadline(self, start: dt.datetime, working_days: int) -> Deadline:
        """The end of the `working_days`-th working day after the Beijing day of `start`.

        Raises UnknownYear, and ValueError when `start` has no time zone.
        """
        first = beijing_date(start)
        last = self.add_working_days(first, working_days)
        provisional = any(self._table(year).provisional for year in range(first.year, last.year + 1))
        return Deadline(at=end_of_day(last), day=last, provisional=provisional)

    def covers(self, day: dt.date, days: int) -> bool:
        """Whether every day from `day` on for `days` days is in a known and final year."""
        years = range(day.year, (day + dt.timedelta(days=days)).year + 1)
        return all(self.knows(year) and not self._table(year).provisional for year in years)

    def _walk(self, day: dt.date, count: int, direction: int) -> dt.date:
        step = dt.timedelta(days=direction)
        while count:
            day += step
            count -= self.is_working_day(day)
        return day

    def _table(self, year: int) -> YearTable:
        table = self.tables.get(year) or _library_table(year)
        if table is None:
            raise UnknownYear(year)
        return table


def beijing_date(moment: dt.datetime) -> dt.date:
    """The Beijing date of an aware moment. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no date")
    return moment.astimezone(BEIJING).date()


def end_of_day(day: dt.date) -> dt.datetime:
    """The last second of a Beijing day, in UTC: 23:59:59 Beijing time, as deadlines are printed."""
    return dt.datetime.combine(day, dt.time(23, 59, 59), BEIJING).astimezone(dt.UTC)


def start_of_day(day: dt.date) -> dt.datetime:
    """Midnight at the start of a Beijing day, in UTC."""
    return dt.datetime.combine(day, dt.time(), BEIJING).astimezone(dt.UTC)


def provisional_year(year: int) -> YearTable:
    """A year before its notice: weekends and the statutory holidays of the State Council's order 795, no exchanged days.

    13 statutory days since 2025: New Year 1, Spring Festival 4 (from the eve), Qingming 1, Labour Day 2,
    Dragon Boat 1, Mid-Autumn 1, National Day 3. Raises UnknownYear where the lunar dates are not tabulated.
    """
    lunar = _LUNAR_HOLIDAYS.get(year)
    if lunar is None:
        raise UnknownYear(year)
    eve, qingming, dragon_boat, mid_autumn = lunar
    off = {dt.date(year, 1, 1), dt.date(year, 5, 1), dt.date(year, 5, 2), qingming, dragon_boat, mid_autumn}
    off.update(dt.date(year, 10, day) for day in (1, 2, 3))
    off.update(eve + dt.timedelta(days=day) for day in range(4))
    return YearTable(year, frozenset(off), frozenset(), notice="", provisional=True)


# Eve of the Spring Festival, Qingming, Dragon Boat, Mid-Autumn: fixed by the lunisolar calendar (GB/T 33661-2017).
_LUNAR_HOLIDAYS: Final[Mapping[int, tuple[dt.date, dt.date, dt.date, dt.date]]] = {
    2026: (dt.date(2026, 2, 16), dt.date(2026, 4, 5), dt.date(2026, 6, 19), dt.date(2026, 9, 25)),
    2027: (dt.date(2027, 2, 5), dt.date(2027, 4, 5), dt.date(2027, 6, 9), dt.date(2027, 9, 15)),
    2028: (dt.date(2028, 1, 25), dt.date(2028, 4, 4), dt.date(2028, 5, 28), dt.date(2028, 10, 3)),
}


def _library_table(year: int) -> YearTable | None:
    if year not in LIBRARY_YEARS:
        return None
    table = _LIBRARY_TABLES.get(year)
    if table is None:
        off = frozenset(day for day in _library_off_days if day.year == year)
        make_up = frozenset(day for day in _library_make_up_days if day.year == year)
        table = YearTable(year, off, make_up, notice=f"chinesecalendar {chinese_calendar.__version__}")
        _LIBRARY_TABLES[year] = table
    return table


_LIBRARY_TABLES: Final[dict[int, YearTable]] = {}


def _dates(values: Iterable[str]) -> frozenset[dt.date]:
    try:
        return frozenset(dt.date.fromisoformat(value) for value in values)
    except ValueError as error:
        raise InvalidCalendar(str(error)) from error
