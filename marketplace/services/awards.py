"""From the result to the contract: publicity, award letter, confirmation, and the next of the ranking when a winner drops out."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select

from app.documents import revoke
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotAllowed
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.documents.procurements import issue_award_letter
from marketplace.events.procurements import (
    AwardConfirmed,
    AwardIssued,
    ProcurementFailed,
    ProcurementStopped,
    WinnerLost,
)
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.selection import SelectionRank, SelectionResult
from marketplace.policy import Permission, parts
from marketplace.queries.rulebooks import rule_book
from marketplace.services.contracts import draw_up_contract
from marketplace.services.procurements import locked, release_registrations, tell
from marketplace.services.selection import install_winner
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, FailureCode, ProcurementState
from marketplace.states.registration import REGISTRATION, RegistrationState

_P = ProcurementState
_SYSTEM = (Part.SYSTEM,)


@use_case
def issue_award(procurement_id: UUID) -> bool:
    """Issue the award letter when the publicity has ended; False when it has not, or it was issued before."""
    procurement = lock(Procurement, procurement_id)
    ends_at = procurement.publicity_ends_at
    if procurement.state != _P.RESULT_PUBLICITY or ends_at is None or clock.now() <= ends_at:
        return False
    assert procurement.winner_organisation_id is not None
    book = rule_book(procurement.rule_book_version)
    now = clock.now()
    procurement.awarded_at = now
    procurement.confirm_by = work_calendar.current().deadline(now, book.award_confirm_wd).at
    winner = lock(Registration, procurement.winner_registration_id)
    procurement.award_document_id = issue_award_letter(procurement, winner)
    event = AwardIssued(
        procurement_id=procurement.id,
        thread_id=procurement.thread_id,
        winner_organisation_id=procurement.winner_organisation_id,
    )
    move(procurement, PROCUREMENT, "award", SYSTEM, _SYSTEM, event=event, detail={"winner": winner.name}, public=True)
    tell(
        procurement,
        winner.organisation_id,
        "procurement.award",
        N_("Award letter: %(title)s"),
        N_("The award letter of %(number)s is issued. Confirm it by %(until)s, or it lapses."),
        until=procurement.confirm_by.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M"),
    )
    return True


@use_case
def confirm_award(actor: Actor, procurement_id: UUID, command: Plain) -> UUID:
    """The winner accepts, in time; the contract is drawn up in the same transaction. Returns the contract."""
    procurement = locked(actor, procurement_id, command.version)
    _refuse_late(procurement)
    winner = _winner(procurement)
    procurement.confirmed_at = clock.now()
    event = AwardConfirmed(
        procurement_id=procurement.id,
        thread_id=procurement.thread_id,
        winner_organisation_id=winner.organisation_id,
        case_subject=procurement.case_subject,
    )
    move(procurement, PROCUREMENT, "confirm", actor, parts(actor, procurement), event=event, public=True)
    move(winner, REGISTRATION, "confirm", actor, parts(actor, winner))
    tell(
        procurement,
        procurement.owner_organisation_id,
        "procurement.confirmed",
        N_("Award confirmed: %(title)s"),
        N_("%(winner)s confirmed the award of %(number)s. The contract is ready to be signed."),
        winner=winner.name,
    )
    assert procurement.award_fen is not None, "an awarded procurement has its price"
    return draw_up_contract(procurement, winner.organisation_id, procurement.award_fen)


def _refuse_late(procurement: Procurement) -> None:
    if procurement.state == _P.AWARDED and procurement.confirm_by and clock.now() > procurement.confirm_by:
        raise Conflict("award-lapsed", N_("The time to confirm has passed; the award has lapsed."))


def _winner(procurement: Procurement) -> Registration:
    if procurement.winner_registration_id is None:
        raise Conflict("no-winner", N_("Nobody is selected in this procurement at the moment."))
    return lock(Registration, procurement.winner_registration_id)


@use_case
def give_up_award(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """The winner gives up; the next of the ranking waits for approval. Counted against the yearly limit of give-ups."""
    procurement = locked(actor, procurement_id, command.version)
    _drop_winner(procurement, actor, "give_up", command.reason)


@use_case
def lapse_award(procurement_id: UUID) -> bool:
    """Let an unconfirmed award lapse after its deadline; False when it is not due."""
    procurement = lock(Procurement, procurement_id)
    if procurement.state != _P.AWARDED or procurement.confirm_by is None or clock.now() <= procurement.confirm_by:
        return False
    _drop_winner(procurement, SYSTEM, "lapse", None)
    return True


@use_case
def strike_out_winner(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Take the selection back, e.g. for a false certificate or an upheld objection."""
    procurement = locked(actor, procurement_id, command.version)
    _drop_winner(procurement, actor, "strike_out", command.reason)


