"""The only place that asks the time.

Instants are aware UTC; calendar days are Beijing days, because every deadline of the rules is one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


def _system_time() -> datetime:
    return datetime.now(UTC)


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock_source", default=_system_time)


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _source.get()()


def today() -> date:
    """Return the present calendar day in Beijing."""
    return beijing_day(now())


def beijing_day(moment: datetime) -> date:
    """Return the Beijing calendar day that holds the aware instant `moment`."""
    return moment.astimezone(BEIJING).date()


@contextmanager
def at(moment: datetime | Callable[[], datetime]) -> Iterator[None]:
    """Stop the clock at `moment` (aware), or let a callable supply it; for tests, rehearsals and demonstration data."""
    if callable(moment):
        source = moment
    else:
        fixed = moment.astimezone(UTC)

        def source() -> datetime:
            return fixed

    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)
