"""Closing a hall's day (日终盘点): what lies on the shelves is what the system says, or the day is not closed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import documents
from delivery.errors import same_person
from delivery.models.desk import HallDay
from delivery.models.parcels import Parcel
from delivery.policy import must_see_hall
from delivery.queries.hall_days import OPEN_LABELS, SHELVES, flow_of, on_shelves, still_open
from delivery.states import HALL_DAY, STAFF, HallDayState


@dataclass(frozen=True)
class CountDay:
    """What was counted on each shelf, and why what stays overnight stays; keys are shelves and kinds of open items."""

    counted: Mapping[str, int]
    reasons: Mapping[str, str] = field(default_factory=dict)
    remark: str | None = None
    version: int | None = None


@use_case
def count_day(actor: Actor, command: CountDay) -> UUID:
    """Write down today's count of the actor's hall; a count that is not signed is replaced.

    Raises Refused where a shelf holds another number than the system says (with both numbers), or where something
    stays overnight without a reason; Conflict once the day is signed.
    """
    hall_id = actor.organisation_id
    if hall_id is None or actor.user_id is None or not must_see_hall(actor, hall_id).intersection(STAFF):
        raise NotAllowed
    hold_shelves(hall_id)
    shelves = _shelves(command, on_shelves(hall_id))
    items = _items(command, still_open(hall_id))
    day = _today(actor, hall_id, actor.user_id)
    if day.state == HallDayState.SIGNED:
        raise Conflict("day-signed", N_("This day is closed. What happened since belongs to tomorrow."))
    day.shelves, day.open_items, day.flow = shelves, items, flow_of(hall_id, day.day)
    day.counted_by, day.counted_name, day.counted_at = actor.user_id, actor.name, clock.now()
    day.remark = command.remark
    record(
        day, "counted", actor, title=N_("Shelves counted"), detail={each["shelf"]: each["counted"] for each in shelves}
    )
    notify(
        to_organisation=hall_id, kind="delivery.day-counted", link=f"/delivery/days/{day.id}", thread_id=day.id,
        subject=N_("The day is counted: a supervisor signs"), text=N_("Compare the shelves and sign, so that the day is closed."),
    )  # fmt: skip
    return day.id


def _today(actor: Actor, hall_id: UUID, user_id: UUID) -> HallDay:
    today = clock.today()
    known = db.session.scalar(
        sa.select(HallDay.id).where(HallDay.hall_organisation_id == hall_id, HallDay.day == today)
    )
    if known is not None:
        return lock(HallDay, known)
    day = HallDay(
        id=new_id(), number=next_number("RZ"), hall_organisation_id=hall_id, day=today, state=HallDayState.COUNTED,
        shelves=[], open_items=[], flow={}, counted_by=user_id, counted_name=actor.name, counted_at=clock.now(),
    )  # fmt: skip
    db.session.add(day)
    db.session.flush()  # a second count of the same minute meets the unique day here
    return day


def _shelves(command: CountDay, expected: Mapping[str, int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for shelf, label in SHELVES.items():
        key, wanted = str(shelf), expected[str(shelf)]
        counted, reason = command.counted.get(key, 0), (command.reasons.get(key) or "").strip()
        if counted != wanted:
            raise Refused(
                "shelf-differs", N_("The system has %(expected)s here, you counted %(counted)s. Open the shelf's list and compare."),
                field=f"counted_{key}", params={"expected": wanted, "counted": counted},
            )  # fmt: skip
        if wanted and not reason:
            raise Refused("reason-missing", N_("Say why these stay overnight."), field=f"reason_{key}")
        rows.append({"shelf": key, "label": label, "expected": wanted, "counted": counted, "reason": reason})
    return rows


def _items(command: CountDay, found: Mapping[str, int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind, label in OPEN_LABELS.items():
        key, count = str(kind), found[str(kind)]
        reason = (command.reasons.get(key) or "").strip()
        if count and not reason:
            raise Refused("reason-missing", N_("Say why these are carried over."), field=f"reason_{key}")
        rows.append({"kind": key, "label": label, "count": count, "reason": reason})
    return rows


def hold_shelves(hall_organisation_id: UUID) -> None:
    """Let no parcel leave a shelf until this transaction ends; a hand-over under way is waited for. Call inside one."""
    held = sa.select(Parcel.id).where(
        Parcel.hall_organisation_id == hall_organisation_id, Parcel.state.in_(list(SHELVES))
    )
    db.session.execute(held.order_by(Parcel.id).with_for_update())


@use_case
def sign_day(actor: Actor, day_id: UUID, command: object) -> None:
    """The supervisor signs, and the day becomes a numbered paper.

    Raises Refused for the person who counted, and where a shelf changed since the count.
    """
    day = lock(HallDay, day_id, seen=getattr(command, "version", None))
    parts = must_see_hall(actor, day.hall_organisation_id)
    hold_shelves(day.hall_organisation_id)
    if day.counted_by == actor.user_id:
        raise same_person()
    if day.state == HallDayState.COUNTED and {each["shelf"]: each["counted"] for each in day.shelves} != on_shelves(
        day.hall_organisation_id
    ):
        raise Refused("shelves-changed", N_("Parcels were moved since the count: count again, then sign."))
    day.signed_by, day.signed_name, day.signed_at = actor.user_id, actor.name, clock.now()
    move(day, HALL_DAY, "sign", actor, parts)
    documents.issue_day(day)
