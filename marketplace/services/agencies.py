"""Use cases of admission (入驻): the agency's file, the operator's form check, publicity, admission, and what comes after."""

from dataclasses import dataclass, fields
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select

from app.identity.notices import notify
from app.identity.queries import organisation as organisation_view
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.calendar import start_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import (
    AgencyAdmitted,
    AgencyDetailsChanged,
    AgencyReturned,
    AgencyStandingChanged,
    AgencySubmitted,
    QualificationChanged,
)
from marketplace.models.agencies import Agency, AgencyDocument, FormCheck, Qualification
from marketplace.models.contracts import Contract
from marketplace.policy import agency_parts, sees_file
from marketplace.queries.admission import checklist_of
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rules.onboarding import (
    AgencyKind,
    DocumentKind,
    InvalidCreditCode,
    normal_credit_code,
)
from marketplace.rules.qualifications import GRADE_LABELS, QualificationKind
from marketplace.rules.regions import regions
from marketplace.states.agency import AGENCY, QUALIFICATION, AgencyState, QualificationState
from marketplace.states.contract import CONTRACT
from marketplace.states.parts import Part

_OPEN_FOR_CHANGES = frozenset({AgencyState.DRAFT, AgencyState.RETURNED, AgencyState.REJECTED})
_MAY_ADD_CERTIFICATES = _OPEN_FOR_CHANGES | {AgencyState.ACTIVE, AgencyState.SUSPENDED}


@dataclass(frozen=True)
class Particulars:
    """Who the agency is. `uscc` is its unified social credit code, `region_code` the division of its seat."""

    name: str
    uscc: str
    kind: str
    region_code: str
    address: str
    legal_representative: str
    contact_name: str
    contact_mobile: str
    contact_email: str
    introduction: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Contacts:
    """What an admitted agency may change without a new form check."""

    contact_name: str
    contact_mobile: str
    contact_email: str
    introduction: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class AddDocument:
    """One paper of the file; it replaces an earlier one of its kind."""

    kind: str
    file: Upload


@dataclass(frozen=True)
class AddQualification:
    """One certificate. `expires_on` is its last valid day, None when it is unlimited."""

    kind: str
    number: str
    grade: str = ""
    issuer: str = ""
    issued_on: date | None = None
    expires_on: date | None = None
    file: Upload | None = None


@dataclass(frozen=True)
class PassCheck:
    """The operator found the form in order; `accept_certificates` says so of every certificate still unchecked."""

    accept_certificates: bool = True
    version: int | None = None


# The agency's own steps


@use_case
def open_file(actor: Actor, command: Particulars) -> UUID:
    """Begin the admission file of the actor's organisation. Raises NotAllowed, Refused, Conflict when there is one already."""
    if actor.organisation_id is None or not actor.has(Role.AGENCY):
        raise NotAllowed
    if db.session.scalar(select(Agency.id).where(Agency.organisation_id == actor.organisation_id)):
        raise Conflict("file-exists", N_("Your organisation already has an admission file."))
    identifier = new_id()
    agency = Agency(
        id=identifier,
        thread_id=identifier,
        organisation_id=actor.organisation_id,
        state=AgencyState.DRAFT,
        rule_book_version=rule_book_in_force().version,
        created_at=clock.now(),
    )
    _write_particulars(agency, command)
    db.session.add(agency)
    db.session.flush()  # papers and certificates refer to it
    record(agency, "opened", actor, title=N_("Admission file opened"))
    return agency.id


@use_case
def change_particulars(actor: Actor, agency_id: UUID, command: Particulars) -> None:
    """Change the file while it is with the agency. Raises NotFound, Conflict, Refused, Outdated."""
    agency = _own(actor, agency_id, command.version)
    _require_open(agency)
    _write_particulars(agency, command)
    record(agency, "changed", actor, title=N_("Particulars changed"), event=AgencyDetailsChanged(agency.id))


