"""Questions that one side asks and the other decides: an extension of the limit, or an end by agreement."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed
from app.kernel.files import Upload
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.models.contracts import Contract
from marketplace.models.engagement import ContractQuestion
from marketplace.policy import other_side, side_of
from marketplace.queries.contracts.clock import pauses_of
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.extensions import check_extension
from marketplace.services.contracts.deadlines import set_deadline
from marketplace.services.contracts.ending import end
from marketplace.services.contracts.evidence import attach
from marketplace.services.contracts.telling import Reasoned, locked, tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.engagement import TerminationCause
from marketplace.states.parts import Part

S = ContractState


@dataclass(frozen=True)
class AskExtension:
    """How many more working days, and why."""

    days_wd: int
    reason: str
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class ProposeTermination:
    """Why the contract should end by agreement."""

    reason: str
    file: Upload | None = None
    version: int | None = None


@use_case
def ask_extension(actor: Actor, contract_id: UUID, command: AskExtension) -> None:
    """Ask the other side for more working days. Raises Refused beyond what the rule book allows."""
    contract, held = locked(actor, contract_id, command.version)
    times = db.session.scalar(
        select(func.count())
        .select_from(ContractQuestion)
        .where(
            ContractQuestion.contract_id == contract.id,
            ContractQuestion.kind == "extension",
            ContractQuestion.outcome == "agreed",
        )
    )
    book = rule_book(contract.rule_book_version)
    check_extension(command.days_wd, contract.limit_wd, contract.extended_wd, times or 0, book)
    detail = {"days": command.days_wd}
    _ask(actor, contract, held, "ask_extension", command, days_wd=command.days_wd, detail=detail)


@use_case
def propose_termination(actor: Actor, contract_id: UUID, command: ProposeTermination) -> None:
    """Propose to the other side to end the contract by agreement; until it answers the clock runs on."""
    contract, held = locked(actor, contract_id, command.version)
    _ask(actor, contract, held, "propose_termination", command, days_wd=None, detail={})


def _ask(
    actor: Actor,
    contract: Contract,
    held: frozenset[Part],
    action: str,
    command: AskExtension | ProposeTermination,
    *,
    days_wd: int | None,
    detail: dict[str, int],
) -> None:
    side = side_of(held)
    other = other_side(side)
    if side is None or other is None:
        raise NotAllowed
    now = clock.now()
    contract.asked_by = side
    contract.answer_by = (
        work_calendar.current().deadline(now, rule_book(contract.rule_book_version).question_answer_wd).at
    )
    move(contract, CONTRACT, action, actor, held, reason=command.reason, detail=detail)
    question = ContractQuestion(
        id=new_id(),
        contract_id=contract.id,
        kind="extension" if days_wd else "end",
        days_wd=days_wd,
        reason=command.reason,
        asked_by=side,
        asked_by_name=actor.name,
        asked_at=now,
        answer_by=contract.answer_by,
        outcome="asked",
    )
    db.session.add(question)
    attach(actor, contract, side, "question", question.id, command.file)
    tell(contract, other, "contract.question", N_("A question of the other side waits for your answer: %(number)s"))


@use_case
def approve_extension(actor: Actor, contract_id: UUID, command: Plain) -> None:
    """Grant the extension: the last day moves by its working days. Refused after the answer period."""
    contract, held = locked(actor, contract_id, command.version)
    _refuse_late(contract, S.EXTENSION_ASKED)
    question = _open_question(contract)
    days = question.days_wd if question and question.days_wd else 0
    move(contract, CONTRACT, "approve_extension", actor, held, detail={"days": days})
    contract.extended_wd += days
    set_deadline(contract, work_calendar.current())
    _close(contract, question, actor, "agreed")


@use_case
def refuse_extension(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """Refuse the extension with a reason; the last day stays."""
    _refuse(actor, contract_id, command, "refuse_extension")


@use_case
def agree_termination(actor: Actor, contract_id: UUID, command: Plain) -> None:
    """Agree to end the contract; its accounts are settled. Refused after the answer period."""
    contract, held = locked(actor, contract_id, command.version)
    _refuse_late(contract, S.TERMINATION_ASKED)
    question = _open_question(contract)
    reason = question.reason if question else ""
    end(actor, contract, held, "agree_termination", TerminationCause.AGREEMENT, reason)
    _close(contract, question, actor, "agreed")


@use_case
def refuse_termination(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """Refuse to end the contract with a reason."""
    _refuse(actor, contract_id, command, "refuse_termination")


@use_case
def lapse_question(contract_id: UUID) -> bool:
    """Let a question lapse that nobody answered in time; False when there is none."""
    contract = lock(Contract, contract_id)
    action = {S.EXTENSION_ASKED: "lapse_extension", S.TERMINATION_ASKED: "lapse_termination"}.get(
        ContractState(contract.state)
    )
    if action is None or not has_lapsed(contract):
        return False
    question = _open_question(contract)
    move(contract, CONTRACT, action, SYSTEM, {Part.SYSTEM})
    _close(contract, question, SYSTEM, "lapsed")
    return True


def _refuse(actor: Actor, contract_id: UUID, command: Reasoned, action: str) -> None:
    contract, held = locked(actor, contract_id, command.version)
    question = _open_question(contract)
    move(contract, CONTRACT, action, actor, held, reason=command.reason)
    _close(contract, question, actor, "refused", command.reason)


def has_lapsed(contract: Contract) -> bool:
    """Whether the time to answer the open question is over."""
    return contract.answer_by is not None and clock.now() > contract.answer_by


def _refuse_late(contract: Contract, state: ContractState) -> None:
    if contract.state == state and has_lapsed(contract):
        raise Conflict("question-lapsed", N_("The time for an answer is over. The question can be asked again."))


def _open_question(contract: Contract) -> ContractQuestion | None:
    statement = select(ContractQuestion).where(
        ContractQuestion.contract_id == contract.id, ContractQuestion.outcome == "asked"
    )
    return db.session.scalars(statement).first()


def _close(
    contract: Contract, question: ContractQuestion | None, actor: Actor, outcome: str, reason: str | None = None
) -> None:
    assert question is not None, "a state that asks has its question"
    question.outcome, question.answered_by_name, question.answered_at = outcome, actor.name, clock.now()
    question.answer_reason = reason
    asker = Part(question.asked_by)
    contract.asked_by = contract.answer_by = None
    tell(contract, asker, f"contract.question-{outcome}", _ANSWERED[outcome])


_ANSWERED = {
    "agreed": N_("The other side agreed: %(number)s"),
    "refused": N_("The other side refused: %(number)s"),
    "lapsed": N_("Nobody answered your question in time: %(number)s"),
}


def drop_open_question(contract: Contract, actor: Actor) -> None:
    """A question that nobody has answered falls away when the work is handed in."""
    for pause in pauses_of(contract.id):
        if pause.outcome == "asked":
            pause.outcome = "dropped"
            pause.answered_at, pause.answered_by_name = clock.now(), actor.name
    question = _open_question(contract)
    if question is not None:
        question.outcome, question.answered_at, question.answered_by_name = "dropped", clock.now(), actor.name
