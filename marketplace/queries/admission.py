"""Reads of admission files: the agency's own and the operator's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.kernel import clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.files import StoredFile
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.agencies import Agency, AgencyDocument, FormCheck, Practitioner, Qualification
from marketplace.policy import sees_file
from marketplace.rules.onboarding import PARTICULARS, ChecklistItem, checklist
from marketplace.states.agency import (
    ADMITTED,
    AGENCY,
    WITH_THE_AGENCY,
    AgencyState,
    PractitionerState,
    QualificationState,
)


@dataclass(frozen=True, slots=True)
class PaperView:
    """An uploaded paper of the file. `kind` is a `DocumentKind`."""

    id: UUID
    kind: str
    file_id: UUID
    name: str
    size: int
    media_type: str
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate; `days_left` counts calendar days to its last valid day, None when it is unlimited."""

    id: UUID
    agency_id: UUID
    kind: str
    grade: str
    number: str
    issuer: str
    issued_on: date | None
    expires_on: date | None
    state: str
    file_id: UUID | None
    version: int
    thread_id: UUID
    practitioner_id: UUID | None

    @property
    def title(self) -> str:
        """What pages call it."""
        return self.number

    @property
    def days_left(self) -> int | None:
        """Calendar days until it is no longer valid."""
        return None if self.expires_on is None else (self.expires_on - clock.today()).days

    @property
    def is_expiring(self) -> bool:
        """Valid for at most 90 days more (临期)."""
        left = self.days_left
        return self.state == QualificationState.VALID and left is not None and 0 <= left <= 90


@dataclass(frozen=True, slots=True)
class PractitionerView:
    """A practitioner with the certificates; `name` is whole for those who may open the file, else masked."""

    id: UUID
    agency_id: UUID
    organisation_id: UUID
    thread_id: UUID
    name: str
    id_masked: str
    is_full_time: bool
    job_title: str
    employed_from: date
    leaves_on: date | None
    insurance_file_id: UUID | None
    state: str
    version: int
    certificates: tuple[CertificateView, ...] = ()

    @property
    def title(self) -> str:
        """What pages call it."""
        return self.name

    @property
    def is_on_staff(self) -> bool:
        """Whether the person belongs to the agency now, checked or being checked."""
        return self.state in {PractitionerState.PENDING, PractitionerState.VALID}


@dataclass(frozen=True, slots=True)
class CheckView:
    """One form check by the operator."""

    round: int
    outcome: str
    reason: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class AdmissionFile:
    """An admission file with everything in it. `days_left` counts working days to the deadline of the present state."""

    id: UUID
    organisation_id: UUID
    thread_id: UUID
    title: str
    uscc: str
    kind: str
    region_code: str
    address: str
    legal_representative: str
    contact_name: str
    contact_mobile: str
    contact_email: str
    introduction: str
    state: str
    commitment_signed_at: datetime | None
    submitted_at: datetime | None
    check_due_at: datetime | None
    publicity_ends_at: datetime | None
    admitted_at: datetime | None
    version: int
    papers: tuple[PaperView, ...]
    certificates: tuple[CertificateView, ...]
    practitioners: tuple[PractitionerView, ...]
    checks: tuple[CheckView, ...]
    checklist: tuple[ChecklistItem, ...]

    @property
    def deadline(self) -> datetime | None:
        """Until when the present state lasts, if it has a deadline."""
        return {AgencyState.SUBMITTED: self.check_due_at, AgencyState.PUBLICITY: self.publicity_ends_at}.get(
            AgencyState(self.state)
        )

    @property
    def days_left(self) -> int | None:
        """Working days until the deadline."""
        return days_until(self.deadline)

    @property
    def is_editable(self) -> bool:
        """Whether the agency may change the file now."""
        return self.state in WITH_THE_AGENCY

    @property
    def is_admitted(self) -> bool:
        """Whether the agency is in the directory."""
        return self.state in ADMITTED


def days_until(moment: datetime | None) -> int | None:
    """Working days from today to `moment`; negative when it is past."""
    if moment is None:
        return None
    return work_calendar.current().count_working_days(clock.today(), clock.beijing_day(moment))


def checklist_of(agency: Agency) -> tuple[ChecklistItem, ...]:
    """The checklist of a file. Two statements."""
    documents = db.session.scalars(
        select(AgencyDocument.kind).where(AgencyDocument.agency_id == agency.id, AgencyDocument.replaced_at.is_(None))
    ).all()
    certificates = db.session.scalar(
        select(func.count()).select_from(Qualification).where(Qualification.agency_id == agency.id)
    )
    return _checklist(agency, documents, certificates or 0)


def _checklist(agency: Agency, documents: Sequence[str], certificates: int) -> tuple[ChecklistItem, ...]:
    particulars = {name: getattr(agency, name) for name in PARTICULARS}
    return checklist(particulars, set(documents), certificates, is_committed=agency.commitment_signed_at is not None)


