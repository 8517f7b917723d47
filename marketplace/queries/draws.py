"""Reads of draws: the public files, the readings of the announced values, the complete order."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.procurements import Draw, DrawOutcome, DrawRank, DrawValueEntry, Procurement, Registration
from marketplace.policy import Permission, sees_procurement
from marketplace.rules import draw as gmdraw
from marketplace.rules.draw import Source
from marketplace.states.procurement import ProcurementState


@dataclass(frozen=True)
class SourceView:
    """One announced source: its round, when its value becomes public (None: not by its round), where to look it up, and the agreed value."""

    name: str
    round: str
    published_at: datetime | None
    address: str | None
    value: str | None
    readers: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True)
class PlaceView:
    """One entry of the draw with its place, once ranked; `state` is the registration's now."""

    place: int | None
    uscc: str
    name: str
    contribution: str
    score: str | None
    state: str


@dataclass(frozen=True)
class DrawView:
    """One draw as everybody sees it."""

    id: UUID
    code: str
    procurement_id: UUID
    procurement_number: str
    title: str
    procurement_state: str
    version: int
    seats: int
    is_demonstration: bool
    draw_file: bytes
    sha256: str
    beacon_file: bytes | None
    seed: str | None
    frozen_at: datetime
    challenge_ends_at: datetime
    beacon_due_at: datetime
    ranked_at: datetime | None
    sources: tuple[SourceView, ...]
    places: tuple[PlaceView, ...]
    may_enter: bool

    @property
    def is_challengeable(self) -> bool:
        """Whether the time to challenge the list still runs."""
        return clock.now() < self.challenge_ends_at and self.ranked_at is None


def draw_view(actor: Actor, draw_id: UUID) -> DrawView:
    """One draw; NotFound when its procurement may not be seen. Six statements, whatever the number of entries."""
    d = db.session.get(Draw, draw_id)
    p = db.session.get(Procurement, d.procurement_id, populate_existing=True) if d else None
    if d is None or p is None or not sees_procurement(actor, p):
        raise NotFound
    outcome = db.session.get(DrawOutcome, d.id)
    sources = _sources(d)
    waiting = p.state == ProcurementState.SELECTING and outcome is None and not d.is_demonstration
    return DrawView(
        id=d.id,
        code=d.code,
        procurement_id=p.id,
        procurement_number=p.number,
        title=p.title,
        procurement_state=p.state,
        version=p.version,
        seats=p.seats,
        is_demonstration=d.is_demonstration,
        draw_file=d.draw_file,
        sha256=d.sha256,
        beacon_file=outcome.beacon_file if outcome else None,
        seed=outcome.seed if outcome else None,
        frozen_at=d.frozen_at,
        challenge_ends_at=d.challenge_ends_at,
        beacon_due_at=d.beacon_due_at,
        ranked_at=outcome.ranked_at if outcome else None,
        sources=sources,
        places=_places(d),
        may_enter=waiting and actor.may(Permission.DRAW_BEACON) and clock.now() >= d.beacon_due_at,
    )


def _sources(d: Draw) -> tuple[SourceView, ...]:
    entries = db.session.scalars(
        select(DrawValueEntry).where(DrawValueEntry.draw_id == d.id).order_by(DrawValueEntry.entered_at)
    ).all()
    outcome = db.session.get(DrawOutcome, d.id)
    values: dict[str, str] = {}
    if outcome is not None:
        listed = gmdraw.parse_draw(d.draw_file, demonstration=d.is_demonstration)
        values = {b.source.name: b.value for b in gmdraw.parse_beacons(outcome.beacon_file, listed)}
    return tuple(
        SourceView(
            name=name,
            round=round_,
            published_at=gmdraw.published_at(Source(name, round_)),
            address=gmdraw.public_address(Source(name, round_)),
            value=values.get(name),
            readers=tuple((e.entered_by_name, e.entered_at) for e in entries if e.source == name),
        )
        for name, round_ in d.sources
    )


def _places(d: Draw) -> tuple[PlaceView, ...]:
    """In the order of the ranking; before it, in the order of the file."""
    listed = gmdraw.parse_draw(d.draw_file, demonstration=d.is_demonstration)
    contributions = {entry.code: entry.contribution for entry in listed.entries}
    registrations = {
        row.uscc: row
        for row in db.session.scalars(
            select(Registration).where(
                Registration.procurement_id == d.procurement_id, Registration.uscc.in_(contributions)
            )
        )
    }
    ranks = {row.uscc: row for row in db.session.scalars(select(DrawRank).where(DrawRank.draw_id == d.id))}
    places = [
        PlaceView(
            place=ranks[code].place if code in ranks else None,
            uscc=code,
            name=registrations[code].name,
            contribution=contribution,
            score=ranks[code].score if code in ranks else None,
            state=registrations[code].state,
        )
        for code, contribution in contributions.items()
    ]
    return tuple(sorted(places, key=lambda row: (row.place or 0, row.uscc)))
