"""When a hall's parcels leave, what is promised where, and the alarms before the statutory end of service."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import audit, clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.calendar import UnknownYear
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import NotAllowed, NotFound, Outdated, Refused
from app.kernel.inbox import insert_ignore
from app.kernel.words import N_
from delivery import places
from delivery import terms as rule_book
from delivery.models.parcels import Parcel
from delivery.models.schedules import CollectionPoint, CollectionRun, HallSchedule, ServicePromise
from delivery.models.tasks import TaskKind
from delivery.promises import (
    BEIJING,
    DEFAULTS,
    Area,
    Promise,
    arrives_on,
    is_time,
    promise_for,
    sound_windows,
)
from delivery.queries.schedules import schedule_of
from delivery.services.tasks import raise_task
from delivery.services.terms import terms_of
from delivery.states import ParcelState

TO_GO: Final = (ParcelState.READY, ParcelState.PACKED, ParcelState.BOOKING, ParcelState.WAYBILLED)
UNSERVED: Final = (ParcelState.CREATED, *TO_GO, ParcelState.HANDED_OVER, ParcelState.RETURNED)


@dataclass(frozen=True)
class SetSchedule:
    """Cut-off and pickup windows of a hall, as Beijing wall-clock times."""

    cutoff: str
    windows: tuple[tuple[str, str], ...]
    version: int | None = None


@dataclass(frozen=True)
class SetPromise:
    """Service days (None: not served) and tariff for an area word or a region code."""

    area: str
    days: int | None
    fee_fen: int


@dataclass(frozen=True)
class KeepPoint:
    """A collection point near the applicants."""

    name: str
    region_code: str
    address: str
    phone: str
    hours: str
    kept_days: int | None = None
    """None: as long as the rule book says."""


# --- what is promised -------------------------------------------------------------------------------------------


def promises_of(hall_organisation_id: UUID) -> dict[str, Promise]:
    """What the hall has set, by area word or region code."""
    rows = db.session.scalars(
        sa.select(ServicePromise).where(ServicePromise.hall_organisation_id == hall_organisation_id)
    )
    return {row.area: Promise(row.days, row.fee_fen) for row in rows}


def promise_or_default(hall_organisation_id: UUID, prov: str, city: str, county: str) -> Promise:
    """The promise to a receiver, served or not."""
    code = places.narrowest_code(prov, city, county)
    return promise_for(
        promises_of(hall_organisation_id), places.hall_path(hall_organisation_id), (prov, city, county), code
    )


def promise_to(hall_organisation_id: UUID, prov: str, city: str, county: str) -> Promise:
    """The promise to a receiver. Raises Refused for an address outside the service."""
    promise = promise_or_default(hall_organisation_id, prov, city, county)
    if promise.days is None:
        raise Refused(
            "outside-service", N_("The hall does not send to %(place)s. Collect the result at the window, or give another address."),
            field="region_code", params={"place": f"{prov}{'' if city == prov else city}"},
        )  # fmt: skip
    return promise


def expected_on(parcel: Parcel, ready: datetime) -> date | None:
    """The promised day of a parcel that is ready at `ready`; None where nothing can be promised."""
    promise = promise_or_default(
        parcel.hall_organisation_id, parcel.receiver_prov, parcel.receiver_city, parcel.receiver_county
    )
    try:
        return arrives_on(ready, schedule_of(parcel.hall_organisation_id)[0], promise, work_calendar.current())
    except UnknownYear:
        return None


def expect(parcel: Parcel, ready: datetime) -> None:
    """Write the promised day (预计送达) down. Call inside a transaction."""
    terms_of(parcel.id).promised_on = expected_on(parcel, ready)


@use_case
def expect_again(parcel_id: UUID, handed_over_at: datetime) -> None:
    """Promise anew from the real hand-over."""
    expect(lock(Parcel, parcel_id), handed_over_at)


# --- settings ---------------------------------------------------------------------------------------------------


def _hall_of(actor: Actor) -> UUID:
    if Role.POSTAL_SUPERVISOR not in actor.roles or actor.organisation_id is None:
        raise NotAllowed
    return actor.organisation_id


@use_case
def set_schedule(actor: Actor, command: SetSchedule) -> None:
    """Set cut-off and pickup windows of one's hall. Raises Refused for times that cannot be, Outdated."""
    hall = _hall_of(actor)
    if not is_time(command.cutoff):
        raise Refused("cutoff", N_("Write the time like 16:00."), field="cutoff")
    if not sound_windows(command.windows):
        raise Refused(
            "windows", N_("Write the windows like 10:00-10:30, in order and without overlap."), field="windows"
        )
    row = db.session.get(HallSchedule, hall, with_for_update=True)
    if row is None:
        row = HallSchedule(hall_organisation_id=hall)
        db.session.add(row)
    elif command.version is not None and row.version != command.version:
        raise Outdated
    row.cutoff, row.windows = command.cutoff, [list(each) for each in command.windows]
    row.changed_at, row.changed_by = clock.now(), actor.user_id or hall
    facts = {"cutoff": command.cutoff, "windows": [list(each) for each in command.windows]}
    audit.append(action="schedule.set", object_type="hall-schedule", object_id=hall, actor=actor, body=facts)


