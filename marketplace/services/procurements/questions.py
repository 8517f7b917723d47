"""Questions and answers about a notice: asked by agencies, answered by the owner, read by everybody, closed before the deadline."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.notices import NoticeQuestion
from marketplace.models.procurements import Procurement
from marketplace.policy import parts
from marketplace.queries.candidates import agency_of
from marketplace.queries.rulebooks import rule_book
from marketplace.services.commands import Answer, Ask
from marketplace.services.procurements.telling import (
    locked,
    notify_operators,
    registered_organisations,
    tell,
    tell_owner,
)
from marketplace.states.agency import AgencyState
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState
from marketplace.states.question import QUESTION, QuestionState

MOST_OPEN_QUESTIONS: Final = 10
"""Questions of one agency about one notice that may wait for an answer at a time."""

_P = ProcurementState


@use_case
def ask_question(actor: Actor, procurement_id: UUID, command: Ask) -> UUID:
    """Ask about an open notice; returns the question. The owner has the rule book's working days to answer.

    Raises NotAllowed for all but admitted agencies, Conflict when questions are closed, Refused for a text that names its asker.
    """
    agency = agency_of(actor.organisation_id)
    if agency is None or not actor.has(Role.AGENCY) or agency.state != AgencyState.ACTIVE:
        raise NotAllowed
    procurement = locked(actor, procurement_id)
    _refuse_when_closed(procurement)
    if agency.name.casefold() in command.text.casefold() or agency.uscc.casefold() in command.text.casefold():
        raise Refused(
            "names-its-asker",
            N_("Do not name your agency: who takes part is not shown before the registration ends."),
            field="text",
        )
    _refuse_flood(procurement, agency.organisation_id)
    book = rule_book(procurement.rule_book_version)
    question = NoticeQuestion(
        id=new_id(),
        thread_id=procurement.thread_id,
        procurement_id=procurement.id,
        owner_organisation_id=procurement.owner_organisation_id,
        organisation_id=agency.organisation_id,
        asker_name=agency.name,
        text=command.text,
        asked_by=actor.user_id,
        asked_at=clock.now(),
        answer_by=work_calendar.current().deadline(clock.now(), book.notice_answer_wd).at,
        state=QuestionState.ASKED,
    )
    db.session.add(question)
    db.session.flush()
    record(question, "asked", actor, title=N_("Question asked"))
    tell_owner(
        procurement,
        N_("A question about your notice: %(title)s"),
        N_("An agency asks about %(number)s: %(question)s The answer is public for everybody."),
        question=command.text,
    )
    return question.id


@use_case
def answer_question(actor: Actor, question_id: UUID, command: Answer) -> None:
    """Answer before the registration ends; the asker and every registrant are told, everybody can read it."""
    question, procurement = _locked_pair(actor, question_id, command.version)
    held = parts(actor, question)
    if Part.OWNER not in held:
        raise NotAllowed
    if procurement.state not in {_P.PUBLISHED, _P.REVISED, _P.PAUSED} or _is_over(procurement):
        raise Conflict("answers-closed", N_("The registration has ended; questions can no longer be answered."))
    question.answer, question.answered_at, question.answered_by = command.answer, clock.now(), actor.user_id
    move(question, QUESTION, "answer", actor, held)
    record(procurement, "question_answered", actor, title=N_("Question answered"), public=True)
    for organisation_id in {question.organisation_id, *registered_organisations(procurement.id)}:
        tell(
            procurement,
            organisation_id,
            "procurement.answer",
            N_("A question was answered: %(title)s"),
            N_("The owner of %(number)s answered a question. Asked: %(question)s Answer: %(answer)s"),
            question=question.text,
            answer=command.answer,
        )


@use_case
def take_question_back(actor: Actor, question_id: UUID, command: Plain) -> None:
    """Take one's own question back while it is not answered."""
    question, _ = _locked_pair(actor, question_id, command.version)
    move(question, QUESTION, "take_back", actor, parts(actor, question))


@use_case
def remove_question(actor: Actor, question_id: UUID, command: WithReason) -> None:
    """Take a question off the notice (insults, advertising, an asker who gives itself away), with a reason the asker reads."""
    question, procurement = _locked_pair(actor, question_id, command.version)
    move(question, QUESTION, "remove", actor, parts(actor, question), reason=command.reason)
    tell(
        procurement,
        question.organisation_id,
        "procurement.answer",
        N_("Your question was removed: %(title)s"),
        N_("The operator removed your question about %(number)s. Reason: %(reason)s"),
        reason=command.reason,
    )


@use_case
def follow_question(question_id: UUID) -> bool:
    """What the clock does: remind owner and operator once of an overdue answer; let the question lapse when registration is over."""
    found = db.session.get(NoticeQuestion, question_id)
    if found is None:
        return False
    procurement = lock(Procurement, found.procurement_id)
    question = lock(NoticeQuestion, question_id)
    if question.state != QuestionState.ASKED:
        return False
    if _is_over(procurement):
        return move(question, QUESTION, "lapse", SYSTEM, (Part.SYSTEM,))
    if question.reminded_at is not None or question.answer_by >= clock.now():
        return False
    question.reminded_at = clock.now()
    text = N_(
        "A question about %(number)s is overdue. Agencies decide by its answer; answer it before the registration ends."
    )
    tell_owner(procurement, N_("A question waits for your answer: %(title)s"), text)
    notify_operators(procurement, "procurement.check", N_("A question waits for your answer: %(title)s"), text)
    return True


def _locked_pair(actor: Actor, question_id: UUID, seen: int | None) -> tuple[NoticeQuestion, Procurement]:
    """The question and its procurement, locked in the fixed order; NotFound for what the actor may not see."""
    found = db.session.get(NoticeQuestion, question_id)
    if found is None:
        raise NotFound
    procurement = locked(actor, found.procurement_id)
    return lock(NoticeQuestion, question_id, seen=seen), procurement


def _is_over(procurement: Procurement) -> bool:
    ends_at = procurement.registration_ends_at
    running = procurement.state in {_P.REVISED, _P.PAUSED}
    stopped = procurement.state not in {_P.PUBLISHED, _P.REVISED, _P.PAUSED}
    return stopped or (not running and ends_at is not None and clock.now() > ends_at)


def _refuse_when_closed(procurement: Procurement) -> None:
    closes_at = procurement.questions_close_at
    if procurement.state != _P.PUBLISHED or closes_at is None:
        raise Conflict("questions-not-open", N_("This notice takes no questions now."))
    if clock.now() > closes_at:
        raise Conflict(
            "questions-closed",
            N_("Questions were taken until %(until)s (Beijing time). A late question cannot be accepted."),
            params={"until": closes_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M:%S")},
        )


def _refuse_flood(procurement: Procurement, organisation_id: UUID) -> None:
    waiting = db.session.scalar(
        select(func.count())
        .select_from(NoticeQuestion)
        .where(
            NoticeQuestion.procurement_id == procurement.id,
            NoticeQuestion.organisation_id == organisation_id,
            NoticeQuestion.state == QuestionState.ASKED,
        )
    )
    if (waiting or 0) >= MOST_OPEN_QUESTIONS:
        raise Conflict(
            "too-many-questions", N_("Your agency already has many open questions here. Wait for the answers.")
        )
