"""Use cases from the application to the decision: apply, receive, accept, correct, special procedure, decide."""

import secrets
from typing import Final
from uuid import UUID

from app.identity import queries as identity
from app.identity.models import OrganisationKind
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import WorkCalendar, beijing_date, end_of_day
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from approvals.events import CaseDecided
from approvals.models import ApprovalItem, Case, CaseMaterial, DemandedDeliverable, SpecialProcedure
from approvals.policy import case_parts
from approvals.queries.clock import promised_reading, special_procedures_of, statutory_reading
from approvals.rules import serve_deadline
from approvals.services.commands import Apply, Correct, Decide, Reasoned, Step
from approvals.services.notices import tell_applicant, tell_department, tell_window
from approvals.services.results import choose_at_application, prepare_result, void_papers
from approvals.states import CASE, CaseState, Part
from marketplace.queries.rulebooks import rule_book, rule_book_in_force

S = CaseState
QUERY_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is misread over the telephone
QUERY_CODE_LENGTH: Final = 8  # 40 bits, and attempts are counted


def locked(actor: Actor, case_id: UUID, seen: int | None) -> tuple[Case, frozenset[Part]]:
    """The case for writing with the actor's parts. Raises NotFound, also for the case of others, and Outdated."""
    case = lock(Case, case_id)
    held = case_parts(actor, case)
    if not held:
        raise NotFound
    return lock(Case, case_id, seen=seen), held


# --- the applicant ----------------------------------------------------------------------------------------------


@use_case
def apply(actor: Actor, command: Apply) -> UUID:
    """Apply for an approval; the way of service is captured once, with the application.

    Raises Refused for an unknown item, an office that is no hall or an incomplete choice of service.
    """
    assert actor.user_id is not None  # only people who are signed in apply
    item = db.session.get(ApprovalItem, command.item_id)
    if item is None:
        raise Refused("unknown-item", N_("There is no such approval item. Choose one of the list."), field="item_id")
    hall = identity.organisations_by_ids((command.hall_organisation_id,)).get(command.hall_organisation_id)
    if hall is None or hall.kind != OrganisationKind.HALL:
        raise Refused(
            "not-a-hall", N_("Choose the service hall that receives the application."), field="hall_organisation_id"
        )
    book = rule_book_in_force()
    name = identity.organisation_name(actor.organisation_id) or actor.name
    case = Case(
        id=new_id(),
        thread_id=new_id(),
        number=next_number("BJ"),
        query_code="".join(secrets.choice(QUERY_ALPHABET) for _ in range(QUERY_CODE_LENGTH)),
        item_id=item.id,
        department_organisation_id=item.department_organisation_id,
        hall_organisation_id=hall.id,
        applicant_user_id=actor.user_id,
        applicant_organisation_id=actor.organisation_id,
        applicant_name=name,
        project_name=command.project_name,
        description=command.description or "",
        rule_book_version=book.version,
        limit_wd=item.statutory_limit_wd,
        promised_limit_wd=item.promised_limit_wd,
        special_procedures_count=book.approval_special_procedure_counts,
        state=S.SUBMITTED,
        created_at=clock.now(),
    )
    db.session.add(case)
    db.session.flush()  # materials, the chosen service and the timeline refer to it
    record(case, "submitted", actor, title=N_("Application submitted"), detail={"number": case.number})
    _keep_materials(case, command.materials, actor)
    choose_at_application(actor, case, command.service)
    tell_window(case, N_("A new application waits to be received: %(number)s"))
    return case.id


@use_case
def withdraw(actor: Actor, case_id: UUID, command: Reasoned) -> None:
    """Withdraw before acceptance (national state 2)."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "withdraw", actor, held, reason=command.reason)
    tell_window(case, N_("An application was withdrawn: %(number)s"))


@use_case
def recall(actor: Actor, case_id: UUID, command: Reasoned) -> None:
    """Recall the application while the department handles it (national state 14)."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "recall", actor, held, reason=command.reason)
    tell_department(case, N_("An application was recalled: %(number)s"))


