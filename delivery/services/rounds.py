"""A courier's round: planned by the post, taken out on the handset, changed on the way, ended."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.identity import sessions
from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import doorstep, own_courier
from delivery import terms as rule_book
from delivery.doorstep import CodeCheck
from delivery.models.parcels import Parcel
from delivery.models.rounds import CourierRound, RoundStop, StopState
from delivery.models.terms import ParcelTerms
from delivery.policy import must_see_round
from delivery.services import codes
from delivery.services.own_courier import tell
from delivery.services.scanning import find_scanned
from delivery.services.terms import terms_of
from delivery.states import ROUND, ParcelState, Part, RoundState

UNFINISHED: Final = (RoundState.PLANNED, RoundState.OUT)


@dataclass(frozen=True)
class PlanRound:
    """Whose round, on which day, with which parcels; `batch_id` adds everything a hand-over list handed over."""

    courier_user_id: UUID
    work_day: date
    parcel_ids: tuple[UUID, ...] = ()
    batch_id: UUID | None = None


@dataclass(frozen=True)
class AddStop:
    """A scanned code: waybill number, parcel number or seal."""

    code: str
    version: int | None = None


@dataclass(frozen=True)
class StopOf:
    """One parcel of the round."""

    parcel_id: UUID
    version: int | None = None


@dataclass(frozen=True)
class EndRound:
    """Why a round is ended or goes on with another handset; whether the handset is given up for good."""

    reason: str
    handset_given_up: bool = False
    version: int | None = None


@dataclass(frozen=True)
class UnlockCode:
    """Why the pick-up code of a stop may be tried again."""

    parcel_id: UUID
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class TryCode:
    """A code that the receiver named at the door."""

    code: str = field(repr=False)


@dataclass(frozen=True)
class CodeAnswer:
    """What came of it."""

    check: CodeCheck
    tries_left: int
    is_locked: bool


@use_case
def plan_round(actor: Actor, command: PlanRound) -> UUID:
    """Plan a round for a courier of the actor's hall. Raises Refused for a stranger or an empty round, Conflict for a
    parcel that lies on another round.
    """
    hall = actor.organisation_id
    if hall is None or actor.user_id is None:
        raise NotAllowed
    courier = couriers_of(hall).get(command.courier_user_id)
    if courier is None:
        raise Refused("no-courier", N_("Choose a courier of this hall."), field="courier_user_id")
    if command.work_day < clock.today():
        raise Refused("day-over", N_("Choose today or a later day."), field="work_day")
    made = CourierRound(
        id=new_id(), number=next_number("TD"), hall_organisation_id=hall, courier_user_id=command.courier_user_id,
        courier_name=courier, work_day=command.work_day, state=RoundState.PLANNED, created_at=clock.now(), created_by=actor.user_id,
    )  # fmt: skip
    if not must_see_round(actor, made).intersection((Part.POST, Part.SUPERVISOR)):
        raise NotAllowed
    parcels = _wanted(hall, command)
    if not parcels:
        raise Refused("empty-round", N_("Choose at least one parcel that the courier has."), field="parcel_ids")
    db.session.add(made)
    db.session.flush()  # record() and the stops name its id
    for position, parcel in enumerate(sorted(parcels, key=by_place)):
        _put_on(made, parcel, position)
    record(made, "planned", actor, title=N_("Round planned"), detail={"number": made.number, "stops": len(parcels)})
    notify(
        to_user=made.courier_user_id, kind="delivery.round_planned", thread_id=made.thread_id, link="/handset/",
        subject=N_("Round %(number)s is planned for you"), text=N_("%(stops)s stops on %(day)s. Open it on the handset."),
        params={"number": made.number, "stops": str(len(parcels)), "day": made.work_day.isoformat()},
    )  # fmt: skip
    return made.id


def couriers_of(hall_organisation_id: UUID) -> dict[UUID, str]:
    """Names of the hall's couriers by user."""
    return identity.members_with_role(hall_organisation_id, Role.COURIER)


