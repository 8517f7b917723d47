"""The day that a receiver chose (预约投递): which days can be chosen, and until when a choice can be changed. Pure.

The rounds of a day are planned after the hall's cut-off of the day before; until then a receiver may choose that day,
or give it up for another one.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from delivery.ports import Window
from delivery.promises import BEIJING

OPENS: Final = time(8)
CLOSES: Final = time(20)


@dataclass(frozen=True, slots=True)
class Choosable:
    """The first and the last day that can be chosen at one moment."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def choosable(now: datetime, cutoff: str, days: int) -> Choosable:
    """From tomorrow, after today's cut-off from the day after, up to `days` days ahead (at least one day is left)."""
    local = now.astimezone(BEIJING)
    first = local.date() + timedelta(days=1 if local.strftime("%H:%M") <= cutoff else 2)
    return Choosable(first, max(first, local.date() + timedelta(days=days)))


def changeable_until(day: date, cutoff: str) -> datetime:
    """The end of the minute of the cut-off on the day before `day`: then its rounds are planned."""
    return datetime.combine(day - timedelta(days=1), time.fromisoformat(cutoff), BEIJING) + timedelta(minutes=1)


def day_window(day: date) -> Window:
    """The hours of a day in which the post knocks at doors, for the carrier."""
    return Window(datetime.combine(day, OPENS, BEIJING), datetime.combine(day, CLOSES, BEIJING))


def is_fixed(day: date | None, now: datetime, cutoff: str) -> bool:
    """Whether a chosen day is being prepared or is today; a past one binds nobody any more."""
    if day is None or day < now.astimezone(BEIJING).date():
        return False
    return now >= changeable_until(day, cutoff)
