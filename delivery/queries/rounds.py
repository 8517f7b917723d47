"""Couriers' rounds: for the post's pages, and whole for the handset that carries one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.words import N_
from delivery import doorstep, rules
from delivery import terms as rule_book
from delivery.models.parcels import Parcel
from delivery.models.rounds import CourierRound, RoundStop, StopState
from delivery.models.terms import ParcelTerms
from delivery.policy import must_see_round, oversees
from delivery.queries.choices import NO_CHOICE, Choice, choices_of
from delivery.states import ROUND, Part, RoundState

STOP_LABELS: Final = {
    StopState.OPEN: N_("To be visited"),
    StopState.DELIVERED: N_("Delivered"),
    StopState.FAILED: N_("Not delivered"),
    StopState.TAKEN_OFF: N_("Taken off"),
}
STOP_TONES: Final = {
    StopState.OPEN: "waiting", StopState.DELIVERED: "success", StopState.FAILED: "warning", StopState.TAKEN_OFF: "neutral",
}  # fmt: skip
ROUND_TONES: Final = {
    RoundState.PLANNED: "waiting", RoundState.OUT: "active", RoundState.DONE: "success", RoundState.CANCELLED: "neutral",
}  # fmt: skip


@dataclass(frozen=True)
class RoundRow:
    """A round in a list, with how many of its stops are settled."""

    id: UUID
    number: str
    courier_name: str
    work_day: date
    state: str
    state_label: str
    tone: str
    stops: int
    delivered: int
    failed: int

    @property
    def open(self) -> int:
        return self.stops - self.delivered - self.failed


@dataclass(frozen=True)
class StopView:
    """A stop as the hall sees it; the receiver masked."""

    parcel_id: UUID
    number: str
    waybill_no: str
    receiver: str
    place: str
    contents: str
    state: str
    state_label: str
    tone: str
    code_tries: int
    is_locked: bool
    chosen_day: date | None
    point: str | None


@dataclass(frozen=True)
class RoundView:
    """One round with its stops."""

    id: UUID
    number: str
    title: str
    hall_organisation_id: UUID
    courier_user_id: UUID
    courier_name: str
    work_day: date
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    set_out_at: datetime | None
    finished_at: datetime | None
    stops: tuple[StopView, ...]
    handset_no: int
    parts: frozenset[Part]

    def count(self, *states: StopState) -> int:
        return sum(stop.state in states for stop in self.stops)


def rounds_statement(
    actor: Actor, *, courier: UUID | None = None, state: str | None = None, day: date | None = None
) -> sa.Select[Any]:
    """Rounds of the hall, or of the courier who asks, the newest day first, with the sums of their stops."""
    counted = sa.select(
        RoundStop.round_id,
        _sum(RoundStop.outcome != StopState.TAKEN_OFF).label("stops"),
        _sum(RoundStop.outcome == StopState.DELIVERED).label("delivered"),
        _sum(RoundStop.outcome == StopState.FAILED).label("failed"),
    ).group_by(RoundStop.round_id)
    sums = counted.subquery()
    statement = sa.select(CourierRound, sums.c.stops, sums.c.delivered, sums.c.failed).outerjoin(
        sums, sums.c.round_id == CourierRound.id
    )
    if not oversees(actor):
        statement = statement.where(CourierRound.hall_organisation_id == actor.organisation_id)
    wanted = ((CourierRound.courier_user_id, courier), (CourierRound.state, state), (CourierRound.work_day, day))
    statement = statement.where(*(column == value for column, value in wanted if value is not None))
    return statement.order_by(CourierRound.work_day.desc(), CourierRound.created_at.desc(), CourierRound.id)


def _sum(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


def round_rows(rows: Sequence[Any]) -> tuple[RoundRow, ...]:
    """Rows of `rounds_statement` as values."""
    return tuple(
        RoundRow(
            each.id, each.number, each.courier_name, each.work_day, each.state, ROUND.labels[RoundState(each.state)],
            ROUND_TONES[RoundState(each.state)], stops or 0, delivered or 0, failed or 0,
        )
        for each, stops, delivered, failed in rows
    )  # fmt: skip


def rounds_of_courier(actor: Actor) -> tuple[RoundRow, ...]:
    """What this courier has to do: rounds that are out, and planned ones up to today."""
    statement = rounds_statement(actor).where(
        CourierRound.courier_user_id == actor.user_id,
        sa.or_(
            CourierRound.state == RoundState.OUT,
            sa.and_(CourierRound.state == RoundState.PLANNED, CourierRound.work_day <= clock.today()),
        ),
    )
    return round_rows(db.session.execute(statement.limit(20)).all())


def round_view(round_id: UUID, actor: Actor) -> RoundView:
    """A round with its stops, in four statements. Raises NotFound for another hall's or another courier's."""
    row = get(CourierRound, round_id)
    parts = must_see_round(actor, row)
    state = RoundState(row.state)
    return RoundView(
        row.id, row.number, row.number, row.hall_organisation_id, row.courier_user_id, row.courier_name, row.work_day, state,
        ROUND.labels[state], ROUND_TONES[state], ROUND.next_step[state], row.version, row.set_out_at, row.finished_at,
        _stop_views(row.id), row.handset_no, parts,
    )  # fmt: skip


def _stops(round_id: UUID) -> Sequence[Any]:
    statement = (
        sa.select(
            RoundStop, Parcel, sa.func.coalesce(ParcelTerms.code_tries, 0), ParcelTerms.code_locked_at.is_not(None)
        )
        .join(Parcel, Parcel.id == RoundStop.parcel_id)
        .outerjoin(ParcelTerms, ParcelTerms.parcel_id == Parcel.id)
        .where(RoundStop.round_id == round_id)
        .order_by(RoundStop.position, RoundStop.id)
    )
    return db.session.execute(statement).all()


def _stop_views(round_id: UUID) -> tuple[StopView, ...]:
    rows = _stops(round_id)
    chosen = choices_of(parcel.id for _, parcel, _, _ in rows)
    return tuple(
        _stop_view(stop, parcel, code_tries, chosen.get(parcel.id, NO_CHOICE), is_locked=is_locked)
        for stop, parcel, code_tries, is_locked in rows
    )


def _stop_view(stop: RoundStop, parcel: Parcel, code_tries: int, chosen: Choice, *, is_locked: bool) -> StopView:
    state = StopState(stop.outcome)
    return StopView(
        parcel.id, parcel.number, parcel.waybill_no or "", rules.masked_name(parcel.receiver_name),
        rules.masked_address(
            parcel.receiver_prov, parcel.receiver_city, parcel.receiver_county, parcel.receiver_address
        ),
        parcel.contents, state, STOP_LABELS[state], STOP_TONES[state], code_tries, is_locked,
        chosen.day, chosen.point,
    )  # fmt: skip


@dataclass(frozen=True)
class CarriedStop:
    """What a handset must know of a stop to work without a connection, and no more."""

    parcel_id: UUID
    number: str
    waybill_no: str
    name: str = field(repr=False)
    mobile: str = field(repr=False)
    county: str
    address: str = field(repr=False)
    contents: str
    who_may_sign: str
    code_hint: str = field(repr=False)
    state: str
    tries_left: int
    is_locked: bool


@dataclass(frozen=True)
class CarriedRound:
    """A round for its own courier's handset; the key only while it is out."""

    id: UUID
    number: str
    work_day: date
    state: str
    set_out_at: datetime | None
    key: str | None = field(repr=False)
    handset_no: int
    stops: tuple[CarriedStop, ...]


