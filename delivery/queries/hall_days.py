"""What lies on the shelves of a hall, what the day moved, and the days that were closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.words import N_
from delivery.models.batches import HandoverBatch
from delivery.models.desk import HallDay
from delivery.models.differences import HandoverDifference
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn
from delivery.models.tasks import ParcelTask
from delivery.policy import must_see_hall, oversees
from delivery.states import HALL_DAY, BatchState, HallDayState, ParcelState, Part

SHELVES: Final[Mapping[ParcelState, str]] = {
    ParcelState.READY: N_("Papers to be packed"),
    ParcelState.PACKED: N_("Envelopes to be checked"),
    ParcelState.BOOKING: N_("Parcels without a number yet"),
    ParcelState.WAYBILLED: N_("Parcels to be handed over"),
    ParcelState.RETURNED: N_("Returns desk"),
}
"""Where papers lie in the hall overnight, by the state they must have there."""


class OpenKind(StrEnum):
    """What may be open at the end of a day beside the shelves."""

    LISTS = "lists"
    DIFFERENCES = "differences"
    EXCEPTIONS = "exceptions"


OPEN_LABELS: Final[Mapping[OpenKind, str]] = {
    OpenKind.LISTS: N_("Lists that are not signed on both sides"),
    OpenKind.DIFFERENCES: N_("Differences of hand-over lists"),
    OpenKind.EXCEPTIONS: N_("Exceptions whose time is over"),
}
FLOW_LABELS: Final[Mapping[str, str]] = {
    "packed": N_("Packed today"),
    "handed_over": N_("Handed over today"),
    "delivered": N_("Delivered today"),
    "returned": N_("Came back today"),
}


@dataclass(frozen=True)
class DayView:
    """A closed or counted day with everything that was written down."""

    id: UUID
    number: str
    title: str
    day: date
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    hall_organisation_id: UUID
    hall_name: str
    shelves: tuple[Mapping[str, Any], ...]
    open_items: tuple[Mapping[str, Any], ...]
    flow: Mapping[str, int]
    counted_by: UUID
    counted_name: str
    counted_at: datetime
    signed_name: str | None
    signed_at: datetime | None
    remark: str | None
    parts: frozenset[Part]


def on_shelves(hall_organisation_id: UUID) -> dict[str, int]:
    """How many parcels must lie on each shelf now. One statement."""
    statement = (
        sa.select(Parcel.state, sa.func.count())
        .where(Parcel.hall_organisation_id == hall_organisation_id, Parcel.state.in_(list(SHELVES)))
        .group_by(Parcel.state)
    )
    rows = db.session.execute(statement).all()
    found: dict[str, int] = dict(rows)
    return {str(state): found.get(state, 0) for state in SHELVES}


def still_open(hall_organisation_id: UUID) -> dict[str, int]:
    """What else is open in the hall. Three statements."""
    lists = sa.select(sa.func.count()).where(
        HandoverBatch.hall_organisation_id == hall_organisation_id,
        HandoverBatch.state.in_((BatchState.OPEN, BatchState.OFFERED)),
    )
    differences = sa.select(sa.func.count()).where(
        HandoverDifference.hall_organisation_id == hall_organisation_id, HandoverDifference.resolved_at.is_(None)
    )
    late = sa.select(sa.func.count()).where(
        ParcelTask.hall_organisation_id == hall_organisation_id, ParcelTask.resolved_at.is_(None),
        ParcelTask.due_at < clock.now(),
    )  # fmt: skip
    return {
        str(kind): db.session.scalar(statement) or 0
        for kind, statement in ((OpenKind.LISTS, lists), (OpenKind.DIFFERENCES, differences), (OpenKind.EXCEPTIONS, late))
    }  # fmt: skip


def flow_of(hall_organisation_id: UUID, day: date) -> dict[str, int]:
    """What a Beijing day moved in the hall. Two statements."""
    begin = datetime.combine(day, time(), clock.BEIJING)
    end = begin + timedelta(days=1)

    def within(column: Any) -> Any:
        return sa.func.count(sa.case((sa.and_(column >= begin, column < end), 1)))

    packed, handed, delivered = db.session.execute(
        sa.select(within(Parcel.packed_at), within(Parcel.handed_over_at), within(Parcel.delivered_at)).where(
            Parcel.hall_organisation_id == hall_organisation_id
        )
    ).one()
    back = sa.select(within(ParcelReturn.arrived_at)).where(ParcelReturn.hall_organisation_id == hall_organisation_id)
    return {"packed": packed, "handed_over": handed, "delivered": delivered, "returned": db.session.scalar(back) or 0}


def day_view(actor: Actor, day_id: UUID) -> DayView:
    """One day. Raises NotFound for another hall's."""
    return _views([get(HallDay, day_id)], actor)[0]


def day_of(actor: Actor, day: date) -> DayView | None:
    """The actor's hall's closing of a day, if it was begun."""
    statement = sa.select(HallDay).where(HallDay.hall_organisation_id == actor.organisation_id, HallDay.day == day)
    row = db.session.scalar(statement)
    return _views([row], actor)[0] if row else None


def days_statement(
    actor: Actor, state: str | None = None, first: date | None = None, last: date | None = None
) -> sa.Select[HallDay]:
    """Days of the hall, newest first; of all halls for oversight. `first` and `last` are the outermost days."""
    statement = sa.select(HallDay)
    if state:
        statement = statement.where(HallDay.state == state)
    if first:
        statement = statement.where(HallDay.day >= first)
    if last:
        statement = statement.where(HallDay.day <= last)
    if not oversees(actor):
        statement = statement.where(HallDay.hall_organisation_id == actor.organisation_id)
    return statement.order_by(HallDay.day.desc(), HallDay.number.desc())


def day_views(rows: Sequence[HallDay], actor: Actor) -> tuple[DayView, ...]:
    """Rows of `days_statement` as values."""
    return _views(rows, actor)


def _views(rows: Sequence[HallDay], actor: Actor) -> tuple[DayView, ...]:
    halls = identity.organisations_by_ids({row.hall_organisation_id for row in rows})
    return tuple(
        _view(row, halls[row.hall_organisation_id].name, must_see_hall(actor, row.hall_organisation_id)) for row in rows
    )


def _view(row: HallDay, hall_name: str, parts: frozenset[Part]) -> DayView:
    state = HallDayState(row.state)
    return DayView(
        row.id, row.number, row.number, row.day, state, HALL_DAY.labels[state],
        "success" if state is HallDayState.SIGNED else "waiting", HALL_DAY.next_step[state], row.version,
        row.hall_organisation_id, hall_name, tuple(row.shelves), tuple(row.open_items), row.flow, row.counted_by,
        row.counted_name, row.counted_at, row.signed_name, row.signed_at, row.remark, parts,
    )  # fmt: skip
