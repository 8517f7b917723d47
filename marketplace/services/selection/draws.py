"""The announced values of a draw: read by two persons, or made by a demonstration; and the draw whose source is dead."""

import secrets
from datetime import timedelta
from uuid import UUID

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import WithReason
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.procurements import ProcurementFailed
from marketplace.models.procurements import Draw, DrawOutcome, DrawValueEntry, Procurement
from marketplace.policy import Permission, parts
from marketplace.queries.rulebooks import rule_book
from marketplace.rules import draw as gmdraw
from marketplace.rules.draw import DEMO, NotCanonical, Source
from marketplace.services.commands import EnterValue
from marketplace.services.procurements import locked, release_registrations
from marketplace.services.selection.advance import advance
from marketplace.services.selection.drawing import agreed, latest_draw, readings
from marketplace.states.procurement import PROCUREMENT, FailureCode, ProcurementState

_P = ProcurementState
DEMONSTRATION_READER = "demo-beacon"


@use_case
def enter_value(actor: Actor, draw_id: UUID, command: EnterValue) -> bool:
    """Write down one person's reading of a public value. When two persons read the same for every source, the list is ranked.

    Raises NotAllowed, NotFound, Refused for a value that is not in its one spelling, Conflict when it cannot be known yet.
    """
    if not actor.may(Permission.DRAW_BEACON):
        raise NotAllowed
    row = db.session.get(Draw, draw_id)
    if row is None:
        raise NotFound
    procurement = locked(actor, row.procurement_id)
    source = next((Source(*pair) for pair in row.sources if pair[0] == command.source), None)
    if source is None:
        raise Refused("unknown-source", N_("This source was not announced for the draw."), field="source")
    _refuse_entry(procurement, row, source)
    value = command.value.strip()
    try:
        gmdraw.check_value(source.name, value)
    except NotCanonical as bad:
        raise Refused(
            "bad-value",
            N_("The value is not in the one spelling its source has. Copy it exactly as published."),
            field="value",
        ) from bad
    _write_value(row, source, value, actor)
    record(
        procurement,
        "value_entered",
        actor,
        title=N_("Public value entered"),
        detail={"source": source.name, "round": source.round, "draw": row.code},
    )
    return advance(procurement)


def _refuse_entry(procurement: Procurement, row: Draw, source: Source) -> None:
    if procurement.state != _P.SELECTING or db.session.get(DrawOutcome, row.id) is not None:
        raise Conflict("draw-not-open", N_("This draw does not wait for values."))
    if source.name == DEMO:
        raise Conflict("demonstration-source", N_("The demonstration value is made by the system itself."))
    if clock.now() < (gmdraw.published_at(source) or row.challenge_ends_at):
        raise Conflict("value-not-known", N_("This value cannot be known yet; its announced time has not come."))


def _write_value(row: Draw, source: Source, value: str, actor: Actor) -> None:
    for earlier in readings(row.id):
        if (earlier.source, earlier.entered_by, earlier.value) == (source.name, actor.user_id, value):
            raise Conflict(
                "value-entered", N_("You entered this value already. A second person must read it independently.")
            )
    db.session.add(
        DrawValueEntry(
            draw_id=row.id,
            source=source.name,
            value=value,
            entered_by=actor.user_id,
            entered_by_name=actor.name if actor.user_id else DEMONSTRATION_READER,
            entered_at=clock.now(),
        )
    )
    db.session.flush()


@use_case
def make_demonstration_value(procurement_id: UUID) -> bool:
    """In a demonstration, let this installation make the announced value after its time. It proves nothing and says so."""
    procurement = lock(Procurement, procurement_id)
    row = latest_draw(procurement.id)
    if procurement.state != _P.SELECTING or row is None or not row.is_demonstration or clock.now() < row.beacon_due_at:
        return False
    if db.session.get(DrawOutcome, row.id) is not None:
        return False
    if agreed(readings(row.id), DEMO) is None:
        source = next(Source(*pair) for pair in row.sources if pair[0] == DEMO)
        _write_value(row, source, secrets.token_hex(32), SYSTEM)
    return advance(procurement)


@use_case
def rank_draw(procurement_id: UUID) -> bool:
    """Rank a draw whose values are all in; repairs what a crash left between entry and ranking. False when nothing is due."""
    procurement = lock(Procurement, procurement_id)
    row = latest_draw(procurement.id)
    if procurement.state != _P.SELECTING or row is None:
        return False
    return advance(procurement)


@use_case
def abandon_draw(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Declare a draw void whose announced source has been silent for too long. Before that there is nothing but waiting."""
    procurement = locked(actor, procurement_id, command.version)
    book = rule_book(procurement.rule_book_version)
    row = latest_draw(procurement.id)
    if (
        procurement.state == _P.SELECTING
        and row
        and clock.now() < row.beacon_due_at + timedelta(days=book.draw_dead_source_days)
    ):
        raise Conflict(
            "source-not-dead",
            N_("There is no other source to choose. A draw is void only when its source was silent for %(days)s days."),
            params={"days": book.draw_dead_source_days},
        )
    procurement.failure_code = FailureCode.SOURCE_DEAD
    procurement.failures += 1
    event = ProcurementFailed(procurement_id=procurement.id, failure_code=FailureCode.SOURCE_DEAD)
    move(procurement, PROCUREMENT, "abandon_draw", actor, parts(actor, procurement), reason=command.reason, event=event)
    release_registrations(
        procurement,
        N_("The draw is void: %(title)s"),
        N_("The announced source of %(number)s is dead. A new round may follow."),
        {},
    )
