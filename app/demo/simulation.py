"""A world in motion: acts of people at their moments, the worker's jobs in between, and the outbox after each.

The clock is moved, not faked: deadlines, working days, lapses and draws happen because their moments come, exactly
as they do when the worker runs beside real people.
"""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final

from app.kernel import audit, clock, outbox
from app.kernel.calendar import BEIJING, WorkCalendar
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.jobs import Every, Job

log = logging.getLogger(__name__)
Act = Callable[[], object]
TICKS: Final = (time(0, 1), time(10, 1))
"""When the worker is let run each day: after the deadlines of midnight, and after the hours at which things are due."""


class Simulation:
    """Acts ordered by their moment. Acts may plan further acts; those after `end` are left for the users to do."""

    def __init__(self, start: datetime, end: datetime, calendar: WorkCalendar) -> None:
        self.start, self.end, self.now = start, end, start
        self.calendar = calendar
        self.refused = 0
        self._order = itertools.count()
        self._plan: list[tuple[datetime, int, Act, bool]] = []

    def plan(self, moment: datetime, act: Act, *, may_be_refused: bool = False) -> None:
        """Do `act` at `moment` (not before now). With `may_be_refused` a rule's refusal is a fact of life, not an error."""
        if moment <= self.end:
            heapq.heappush(self._plan, (max(moment, self.now), next(self._order), act, may_be_refused))

    def after(self, working_days: int, hour: float, act: Act, *, may_be_refused: bool = False) -> None:
        """Do `act` on a working day from today on, at `hour` Beijing time."""
        self.plan(self.moment(working_days, hour), act, may_be_refused=may_be_refused)

    def moment(self, working_days: int, hour: float) -> datetime:
        """The instant `working_days` working days from today at `hour` (9.5 is half past nine) Beijing time."""
        day = self.calendar.add_working_days(clock.beijing_day(self.now), working_days)
        return at_hour(day, hour)

    def run(self, jobs: Iterable[Job], progress: Callable[[datetime], None]) -> None:
        """Let the time pass from start to end; jobs of every few minutes run at each tick, daily ones at the first."""
        worker = tuple(jobs)
        frequent = tuple(job for job in worker if isinstance(job.trigger, Every))
        for day in _days(self.start, self.end):
            for tick in TICKS:
                due = worker if tick == TICKS[0] else frequent
                self.plan(datetime.combine(day, tick, BEIJING).astimezone(UTC), partial(_work, due))
        with clock.at(lambda: self.now):
            while self._plan:
                moment, _, act, may_be_refused = heapq.heappop(self._plan)
                self.now = max(self.now, moment)
                self._do(act, may_be_refused=may_be_refused)
                progress(self.now)
            self.now = self.end
            _work(worker)
            audit.sequence_all()

    def _do(self, act: Act, *, may_be_refused: bool) -> None:
        try:
            act()
        except DomainError as refusal:
            db.session.rollback()
            if not may_be_refused:
                raise
            self.refused += 1
            log.info("refused in the demonstration", extra={"code": refusal.code})
        db.session.expunge_all()  # the session of a long run must not grow with the world


def at_hour(day: date, hour: float) -> datetime:
    """An hour of a Beijing day as an instant in UTC."""
    return (datetime.combine(day, time(), BEIJING) + timedelta(hours=hour)).astimezone(UTC)


def _work(jobs: Iterable[Job]) -> None:
    for job in jobs:
        job.run()
        db.session.rollback()  # jobs end their own transactions; this ends a read snapshot
    outbox.drain_all()


def _days(start: datetime, end: datetime) -> Iterable[date]:
    day = clock.beijing_day(start)
    while day <= clock.beijing_day(end):
        yield day
        day += timedelta(days=1)
