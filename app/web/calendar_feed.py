"""A calendar of deadlines as other programs read it (iCalendar, RFC 5545)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from icalendar import Alarm, Calendar, Event

PRODUCT: Final = "-//Chaoshi//Deadlines//EN"
REMIND_BEFORE: Final = timedelta(days=1)
REFRESH: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Deadline:
    """Until when something must be done (`due_at`, aware), what, and where."""

    due_at: datetime
    summary: str
    description: str
    url: str


def feed(name: str, deadlines: Iterable[Deadline], *, made_at: datetime) -> bytes:
    """The calendar: one event that ends at each deadline, with a reminder one day before.

    The UID of an event stays the same while its object waits at the same address, so that a moved deadline moves the entry.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for deadline in sorted(deadlines, key=lambda one: (one.due_at, one.url)):
        calendar.add_component(_event(deadline, made_at))
    return bytes(calendar.to_ical())


def _event(deadline: Deadline, made_at: datetime) -> Event:
    event = Event()
    event.add("uid", sha256(deadline.url.encode()).hexdigest()[:40])
    event.add("dtstamp", made_at)
    event.add("dtstart", deadline.due_at)
    event.add("summary", deadline.summary)
    event.add("description", deadline.description)
    event.add("url", deadline.url)
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -REMIND_BEFORE)
    alarm.add("description", deadline.summary)
    event.add_component(alarm)
    return event