def own_agency_id(actor: Actor) -> UUID | None:
    """The agency that the actor's organisation runs, if any. One statement."""
    if actor.organisation_id is None:
        return None
    return db.session.scalar(select(Agency.id).where(Agency.organisation_id == actor.organisation_id))


def admission_file(actor: Actor, agency_id: UUID) -> AdmissionFile:
    """The whole file, for the agency itself and those who check it. Five statements. Raises NotFound."""
    agency = db.session.get(Agency, agency_id, populate_existing=True)
    if agency is None or not sees_file(actor, agency):
        raise NotFound
    papers = _papers(agency_id)
    certificates = certificates_of(agency_id)
    checks = db.session.execute(
        select(FormCheck.round, FormCheck.outcome, FormCheck.reason, FormCheck.checked_at)
        .where(FormCheck.agency_id == agency_id)
        .order_by(FormCheck.round.desc())
    )
    columns = [
        "id",
        "organisation_id",
        "thread_id",
        "uscc",
        "kind",
        "region_code",
        "address",
        "legal_representative",
        "contact_name",
        "contact_mobile",
        "contact_email",
        "introduction",
        "state",
        "commitment_signed_at",
        "submitted_at",
        "check_due_at",
        "publicity_ends_at",
        "admitted_at",
        "version",
    ]
    return AdmissionFile(
        **{name: getattr(agency, name) for name in columns},
        title=agency.name,
        papers=papers,
        certificates=tuple(c for c in certificates if c.practitioner_id is None),
        practitioners=practitioners_of(agency_id, certificates),
        checks=tuple(CheckView(*row) for row in checks),
        checklist=_checklist(agency, [paper.kind for paper in papers], len(certificates)),
    )


def _papers(agency_id: UUID) -> tuple[PaperView, ...]:
    rows = db.session.execute(
        select(
            AgencyDocument.id,
            AgencyDocument.kind,
            AgencyDocument.file_id,
            StoredFile.name,
            StoredFile.size,
            StoredFile.media_type,
            AgencyDocument.uploaded_at,
        )
        .join(StoredFile, StoredFile.id == AgencyDocument.file_id)
        .where(AgencyDocument.agency_id == agency_id, AgencyDocument.replaced_at.is_(None))
        .order_by(AgencyDocument.uploaded_at)
    )
    return tuple(PaperView(*row) for row in rows)


_CERTIFICATES: Select[*tuple[Any, ...]] = select(
    Qualification.id,
    Qualification.agency_id,
    Qualification.kind,
    Qualification.grade,
    Qualification.number,
    Qualification.issuer,
    Qualification.issued_on,
    Qualification.expires_on,
    Qualification.state,
    Qualification.file_id,
    Qualification.version,
    Qualification.thread_id,
    Qualification.practitioner_id,
)


def certificates_of(agency_id: UUID) -> tuple[CertificateView, ...]:
    """Every certificate of an agency, the soonest to expire first. One statement."""
    order = (Qualification.expires_on.is_(None), Qualification.expires_on, Qualification.number)
    rows = db.session.execute(_CERTIFICATES.where(Qualification.agency_id == agency_id).order_by(*order))
    return tuple(CertificateView(*row) for row in rows)


_PRACTITIONERS: Select[*tuple[Any, ...]] = select(
    Practitioner.id,
    Practitioner.agency_id,
    Practitioner.organisation_id,
    Practitioner.thread_id,
    Practitioner.name,
    Practitioner.id_masked,
    Practitioner.is_full_time,
    Practitioner.title,
    Practitioner.employed_from,
    Practitioner.leaves_on,
    Practitioner.insurance_file_id,
    Practitioner.state,
    Practitioner.version,
)


def practitioners_of(agency_id: UUID, certificates: Sequence[CertificateView]) -> tuple[PractitionerView, ...]:
    """The people of an agency with what they hold of `certificates`, those who left last. One statement."""
    order = (Practitioner.state == PractitionerState.LEFT, Practitioner.name, Practitioner.id)
    rows = db.session.execute(_PRACTITIONERS.where(Practitioner.agency_id == agency_id).order_by(*order))
    return tuple(_person(row, certificates) for row in rows)


def practitioner(actor: Actor, practitioner_id: UUID) -> PractitionerView:
    """One practitioner, for the agency and those who check. Three statements. Raises NotFound."""
    row = db.session.execute(_PRACTITIONERS.where(Practitioner.id == practitioner_id)).one_or_none()
    agency = db.session.get(Agency, row.agency_id) if row else None
    if row is None or agency is None or not sees_file(actor, agency):
        raise NotFound
    held = db.session.execute(_CERTIFICATES.where(Qualification.practitioner_id == practitioner_id))
    return _person(row, [CertificateView(*one) for one in held])


def _person(row: Any, certificates: Sequence[CertificateView]) -> PractitionerView:
    return replace(PractitionerView(*row), certificates=tuple(c for c in certificates if c.practitioner_id == row.id))