def _wanted(hall: UUID, command: PlanRound) -> list[Parcel]:
    from delivery.models.batches import HandoverLine, LineOutcome

    wanted = set(command.parcel_ids)
    if command.batch_id is not None:
        taken = sa.select(HandoverLine.parcel_id).where(
            HandoverLine.batch_id == command.batch_id, HandoverLine.outcome == LineOutcome.TAKEN
        )
        waiting = sa.select(Parcel.id).where(
            Parcel.id.in_(taken), Parcel.state == ParcelState.HANDED_OVER, ~waits_beyond(command.work_day)
        )
        wanted |= set(db.session.scalars(waiting))
    most = rule_book.in_force().round_stops
    if len(wanted) > most:
        raise Refused(
            "round-full", N_("A round has at most %(most)s stops."), field="parcel_ids", params={"most": most}
        )
    found = [lock(Parcel, parcel_id) for parcel_id in sorted(wanted)]
    if any(parcel.hall_organisation_id != hall for parcel in found):
        raise NotFound
    return found


def by_place(parcel: Parcel) -> tuple[str, str, str]:
    """The order in which stops are planned: county, street, number."""
    return parcel.receiver_county, parcel.receiver_address, parcel.number


def _put_on(courier_round: CourierRound, parcel: Parcel, position: int) -> None:
    if parcel.state != ParcelState.HANDED_OVER:
        raise Conflict(
            "not-with-courier", N_("Parcel %(number)s is not with the courier."), params={"number": parcel.number}
        )
    _refuse_before_chosen_day(courier_round, parcel)
    elsewhere = db.session.scalar(
        sa.select(CourierRound.number)
        .join(RoundStop, RoundStop.round_id == CourierRound.id)
        .where(RoundStop.parcel_id == parcel.id, RoundStop.outcome == StopState.OPEN)
    )
    if elsewhere is not None:
        raise Conflict(
            "on-another-round", N_("Parcel %(number)s lies on round %(round)s."),
            params={"number": parcel.number, "round": elsewhere},
        )  # fmt: skip
    known = db.session.scalar(
        sa.select(RoundStop).where(RoundStop.round_id == courier_round.id, RoundStop.parcel_id == parcel.id)
    )
    if known is not None:
        known.outcome, known.position = StopState.OPEN, position
    else:
        db.session.add(RoundStop(id=new_id(), round_id=courier_round.id, parcel_id=parcel.id, position=position))
    db.session.flush()  # the partial unique index on open stops speaks here


def waits_beyond(day: date) -> sa.ColumnElement[bool]:
    """Whether the receiver of a parcel chose a later day than `day`."""
    return sa.exists().where(ParcelTerms.parcel_id == Parcel.id, ParcelTerms.preferred_day > day)


def _refuse_before_chosen_day(courier_round: CourierRound, parcel: Parcel) -> None:
    chosen_day = terms_of(parcel.id).preferred_day
    if chosen_day is not None and chosen_day > courier_round.work_day:
        raise Conflict(
            "not-before-chosen-day",
            N_("The receiver of parcel %(number)s chose %(day)s. Agree another day with them first."),
            params={"number": parcel.number, "day": chosen_day.isoformat()},
        )


@use_case
def add_stop(actor: Actor, round_id: UUID, command: AddStop) -> UUID:
    """Put a scanned parcel on an unfinished round; a repeated scan changes nothing. Returns the parcel."""
    found, _ = _planned_by(actor, round_id, command.version)
    parcel = find_scanned(found.hall_organisation_id, command.code)
    stops = stops_of(found.id)
    if any(stop.parcel_id == parcel.id and stop.outcome == StopState.OPEN for stop in stops):
        return parcel.id
    most = rule_book.in_force().round_stops
    if len(stops) >= most:
        raise Refused("round-full", N_("A round has at most %(most)s stops."), params={"most": most})
    _put_on(found, parcel, max((stop.position for stop in stops), default=-1) + 1)
    record(found, "stop_added", actor, title=N_("Stop added"), detail={"parcel": parcel.number})
    return parcel.id


