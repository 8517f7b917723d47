"""Use cases of the clock's pauses: one side asks, the other confirms or refuses, either side lets the clock run on."""

from dataclasses import dataclass
from uuid import UUID

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import beijing_date
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed
from app.kernel.files import Upload
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.models.contracts import ClockPause, Contract
from marketplace.policy import other_side, side_of
from marketplace.queries.contracts.clock import pauses_of
from marketplace.queries.rulebooks import rule_book
from marketplace.services.contracts.deadlines import set_deadline
from marketplace.services.contracts.evidence import attach
from marketplace.services.contracts.questions import has_lapsed
from marketplace.services.contracts.telling import Reasoned, locked, tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.engagement import PauseReason
from marketplace.states.parts import Part


@dataclass(frozen=True)
class AskPause:
    """Why the clock should stand still, with what supports it."""

    pause_reason: PauseReason
    explanation: str
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class ConfirmPause:
    """The other side agrees."""

    version: int | None = None


@use_case
def ask_pause(actor: Actor, contract_id: UUID, command: AskPause) -> None:
    """Ask the other side for a pause. The clock runs on until it is confirmed, then the pause counts from the day of asking."""
    contract, held = locked(actor, contract_id, command.version)
    side = side_of(held)
    other = other_side(side)
    if side is None or other is None:
        raise NotAllowed
    now = clock.now()
    days = rule_book(contract.rule_book_version).pause_confirm_wd
    contract.asked_by = side
    contract.answer_by = work_calendar.current().deadline(now, days).at
    cause = {"cause": command.pause_reason}
    move(contract, CONTRACT, "ask_pause", actor, held, detail=cause, reason=command.explanation)
    pause = ClockPause(
        id=new_id(),
        contract_id=contract.id,
        reason=command.pause_reason,
        explanation=command.explanation,
        asked_by=side,
        asked_by_name=actor.name,
        asked_at=now,
        answer_by=contract.answer_by,
        outcome="asked",
        starts_on=beijing_date(now),
    )
    db.session.add(pause)
    attach(actor, contract, side, "pause", pause.id, command.file)
    tell(contract, other, "contract.pause-asked", N_("A pause of the clock waits for your answer: %(number)s"))


@use_case
def confirm_pause(actor: Actor, contract_id: UUID, command: ConfirmPause) -> None:
    """Confirm the pause. Refused after the answer period: the question has lapsed, whether or not the worker has said so."""
    contract, held = locked(actor, contract_id, command.version)
    if contract.state == ContractState.PAUSE_ASKED and has_lapsed(contract):
        raise Conflict("pause-lapsed", N_("The time for an answer is over. The pause can be asked for again."))
    asker = contract.asked_by
    move(contract, CONTRACT, "confirm_pause", actor, held)
    _answer(contract, actor, "confirmed")
    if asker:
        tell(contract, Part(asker), "contract.pause-confirmed", N_("The clock of %(number)s is paused"))


@use_case
def refuse_pause(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """Refuse the pause with a reason; the clock has never stood still."""
    contract, held = locked(actor, contract_id, command.version)
    asker = contract.asked_by
    move(contract, CONTRACT, "refuse_pause", actor, held, reason=command.reason)
    _answer(contract, actor, "refused", command.reason)
    if asker:
        tell(contract, Part(asker), "contract.pause-refused", N_("The pause of %(number)s was refused"))


@use_case
def lapse_pause(contract_id: UUID) -> bool:
    """Let a question lapse that nobody answered in time; False when there is none."""
    contract = lock(Contract, contract_id)
    if contract.state != ContractState.PAUSE_ASKED or not has_lapsed(contract):
        return False
    asker = contract.asked_by
    move(contract, CONTRACT, "lapse_pause", SYSTEM, {Part.SYSTEM})
    _answer(contract, SYSTEM, "lapsed")
    if asker:
        tell(
            contract,
            Part(asker),
            "contract.pause-lapsed",
            N_("Nobody answered the pause of %(number)s, the clock runs on"),
        )
    return True


@use_case
def resume(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """Let the clock run on from the next working day; the deadline moves by the working days of the pause."""
    contract, held = locked(actor, contract_id, command.version)
    move(contract, CONTRACT, "resume", actor, held, reason=command.reason)
    for pause in pauses_of(contract.id):
        if pause.outcome == "confirmed" and pause.ends_on is None:
            pause.ends_on = clock.today()
            pause.ended_by_name, pause.end_reason = actor.name, command.reason
    set_deadline(contract, work_calendar.current())
    side = side_of(held)
    for told in (Part.OWNER, Part.AGENCY):
        if told is not side:
            tell(contract, told, "contract.resumed", N_("The clock of %(number)s runs on"))


def _answer(contract: Contract, actor: Actor, outcome: str, reason: str | None = None) -> None:
    for pause in pauses_of(contract.id):
        if pause.outcome == "asked":
            pause.outcome = outcome
            pause.answered_by_name, pause.answered_at, pause.answer_reason = actor.name, clock.now(), reason
    contract.asked_by = contract.answer_by = None
