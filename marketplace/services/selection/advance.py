"""Taking the next step of a selection that is due: every method goes through this one function."""

from datetime import timedelta
from uuid import UUID

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import ComparisonOpened
from marketplace.models.procurements import Procurement, Registration
from marketplace.queries.rulebooks import rule_book
from marketplace.rulebook import RuleBook
from marketplace.rules.selection.engine import next_step
from marketplace.rules.selection.gates import minimum_quotes
from marketplace.rules.selection.methods import DrawPurpose, Method, needs_quotes
from marketplace.rules.selection.outcome import Inputs, NeedsDraw, NeedsOwner, quoted
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services.procurements import in_beijing, tell
from marketplace.services.selection.deciding import settle
from marketplace.services.selection.drawing import freeze_draw, latest_draw, outcome_of
from marketplace.services.selection.inputs import gather, participants
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, ProcurementState
from marketplace.states.registration import REGISTRATION, STRUCK, RegistrationState

_P = ProcurementState
_R = RegistrationState
_SYSTEM = (Part.SYSTEM,)
_UNDER_WAY = frozenset({_P.REGISTRATION_CLOSED, _P.OPENING, _P.COMPARING, _P.SELECTING})


def advance(procurement: Procurement, actor: Actor = SYSTEM, held: frozenset[Part] = frozenset({Part.SYSTEM})) -> bool:
    """Take the next step that is due for a locked procurement; False when nothing is due.

    Called when the list is closed, when all quotes of a round are opened, when the values of a draw are all in, and when the
    owner has compared; `actor` is that owner then. Raises UnknownYear while a deadline cannot be computed; the step then waits.
    """
    if procurement.state not in _UNDER_WAY:
        return False
    if procurement.state == _P.REGISTRATION_CLOSED and needs_quotes(procurement.method):
        return move(procurement, PROCUREMENT, "await_opening", SYSTEM, _SYSTEM, public=True)
    book = rule_book(procurement.rule_book_version)
    registrations = participants(procurement.id)
    if procurement.state == _P.SELECTING and not _values_are_in(procurement, registrations):
        return False
    inputs = gather(procurement, registrations)
    if procurement.state == _P.OPENING:
        _mark_opened(registrations, inputs)
        if _starts_round(procurement, inputs, book):
            _start_round(procurement, registrations, book)
            return True
    step = next_step(inputs, book)
    if isinstance(step, NeedsDraw):
        return _start_draw(procurement, registrations, book, step)
    if isinstance(step, NeedsOwner):
        return _ask_owner(procurement, registrations, book, step)
    is_compared = procurement.state == _P.COMPARING
    action, by, parts = ("compare", actor, held) if is_compared else ("select", SYSTEM, frozenset(_SYSTEM))
    settle(procurement, registrations, inputs, step, action, by, parts)
    return True


def _values_are_in(procurement: Procurement, registrations: dict[UUID, Registration]) -> bool:
    row = latest_draw(procurement.id)
    return row is not None and outcome_of(row, {r.uscc: r for r in registrations.values()}) is not None


def _mark_opened(registrations: dict[UUID, Registration], inputs: Inputs) -> None:
    for entrant in inputs.entrants:
        registration = registrations[entrant.registration_id]
        if entrant.price_fen is not None and registration.state == _R.QUALIFIED:
            move(registration, REGISTRATION, "open", SYSTEM, _SYSTEM)


def _starts_round(procurement: Procurement, inputs: Inputs, book: RuleBook) -> bool:
    """Whether a further bidding round follows: announced in the notice, and enough quotes to go on with."""
    enough = len(quoted(inputs)) >= minimum_quotes(book, procurement.method, procurement.fund_source)
    return enough and procurement.quote_round < MethodTerms.from_json(procurement.method_terms).rounds


def _start_round(procurement: Procurement, registrations: dict[UUID, Registration], book: RuleBook) -> None:
    minutes = MethodTerms.from_json(procurement.method_terms).round_minutes
    procurement.quote_round += 1
    procurement.quotes_open_at = clock.now() + timedelta(minutes=book.bid_round_gap_minutes)
    procurement.quotes_end_at = procurement.quotes_open_at + timedelta(minutes=minutes)
    detail = {"round": procurement.quote_round, "until": in_beijing(procurement.quotes_end_at)}
    move(procurement, PROCUREMENT, "start_round", SYSTEM, _SYSTEM, detail=detail, public=True)
    for registration in registrations.values():
        if registration.state == _R.OPENED:
            tell(
                procurement,
                registration.organisation_id,
                "procurement.round",
                N_("Bidding round %(round)s: %(title)s"),
                N_("Round %(round)s of %(number)s opens at %(opens)s and ends at %(until)s. You may lower your quote."),
                round=procurement.quote_round,
                opens=in_beijing(procurement.quotes_open_at),
                until=in_beijing(procurement.quotes_end_at),
            )


def _start_draw(
    procurement: Procurement, registrations: dict[UUID, Registration], book: RuleBook, step: NeedsDraw
) -> bool:
    if procurement.state == _P.SELECTING:
        return False
    listed = [registrations[registration_id] for registration_id in step.tickets]
    row = freeze_draw(procurement, book, listed, purpose=step.purpose, seats=step.seats, tickets=step.tickets)
    detail = {"draw": row.code, "list_hash": row.sha256, "entries": row.entries, "purpose": str(step.purpose)}
    move(procurement, PROCUREMENT, "start_selection", SYSTEM, _SYSTEM, detail=detail, public=True)
    if procurement.method == Method.COMBINED and step.purpose is DrawPurpose.SELECTION:
        _shortlist(listed)
    return True


def _ask_owner(
    procurement: Procurement, registrations: dict[UUID, Registration], book: RuleBook, step: NeedsOwner
) -> bool:
    if procurement.state == _P.COMPARING:
        return False
    procurement.compare_by = work_calendar.current().deadline(clock.now(), book.merit_decide_wd).at
    if step.is_choice:
        _shortlist([registrations[registration_id] for registration_id in step.candidates])
    event = ComparisonOpened(procurement_id=procurement.id)
    detail = {"candidates": len(step.candidates), "until": in_beijing(procurement.compare_by)}
    move(procurement, PROCUREMENT, "start_comparison", SYSTEM, _SYSTEM, event=event, detail=detail, public=True)
    return True


def _shortlist(registrations: list[Registration]) -> None:
    for registration in registrations:
        if registration.state not in STRUCK:
            move(registration, REGISTRATION, "shortlist", SYSTEM, _SYSTEM)
