"""When a parcel leaves and when it arrives: cut-off, service days and posted tariff by area. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.kernel.calendar import WorkCalendar

BEIJING: Final = ZoneInfo("Asia/Shanghai")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
DEFAULT_CUTOFF: Final = "16:00"
DEFAULT_WINDOWS: Final = (("16:00", "17:00"),)


class Area(StrEnum):
    """How far a receiver lives from the hall."""

    SAME_CITY = "same_city"
    SAME_PROVINCE = "same_province"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Promise:
    """Days from collection to delivery, None where the area is not served, and the posted tariff in fen."""

    days: int | None
    fee_fen: int


DEFAULTS: Final[Mapping[str, Promise]] = {
    Area.SAME_CITY: Promise(1, 1200), Area.SAME_PROVINCE: Promise(2, 1500), Area.ELSEWHERE: Promise(3, 2000),
    "710000": Promise(None, 0), "810000": Promise(None, 0), "820000": Promise(None, 0),
}  # fmt: skip
"""What holds where a hall has set nothing (BUSINESS-RULES 3.4); Taiwan, Hong Kong and Macao need another product."""


def area_of(hall: Sequence[str], receiver: Sequence[str]) -> Area:
    """The area of a receiver's (province, city, ...) seen from the hall's."""
    if not hall or not receiver or hall[0] != receiver[0]:
        return Area.ELSEWHERE
    cities = (hall[1] if len(hall) > 1 else hall[0], receiver[1] if len(receiver) > 1 else receiver[0])
    return Area.SAME_CITY if cities[0] == cities[1] else Area.SAME_PROVINCE


def promise_for(table: Mapping[str, Promise], hall: Sequence[str], receiver: Sequence[str], code: str) -> Promise:
    """The narrowest entry: county, city, province by region code, then the area; the defaults fill what is not set."""
    known = {**DEFAULTS, **table}
    for key in (code, f"{code[:4]}00", f"{code[:2]}0000"):
        if code and key in known:
            return known[key]
    return known[area_of(hall, receiver)]


def leaves_on(ready: datetime, cutoff: str, calendar: WorkCalendar) -> date:
    """The Beijing day on which what is ready at `ready` is collected: today until the cut-off, else the next working day."""
    local = ready.astimezone(BEIJING)
    today = local.date()
    if calendar.is_working_day(today) and local.strftime("%H:%M") <= cutoff:
        return today
    return calendar.next_working_day(today)


def arrives_on(ready: datetime, cutoff: str, promise: Promise, calendar: WorkCalendar) -> date | None:
    """The promised day (预计送达): the post delivers on every day of the week. None where the area is not served."""
    return None if promise.days is None else leaves_on(ready, cutoff, calendar) + timedelta(days=promise.days)


def sound_windows(windows: Iterable[Sequence[str]]) -> bool:
    """Whether the windows are times, each begins before it ends, and none overlaps the next."""
    last = ""
    for window in windows:
        if len(window) != 2 or not all(_TIME.fullmatch(each) for each in window):
            return False
        starts, ends = window
        if starts >= ends or starts < last:
            return False
        last = ends
    return bool(last)


def is_time(text: str) -> bool:
    """A wall-clock time like 16:00."""
    return _TIME.fullmatch(text) is not None