@use_case
def set_promise(actor: Actor, command: SetPromise) -> None:
    """Set days and tariff for one area. Raises Refused for an area that is neither word nor region, or for numbers that cannot be."""
    hall = _hall_of(actor)
    if command.area not in set(Area) and not places.is_known(command.area):
        raise Refused("area", N_("Choose an area of the list, or a region."), field="area")
    if command.days is not None and not 0 <= command.days <= 30:
        raise Refused("days", N_("Between 0 and 30 days."), field="days")
    statement = sa.select(ServicePromise).where(
        ServicePromise.hall_organisation_id == hall, ServicePromise.area == command.area
    )
    row = db.session.scalar(statement.with_for_update())
    if row is None:
        row = ServicePromise(id=new_id(), hall_organisation_id=hall, area=command.area)
        db.session.add(row)
    row.days, row.fee_fen = command.days, command.fee_fen
    audit.append(
        action="promise.set", object_type="hall-schedule", object_id=hall, actor=actor,
        body={"area": command.area, "days": command.days, "fee_fen": command.fee_fen},
    )  # fmt: skip


@use_case
def drop_promise(actor: Actor, area: str) -> None:
    """Let the next wider entry hold again. Raises NotFound."""
    hall = _hall_of(actor)
    statement = sa.select(ServicePromise).where(
        ServicePromise.hall_organisation_id == hall, ServicePromise.area == area
    )
    row = db.session.scalar(statement)
    if row is None:
        raise NotFound
    db.session.delete(row)
    audit.append(action="promise.drop", object_type="hall-schedule", object_id=hall, actor=actor, body={"area": area})


@use_case
def keep_point(actor: Actor, command: KeepPoint) -> UUID:
    """Enter a collection point. Raises Refused for a region that is no county, or a name that exists."""
    hall = _hall_of(actor)
    names = places.named(command.region_code)
    if names is None:
        raise Refused("region", N_("Choose province, city and county."), field="region_code")
    known = sa.select(CollectionPoint.id).where(
        CollectionPoint.hall_organisation_id == hall, CollectionPoint.name == command.name
    )
    if db.session.scalar(known) is not None:
        raise Refused("point-known", N_("There is a collection point of this name already."), field="name")
    prov, city, county = names
    row = CollectionPoint(
        id=new_id(), hall_organisation_id=hall, name=command.name, region_code=command.region_code, prov=prov, city=city,
        county=county, address=command.address, phone=command.phone, hours=command.hours, kept_days=command.kept_days or rule_book.in_force().point_kept_days,
    )  # fmt: skip
    db.session.add(row)
    audit.append(
        action="point.keep", object_type="collection-point", object_id=row.id, actor=actor, body={"name": command.name}
    )
    return row.id


@use_case
def close_point(actor: Actor, point_id: UUID) -> None:
    """Offer a collection point no more; parcels on their way there still arrive. Raises NotFound."""
    row = lock(CollectionPoint, point_id)
    if row.hall_organisation_id != _hall_of(actor) or row.closed_at is not None:
        raise NotFound
    row.closed_at = clock.now()
    audit.append(
        action="point.close", object_type="collection-point", object_id=row.id, actor=actor, body={"name": row.name}
    )


def address_at(point: CollectionPoint) -> str:
    """What stands on the label of a parcel for a collection point: its street and its name."""
    return f"{point.address} {point.name}"[:200]


def point_for(point_id: UUID, hall_organisation_id: UUID) -> CollectionPoint:
    """An open collection point of a hall. Raises Refused."""
    row = db.session.get(CollectionPoint, point_id)
    if row is None or row.hall_organisation_id != hall_organisation_id or row.closed_at is not None:
        raise Refused("point-gone", N_("This collection point is not offered any more."), field="collection_point_id")
    return row


# --- the clock --------------------------------------------------------------------------------------------------


def run_collections(now: datetime | None = None) -> int:
    """Tell each hall's post before a visit what is to go, and note after it what stayed behind; each once."""
    moment = (now or clock.now()).astimezone(BEIJING)
    try:
        if not work_calendar.current().is_working_day(moment.date()):
            return 0
    except UnknownYear:
        return 0
    waiting = _waiting()
    return sum(_visit(hall, moment, count) for hall, count in waiting.items()) + _look_back(moment)