def _drop_winner(procurement: Procurement, actor: Actor, action: str, reason: str | None) -> None:
    """Take the winner off by the edge of this name, in the procurement and in its registration; the next may follow."""
    held = parts(actor, procurement)
    name = _winner_name(procurement)
    event = WinnerLost(
        procurement_id=procurement.id,
        organisation_id=procurement.winner_organisation_id or procurement.owner_organisation_id,
        cause=action,
    )
    detail = {"winner": name} if name else {}
    move(procurement, PROCUREMENT, action, actor, held, reason=reason, event=event, detail=detail, public=True)
    winner = lock(Registration, procurement.winner_registration_id)
    _strip_award(procurement, winner, actor, parts(actor, winner), action, reason)
    if next_in_ranking(procurement) is None:
        _exhaust(procurement)


def _winner_name(procurement: Procurement) -> str:
    return _winner(procurement).name if procurement.winner_registration_id else ""


LOST_BECAUSE: Final[Mapping[str, str]] = {
    "give_up": N_("The winner gave the award up."),
    "lapse": N_("The winner did not confirm the award in time."),
    "strike_out": N_("The award was taken back."),
    "cancel_result": N_("A challenge was upheld; the award was taken back."),
}
"""Why an award letter became void, as everybody reads it who checks its code."""


def _strip_award(
    procurement: Procurement,
    winner: Registration,
    actor: Actor,
    held: Iterable[Part],
    action: str,
    reason: str | None,
) -> None:
    """End the winner's registration by `action` and declare its letter void; the procurement has no winner any more."""
    edge = "strike_out" if action == "cancel_result" else action
    move(winner, REGISTRATION, edge, actor, held, reason=reason)
    winner.decided_at = clock.now()
    if procurement.award_document_id is not None:
        revoke(SYSTEM, procurement.award_document_id, LOST_BECAUSE[action])
    procurement.award_document_id = None
    procurement.winner_registration_id = procurement.winner_organisation_id = procurement.award_fen = None
    procurement.publicity_ends_at = procurement.confirm_by = procurement.awarded_at = procurement.confirmed_at = None
    procurement.paused_from = procurement.paused_at = None
    db.session.flush()


# --- what an upheld challenge does; called with the procurement locked ------------------------------------------------


def cancel_result(procurement: Procurement, actor: Actor, reason: str) -> None:
    """Cancel the result: the winner is out, its letter void, and the next of the frozen ranking waits for approval."""
    winner = _winner(procurement)
    event = WinnerLost(procurement_id=procurement.id, organisation_id=winner.organisation_id, cause="cancel_result")
    detail = {"winner": winner.name}
    move(
        procurement,
        PROCUREMENT,
        "cancel_result",
        actor,
        _SYSTEM,
        reason=reason,
        event=event,
        detail=detail,
        public=True,
    )
    _strip_award(procurement, winner, actor, _SYSTEM, "cancel_result", reason)
    tell(
        procurement,
        winner.organisation_id,
        "procurement.cancelled",
        N_("The result was cancelled: %(title)s"),
        N_("A challenge to the result of %(number)s was upheld; your selection is cancelled. Reason: %(reason)s"),
        reason=reason,
    )
    if next_in_ranking(procurement) is None:
        _exhaust(procurement)


def cancel_selection(procurement: Procurement, actor: Actor, reason: str) -> None:
    """Cancel the whole selection: it counts as failed, and the owner prepares a new round."""
    procurement.failure_code = FailureCode.CHALLENGE_UPHELD
    event = ProcurementFailed(procurement_id=procurement.id, failure_code=FailureCode.CHALLENGE_UPHELD)
    move(procurement, PROCUREMENT, "cancel_selection", actor, _SYSTEM, reason=reason, event=event, public=True)
    _end_selection(procurement, actor, reason)


def annul(procurement: Procurement, actor: Actor, reason: str) -> None:
    """Set the procurement invalid at whatever stage before the contract."""
    event = ProcurementStopped(procurement_id=procurement.id, reason=reason)
    move(procurement, PROCUREMENT, "annul", actor, _SYSTEM, reason=reason, event=event, public=True)
    procurement.finished_at = clock.now()
    _end_selection(procurement, actor, reason)


