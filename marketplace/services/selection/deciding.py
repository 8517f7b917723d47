"""Writing a decision down: inputs and outcome stored for ever, the winner installed and published, or the failure with its reason."""

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, new_id
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import ProcurementFailed, SelectionDecided
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.selection import SelectionRank, SelectionResult
from marketplace.queries.rulebooks import rule_book
from marketplace.rulebook import RuleBook
from marketplace.rules.selection.methods import is_merit
from marketplace.rules.selection.outcome import Inputs, Outcome, Placing, ReasonCode
from marketplace.services.procurements import canonical, tell
from marketplace.services.selection.drawing import latest_draw
from marketplace.states.parts import Part
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, FailureCode
from marketplace.states.registration import REGISTRATION, WAITING

_SYSTEM = (Part.SYSTEM,)
_VOID_QUOTES = frozenset({ReasonCode.NO_QUOTE, ReasonCode.INVALID_QUOTE})


def settle(
    procurement: Procurement,
    registrations: dict[UUID, Registration],
    inputs: Inputs,
    outcome: Outcome,
    action: str,
    actor: Actor,
    held: Iterable[Part],
    *,
    reason: str | None = None,
) -> None:
    """Store the result and follow it: the winner by `action`, or the failure. Everybody on the list is told."""
    result = _store(procurement, inputs, outcome)
    if outcome.failure is not None:
        fail(procurement, FailureCode(outcome.failure), sum(row.state in WAITING for row in registrations.values()))
        return
    for placing in outcome.placings:
        _follow(registrations[placing.registration_id], placing, outcome)
    winner = next(row for row in outcome.placings if row.registration_id == outcome.winners[0])
    assert winner.place is not None
    install_winner(
        procurement,
        registrations[winner.registration_id],
        action,
        actor,
        tuple(held),
        place=winner.place,
        price_fen=winner.price_fen,
        reason=reason,
        digest=result.outcome_sha256,
    )
    _tell_the_others(procurement, registrations.values(), winner.registration_id)


def _store(procurement: Procurement, inputs: Inputs, outcome: Outcome) -> SelectionResult:
    said, seen = outcome.to_json(), inputs.to_json()
    count = db.session.scalar(
        select(func.count()).select_from(SelectionResult).where(SelectionResult.procurement_id == procurement.id)
    )
    row = latest_draw(procurement.id) if inputs.draw else None
    result = SelectionResult(
        id=new_id(),
        procurement_id=procurement.id,
        number=(count or 0) + 1,
        method=inputs.method,
        rule_book_version=procurement.rule_book_version,
        draw_id=row.id if row else None,
        inputs=seen,
        inputs_sha256=hashlib.sha256(canonical(seen)).hexdigest(),
        outcome=said,
        outcome_sha256=hashlib.sha256(canonical(said)).hexdigest(),
        decided_at=clock.now(),
    )
    db.session.add(result)
    db.session.flush()
    for placing in outcome.placings:
        if placing.place is not None:
            db.session.add(
                SelectionRank(
                    result_id=result.id,
                    place=placing.place,
                    registration_id=placing.registration_id,
                    price_fen=placing.price_fen,
                )
            )
    db.session.flush()
    return result


def _follow(registration: Registration, placing: Placing, outcome: Outcome) -> None:
    """Move one registration where its placing puts it; the winner is moved by its installation."""
    if registration.state not in WAITING or registration.id in outcome.winners:
        return
    if placing.place is not None:
        move(registration, REGISTRATION, "stand_by", SYSTEM, _SYSTEM)
        return
    action = "exclude" if placing.reason.code in _VOID_QUOTES else "lose"
    move(registration, REGISTRATION, action, SYSTEM, _SYSTEM, reason=placing.reason.text)
    registration.decided_at = clock.now()


def _tell_the_others(procurement: Procurement, registrations: Iterable[Registration], winner_id: UUID) -> None:
    for registration in registrations:
        if registration.id != winner_id:
            tell(
                procurement,
                registration.organisation_id,
                "procurement.result",
                N_("Result published: %(title)s"),
                N_("The result of %(number)s is public. Your place and the reason for it stand in the result."),
            )


def fail(procurement: Procurement, code: FailureCode, pool: int) -> None:
    """Let the selection fail. Those who still qualify keep their registration: they may be extended, or chosen directly."""
    procurement.failure_code = code
    procurement.failures += 1
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


def publicity_days(book: RuleBook, method: str) -> int:
    """Working days of the publicity of a result: longer where the owner decided by merit."""
    return book.result_publicity_wd_merit if is_merit(method) else book.result_publicity_wd


def install_winner(
    procurement: Procurement,
    winner: Registration,
    action: str,
    actor: Actor,
    held: Sequence[Part] | frozenset[Part],
    *,
    place: int,
    price_fen: int | None = None,
    reason: str | None = None,
    digest: str | None = None,
) -> None:
    """Make a registration the winner by `action` and open the publicity of the result.

    `price_fen` is its quote; without one the notice's own price is awarded. `digest` is that of the stored outcome.
    """
    book = rule_book(procurement.rule_book_version)
    now = clock.now()
    procurement.winner_registration_id = winner.id
    procurement.winner_organisation_id = winner.organisation_id
    procurement.award_fen = price_fen or procurement.price_fen
    procurement.selected_at = now
    procurement.succession_proposed_by = procurement.succession_proposed_at = None
    move(winner, REGISTRATION, "win", SYSTEM, _SYSTEM)
    detail = {"winner": winner.name, "rank": place, **({"outcome": digest} if digest else {})}
    move(procurement, PROCUREMENT, action, actor, held, reason=reason, detail=detail, public=True)
    days = publicity_days(book, procurement.method)
    procurement.publicity_ends_at = work_calendar.current().deadline(now, days).at
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