def carried_round(round_id: UUID, actor: Actor) -> CarriedRound:
    """The round as its courier carries it. Raises NotFound for everybody else.

    What a person is called, and where they live, is told while the round is out, for the stops that are still open.
    """
    row = get(CourierRound, round_id)
    if Part.COURIER not in must_see_round(actor, row):
        raise NotFound
    is_out = row.state == RoundState.OUT
    tries = rule_book.in_force().code_tries
    stops = [
        _carried(stop, parcel, max(0, tries - wrong), is_locked=is_locked, full=is_out)
        for stop, parcel, wrong, is_locked in _stops(row.id)
        if stop.outcome != StopState.TAKEN_OFF
    ]
    return CarriedRound(
        row.id, row.number, row.work_day, row.state, row.set_out_at, row.storage_key, row.handset_no, tuple(stops)
    )


def _carried(stop: RoundStop, parcel: Parcel, tries_left: int, *, is_locked: bool, full: bool) -> CarriedStop:
    shown = full and stop.outcome != StopState.DELIVERED
    return CarriedStop(
        parcel.id, parcel.number, parcel.waybill_no or "",
        parcel.receiver_name if shown else rules.masked_name(parcel.receiver_name), parcel.receiver_mobile if shown else "",
        parcel.receiver_county, parcel.receiver_address if shown else "", parcel.contents, parcel.who_may_sign,
        doorstep.code_hint(str(parcel.id), parcel.pickup_code) if shown else "", stop.outcome,
        tries_left, is_locked,
    )  # fmt: skip