def _end_selection(procurement: Procurement, actor: Actor, reason: str) -> None:
    if procurement.winner_registration_id is not None:
        winner = _winner(procurement)
        publish(
            WinnerLost(procurement_id=procurement.id, organisation_id=winner.organisation_id, cause="cancel_result")
        )
        _strip_award(procurement, winner, actor, _SYSTEM, "cancel_result", reason)
    procurement.paused_from = procurement.paused_at = None
    release_registrations(
        procurement,
        N_("The procurement was stopped: %(title)s"),
        N_("%(number)s does not go on. Reason: %(reason)s"),
        {"reason": reason},
    )


def _exhaust(procurement: Procurement) -> None:
    procurement.failure_code = FailureCode.RANKING_EXHAUSTED
    event = ProcurementFailed(procurement_id=procurement.id, failure_code=FailureCode.RANKING_EXHAUSTED)
    move(procurement, PROCUREMENT, "fail", SYSTEM, _SYSTEM, event=event)
    release_registrations(
        procurement, N_("Selection failed: %(title)s"), N_("Nobody of the ranking of %(number)s is left."), {}
    )


def next_in_ranking(procurement: Procurement) -> tuple[SelectionRank, Registration] | None:
    """The best-placed registration of the published ranking that is still in reserve, whatever the method."""
    found = db.session.execute(_ranked(procurement, RegistrationState.RESERVE).limit(1)).first()
    return (found[0], found[1]) if found else None


def released_reserve(procurement: Procurement) -> tuple[Registration, ...]:
    """Those of the published ranking who were let go when somebody else's contract was signed, best-placed first."""
    return tuple(row[1] for row in db.session.execute(_ranked(procurement, RegistrationState.LOST)))


def _ranked(procurement: Procurement, state: RegistrationState) -> Select[SelectionRank, Registration]:
    latest = (
        select(SelectionResult.id)
        .where(SelectionResult.procurement_id == procurement.id)
        .order_by(SelectionResult.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(SelectionRank, Registration)
        .join(Registration, Registration.id == SelectionRank.registration_id)
        .where(SelectionRank.result_id == latest, Registration.state == state)
        .order_by(SelectionRank.place)
    )


@use_case
def propose_succession(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """The first of two persons proposes the next of the published ranking; there is no choice in whom."""
    procurement = _awaiting_succession(actor, procurement_id, command.version)
    if procurement.succession_proposed_by is not None:
        raise Conflict(
            "succession-proposed", N_("The succession is proposed already; a second person must approve it.")
        )
    found = next_in_ranking(procurement)
    assert found is not None, "an exhausted ranking fails at once"
    procurement.succession_proposed_by, procurement.succession_proposed_at = actor.user_id, clock.now()
    detail = {"winner": found[1].name, "rank": found[0].place}
    record(procurement, "succession_proposed", actor, title=N_("Succession proposed"), detail=detail, public=True)


@use_case
def approve_succession(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """The second person approves; the next of the ranking is selected and the publicity of the result starts again."""
    procurement = _awaiting_succession(actor, procurement_id, command.version)
    if procurement.succession_proposed_by is None:
        raise Conflict(
            "succession-not-proposed", N_("A first person must propose the succession before it is approved.")
        )
    if procurement.succession_proposed_by == actor.user_id:
        raise Conflict("same-person", N_("A second person must approve: you proposed it yourself."))
    found = next_in_ranking(procurement)
    assert found is not None, "an exhausted ranking fails at once"
    rank, registration = found
    held = parts(actor, procurement)
    successor = lock(Registration, registration.id)
    install_winner(
        procurement,
        successor,
        "succeed",
        actor,
        held,
        place=rank.place,
        price_fen=rank.price_fen,
        reason=command.reason,
    )


def _awaiting_succession(actor: Actor, procurement_id: UUID, seen: int | None) -> Procurement:
    if not actor.may(Permission.PROCUREMENT_SUCCESSION):
        raise NotAllowed
    procurement = locked(actor, procurement_id, seen)
    if procurement.state != _P.RESELECT:
        raise Conflict("no-succession", N_("No succession is waiting in this procurement."))
    return procurement


def awards_given_up(organisation_id: UUID) -> int:
    """How many awards an agency gave up or let lapse in the last twelve months; the rule book limits them."""
    since = clock.now().replace(year=clock.now().year - 1, day=min(clock.now().day, 28))
    states = (RegistrationState.GAVE_UP, RegistrationState.LAPSED)
    wanted = (
        Registration.organisation_id == organisation_id,
        Registration.state.in_(states),
        Registration.decided_at >= since,
    )
    return db.session.scalar(select(func.count()).select_from(Registration).where(*wanted)) or 0