def _waiting() -> dict[UUID, int]:
    statement = (
        sa.select(Parcel.hall_organisation_id, sa.func.count())
        .where(Parcel.state.in_(TO_GO))
        .group_by(Parcel.hall_organisation_id)
    )
    return dict(db.session.execute(statement).all())


def _visit(hall: UUID, local: datetime, waiting: int) -> int:
    notice = timedelta(minutes=rule_book.in_force().collection_notice_minutes)
    at, soon = local.strftime("%H:%M"), (local + notice).strftime("%H:%M")
    told = 0
    for starts, ends in schedule_of(hall)[1]:
        if at < ends and starts <= soon:
            told += _tell(hall, local.date(), starts, ends, waiting)
    return told


@use_case
def _tell(hall: UUID, day: date, starts: str, ends: str, waiting: int) -> int:
    fresh = insert_ignore(
        CollectionRun,
        {
            "id": new_id(),
            "hall_organisation_id": hall,
            "day": day,
            "starts": starts,
            "ends": ends,
            "waiting": waiting,
            "told_at": clock.now(),
        },
    )
    if not fresh:
        return 0
    notify(
        to_organisation=hall, kind="delivery.collection", link="/delivery?tab=handover",
        subject=N_("The courier comes at %(starts)s: %(count)s parcels wait"),
        text=N_("Pack, label and put onto the hand-over list what is to leave today."),
        params={"starts": starts, "count": waiting},
    )  # fmt: skip
    return 1


def _look_back(local: datetime) -> int:
    at = local.strftime("%H:%M")
    statement = sa.select(CollectionRun.id).where(
        CollectionRun.left_behind.is_(None),
        sa.or_(CollectionRun.day < local.date(), sa.and_(CollectionRun.day == local.date(), CollectionRun.ends <= at)),
    )
    return sum(_count_left(run_id) for run_id in list(db.session.scalars(statement.limit(500))))


@use_case
def _count_left(run_id: UUID) -> int:
    run = lock(CollectionRun, run_id)
    if run.left_behind is not None:
        return 0
    ended = datetime.combine(run.day, time.fromisoformat(run.ends), BEIJING)
    left = sa.select(sa.func.count()).where(
        Parcel.hall_organisation_id == run.hall_organisation_id, Parcel.ready_at < ended,
        sa.or_(Parcel.handed_over_at.is_(None), Parcel.handed_over_at > ended), Parcel.state.in_(TO_GO),
    )  # fmt: skip
    run.left_behind = db.session.scalar(left) or 0
    return 1


def serve_alarms() -> int:
    """Put parcels before a person whose statutory term to be served runs out in 3, 1 or 0 working days, once each."""
    steps = sorted(rule_book.in_force().serve_alarm_wd, reverse=True)
    if not steps:
        return 0
    calendar = work_calendar.current()
    today = clock.today()
    try:
        horizon = calendar.add_working_days(today, steps[0] + 1)
    except UnknownYear:
        horizon = today + timedelta(days=2 * steps[0] + 10)
    statement = (
        sa.select(Parcel.id)
        .where(Parcel.state.in_(UNSERVED), Parcel.serve_by <= datetime.combine(horizon, datetime.max.time(), BEIJING))
        .order_by(Parcel.serve_by)
    )
    return sum(serve_alarm(parcel_id) for parcel_id in list(db.session.scalars(statement.limit(1000))))


@use_case
def serve_alarm(parcel_id: UUID) -> bool:
    """Give the alarm of the present working day, if it was not given; returns whether it was."""
    parcel = lock(Parcel, parcel_id)
    step = due_step(parcel.serve_by, rule_book.in_force().serve_alarm_wd)
    terms = terms_of(parcel.id)
    if (
        parcel.state not in UNSERVED
        or step is None
        or (terms.serve_alarm_wd is not None and terms.serve_alarm_wd <= step)
    ):
        return False
    terms.serve_alarm_wd = step
    last = clock.beijing_day(parcel.serve_by).isoformat()
    return raise_task(parcel, TaskKind.SERVE_DEADLINE, cause=f"{last}:{step}", fact=last)


def due_step(serve_by: datetime, steps: tuple[int, ...]) -> int | None:
    """The narrowest alarm step that is reached today: working days left until the last day, 0 on and after it."""
    today, last = clock.today(), clock.beijing_day(serve_by)
    try:
        left = work_calendar.current().count_working_days(today, last) if last > today else 0
    except UnknownYear:
        left = (last - today).days
    reached = [step for step in steps if left <= step]
    return min(reached, default=None)


def tariff(hall_organisation_id: UUID) -> Mapping[str, Promise]:
    """What applies to the three areas and to every region that the hall set."""
    return {**DEFAULTS, **promises_of(hall_organisation_id)}