@use_case
def change_contacts(actor: Actor, agency_id: UUID, command: Contacts) -> None:
    """Change contact and introduction at any time after admission."""
    agency = _own(actor, agency_id, command.version)
    for column in ("contact_name", "contact_mobile", "contact_email"):
        setattr(agency, column, getattr(command, column))
    agency.introduction = command.introduction or ""
    record(agency, "contacts", actor, title=N_("Contact changed"), event=AgencyDetailsChanged(agency.id))


@use_case
def add_document(actor: Actor, agency_id: UUID, command: AddDocument) -> UUID:
    """Upload one paper; an earlier one of its kind is kept but no longer shown. Raises as `keep` does."""
    agency = _own(actor, agency_id)
    _require_open(agency)
    if command.kind not in set(DocumentKind):
        raise Refused("unknown-document", N_("Choose what this paper is."), field="kind")
    file = keep(command.file, actor)
    moment = clock.now()
    earlier = db.session.scalars(
        select(AgencyDocument).where(
            AgencyDocument.agency_id == agency_id,
            AgencyDocument.kind == command.kind,
            AgencyDocument.replaced_at.is_(None),
        )
    )
    for row in earlier:
        row.replaced_at = moment
    document = AgencyDocument(id=new_id(), agency_id=agency_id, kind=command.kind, file_id=file.id, uploaded_at=moment)
    db.session.add(document)
    record(agency, "document", actor, title=N_("Paper uploaded"), detail={"kind": command.kind, "sha256": file.sha256})
    return document.id


@use_case
def add_qualification(actor: Actor, agency_id: UUID, command: AddQualification) -> UUID:
    """Enter a certificate; it counts only after the operator checked it. Raises Refused, Conflict for one already entered."""
    agency = _own(actor, agency_id)
    if agency.state not in _MAY_ADD_CERTIFICATES:
        raise Conflict("file-closed", N_("The file is with the operator. Wait for the result of the form check."))
    _check_certificate(command)
    number = command.number.strip()
    if db.session.scalar(
        select(Qualification.id).where(
            Qualification.agency_id == agency_id, Qualification.kind == command.kind, Qualification.number == number
        )
    ):
        raise Conflict("certificate-entered", N_("A certificate with this number is already entered."))
    file_id = keep(command.file, actor).id if command.file else None
    qualification = Qualification(
        id=new_id(),
        thread_id=agency.thread_id,
        agency_id=agency_id,
        organisation_id=agency.organisation_id,
        kind=command.kind,
        grade=command.grade,
        number=number,
        issuer=command.issuer,
        issued_on=command.issued_on,
        expires_on=command.expires_on,
        expires_at=start_of_day(command.expires_on + timedelta(days=1)) if command.expires_on else None,
        file_id=file_id,
        state=QualificationState.PENDING,
        created_at=clock.now(),
    )
    db.session.add(qualification)
    record(qualification, "entered", actor, title=N_("Certificate entered"), detail={"kind": command.kind})
    if agency.state not in _OPEN_FOR_CHANGES:
        _tell_operators(agency, N_("New certificate to check"), N_("%(agency)s entered a certificate to be checked."))
    return qualification.id


@use_case
def sign_commitment(actor: Actor, agency_id: UUID, command: Plain) -> None:
    """Sign the letter of commitment online: who and when are kept."""
    agency = _own(actor, agency_id, command.version)
    _require_open(agency)
    if agency.commitment_signed_at is not None:
        return
    agency.commitment_signed_at = clock.now()
    agency.commitment_signed_by = actor.user_id
    record(agency, "committed", actor, title=N_("Commitment signed"))


@use_case
def submit(actor: Actor, agency_id: UUID, command: Plain) -> None:
    """Hand the file to the operator. Raises Refused naming what is missing."""
    agency = _own(actor, agency_id, command.version)
    if AGENCY.edge("submit", agency.state):
        missing = [item for item in checklist_of(agency) if item.is_required and not item.is_done]
        if missing:
            raise Refused(
                "file-incomplete",
                N_("The file is not complete yet. Finish every required step of the checklist."),
                missing=[item.key for item in missing],
            )
        book = rule_book_in_force()
        now = clock.now()
        agency.rule_book_version = book.version
        agency.submitted_at = now
        agency.check_due_at = work_calendar.current().deadline(now, book.onboarding_check_wd).at
    move(agency, AGENCY, "submit", actor, agency_parts(actor, agency), event=AgencySubmitted(agency.id))
    _tell_operators(agency, N_("Admission to check"), N_("%(agency)s submitted its admission file for the form check."))


