"""Deliveries in numbers: by day, hall, department and item. Counted from the parcels, a fixed number of statements."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn
from delivery.policy import oversees
from delivery.states import ParcelState


@dataclass(frozen=True)
class Share:
    """One hall, department or item, over the asked span."""

    name: str
    handed_over: int
    delivered: int
    on_time: int
    returned: int
    lost: int

    @property
    def on_time_percent(self) -> float | None:
        """Of the delivered ones, those within the statutory day."""
        return 100 * self.on_time / self.delivered if self.delivered else None


@dataclass(frozen=True)
class DeliveryStatistics:
    """The parcels that the courier took from `first` to `last`, both Beijing days."""

    first: date
    last: date
    total: Share
    days: tuple[tuple[date, int], ...]
    halls: tuple[Share, ...]
    departments: tuple[Share, ...]
    items: tuple[Share, ...]


def delivery_statistics(actor: Actor, first: date, last: date) -> DeliveryStatistics:
    """The hall's numbers for its staff, all halls' for oversight. Five statements."""
    total = _shares(actor, first, last, sa.literal(""))
    halls = _shares(actor, first, last, Parcel.hall_organisation_id)
    names = identity.organisations_by_ids({UUID(str(share.name)) for share in halls})
    return DeliveryStatistics(
        first, last, total[0] if total else Share("", 0, 0, 0, 0, 0), _days(actor, first, last),
        tuple(_renamed(share, names[UUID(str(share.name))].name) for share in halls),
        _shares(actor, first, last, Parcel.department), _shares(actor, first, last, Parcel.item),
    )  # fmt: skip


def _renamed(share: Share, name: str) -> Share:
    return Share(name, share.handed_over, share.delivered, share.on_time, share.returned, share.lost)


def _within(actor: Actor, first: date, last: date) -> list[Any]:
    begin = datetime.combine(first, time(), clock.BEIJING)
    end = datetime.combine(last + timedelta(days=1), time(), clock.BEIJING)
    found = [Parcel.handed_over_at >= begin, Parcel.handed_over_at < end]
    if not oversees(actor):
        found.append(Parcel.hall_organisation_id == actor.organisation_id)
    return found


def _shares(actor: Actor, first: date, last: date, key: Any) -> tuple[Share, ...]:
    delivered = Parcel.delivered_at.is_not(None)
    back = sa.exists().where(ParcelReturn.parcel_id == Parcel.id)
    statement = (
        sa.select(
            key.label("key"), sa.func.count(), _sum(delivered),
            _sum(sa.and_(delivered, Parcel.delivered_at <= Parcel.serve_by)), _sum(back), _sum(Parcel.state == ParcelState.LOST),
        )
        .where(*_within(actor, first, last))
        .group_by(sa.text("key"))
        .order_by(sa.func.count().desc())
        .limit(50)
    )  # fmt: skip
    return tuple(Share(str(row[0]), *(int(each or 0) for each in row[1:])) for row in db.session.execute(statement))


def _sum(condition: Any) -> Any:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _days(actor: Actor, first: date, last: date) -> tuple[tuple[date, int], ...]:
    counts = {first + timedelta(days=each): 0 for each in range((last - first).days + 1)}
    for moment in db.session.scalars(sa.select(Parcel.handed_over_at).where(*_within(actor, first, last))):
        if moment is not None:
            counts[clock.beijing_day(moment)] += 1
    return tuple(counts.items())