@use_case
def correct(actor: Actor, case_id: UUID, command: Correct) -> None:
    """Hand in what the window asked for."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "correct", actor, held, reason=command.reason)
    _keep_materials(case, command.materials, actor)
    tell_window(case, N_("A correction was handed in: %(number)s"))


def _keep_materials(case: Case, uploads: tuple[Upload, ...], actor: Actor) -> None:
    for upload in uploads:
        file = keep(upload, actor)
        db.session.add(
            CaseMaterial(
                case_id=case.id, file_id=file.id, file_name=file.name, file_sha256=file.sha256, uploaded_at=clock.now()
            )
        )


# --- the window -------------------------------------------------------------------------------------------------


@use_case
def receive(actor: Actor, case_id: UUID, command: Step) -> None:
    """Receive the application (national state 1)."""
    case, held = locked(actor, case_id, command.version)
    case.received_at = clock.now()
    move(case, CASE, "receive", actor, held)
    tell_applicant(case, "case.received", N_("Your application %(number)s was received"))


@use_case
def accept(actor: Actor, case_id: UUID, command: Step) -> None:
    """Accept for handling (national state 3): the limits run from the next working day."""
    case, held = locked(actor, case_id, command.version)
    now = clock.now()
    case.accepted_at = now
    case.clock_starts_on = beijing_date(now)
    _set_limits(case, work_calendar.current())
    facts = {"last_day": case.promised_on.isoformat() if case.promised_on else ""}
    move(case, CASE, "accept", actor, held, detail=facts)
    tell_applicant(case, "case.accepted", N_("Your application %(number)s was accepted for handling"))
    tell_department(case, N_("A case waits to be handled: %(number)s"))


@use_case
def turn_away(actor: Actor, case_id: UUID, command: Reasoned) -> None:
    """Say that another authority is in charge (national state 4)."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "turn_away", actor, held, reason=command.reason)
    tell_applicant(case, "case.out-of-remit", N_("Your application %(number)s is not within our remit"))


@use_case
def refuse(actor: Actor, case_id: UUID, command: Reasoned) -> None:
    """Refuse acceptance with the reason (national state 5)."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "refuse", actor, held, reason=command.reason)
    tell_applicant(case, "case.refused", N_("Acceptance of your application %(number)s was refused"))


@use_case
def ask_correction(actor: Actor, case_id: UUID, command: Reasoned) -> None:
    """Say at once and completely what is missing (national state 6; one-time notice)."""
    case, held = locked(actor, case_id, command.version)
    case.correction_note = command.reason
    move(case, CASE, "ask_correction", actor, held, reason=command.reason)
    tell_applicant(case, "case.correction", N_("Something is missing in your application %(number)s"))


# --- the department ---------------------------------------------------------------------------------------------


@use_case
def start_handling(actor: Actor, case_id: UUID, command: Step) -> None:
    """Take the case in hand (national state 8)."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "start_handling", actor, held)


@use_case
def start_special_procedure(actor: Actor, case_id: UUID, command: Reasoned) -> None:
    """Start a hearing, inspection, test or expert review (national state 9); the applicant is told in writing."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "start_special_procedure", actor, held, reason=command.reason)
    db.session.add(
        SpecialProcedure(case_id=case.id, reason=command.reason, starts_on=clock.today(), started_by_name=actor.name)
    )
    tell_applicant(case, "case.special-procedure", N_("A special procedure has begun in case %(number)s"))


@use_case
def end_special_procedure(actor: Actor, case_id: UUID, command: Step) -> None:
    """End it (national state 10) and go on handling (8); the limits move unless such time counts."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "end_special_procedure", actor, held)
    for procedure in special_procedures_of(case.id):
        if procedure.ends_on is None:
            procedure.ends_on = clock.today()
    _set_limits(case, work_calendar.current())
    move(case, CASE, "continue_handling", SYSTEM, {Part.SYSTEM})


@use_case
def approve(actor: Actor, case_id: UUID, command: Decide) -> None:
    """Approve (national state 11). Refused while a demanded deliverable is missing."""
    case, held = locked(actor, case_id, command.version)
    if _open_demands(case):
        raise Refused(
            "demands-open", N_("A demanded deliverable is still missing. Approve with material to follow, or wait.")
        )
    _decide(actor, case, held, "approve", command.reason, granted=True)


