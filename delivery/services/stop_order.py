"""In which order the stops of a round are visited: as the courier puts them, or the desk moves and sorts them."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery.models.parcels import Parcel
from delivery.models.rounds import CourierRound, RoundStop, StopState
from delivery.policy import must_see_round
from delivery.services.rounds import UNFINISHED, by_place, stop_of, stops_of
from delivery.states import Part


class SortBy(StrEnum):
    """By what the stops of a round are sorted."""

    PLACE = "place"
    SERVE_BY = "serve_by"


@dataclass(frozen=True)
class OrderStops:
    """The parcels in the order in which they are to be visited; those not named follow in their present order."""

    parcel_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class MoveStop:
    """A stop that changes places with the one before it (`up`) or after it."""

    parcel_id: UUID
    up: bool = True
    version: int | None = None


@dataclass(frozen=True)
class SortStops:
    """By what to sort."""

    by: SortBy
    version: int | None = None


@use_case
def order_stops(actor: Actor, round_id: UUID, command: OrderStops) -> None:
    """Write the order of visits. Unknown parcels are ignored: the round may have changed since the handset asked."""
    found = _to_be_ordered(actor, round_id)
    place = {parcel_id: number for number, parcel_id in enumerate(command.parcel_ids)}
    stops = sorted(stops_of(found.id), key=lambda stop: (place.get(stop.parcel_id, len(place)), stop.position))
    for position, stop in enumerate(stops):
        stop.position = position


@use_case
def move_stop(actor: Actor, round_id: UUID, command: MoveStop) -> None:
    """Let a stop change places with its neighbour among the stops to be visited; at either end nothing happens."""
    _to_be_ordered(actor, round_id, command.version)
    wanted = stop_of(round_id, command.parcel_id)
    stops = [stop for stop in stops_of(round_id) if stop.outcome == StopState.OPEN]
    if wanted not in stops:
        raise Refused("stop-settled", N_("This stop is settled."))
    at = stops.index(wanted)
    to = at - 1 if command.up else at + 1
    if 0 <= to < len(stops):
        stops[at].position, stops[to].position = stops[to].position, stops[at].position


@use_case
def sort_stops(actor: Actor, round_id: UUID, command: SortStops) -> None:
    """Sort the stops by place, or by the statutory last day of service and then by place."""
    found = _to_be_ordered(actor, round_id, command.version)
    stops = stops_of(round_id)
    parcels = {stop.parcel_id: db.session.get_one(Parcel, stop.parcel_id) for stop in stops}

    def key(stop: RoundStop) -> tuple[object, ...]:
        parcel = parcels[stop.parcel_id]
        return (parcel.serve_by, *by_place(parcel)) if command.by is SortBy.SERVE_BY else by_place(parcel)

    for position, stop in enumerate(sorted(stops, key=key)):
        stop.position = position
    record(found, "stops_sorted", actor, title=N_("Stops sorted"), detail={"by": str(command.by)})


def _to_be_ordered(actor: Actor, round_id: UUID, seen: int | None = None) -> CourierRound:
    found = lock(CourierRound, round_id, seen=seen)
    if not must_see_round(actor, found).intersection((Part.COURIER, Part.POST, Part.SUPERVISOR)):
        raise NotAllowed
    if found.state not in UNFINISHED:
        raise Refused("round-over", N_("This round is over."))
    return found