@use_case
def leave(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Leave the supermarket. Raises Conflict while an engagement is open."""
    agency = _own(actor, agency_id, command.version)
    open_contracts = db.session.scalar(
        select(func.count())
        .select_from(Contract)
        .where(
            Contract.agency_organisation_id == agency.organisation_id,
            Contract.state.not_in([str(state) for state in CONTRACT.terminal]),
        )
    )
    if open_contracts:
        raise Conflict(
            "engagements-open",
            N_("Finish the %(count)s open contracts before leaving."),
            params={"count": open_contracts},
        )
    _change_standing(actor, agency, "exit", command.reason)


# The operator's steps


@use_case
def pass_check(actor: Actor, agency_id: UUID, command: PassCheck) -> None:
    """Pass the form check: publicity begins, or admission follows at once when the rule book asks for none.

    Raises Conflict while a certificate is unchecked and `accept_certificates` is not given.
    """
    agency = lock(Agency, agency_id, seen=command.version)
    if AGENCY.edge("pass", agency.state):
        accepted = _settle_certificates(actor, agency, accept=command.accept_certificates)
        _keep_check(actor, agency, "passed", "", {str(q.id): {"passed": True} for q in accepted})
        book = rule_book(agency.rule_book_version)
        now = clock.now()
        days = book.onboarding_publicity_wd
        agency.publicity_ends_at = work_calendar.current().deadline(now, days).at if days else now
    move(agency, AGENCY, "pass", actor, agency_parts(actor, agency), public=True)
    if agency.publicity_ends_at is not None and agency.publicity_ends_at <= clock.now():
        _admit(agency)
        return
    _tell_agency(
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


@use_case
def suspend(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Suspend an admitted agency; its offers are no longer shown."""
    _change_standing(actor, lock(Agency, agency_id, seen=command.version), "suspend", command.reason)


@use_case
def resume(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Lift a suspension."""
    _change_standing(actor, lock(Agency, agency_id, seen=command.version), "resume", command.reason)


@use_case
def accept_qualification(actor: Actor, qualification_id: UUID, command: Plain) -> None:
    """Find a certificate in order; from now on it counts. Raises Refused for one that has expired."""
    qualification = lock(Qualification, qualification_id, seen=command.version)
    _accept(actor, qualification)


@use_case
def refuse_qualification(actor: Actor, qualification_id: UUID, command: WithReason) -> None:
    """Refuse a certificate with the reason."""
    qualification = lock(Qualification, qualification_id, seen=command.version)
    parts = agency_parts(actor, qualification)
    move(qualification, QUALIFICATION, "refuse", actor, parts, reason=command.reason)
    notify(
        to_organisation=qualification.organisation_id,
        kind="marketplace.qualification",
        subject=N_("Certificate refused"),
        text=N_("Certificate %(number)s was refused: %(reason)s"),
        params={"number": qualification.number, "reason": command.reason},
        link="/agency",
        thread_id=qualification.thread_id,
    )


@use_case
def revoke_qualification(actor: Actor, qualification_id: UUID, command: WithReason) -> None:
    """Note that its issuer revoked a certificate; what rests on it is no longer offered."""
    qualification = lock(Qualification, qualification_id, seen=command.version)
    move(
        qualification,
        QUALIFICATION,
        "revoke",
        actor,
        agency_parts(actor, qualification),
        reason=command.reason,
        event=_changed(qualification, QualificationState.REVOKED),
    )


# The clock's steps


def admit_due(limit: int = 200) -> int:
    """Admit the agencies whose publicity has ended; each in its own transaction."""
    due = db.session.scalars(
        select(Agency.id)
        .where(Agency.state == AgencyState.PUBLICITY, Agency.publicity_ends_at <= clock.now())
        .order_by(Agency.publicity_ends_at)
        .limit(limit)
    ).all()
    return sum(_admit_if_due(agency_id) for agency_id in due)


@use_case
def _admit_if_due(agency_id: UUID) -> int:
    agency = lock(Agency, agency_id)
    ends = agency.publicity_ends_at
    if agency.state != AgencyState.PUBLICITY or ends is None or ends > clock.now():
        return 0
    _admit(agency)
    return 1


def expire_due(limit: int = 500) -> int:
    """Expire the certificates whose last day is over; each in its own transaction."""
    due = db.session.scalars(
        select(Qualification.id)
        .where(Qualification.state == QualificationState.VALID, Qualification.expires_at <= clock.now())
        .order_by(Qualification.expires_at)
        .limit(limit)
    ).all()
    return sum(_expire_if_due(qualification_id) for qualification_id in due)


@use_case
def _expire_if_due(qualification_id: UUID) -> int:
    qualification = lock(Qualification, qualification_id)
    ends = qualification.expires_at
    if qualification.state != QualificationState.VALID or ends is None or ends > clock.now():
        return 0
    move(
        qualification,
        QUALIFICATION,
        "expire",
        SYSTEM,
        {Part.SYSTEM},
        event=_changed(qualification, QualificationState.EXPIRED),
    )
    return 1


def remind_of_expiry(limit: int = 500) -> int:
    """Tell agencies about certificates that expire soon, once at each distance of the rule book."""
    distances = sorted(rule_book_in_force().qualification_reminder_days)
    horizon = clock.now() + timedelta(days=distances[-1])
    soon = db.session.scalars(
        select(Qualification.id)
        .where(
            Qualification.state == QualificationState.VALID,
            Qualification.expires_at <= horizon,
            or_(Qualification.reminded_days.is_(None), Qualification.reminded_days > distances[0]),
        )
        .limit(limit)
    ).all()
    return sum(_remind(qualification_id, distances) for qualification_id in soon)


@use_case
def _remind(qualification_id: UUID, distances: list[int]) -> int:
    qualification = lock(Qualification, qualification_id)
    if qualification.expires_on is None or qualification.state != QualificationState.VALID:
        return 0
    left = (qualification.expires_on - clock.today()).days
    reached = next((days for days in distances if left <= days), None)
    if reached is None or (qualification.reminded_days is not None and qualification.reminded_days <= reached):
        return 0
    qualification.reminded_days = reached
    notify(
        to_organisation=qualification.organisation_id,
        kind="marketplace.qualification",
        subject=N_("A certificate expires soon"),
        text=N_(
            "Certificate %(number)s expires on %(day)s. Enter the renewed one before, or the offers resting on it go."
        ),
        params={"number": qualification.number, "day": qualification.expires_on.isoformat()},
        link="/agency",
        thread_id=qualification.thread_id,
    )
    record(qualification, "reminded", SYSTEM, title=N_("Reminded of the expiry"), detail={"days": left})
    return 1


# What several steps share


def _own(actor: Actor, agency_id: UUID, seen: int | None = None) -> Agency:
    """The agency of the actor, locked; another's answers NotFound, so that its existence is not told."""
    agency = lock(Agency, agency_id, seen=seen)
    if not sees_file(actor, agency):
        raise NotFound
    if Part.AGENCY not in agency_parts(actor, agency):
        raise NotAllowed
    return agency


def _require_open(agency: Agency) -> None:
    if agency.state not in _OPEN_FOR_CHANGES:
        raise Conflict("file-closed", N_("The file is with the operator, or the agency is already admitted."))


def _write_particulars(agency: Agency, command: Particulars) -> None:
    try:
        uscc = normal_credit_code(command.uscc)
    except InvalidCreditCode as failure:
        raise Refused(
            "credit-code-wrong",
            N_("This is not a valid unified social credit code: 18 characters with a correct check digit."),
            field="uscc",
        ) from failure
    if command.kind not in set(AgencyKind):
        raise Refused("unknown-agency-kind", N_("Choose what kind of body the agency is."), field="kind")
    if command.region_code not in regions():
        raise Refused("unknown-region", N_("Choose a region of this province."), field="region_code")
    taken = db.session.scalar(select(Agency.id).where(Agency.uscc == uscc, Agency.id != agency.id))
    if taken:
        raise Conflict("credit-code-taken", N_("An agency with this credit code has already applied."))
    registered = organisation_view(agency.organisation_id).uscc
    if registered and registered != uscc:
        raise Refused(
            "credit-code-differs", N_("This is not the credit code your organisation is registered with."), field="uscc"
        )
    for column in fields(command):
        if column.name not in {"version", "uscc", "introduction"}:
            setattr(agency, column.name, getattr(command, column.name).strip())
    agency.introduction = command.introduction or ""
    agency.uscc = uscc


def _check_certificate(command: AddQualification) -> None:
    if command.kind not in set(QualificationKind):
        raise Refused("unknown-certificate", N_("Choose what kind of certificate this is."), field="kind")
    if command.grade not in GRADE_LABELS:
        raise Refused("unknown-grade", N_("Choose one of the grades."), field="grade")
    if command.expires_on is not None and command.expires_on < clock.today():
        raise Refused("certificate-expired", N_("This certificate has already expired."), field="expires_on")
    if command.issued_on and command.expires_on and command.expires_on < command.issued_on:
        raise Refused("certificate-dates", N_("It cannot expire before it was issued."), field="expires_on")


def _settle_certificates(actor: Actor, agency: Agency, *, accept: bool) -> list[Qualification]:
    pending = list(
        db.session.scalars(
            select(Qualification).where(
                Qualification.agency_id == agency.id, Qualification.state == QualificationState.PENDING
            )
        )
    )
    if pending and not accept:
        raise Conflict(
            "certificates-unchecked", N_("Check every certificate first, or accept them all with this step.")
        )
    for qualification in pending:
        _accept(actor, qualification)
    return pending


def _accept(actor: Actor, qualification: Qualification) -> None:
    if qualification.expires_at is not None and qualification.expires_at <= clock.now():
        raise Refused("certificate-expired", N_("This certificate has already expired."))
    move(
        qualification,
        QUALIFICATION,
        "accept",
        actor,
        agency_parts(actor, qualification),
        event=_changed(qualification, QualificationState.VALID),
    )


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
    _tell_agency(agency, subject, N_("%(agency)s: %(reason)s"), reason=command.reason)


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
    agency.admitted_at = agency.admitted_at or clock.now()
    move(agency, AGENCY, "admit", SYSTEM, {Part.SYSTEM}, event=AgencyAdmitted(agency.id), public=True)
    _tell_agency(agency, N_("Admitted"), N_("%(agency)s is admitted. Put your services on the shelf."))


def _change_standing(actor: Actor, agency: Agency, action: str, reason: str) -> None:
    edge = AGENCY.edge(action, agency.state)
    target = str(edge.target) if edge else agency.state
    move(
        agency,
        AGENCY,
        action,
        actor,
        agency_parts(actor, agency),
        reason=reason,
        event=AgencyStandingChanged(agency.id, target),
        public=True,
    )
    _tell_agency(agency, N_("The standing of your agency changed"), N_("%(agency)s: %(reason)s"), reason=reason)


def _changed(qualification: Qualification, state: QualificationState) -> QualificationChanged:
    return QualificationChanged(qualification.agency_id, qualification.id, str(state))


def _tell_agency(agency: Agency, subject: str, text: str, **params: str) -> None:
    notify(
        to_organisation=agency.organisation_id,
        kind="marketplace.admission",
        subject=subject,
        text=text,
        params={"agency": agency.name, **params},
        link="/agency",
        thread_id=agency.thread_id,
    )


def _tell_operators(agency: Agency, subject: str, text: str) -> None:
    notify(
        to_role=Role.OPERATOR,
        kind="marketplace.admission",
        subject=subject,
        text=text,
        params={"agency": agency.name},
        link=f"/admission/{agency.id}",
        thread_id=agency.thread_id,
    )