@use_case
def approve_with_tolerance(actor: Actor, case_id: UUID, command: Decide) -> None:
    """Approve with missing material to follow (national state 12); the reason names what is to follow and until when."""
    case, held = locked(actor, case_id, command.version)
    _decide(actor, case, held, "approve_with_tolerance", command.reason, granted=True)


@use_case
def reject(actor: Actor, case_id: UUID, command: Decide) -> None:
    """Reject with reasons (national state 13); the written decision is served like a certificate."""
    case, held = locked(actor, case_id, command.version)
    _decide(actor, case, held, "reject", command.reason, granted=False)


@use_case
def revoke(actor: Actor, case_id: UUID, command: Reasoned) -> None:
    """Revoke the approval (national state 15); the check page of its certificate says so from now on."""
    case, held = locked(actor, case_id, command.version)
    move(case, CASE, "revoke", actor, held, reason=command.reason)
    void_papers(actor, case, command.reason)
    tell_applicant(case, "case.revoked", N_("The approval of case %(number)s was revoked"))


def _decide(actor: Actor, case: Case, held: frozenset[Part], action: str, reason: str | None, *, granted: bool) -> None:
    now = clock.now()
    book = rule_book(case.rule_book_version)
    last_day = serve_deadline(beijing_date(now), work_calendar.current(), book.deliver_serve_wd_after_decision)
    case.decided_at, case.decided_on = now, beijing_date(now)
    case.decided_by_name, case.decision_text = actor.name, reason or ""
    case.serve_by = end_of_day(last_day)
    event = CaseDecided(case_id=case.id, thread_id=case.thread_id, granted=granted)
    move(case, CASE, action, actor, held, reason=reason, event=event, detail={"last_day": last_day.isoformat()})
    prepare_result(case, get(ApprovalItem, case.item_id), granted=granted)
    tell_applicant(case, "case.decided", N_("Your application %(number)s has been decided"))


def _open_demands(case: Case) -> bool:
    statement = (
        db.select(DemandedDeliverable.id)
        .where(DemandedDeliverable.case_id == case.id, DemandedDeliverable.met_at.is_(None))
        .limit(1)
    )
    return db.session.scalar(statement) is not None


# --- limits and notices -----------------------------------------------------------------------------------------


def _set_limits(case: Case, calendar: WorkCalendar) -> None:
    procedures = special_procedures_of(case.id)
    statutory = statutory_reading(case, procedures, calendar)
    promised = promised_reading(case, procedures, calendar)
    assert statutory is not None  # the clock has a start here
    assert promised is not None
    case.limit_on, case.promised_on = statutory.planned_finish, promised.planned_finish
    case.limit_provisional = case.limit_on is None or any(
        calendar.is_provisional(year) for year in range(statutory.starts_on.year, case.limit_on.year + 1)
    )
    if case.limit_on is None or case.limit_on >= clock.today():
        case.overdue_since = None


@use_case
def flag_overdue(case_id: UUID) -> bool:
    """Write down that the statutory limit of the decision has passed, and tell department and applicant; once."""
    case = lock(Case, case_id)
    if case.state not in {S.ACCEPTED, S.HANDLING} or case.overdue_since is not None or case.limit_on is None:
        return False
    if case.limit_on >= clock.today():
        return False
    case.overdue_since = clock.today()
    record(
        case, "overdue", SYSTEM, title=N_("Statutory limit exceeded"), detail={"last_day": case.limit_on.isoformat()}
    )
    tell_department(case, N_("The statutory limit of case %(number)s has passed"))
    return True


@use_case
def flag_serve_overdue(case_id: UUID) -> bool:
    """Write down that the result was not served within the term after the decision; once."""
    case = lock(Case, case_id)
    late = case.serve_by is not None and clock.now() > case.serve_by
    if not late or case.served_at is not None or case.serve_overdue_at is not None:
        return False
    case.serve_overdue_at = clock.now()
    record(case, "serve_overdue", SYSTEM, title=N_("Result not served in time"))
    tell_window(case, N_("The result of case %(number)s is not served in time"))
    return True
