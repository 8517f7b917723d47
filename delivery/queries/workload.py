"""How much goes where on which day, for whoever plans rounds: parcels by destination and promised day."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from delivery.models.parcels import Parcel
from delivery.models.schedules import CollectionRun
from delivery.models.terms import ParcelTerms
from delivery.policy import oversees
from delivery.states import ParcelState

AHEAD = 7
WAITING = (ParcelState.READY, ParcelState.PACKED, ParcelState.BOOKING, ParcelState.WAYBILLED)


@dataclass(frozen=True)
class RouteLoad:
    """One destination (province and city): parcels by promised day, and those whose day has passed."""

    route: str
    late: int
    by_day: tuple[int, ...]
    waiting: int
    """How many of them still lie in the hall."""

    @property
    def total(self) -> int:
        return self.late + sum(self.by_day)


@dataclass(frozen=True)
class Workload:
    """The days and one line a destination, the largest first."""

    days: tuple[date, ...]
    routes: tuple[RouteLoad, ...]

    @property
    def by_day(self) -> tuple[int, ...]:
        return tuple(sum(route.by_day[at] for route in self.routes) for at in range(len(self.days)))


@dataclass(frozen=True)
class RunView:
    """One visit of the courier."""

    day: date
    window: str
    waiting: int
    left_behind: int | None


def _of(actor: Actor, column: sa.ColumnElement[UUID] | sa.orm.InstrumentedAttribute[UUID]) -> sa.ColumnElement[bool]:
    return sa.true() if oversees(actor) else column == actor.organisation_id


def workload(actor: Actor) -> Workload:
    """What is not delivered yet, by destination and chosen or promised day, from today for a week. One statement."""
    today = clock.today()
    days = tuple(today + timedelta(days=each) for each in range(AHEAD))
    due = sa.func.coalesce(ParcelTerms.preferred_day, ParcelTerms.promised_on)
    waiting = sa.func.sum(sa.case((Parcel.state.in_(WAITING), 1), else_=0))
    statement = (
        sa.select(Parcel.receiver_prov, Parcel.receiver_city, due, sa.func.count(), waiting)
        .join(ParcelTerms, ParcelTerms.parcel_id == Parcel.id)
        .where(
            Parcel.state.in_((*WAITING, ParcelState.HANDED_OVER)), due.is_not(None),
            _of(actor, Parcel.hall_organisation_id),
        )
        .group_by(Parcel.receiver_prov, Parcel.receiver_city, due)
    )  # fmt: skip
    found: dict[str, dict[date, int]] = {}
    lying: dict[str, int] = {}
    for prov, city, day, count, here in db.session.execute(statement):
        route = prov if prov == city else f"{prov}{city}"
        found.setdefault(route, {})[day] = found.get(route, {}).get(day, 0) + count
        lying[route] = lying.get(route, 0) + int(here or 0)
    loads = [
        RouteLoad(
            route, sum(count for day, count in by.items() if day < today),
            tuple(by.get(day, 0) + (sum(c for d, c in by.items() if d > days[-1]) if day == days[-1] else 0) for day in days),
            lying[route],
        )
        for route, by in found.items()
    ]  # fmt: skip
    return Workload(days, tuple(sorted(loads, key=lambda load: (-load.total, load.route))))


def runs(actor: Actor, limit: int = 14) -> tuple[RunView, ...]:
    """The last visits of the courier at the hall, the newest first."""
    statement = (
        sa.select(CollectionRun)
        .where(_of(actor, CollectionRun.hall_organisation_id))
        .order_by(CollectionRun.day.desc(), CollectionRun.starts.desc())
    )
    return tuple(
        RunView(row.day, f"{row.starts}-{row.ends}", row.waiting, row.left_behind)
        for row in db.session.scalars(statement.limit(limit))
    )
