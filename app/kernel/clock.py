"""The only place that asks the time.

Instants are aware UTC; calendar days are Beijing days, because every deadline of the rules is one.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


_pace_file: Path | None = None


@dataclass(frozen=True)
class Pace:
    """How a rehearsal's time runs: `ahead` seconds before real time at the instant `since`, and `rate` times as fast from then."""

    ahead: int = 0
    rate: int = 1
    since: int = 0

    def time_at(self, real: datetime) -> datetime:
        """The rehearsal's time at a real instant."""
        faster = (real.timestamp() - self.since) * (self.rate - 1) if self.rate > 1 else 0.0
        return real + timedelta(seconds=self.ahead + faster)


def follow(pace_file: Path | None) -> None:
    """Let this process's clock run as `pace_file` says, if it exists: "ahead", or "ahead rate since" (seconds, factor, epoch).

    A rehearsal moves all its processes together by writing that file; production never calls this.
    """
    global _pace_file  # noqa: PLW0603 - one clock a process
    _pace_file = pace_file


def pace() -> Pace:
    """The pace that this process follows; the real one when there is no file."""
    if _pace_file is None or not _pace_file.exists():
        return Pace()
    return Pace(*map(int, _pace_file.read_text().split()))


def set_pace(moment: datetime, rate: int) -> None:
    """Let every process that follows the file live at `moment` (aware) from now on, `rate` times as fast as real time.

    Raises ValueError for a moment before the rehearsal's present: time never runs back.
    """
    assert _pace_file is not None, "only a rehearsal sets its pace"
    if moment < _system_time():
        raise ValueError("the time of a rehearsal never runs back")
    real = datetime.now(UTC)
    ahead = math.ceil((moment - real).total_seconds())
    draft = _pace_file.with_suffix(".draft")
    draft.write_text(f"{ahead} {rate} {int(real.timestamp())}")
    draft.replace(_pace_file)


def _system_time() -> datetime:
    real = datetime.now(UTC)
    return real if _pace_file is None else pace().time_at(real)


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock_source", default=_system_time)


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _source.get()()


def real_time() -> datetime:
    """Return this machine's own time, even in a rehearsal or a test: only to measure by how much `now` was moved."""
    return datetime.now(UTC)


def wall_time() -> datetime:
    """Return real time even in a rehearsal (see `follow`): what others stamp messages with, and how long a browser is idle."""
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
