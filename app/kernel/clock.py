"""The only place that asks the time.

Instants are aware UTC; calendar days are Beijing days, because every deadline of the rules is one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


_offset_file: Path | None = None


def follow(offset_file: Path | None) -> None:
    """Run this process's clock ahead by the seconds written in `offset_file`, if it exists.

    A rehearsal moves all processes of a demonstration together by writing that file; production never calls this.
    """
    global _offset_file  # noqa: PLW0603 - one clock a process
    _offset_file = offset_file


def _system_time() -> datetime:
    if _offset_file is None or not _offset_file.exists():
        return datetime.now(UTC)
    return datetime.now(UTC) + timedelta(seconds=int(_offset_file.read_text().strip() or 0))


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock_source", default=_system_time)


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _source.get()()


def real_time() -> datetime:
    """Return this machine's own time, even in a rehearsal or a test: only to measure by how much `now` was moved."""
    return datetime.now(UTC)


def wall_time() -> datetime:
    """Return the time that others stamp their messages with: real even in a rehearsal that runs ahead (see `follow`)."""
    source = _source.get()
    return datetime.now(UTC) if source is _system_time else source()


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
