"""From the deadline to the result: close, check again, freeze and publish the list, take the announced values, rank.

Every step is derived from the rows, locked and repeatable, so any number of workers may try it; exactly one takes it.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.procurements import ProcurementFailed, RegistrationClosed, SelectionDecided
from marketplace.models.procurements import (
    Draw,
    DrawOutcome,
    DrawRank,
    DrawValueEntry,
    Procurement,
    ProcurementNotice,
    Registration,
)
from marketplace.policy import Permission, parts
from marketplace.queries.candidates import applicants, demand_of, item_of
from marketplace.queries.rulebooks import rule_book
from marketplace.rulebook import RuleBook
from marketplace.rules import draw as gmdraw
from marketplace.rules.draw import DEMO, DrawList, Entry, NotCanonical, Source
from marketplace.rules.eligibility import Verdict, judge
from marketplace.rules.selection.gates import minimum_pool
from marketplace.rules.selection.random_draw import agreed_value, counting_round
from marketplace.services.commands import EnterValue
from marketplace.services.procurements import locked, release_registrations, tell
from marketplace.states.parts import Part
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, FailureCode, ProcurementState
from marketplace.states.registration import REGISTRATION, STRUCK, RegistrationState

_P = ProcurementState
_R = RegistrationState
_SYSTEM = (Part.SYSTEM,)
DEMONSTRATION_READER = "demo-beacon"


# --- closing and freezing ---------------------------------------------------------------------------------------


@use_case
def close_registration(procurement_id: UUID) -> bool:
    """Close the registration when its deadline has passed; False when it has not, or somebody closed it before."""
    procurement = lock(Procurement, procurement_id)
    ends_at = procurement.registration_ends_at
    if procurement.state != _P.PUBLISHED or ends_at is None or clock.now() <= ends_at:
        return False
    procurement.closed_at = clock.now()
    event = RegistrationClosed(procurement_id=procurement.id)
    return move(procurement, PROCUREMENT, "close", SYSTEM, _SYSTEM, event=event)


@use_case
def freeze_list(procurement_id: UUID) -> bool:
    """Check eligibility as of the deadline, test the pool, freeze and publish `draw.txt`. False when already done.

    Raises UnknownYear while the working days of the beacon's year are not known; the step then waits.
    """
    procurement = lock(Procurement, procurement_id)
    if procurement.state != _P.REGISTRATION_CLOSED:
        return False
    book = rule_book(procurement.rule_book_version)
    registrations = _registered(procurement)
    pool = _check_again(procurement, registrations)
    if len(pool) < minimum_pool(book, procurement.fund_source):
        _fail(procurement, FailureCode.POOL_TOO_SMALL if registrations else FailureCode.NO_REGISTRATION, len(pool))
        return True
    _freeze(procurement, book, pool)
    return True


def _registered(procurement: Procurement) -> Sequence[Registration]:
    return db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement.id, Registration.state == _R.REGISTERED)
        .order_by(Registration.uscc)
        .with_for_update()
    ).all()


def _check_again(procurement: Procurement, registrations: Sequence[Registration]) -> list[Registration]:
    """Strike those who no longer qualify on the day of the deadline; the others are the pool."""
    assert procurement.registration_ends_at is not None
    day = clock.beijing_day(procurement.registration_ends_at)
    demand = demand_of(procurement)
    known = applicants(item_of(procurement.item_version_id), [r.agency_id for r in registrations])
    pool = []
    for registration in registrations:
        verdict = judge(demand, known[registration.agency_id].candidate, day)
        registration.final_eligibility = verdict.to_json()
        if verdict.is_eligible:
            pool.append(registration)
        else:
            _strike(procurement, registration, verdict)
    return pool


def _strike(procurement: Procurement, registration: Registration, verdict: Verdict) -> None:
    action = "avoid" if verdict.is_avoided else "disqualify"
    registration.decided_at = clock.now()
    move(registration, REGISTRATION, action, SYSTEM, _SYSTEM)
    tell(
        procurement,
        registration.organisation_id,
        "procurement.ineligible",
        N_("Not on the list: %(title)s"),
        N_(
            "At the deadline your agency did not meet every condition of %(number)s. The reasons stand in your registration."
        ),
    )


def _fail(procurement: Procurement, code: FailureCode, pool: int) -> None:
    """Those who still qualify stay registered: they take part again when the owner extends."""
    procurement.failure_code = code
    event = ProcurementFailed(procurement_id=procurement.id, failure_code=code)
    move(
        procurement,
        PROCUREMENT,
        "fail",
        SYSTEM,
        _SYSTEM,
        event=event,
        detail={"pool": pool},
        reason=FAILURE_TEXTS[code],
    )


def _freeze(procurement: Procurement, book: RuleBook, pool: Sequence[Registration]) -> None:
    frozen_at = clock.now().replace(microsecond=0)
    names = _announced(procurement)
    calendar = work_calendar.current()
    sources = tuple(counting_round(name, frozen_at, book, calendar) for name in names)
    count = db.session.scalar(select(func.count()).select_from(Draw).where(Draw.procurement_id == procurement.id))
    code = f"{procurement.number}-{(count or 0) + 1}"
    entries = tuple(Entry(r.uscc, 1, r.contribution) for r in pool)
    draw_file = gmdraw.write_draw(DrawList(code, procurement.seats, frozen_at, sources, entries))
    known_at = [moment for moment in map(gmdraw.published_at, sources) if moment]
    row = Draw(
        id=new_id(),
        procurement_id=procurement.id,
        code=code,
        is_demonstration=DEMO in names,
        sources=[[source.name, source.round] for source in sources],
        entries=len(entries),
        draw_file=draw_file,
        sha256=gmdraw.list_hash(draw_file),
        frozen_at=frozen_at,
        challenge_ends_at=frozen_at + timedelta(minutes=book.draw_challenge_minutes),
        beacon_due_at=max(known_at),
    )
    db.session.add(row)
    procurement.beacon_due_at = row.beacon_due_at
    for registration in pool:
        move(registration, REGISTRATION, "qualify", SYSTEM, _SYSTEM)
    detail = {"draw": code, "list_hash": row.sha256, "entries": len(entries)}
    move(procurement, PROCUREMENT, "start_selection", SYSTEM, _SYSTEM, detail=detail, public=True)
    for registration in pool:
        tell(
            procurement,
            registration.organisation_id,
            "procurement.frozen",
            N_("The list is frozen: %(title)s"),
            N_(
                "Your agency stands on the list of draw %(draw)s. SHA-256 of draw.txt: %(sha256)s. Keep this message as your receipt."
            ),
            draw=code,
            sha256=row.sha256,
        )


def _announced(procurement: Procurement) -> list[str]:
    content = db.session.scalar(
        select(ProcurementNotice.content)
        .where(ProcurementNotice.procurement_id == procurement.id)
        .order_by(ProcurementNotice.version.desc())
        .limit(1)
    )
    assert content is not None, "a published procurement has a notice"
    return list(content["selection"]["sources"])


# --- the announced values ---------------------------------------------------------------------------------------


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
    return _rank_when_complete(procurement, row)


def _refuse_entry(procurement: Procurement, row: Draw, source: Source) -> None:
    if procurement.state != _P.SELECTING or db.session.get(DrawOutcome, row.id) is not None:
        raise Conflict("draw-not-open", N_("This draw does not wait for values."))
    if source.name == DEMO:
        raise Conflict("demonstration-source", N_("The demonstration value is made by the system itself."))
    if clock.now() < (gmdraw.published_at(source) or row.challenge_ends_at):
        raise Conflict("value-not-known", N_("This value cannot be known yet; its announced time has not come."))


def _write_value(row: Draw, source: Source, value: str, actor: Actor) -> None:
    for earlier in _entries(row.id):
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


def _entries(draw_id: UUID) -> Sequence[DrawValueEntry]:
    statement = select(DrawValueEntry).where(DrawValueEntry.draw_id == draw_id)
    return db.session.scalars(statement.order_by(DrawValueEntry.entered_at, DrawValueEntry.id)).all()


def _agreed(entries: Sequence[DrawValueEntry], source: str) -> str | None:
    return agreed_value(source, ((entry.entered_by, entry.value) for entry in entries if entry.source == source))


@use_case
def make_demonstration_value(procurement_id: UUID) -> bool:
    """In a demonstration, let this installation make the announced value after its time. It proves nothing and says so."""
    procurement = lock(Procurement, procurement_id)
    row = latest_draw(procurement.id)
    if procurement.state != _P.SELECTING or row is None or not row.is_demonstration or clock.now() < row.beacon_due_at:
        return False
    if db.session.get(DrawOutcome, row.id) is not None:
        return False
    if _agreed(_entries(row.id), DEMO) is None:
        source = next(Source(*pair) for pair in row.sources if pair[0] == DEMO)
        _write_value(row, source, secrets.token_hex(32), SYSTEM)
    return _rank_when_complete(procurement, row)


@use_case
def rank_draw(procurement_id: UUID) -> bool:
    """Rank a draw whose values are all in; repairs what a crash left between entry and ranking. False when nothing is due."""
    procurement = lock(Procurement, procurement_id)
    row = latest_draw(procurement.id)
    if procurement.state != _P.SELECTING or row is None:
        return False
    return _rank_when_complete(procurement, row)


def latest_draw(procurement_id: UUID) -> Draw | None:
    """The draw that counts: the last one frozen."""
    return db.session.scalar(
        select(Draw)
        .where(Draw.procurement_id == procurement_id)
        .order_by(Draw.frozen_at.desc(), Draw.id.desc())
        .limit(1)
    )


# --- ranking and result -----------------------------------------------------------------------------------------


def _rank_when_complete(procurement: Procurement, row: Draw) -> bool:
    if db.session.get(DrawOutcome, row.id) is not None:
        return False
    entries = _entries(row.id)
    values = [_agreed(entries, name) for name, _ in row.sources]
    complete = [value for value in values if value is not None]
    if len(complete) < len(values):
        return False
    listed = gmdraw.parse_draw(row.draw_file, demonstration=row.is_demonstration)
    beacon_file = gmdraw.write_beacons(listed, complete)
    result = gmdraw.rank(row.draw_file, beacon_file, demonstration=row.is_demonstration)
    db.session.add(DrawOutcome(draw_id=row.id, beacon_file=beacon_file, seed=result.seed, ranked_at=clock.now()))
    db.session.flush()
    registrations = _on_list(procurement.id)
    for place in result.ranking:
        db.session.add(
            DrawRank(
                draw_id=row.id,
                place=place.place,
                registration_id=registrations[place.code].id,
                uscc=place.code,
                score=place.score,
            )
        )
    db.session.flush()
    skipped = frozenset(r.uscc for r in registrations.values() if r.state in STRUCK)
    first = gmdraw.successor(result.ranking, skipped)
    if first is None:
        _fail(procurement, FailureCode.RANKING_EXHAUSTED, 0)
        return True
    for registration in registrations.values():
        if registration.state == _R.QUALIFIED and registration.uscc != first.code:
            move(registration, REGISTRATION, "stand_by", SYSTEM, _SYSTEM)
    install_winner(procurement, registrations[first.code], "select", SYSTEM, _SYSTEM, place=first.place)
    return True


def _on_list(procurement_id: UUID) -> dict[str, Registration]:
    wanted = {_R.QUALIFIED, _R.RESERVE, *STRUCK}
    rows = db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement_id, Registration.state.in_(wanted))
        .with_for_update()
    )
    return {row.uscc: row for row in rows}


def install_winner(
    procurement: Procurement,
    winner: Registration,
    action: str,
    actor: Actor,
    held: Sequence[Part] | frozenset[Part],
    *,
    place: int,
    reason: str | None = None,
) -> None:
    """Make a registration the winner by `action` (`select` or `succeed`) and open the publicity of the result."""
    book = rule_book(procurement.rule_book_version)
    now = clock.now()
    procurement.winner_registration_id = winner.id
    procurement.winner_organisation_id = winner.organisation_id
    procurement.selected_at = now
    procurement.succession_proposed_by = procurement.succession_proposed_at = None
    move(winner, REGISTRATION, "win", SYSTEM, _SYSTEM)
    detail = {"winner": winner.name, "rank": place}
    move(procurement, PROCUREMENT, action, actor, held, reason=reason, detail=detail, public=True)
    procurement.publicity_ends_at = work_calendar.current().deadline(now, book.result_publicity_wd).at
    event = SelectionDecided(
        procurement_id=procurement.id, thread_id=procurement.thread_id, winner_organisation_id=winner.organisation_id
    )
    move(procurement, PROCUREMENT, "publish_result", SYSTEM, _SYSTEM, event=event, detail=detail, public=True)
    tell(
        procurement,
        winner.organisation_id,
        "procurement.selected",
        N_("Selected: %(title)s"),
        N_("Your agency was selected for %(number)s. The result is in publicity; the award letter follows."),
    )
    tell(
        procurement,
        procurement.owner_organisation_id,
        "procurement.selected",
        N_("Result published: %(title)s"),
        N_("%(winner)s was selected for %(number)s. The result is in publicity."),
        winner=winner.name,
    )


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
    event = ProcurementFailed(procurement_id=procurement.id, failure_code=FailureCode.SOURCE_DEAD)
    move(procurement, PROCUREMENT, "abandon_draw", actor, parts(actor, procurement), reason=command.reason, event=event)
    release_registrations(
        procurement,
        N_("The draw is void: %(title)s"),
        N_("The announced source of %(number)s is dead. A new round may follow."),
        {},
    )
