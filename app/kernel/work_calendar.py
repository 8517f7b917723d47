"""The working-day calendar of this installation: the operator's approved tables over `app.kernel.calendar`.

The State Council's notice for a year comes in November of the year before. It is entered as a table by one person and
approved by another. Until then the year after the last published one is answered provisionally, and every deadline
that touches it says so.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import audit, clock
from app.kernel.access import Actor
from app.kernel.calendar import LIBRARY_YEARS, UnknownYear, WorkCalendar, YearTable, provisional_year
from app.kernel.db import Base, db, lock, use_case
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.words import N_


class WorkCalendarYear(Base):
    """The table of one year as entered from its notice; in force once a second person approved it."""

    __tablename__ = "work_calendar"
    year: Mapped[int] = mapped_column(sa.SmallInteger(), primary_key=True, autoincrement=False)
    off: Mapped[list[Any]]
    working_weekends: Mapped[list[Any]]
    notice: Mapped[str] = mapped_column(sa.String(200))
    entered_by: Mapped[UUID | None]
    entered_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]

    def table(self) -> YearTable:
        """The pure table. Raises InvalidCalendar when the stored lists contradict each other."""
        return YearTable(
            year=self.year,
            off=frozenset(map(dt.date.fromisoformat, self.off)),
            working_weekends=frozenset(map(dt.date.fromisoformat, self.working_weekends)),
            notice=self.notice,
        )


def current() -> WorkCalendar:
    """The calendar to compute deadlines with now. One small statement."""
    approved = db.session.scalars(sa.select(WorkCalendarYear).where(WorkCalendarYear.approved_at.is_not(None)))
    tables = {row.year: row.table() for row in approved}
    coming = max(LIBRARY_YEARS | tables.keys()) + 1
    with suppress(UnknownYear):  # where its lunar dates are not tabulated, deadlines that touch it are refused
        tables[coming] = provisional_year(coming)
    return WorkCalendar(tables)


def in_force_since() -> dict[int, datetime]:
    """When each approved table came into force, by year: a deadline stored before it was computed without it."""
    rows = db.session.execute(
        sa.select(WorkCalendarYear.year, WorkCalendarYear.approved_at).where(WorkCalendarYear.approved_at.is_not(None))
    )
    return {row.year: row.approved_at for row in rows}


@use_case
def enter_year(actor: Actor, table: YearTable) -> None:
    """Enter the table of a year, to be approved by somebody else. Replaces one that is not approved yet.

    Raises Conflict once the year is in force, Refused without the number of the notice.
    """
    if not table.notice.strip():
        raise Refused("notice-missing", N_("Give the number of the State Council's notice."), field="notice")
    row = db.session.get(WorkCalendarYear, table.year)
    if row is not None and row.approved_at is not None:
        raise Conflict("calendar-in-force", N_("The calendar of this year is already in force."))
    if row is None:
        row = WorkCalendarYear(year=table.year)
        db.session.add(row)
    row.off = sorted(day.isoformat() for day in table.off)
    row.working_weekends = sorted(day.isoformat() for day in table.working_weekends)
    row.notice = table.notice
    row.entered_by, row.entered_at = actor.user_id, clock.now()
    _log(actor, "enter", row)


@use_case
def approve_year(actor: Actor, year: int) -> None:
    """Put the entered table of `year` in force. Raises NotFound, Conflict when it is already, Refused to who entered it."""
    row = lock(WorkCalendarYear, year)
    if row.approved_at is not None:
        raise Conflict("calendar-in-force", N_("The calendar of this year is already in force."))
    if row.entered_by == actor.user_id:
        raise Refused("four-eyes", N_("Somebody else than the person who entered it must approve the calendar."))
    row.approved_by, row.approved_at = actor.user_id, clock.now()
    _log(actor, "approve", row)


def entered(year: int) -> WorkCalendarYear:
    """The stored table of a year, in force or not. Raises NotFound."""
    row = db.session.get(WorkCalendarYear, year)
    if row is None:
        raise NotFound
    return row


def entered_years() -> tuple[WorkCalendarYear, ...]:
    """Every stored table, in force or not."""
    return tuple(db.session.scalars(sa.select(WorkCalendarYear).order_by(WorkCalendarYear.year)))


def _log(actor: Actor, action: str, row: WorkCalendarYear) -> None:
    audit.append(
        action=f"work-calendar.{action}",
        object_type="work-calendar",
        object_id=str(row.year),
        actor=actor,
        body={"off": row.off, "working_weekends": row.working_weekends, "notice": row.notice},
    )