@use_case
def take_off(actor: Actor, round_id: UUID, command: StopOf) -> None:
    """Take a parcel off the round, so that another courier may have it."""
    found, _ = _planned_by(actor, round_id, command.version)
    stop = stop_of(found.id, command.parcel_id)
    if stop.outcome != StopState.OPEN:
        raise Refused("stop-settled", N_("This stop is settled."))
    stop.outcome = StopState.TAKEN_OFF
    record(found, "stop_taken_off", actor, title=N_("Stop taken off"), detail={"parcel_id": str(command.parcel_id)})


@use_case
def set_out(actor: Actor, round_id: UUID) -> None:
    """The courier takes the round out: from now on the handset holds it. A repeat changes nothing."""
    found = lock(CourierRound, round_id)
    parts = must_see_round(actor, found)
    if found.state == RoundState.OUT and Part.COURIER in parts:
        return
    waiting = [stop.parcel_id for stop in stops_of(found.id) if stop.outcome == StopState.OPEN]
    moment = clock.now()
    # no statement runs between these and move(): the database holds key and state together
    found.set_out_at, found.storage_key = moment, base64.b64encode(secrets.token_bytes(32)).decode()
    move(found, ROUND, "set_out", actor, parts, detail={"stops": len(waiting)})
    for parcel_id in waiting:
        parcel = lock(Parcel, parcel_id)
        tell(parcel, own_courier.out_for_delivery(parcel.waybill_no or "", found.number, moment))


@use_case
def finish(actor: Actor, round_id: UUID) -> None:
    """The courier is back and the handset is empty: its key is forgotten. A repeat changes nothing.

    What was not visited becomes free for another round.
    """
    found = lock(CourierRound, round_id)
    parts = must_see_round(actor, found)
    if found.state == RoundState.DONE and Part.COURIER in parts:
        return
    sums = _close(found)
    found.finished_at, found.storage_key = clock.now(), None
    move(found, ROUND, "finish", actor, parts, detail=sums)


@use_case
def end_for_courier(actor: Actor, round_id: UUID, command: EndRound) -> None:
    """A supervisor ends the round of a courier who will not: ill, or the handset is lost or has no key any more.

    What was not visited becomes free for another round. With `handset_given_up` the courier's sessions end, and whatever
    that handset still sends is kept and refused.
    """
    found = lock(CourierRound, round_id, seen=command.version)
    parts = must_see_round(actor, found)
    sums = _close(found)
    if command.handset_given_up:
        _give_handset_up(found)
    # no statement runs between this and move(): the database holds key and state together
    found.finished_at, found.storage_key = clock.now(), None
    detail = sums | {"handset_given_up": command.handset_given_up}
    move(found, ROUND, "end_for_courier", actor, parts, reason=command.reason, detail=detail)


@use_case
def replace_handset(actor: Actor, round_id: UUID, command: EndRound) -> None:
    """The courier goes on with another handset: what the earlier one still sends is kept and refused.

    The key stays, so that the earlier handset, found again, can still send its records as evidence; without the courier's
    session, which ends here, it cannot be read there.

    Raises NotAllowed for anybody but the supervisor, Refused for a round that is not out.
    """
    found = lock(CourierRound, round_id, seen=command.version)
    if Part.SUPERVISOR not in must_see_round(actor, found):
        raise NotAllowed
    if found.state != RoundState.OUT:
        raise Refused("not-out", N_("This round is not out."))
    _give_handset_up(found)
    record(
        found, "handset_replaced", actor, title=N_("Handset replaced"), reason=command.reason,
        detail={"handset_no": found.handset_no},
    )  # fmt: skip
    notify(
        to_user=found.courier_user_id, kind="delivery.handset_replaced", thread_id=found.thread_id, link="/handset/",
        subject=N_("Go on with another handset: round %(number)s"),
        text=N_("Sign in on the new handset and open the round. What was recorded on the earlier one and not sent does not count."),
        params={"number": found.number},
    )  # fmt: skip


