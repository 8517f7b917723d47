"""What a receiver can still wish for while the parcel is on its way: a day, or that it is stopped."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery import terms as rule_book
from delivery.chosen_days import choosable, is_fixed
from delivery.models.parcels import Parcel
from delivery.models.rounds import CourierRound, RoundStop, StopState
from delivery.models.tasks import TaskKind
from delivery.own_courier import OWN_CARRIER
from delivery.policy import must_see_parcel
from delivery.queries.schedules import schedule_of
from delivery.services.tasks import raise_task
from delivery.services.terms import terms_of
from delivery.states import STAFF, ParcelState, Part, RoundState

OVER: Final = (ParcelState.DELIVERED, ParcelState.CLOSED, ParcelState.CANCELLED, ParcelState.LOST, ParcelState.MERGED)


@dataclass(frozen=True)
class ChooseDay:
    """The day on which somebody is there."""

    day: date
    version: int | None = None


@dataclass(frozen=True)
class AgreeDay:
    """A day that the hall agreed with the receiver, and how."""

    day: date
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class Intercept:
    """Why the parcel is to be stopped."""

    reason: str
    version: int | None = None


def _theirs(actor: Actor, parcel: Parcel) -> None:
    if Part.APPLICANT not in must_see_parcel(actor, parcel):
        raise NotAllowed


@use_case
def choose_day(actor: Actor, parcel_id: UUID, command: ChooseDay, *, by_link: bool = False) -> None:
    """Choose the day of delivery, or another one until the hall's cut-off of the day before.

    Our own couriers' rounds follow it. An outside carrier gets it as a remark with the order; once it has the parcel, the
    hall passes it on. Raises Refused for a day that cannot be, Conflict when the chosen day is being prepared already, or
    the parcel is out, delivered or given up.
    """
    parcel = lock(Parcel, parcel_id, seen=command.version)
    if not by_link:
        _theirs(actor, parcel)
    _refuse_over(parcel)
    cutoff, days = schedule_of(parcel.hall_organisation_id)[0], rule_book.in_force().choose_day_days
    terms, now = terms_of(parcel.id), clock.now()
    if is_fixed(terms.preferred_day, now, cutoff):
        raise Conflict(
            "day-fixed", N_("The delivery on %(day)s is being prepared, so it cannot be changed any more."),
            params={"day": str(terms.preferred_day)},
        )  # fmt: skip
    possible = choosable(now, cutoff, days)
    if command.day not in possible:
        raise Refused(
            "day", N_("Choose a day from %(first)s to %(last)s."), field="day",
            params={"first": str(possible.first), "last": str(possible.last)},
        )  # fmt: skip
    _write_day(actor, parcel, command.day, N_("Delivery day chosen"))


@use_case
def agree_day(actor: Actor, parcel_id: UUID, command: AgreeDay) -> None:
    """The hall agrees a day with the receiver, by telephone for example; today too, and after the cut-off.

    Raises NotAllowed for anybody but staff, Refused for a day that cannot be, Conflict as `choose_day`.
    """
    parcel = lock(Parcel, parcel_id, seen=command.version)
    if not must_see_parcel(actor, parcel).intersection(STAFF):
        raise NotAllowed
    _refuse_over(parcel)
    today = clock.today()
    last = today + timedelta(days=rule_book.in_force().choose_day_days)
    if not today <= command.day <= last:
        raise Refused(
            "day",
            N_("Choose a day from %(first)s to %(last)s."),
            field="day",
            params={"first": str(today), "last": str(last)},
        )
    _write_day(actor, parcel, command.day, N_("Delivery day agreed with the receiver"), command.reason)


def _refuse_over(parcel: Parcel) -> None:
    if parcel.state in OVER:
        raise Conflict(
            "nothing-to-choose", N_("The parcel is delivered or does not travel by itself: no day can be chosen.")
        )


def _write_day(actor: Actor, parcel: Parcel, day: date, title: str, reason: str | None = None) -> None:
    terms_of(parcel.id).preferred_day = day
    _leave_earlier_round(parcel, day)
    if parcel.state == ParcelState.HANDED_OVER and parcel.carrier != OWN_CARRIER:
        raise_task(parcel, TaskKind.WISH, cause=day.isoformat(), fact=day.isoformat())
    record(parcel, "day_chosen", actor, title=title, reason=reason, detail={"day": day.isoformat()})


def _leave_earlier_round(parcel: Parcel, day: date) -> None:
    """A planned round of an earlier day gives the parcel back; with a courier who is out already nothing can be chosen."""
    found = db.session.execute(
        sa.select(RoundStop, CourierRound.state, CourierRound.work_day)
        .join(CourierRound, CourierRound.id == RoundStop.round_id)
        .where(RoundStop.parcel_id == parcel.id, RoundStop.outcome == StopState.OPEN)
    ).one_or_none()
    if found is None:
        return
    stop, state, work_day = found
    if state == RoundState.OUT:
        raise Conflict(
            "courier-is-out", N_("The courier is on the way with it. Choose a day again if it does not reach you.")
        )
    if work_day < day:
        stop.outcome = StopState.TAKEN_OFF


@use_case
def ask_intercept(actor: Actor, parcel_id: UUID, command: Intercept) -> None:
    """Ask the hall to have a parcel stopped that the courier has. Raises Conflict at any other time."""
    parcel = lock(Parcel, parcel_id, seen=command.version)
    _theirs(actor, parcel)
    if parcel.state != ParcelState.HANDED_OVER:
        raise Conflict("not-under-way", N_("Only a parcel that the courier has can be stopped."))
    if not raise_task(parcel, TaskKind.INTERCEPT, cause=parcel.waybill_no or "", fact=parcel.waybill_no or ""):
        raise Conflict("already-asked", N_("The hall was asked to stop this parcel already."))
    record(parcel, "intercept_asked", actor, title=N_("The receiver wants the parcel stopped"), reason=command.reason)
