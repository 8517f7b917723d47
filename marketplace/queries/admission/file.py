"""One admission file with everything in it, for the agency itself and those who check it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, union_all

from app.kernel import clock, work_calendar
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.files import StoredFile
from marketplace.models.agencies import (
    Agency,
    AgencyChange,
    AgencyDocument,
    AgencyMeasure,
    FormCheck,
    Practitioner,
    Qualification,
)
from marketplace.models.catalogue import ItemVersion
from marketplace.policy import sees_file
from marketplace.queries.admission.certificates import (
    CertificateView,
    PractitionerView,
    certificates_of,
    practitioners_of,
)
from marketplace.queries.admission.demands import ServiceDemand, demands_of
from marketplace.queries.admission.people import PersonView, people_of
from marketplace.rules.onboarding import PARTICULARS, ChecklistItem, checklist
from marketplace.rules.people import PersonPart
from marketplace.states.agency import ADMITTED, WITH_THE_AGENCY, AgencyState
from marketplace.states.catalogue import ItemVersionState


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
class CheckView:
    """One form check by the operator."""

    round: int
    outcome: str
    reason: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class MeasureView:
    """A measure against an agency. `kind` is a `MeasureKind`, `service` the name of a closed service."""

    id: UUID
    kind: str
    reason: str
    source: str
    service: str | None
    decided_by_name: str
    decided_at: datetime
    ends_at: datetime | None
    lifted_at: datetime | None
    lift_reason: str


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
    left_at: datetime | None
    may_reapply_at: datetime | None
    open_objections: int
    version: int
    papers: tuple[PaperView, ...]
    certificates: tuple[CertificateView, ...]
    practitioners: tuple[PractitionerView, ...]
    people: tuple[PersonView, ...]
    demands: tuple[ServiceDemand, ...]
    measures: tuple[MeasureView, ...]
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
    """The checklist of a file. Six statements."""
    documents = db.session.scalars(
        select(AgencyDocument.kind).where(AgencyDocument.agency_id == agency.id, AgencyDocument.replaced_at.is_(None))
    ).all()
    certificates = len(certificates_of(agency.id))
    return _checklist(agency, documents, certificates, people_of([agency.id])[agency.id], demands_of(agency.id))


def _checklist(
    agency: Agency,
    documents: Sequence[str],
    certificates: int,
    people: Sequence[PersonView],
    demands: Sequence[ServiceDemand],
) -> tuple[ChecklistItem, ...]:
    parts = {person.part for person in people}
    return checklist(
        {name: getattr(agency, name) for name in PARTICULARS},
        set(documents),
        certificates,
        is_committed=agency.commitment_signed_at is not None,
        has_representative=PersonPart.LEGAL_REPRESENTATIVE in parts,
        has_authorised=PersonPart.AUTHORISED in parts,
        services=[demand.entered.is_met for demand in demands],
    )


def measures_of(agency_id: UUID) -> tuple[MeasureView, ...]:
    """Every measure against an agency, the latest first. One statement."""
    rows: Any = db.session.execute(
        select(
            AgencyMeasure.id,
            AgencyMeasure.kind,
            AgencyMeasure.reason,
            AgencyMeasure.source,
            ItemVersion.name,
            AgencyMeasure.decided_by_name,
            AgencyMeasure.decided_at,
            AgencyMeasure.ends_at,
            AgencyMeasure.lifted_at,
            AgencyMeasure.lift_reason,
        )
        .outerjoin(
            ItemVersion,
            and_(ItemVersion.item_id == AgencyMeasure.item_id, ItemVersion.state == ItemVersionState.PUBLISHED),
        )
        .where(AgencyMeasure.agency_id == agency_id)
        .order_by(AgencyMeasure.decided_at.desc(), AgencyMeasure.id)
    )
    return tuple(MeasureView(*row) for row in rows)


def own_agency_id(actor: Actor) -> UUID | None:
    """The agency that the actor's organisation runs, if any. One statement."""
    if actor.organisation_id is None:
        return None
    return db.session.scalar(select(Agency.id).where(Agency.organisation_id == actor.organisation_id))


def admission_file(actor: Actor, agency_id: UUID) -> AdmissionFile:
    """The whole file, for the agency itself and those who check it. Ten statements. Raises NotFound."""
    agency = db.session.get(Agency, agency_id, populate_existing=True)
    if agency is None or not sees_file(actor, agency):
        raise NotFound
    papers = _papers(agency_id)
    certificates = certificates_of(agency_id)
    people, demands = people_of([agency_id])[agency_id], demands_of(agency_id)
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
        "left_at",
        "may_reapply_at",
        "open_objections",
        "version",
    ]
    return AdmissionFile(
        **{name: getattr(agency, name) for name in columns},
        title=agency.name,
        papers=papers,
        certificates=tuple(c for c in certificates if c.practitioner_id is None),
        practitioners=practitioners_of(agency_id, certificates),
        people=people,
        demands=demands,
        measures=measures_of(agency_id),
        checks=tuple(CheckView(*row) for row in checks),
        checklist=_checklist(agency, [paper.kind for paper in papers], len(certificates), people, demands),
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
    insurances = select(Practitioner.insurance_file_id).where(
        Practitioner.agency_id == agency_id, Practitioner.insurance_file_id == file_id
    )
    changes = select(AgencyChange.file_id).where(AgencyChange.agency_id == agency_id, AgencyChange.file_id == file_id)
    found = db.session.scalar(union_all(papers, certificates, insurances, changes).limit(1))
    if found is None:
        raise NotFound
    return file_id