def certificate(actor: Actor, qualification_id: UUID) -> CertificateView:
    """One certificate, for its agency and those who check it. Two statements. Raises NotFound."""
    row = db.session.execute(_CERTIFICATES.where(Qualification.id == qualification_id)).one_or_none()
    agency = db.session.get(Agency, row.agency_id) if row else None
    if row is None or agency is None or not sees_file(actor, agency):
        raise NotFound
    return CertificateView(*row)


def paper_file(actor: Actor, agency_id: UUID, file_id: UUID) -> UUID:
    """The file id of a paper or certificate of this agency, for those who may open the file. Raises NotFound."""
    agency = db.session.get(Agency, agency_id)
    if agency is None or not sees_file(actor, agency):
        raise NotFound
    papers = select(AgencyDocument.file_id).where(
        AgencyDocument.agency_id == agency_id, AgencyDocument.file_id == file_id
    )
    certificates = select(Qualification.file_id).where(
        Qualification.agency_id == agency_id, Qualification.file_id == file_id
    )
    found = db.session.scalar(papers.limit(1)) or db.session.scalar(certificates.limit(1))
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class AdmissionRow:
    """One row of the operator's list."""

    id: UUID
    name: str
    uscc: str
    region_code: str
    state: str
    submitted_at: datetime | None
    check_due_at: datetime | None
    publicity_ends_at: datetime | None
    admitted_at: datetime | None


def admissions_statement(state: str | None, words: str = "") -> Select[*tuple[Any, ...]]:
    """Files by state, the nearest deadline first; `words` looks into name and credit code."""
    statement = select(
        Agency.id,
        Agency.name,
        Agency.uscc,
        Agency.region_code,
        Agency.state,
        Agency.submitted_at,
        Agency.check_due_at,
        Agency.publicity_ends_at,
        Agency.admitted_at,
    ).order_by(Agency.check_due_at.is_(None), Agency.check_due_at, Agency.id)
    if state:
        statement = statement.where(Agency.state == state)
    if words:
        pattern = f"%{words.replace('%', '').replace('_', '')}%"
        statement = statement.where(or_(Agency.name.like(pattern), Agency.uscc.like(pattern)))
    return statement


def admission_counts() -> dict[str, int]:
    """How many files stand in each state. One statement."""
    rows = db.session.execute(select(Agency.state, func.count()).group_by(Agency.state))
    return {row[0]: row[1] for row in rows}


def pending_certificates(limit: int = 50) -> tuple[tuple[str, CertificateView], ...]:
    """(agency, certificate) for unchecked certificates of admitted agencies. One statement."""
    rows = db.session.execute(
        _CERTIFICATES.add_columns(Agency.name)
        .join(Agency, Agency.id == Qualification.agency_id)
        .where(
            Qualification.state == QualificationState.PENDING,
            Agency.state.in_(ADMITTED),
        )
        .order_by(Qualification.created_at)
        .limit(limit)
    )
    return tuple((row[-1], CertificateView(*row[:-1])) for row in rows)


def worklist(actor: Actor) -> list[WorkItem]:
    """Admissions that wait for the operator, and the actor's own file while it is not admitted. One statement."""
    mine = _OPERATOR if actor.has(Role.OPERATOR) else frozenset()
    conditions: list[ColumnElement[bool]] = []
    if mine:
        conditions.append(Agency.state.in_(mine | {AgencyState.PUBLICITY}))
    if actor.has(Role.AGENCY) and actor.organisation_id:
        own = Agency.organisation_id == actor.organisation_id
        conditions.append(and_(own, Agency.state.not_in(_QUIET)))
    if not conditions:
        return []
    rows = db.session.scalars(select(Agency).where(or_(*conditions)).order_by(Agency.check_due_at).limit(100))
    return [_work_item(actor, agency) for agency in rows]


_OPERATOR = frozenset({AgencyState.SUBMITTED})
_QUIET = frozenset({AgencyState.ACTIVE, AgencyState.CANCELLED, AgencyState.EXITED, AgencyState.REMOVED})
_TO_FINISH = frozenset({AgencyState.DRAFT, AgencyState.RETURNED, AgencyState.REJECTED})


def _work_item(actor: Actor, agency: Agency) -> WorkItem:
    state = AgencyState(agency.state)
    is_own = agency.organisation_id == actor.organisation_id and actor.has(Role.AGENCY)
    is_mine = state in (_TO_FINISH if is_own else _OPERATOR)
    return WorkItem(
        turn=Turn.MINE if is_mine else Turn.WAITING,
        kind=N_("Admission"),
        number=agency.uscc,
        title=agency.name,
        state=AGENCY.labels[state],
        step=AGENCY.next_step[state],
        href="/agency" if is_own else f"/admission/{agency.id}",
        due_at={AgencyState.SUBMITTED: agency.check_due_at, AgencyState.PUBLICITY: agency.publicity_ends_at}.get(state),
        updated_at=agency.submitted_at or agency.created_at,
    )
