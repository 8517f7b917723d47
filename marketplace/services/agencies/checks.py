"""Use cases of the operator's form check (形式核验) and of the publicity (公示) that leads to admission."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import AgencyAdmitted, AgencyReturned
from marketplace.models.agencies import Agency, FormCheck, Practitioner, Qualification
from marketplace.policy import agency_parts
from marketplace.queries.rulebooks import rule_book
from marketplace.services.agencies.access import kept
from marketplace.services.agencies.certificates import accept_locked
from marketplace.services.agencies.following import follow
from marketplace.services.agencies.practitioners import accept_person
from marketplace.services.agencies.telling import tell_agency
from marketplace.states.agency import AGENCY, AgencyState, PractitionerState, QualificationState
from marketplace.states.parts import Part


@dataclass(frozen=True)
class PassCheck:
    """The operator found the form in order; `accept_certificates` says so of every certificate still unchecked."""

    accept_certificates: bool = True
    version: int | None = None


@use_case
def pass_check(actor: Actor, agency_id: UUID, command: PassCheck) -> None:
    """Pass the form check: publicity begins, or admission follows at once when the rule book asks for none.

    Raises Conflict while a certificate is unchecked and `accept_certificates` is not given.
    """
    agency = lock(Agency, agency_id, seen=command.version)
    if AGENCY.edge("pass", agency.state):
        accepted = _settle_entered(actor, agency, accept=command.accept_certificates)
        _keep_check(actor, agency, "passed", "", {str(q.id): {"passed": True} for q in accepted})
        book = rule_book(agency.rule_book_version)
        now = clock.now()
        days = book.onboarding_publicity_wd
        agency.publicity_ends_at = work_calendar.current().deadline(now, days).at if days else now
    move(agency, AGENCY, "pass", actor, agency_parts(actor, agency), public=True)
    if agency.publicity_ends_at is not None and agency.publicity_ends_at <= clock.now():
        _admit(agency)
        return
    tell_agency(
        agency,
        N_("Form check passed"),
        N_("The form check of %(agency)s is passed. After the publicity the admission follows by itself."),
    )


@use_case
def return_file(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Return the file with the reasons, for correction."""
    _decide_against(actor, agency_id, command, "return", N_("Admission file returned"))


@use_case
def reject(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Reject the admission, also after a valid objection during publicity."""
    _decide_against(actor, agency_id, command, "reject", N_("Admission rejected"))


def admit_due(limit: int = 200) -> int:
    """Admit the agencies whose publicity has ended; each in its own transaction."""
    due = db.session.scalars(
        select(Agency.id)
        .where(
            Agency.state == AgencyState.PUBLICITY,
            Agency.publicity_ends_at <= clock.now(),
            Agency.open_objections == 0,
        )
        .order_by(Agency.publicity_ends_at)
        .limit(limit)
    ).all()
    return sum(_admit_if_due(agency_id) for agency_id in due)


@use_case
def _admit_if_due(agency_id: UUID) -> int:
    agency = lock(Agency, agency_id)
    ends = agency.publicity_ends_at
    if agency.state != AgencyState.PUBLICITY or ends is None or ends > clock.now() or agency.open_objections:
        return 0
    _admit(agency)
    return 1


def _settle_entered(actor: Actor, agency: Agency, *, accept: bool) -> list[Qualification]:
    pending = list(
        db.session.scalars(
            select(Qualification).where(
                Qualification.agency_id == agency.id, Qualification.state == QualificationState.PENDING
            )
        )
    )
    people = list(
        db.session.scalars(
            select(Practitioner).where(
                Practitioner.agency_id == agency.id, Practitioner.state == PractitionerState.PENDING
            )
        )
    )
    if (pending or people) and not accept:
        raise Conflict(
            "certificates-unchecked",
            N_("Check every certificate and practitioner first, or accept them all with this step."),
        )
    for person in people:
        accept_person(actor, person)
    for qualification in pending:
        accept_locked(actor, qualification)
    return pending


def _decide_against(actor: Actor, agency_id: UUID, command: WithReason, action: str, subject: str) -> None:
    agency = lock(Agency, agency_id, seen=command.version)
    is_final = action == "reject"
    if AGENCY.edge(action, agency.state):
        _keep_check(actor, agency, "rejected" if is_final else "returned", command.reason, {})
    move(
        agency,
        AGENCY,
        action,
        actor,
        agency_parts(actor, agency),
        reason=command.reason,
        event=AgencyReturned(agency.id, command.reason, is_final),
    )
    tell_agency(agency, subject, N_("%(agency)s: %(reason)s"), reason=command.reason)


def _keep_check(
    actor: Actor, agency: Agency, outcome: str, reason: str, findings: dict[str, dict[str, object]]
) -> None:
    rounds = db.session.scalar(select(func.count()).select_from(FormCheck).where(FormCheck.agency_id == agency.id))
    db.session.add(
        FormCheck(
            id=new_id(),
            agency_id=agency.id,
            round=(rounds or 0) + 1,
            outcome=outcome,
            reason=reason,
            findings=findings,
            checked_by=actor.user_id,
            checked_at=clock.now(),
        )
    )


def _admit(agency: Agency) -> None:
    if agency.admitted_at is None or agency.left_at is not None:
        agency.admitted_at = clock.now()
    agency.left_at = agency.may_reapply_at = agency.exit_asked_at = None
    move(agency, AGENCY, "admit", SYSTEM, {Part.SYSTEM}, event=AgencyAdmitted(agency.id), public=True)
    tell_agency(agency, N_("Admitted"), N_("%(agency)s is admitted. Put your services on the shelf."))
    follow(agency, SYSTEM, N_("A measure from before is still in force."))


# Objections during the publicity: who may object, and how it is heard, is decided elsewhere; here is what follows


@use_case
def note_objection(actor: Actor, agency_id: UUID, subject: str) -> None:
    """An objection against the admission was filed: the admission waits for its decision. `subject` names the objection.

    Raises Conflict unless the publicity runs, or stands still because of another objection.
    """
    agency = lock(Agency, agency_id)
    ends = agency.publicity_ends_at
    if agency.state != AgencyState.PUBLICITY or ends is None or (clock.now() > ends and not agency.open_objections):
        raise Conflict("not-in-publicity", N_("The publicity of this admission is over."))
    agency.open_objections += 1
    record(agency, "objection", actor, title=N_("Objection to the admission"), detail={"subject": subject}, public=True)


@use_case
def overrule_objection(actor: Actor, agency_id: UUID, reason: str) -> None:
    """An objection did not hold: once none is open, the admission goes on (at once when the publicity is over)."""
    agency = kept(actor, agency_id)
    if agency.open_objections:
        agency.open_objections -= 1
        record(agency, "objection_overruled", actor, title=N_("Objection overruled"), reason=reason, public=True)


@use_case
def uphold_objection(actor: Actor, agency_id: UUID, reason: str) -> None:
    """An objection holds: the admission is rejected with its reason, whatever else is open."""
    agency = kept(actor, agency_id)
    if agency.state != AgencyState.PUBLICITY:
        raise Conflict("not-in-publicity", N_("The publicity of this admission is over."))
    agency.open_objections = 0
    _decide_against(actor, agency_id, WithReason(reason), "reject", N_("Admission rejected"))