def _give_handset_up(found: CourierRound) -> None:
    found.handset_no += 1
    sessions.revoke_all(found.courier_user_id)


def _close(found: CourierRound) -> dict[str, int]:
    """Free what was not visited; returns how the stops ended."""
    states = [stop.outcome for stop in stops_of(found.id)]
    _free_stops(found)
    return {str(each): states.count(each) for each in StopState}


@use_case
def cancel_round(actor: Actor, round_id: UUID, command: object) -> None:
    """Drop a round that nobody took out."""
    found = lock(CourierRound, round_id, seen=getattr(command, "version", None))
    parts = must_see_round(actor, found)
    move(found, ROUND, "cancel", actor, parts, reason=str(getattr(command, "reason", "")))
    _free_stops(found)


def _free_stops(found: CourierRound) -> None:
    db.session.execute(
        sa.update(RoundStop)
        .where(RoundStop.round_id == found.id, RoundStop.outcome == StopState.OPEN)
        .values(outcome=StopState.TAKEN_OFF)
    )


# --- pick-up codes ---


@use_case
def try_code(actor: Actor, round_id: UUID, parcel_id: UUID, command: TryCode) -> CodeAnswer:
    """Compare a code at the door while there is a connection. The last wrong one allowed locks it."""
    found = lock(CourierRound, round_id)
    if Part.COURIER not in must_see_round(actor, found) or found.state != RoundState.OUT:
        raise NotFound
    parcel = lock(Parcel, stop_of(found.id, parcel_id).parcel_id)
    if codes.is_locked(parcel.id):
        return CodeAnswer(CodeCheck.WRONG, 0, is_locked=True)
    check = doorstep.check_code(parcel.pickup_code, command.code)
    if check is not CodeCheck.NONE:
        codes.count_try(parcel, actor, fits=check is CodeCheck.RIGHT)
    return CodeAnswer(check, codes.tries_left(parcel.id), is_locked=codes.is_locked(parcel.id))


@use_case
def unlock_code(actor: Actor, round_id: UUID, command: UnlockCode) -> None:
    """A supervisor lets the same code be tried again: the courier stands at the door. Raises Refused without a lock."""
    found = lock(CourierRound, round_id, seen=command.version)
    if Part.SUPERVISOR not in must_see_round(actor, found):
        raise NotAllowed
    parcel = lock(Parcel, stop_of(found.id, command.parcel_id).parcel_id)
    if not codes.is_locked(parcel.id):
        raise Refused("not-locked", N_("The pick-up code is not locked."))
    codes.forget_tries(parcel)
    record(parcel, "code_unlocked", actor, title=N_("The pick-up code may be tried again"), reason=command.reason)


# --- what the others need ---


def stops_of(round_id: UUID) -> Sequence[RoundStop]:
    """All stops of a round in their order."""
    statement = sa.select(RoundStop).where(RoundStop.round_id == round_id).order_by(RoundStop.position, RoundStop.id)
    return db.session.scalars(statement).all()


def stop_of(round_id: UUID, parcel_id: UUID) -> RoundStop:
    found = db.session.scalar(
        sa.select(RoundStop).where(RoundStop.round_id == round_id, RoundStop.parcel_id == parcel_id).with_for_update()
    )
    if found is None:
        raise NotFound
    return found


def _planned_by(actor: Actor, round_id: UUID, seen: int | None) -> tuple[CourierRound, frozenset[Part]]:
    found = lock(CourierRound, round_id, seen=seen)
    parts = must_see_round(actor, found)
    if not parts.intersection((Part.POST, Part.SUPERVISOR)):
        raise NotAllowed
    if found.state not in UNFINISHED:
        raise Refused("round-over", N_("This round is over."))
    return found, parts
