"""What a receiver can still wish for while the parcel is on its way: another day, or that it is stopped."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import lock, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.policy import must_see_parcel
from delivery.services.tasks import raise_task
from delivery.services.terms import terms_of
from delivery.states import ParcelState, Part

LATEST_DAY: Final = timedelta(days=7)
"""The post keeps a parcel a week."""
OVER: Final = (ParcelState.DELIVERED, ParcelState.CLOSED, ParcelState.CANCELLED, ParcelState.LOST, ParcelState.MERGED)


@dataclass(frozen=True)
class ChooseDay:
    """The day on which somebody is there."""

    day: date
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
    """Wish for a day within a week. Before the hand-over it goes onto the order; afterwards the hall tells the carrier.

    Raises Refused for a day that cannot be, Conflict when the parcel is delivered or given up.
    """
    parcel = lock(Parcel, parcel_id, seen=command.version)
    if not by_link:
        _theirs(actor, parcel)
    if parcel.state in OVER:
        raise Conflict(
            "nothing-to-choose", N_("The parcel is delivered or does not travel by itself: no day can be chosen.")
        )
    today = clock.today()
    if not today < command.day <= today + LATEST_DAY:
        raise Refused("day", N_("Choose a day from tomorrow within a week."), field="day")
    terms_of(parcel.id).preferred_day = command.day
    if parcel.state == ParcelState.HANDED_OVER:
        raise_task(parcel, TaskKind.WISH, cause=command.day.isoformat(), fact=command.day.isoformat())
    record(
        parcel,
        "day_chosen",
        actor,
        title=N_("Another delivery day wished for"),
        detail={"day": command.day.isoformat()},
    )


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
