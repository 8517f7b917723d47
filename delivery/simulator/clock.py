"""The simulator's time: real, scaled or manual.

Scaled time does not run ahead of the wall clock: it shortens what happens. A step that takes a day takes a minute at
factor 1440, and the times on the wire stay present times, so that whoever reads them sees a plausible parcel.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import RLock
from typing import Final

from delivery.carriers.ems.mapping import BEIJING

OPENS: Final = 8
CLOSES: Final = 18


class ClockMode(StrEnum):
    REAL = "real"
    SCALED = "scaled"
    MANUAL = "manual"


@dataclass(frozen=True)
class ClockState:
    """What the admin route shows."""

    mode: ClockMode
    factor: int
    now: datetime


def in_working_hours(moment: datetime) -> datetime:
    """The same instant, or the same minutes after the delivery office opens next: couriers walk by day."""
    local = moment.astimezone(BEIJING)
    if OPENS <= local.hour < CLOSES:
        return moment
    day = local if local.hour < OPENS else local + timedelta(days=1)
    return day.replace(hour=OPENS).astimezone(UTC)


class SimClock:
    """Thread-safe; `factor` counts only in scaled mode."""

    def __init__(self, mode: ClockMode = ClockMode.SCALED, factor: int = 1440, start: datetime | None = None) -> None:
        self._lock = RLock()
        self._mode = mode
        self._factor = factor
        self._manual = start or datetime.now(UTC)
        self._skew = timedelta()

    def now(self) -> datetime:
        """The present instant of the simulation, aware, UTC."""
        with self._lock:
            return (self._manual if self._mode is ClockMode.MANUAL else datetime.now(UTC)) + self._skew

    def after(self, duration: timedelta, *, floor: timedelta = timedelta()) -> datetime:
        """The instant at which something that takes `duration` is over."""
        with self._lock:
            if self._mode is ClockMode.SCALED:
                duration = max(duration / self._factor, floor)
            return self.now() + duration

    def set(self, mode: ClockMode, *, factor: int | None = None, now: datetime | None = None) -> None:
        """Change how time goes; manual time starts at `now`, or where it stands."""
        with self._lock:
            self._manual = now or self.now()
            self._mode = mode
            self._factor = factor or self._factor
            self._skew = timedelta()

    def advance(self, duration: timedelta) -> None:
        """Let manual time pass. Raises ValueError in the other modes."""
        with self._lock:
            if self._mode is not ClockMode.MANUAL:
                raise ValueError("only a manual clock can be advanced")
            self._manual += duration

    def skew(self, duration: timedelta) -> None:
        """Run ahead of, or behind, the truth by `duration`: the fault of a wrong server clock."""
        with self._lock:
            self._skew = duration

    def over_midnight(self) -> None:
        """Jump to the first second of the next day in Beijing."""
        with self._lock:
            local = self.now().astimezone(BEIJING)
            tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0, second=1, microsecond=0)
            self._skew += tomorrow - local

    @property
    def is_scaled(self) -> bool:
        """Whether what happens is shortened, so that hours of the day mean nothing."""
        return self._mode is ClockMode.SCALED

    def state(self) -> ClockState:
        """Everything about it."""
        with self._lock:
            return ClockState(self._mode, self._factor, self.now())
