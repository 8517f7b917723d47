"""Reads of cases as frozen values: one case, the lists of each role, the public progress."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, or_, select

from app.documents import issued_for
from app.identity.queries import organisation_name, organisations_by_ids
from app.kernel import work_calendar
from app.kernel.access import Actor, Role
from app.kernel.calendar import end_of_day
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from approvals.models import (
    ApprovalItem,
    Case,
    CaseMaterial,
    Certificate,
    DemandedDeliverable,
    ResultService,
    SpecialProcedure,
)
from approvals.policy import case_parts
from approvals.queries.clock import promised_reading, special_procedures_of, statutory_reading
from approvals.states import CASE, DECIDED, NATIONAL_CODES, WITHOUT_RESULT, CaseState, Part, ServiceState
from delivery.queries import may_give_up
from marketplace.queries.case_procurements import CaseProcurement, procurements_of_case
from marketplace.rules.service_clock import ClockReading

S = CaseState
OVER = (S.WITHDRAWN, S.OUT_OF_REMIT, S.REFUSED, S.RECALLED, S.REVOKED)
WINDOW_TURN = (S.SUBMITTED, S.RECEIVED, S.CORRECTED)
DEPARTMENT_TURN = (S.ACCEPTED, S.HANDLING, S.SPECIAL_PROCEDURE, S.SPECIAL_PROCEDURE_ENDED)


@dataclass(frozen=True)
class ItemView:
    """One approval item of a department's list."""

    id: UUID
    code: str
    name: str
    name_en: str
    department_name: str
    legal_basis: str
    statutory_limit_wd: int
    promised_limit_wd: int
    certificate_title: str
    materials: str


@dataclass(frozen=True)
class DemandView:
    """One demanded intermediary service and what has become of it."""

    id: UUID
    item_version_id: UUID
    item_id: UUID
    item_name: str
    reason: str
    demanded_by_name: str
    demanded_at: datetime
    procurement: CaseProcurement | None  # the one under way, or the one that brought the deliverable
    contract_id: UUID | None
    file_id: UUID | None
    file_title: str | None
    met_at: datetime | None


@dataclass(frozen=True)
class MaterialView:
    """One file of the applicant."""

    file_id: UUID
    name: str
    sha256: str
    uploaded_at: datetime


@dataclass(frozen=True)
class CertificateView:
    """One piece of paper (or its electronic form)."""

    id: UUID
    case_id: UUID
    case_number: str
    applicant_name: str
    title: str
    serial: str | None
    state: str
    version: int
    mode: str
    queued_at: datetime
    serve_by: datetime | None
    printed_at: datetime | None
    printed_by_name: str | None
    parts: frozenset[Part] = frozenset()


@dataclass(frozen=True)
class ServiceView:
    """How the result reaches the applicant."""

    mode: str
    state: str
    receiver_name: str | None
    receiver_mobile: str | None
    place: str
    address: str | None
    who_may_sign: str | None
    collection_point_id: UUID | None
    fee_mode: str | None
    parcel_id: UUID | None
    served_at: datetime | None
    signer_name: str | None
    signer_class: str | None


@dataclass(frozen=True)
class ProcedureView:
    """One special procedure."""

    reason: str
    starts_on: date
    ends_on: date | None
    started_by_name: str


@dataclass(frozen=True)
class CaseView:
    """Everything the page of a case shows to one actor. `parts` are what that actor is to the case."""

    id: UUID
    thread_id: UUID
    number: str
    query_code: str
    title: str
    state: str
    national_code: int | None
    version: int
    item: ItemView
    applicant_name: str
    applicant_organisation_id: UUID | None
    department_name: str
    hall_name: str
    project_name: str
    description: str
    created_at: datetime
    accepted_at: datetime | None
    correction_note: str | None
    limit_on: date | None
    promised_on: date | None
    limit_provisional: bool
    special_procedures_count: bool
    overdue_since: date | None
    decided_at: datetime | None
    decided_by_name: str | None
    decision_text: str | None
    serve_by: datetime | None
    served_at: datetime | None
    clock: ClockReading | None
    statutory: ClockReading | None
    demands: tuple[DemandView, ...]
    materials: tuple[MaterialView, ...]
    procedures: tuple[ProcedureView, ...]
    certificates: tuple[CertificateView, ...]
    service: ServiceView
    parts: frozenset[Part]

    @property
    def subject(self) -> str:
        """What other domains know this case by."""
        return f"case:{self.id}"

    @property
    def turn(self) -> Part | None:
        """Who has to take the next step."""
        return turn_of(self.state, is_served=self.served_at is not None)

    @property
    def due_at(self) -> datetime | date | None:
        """Until when: the decision, then the service of the result."""
        return due_of(self)


@dataclass(frozen=True)
class CaseRow:
    """One line of a list."""

    id: UUID
    number: str
    project_name: str
    item_name: str
    applicant_name: str
    state: str
    turn: Part | None
    due_at: datetime | date | None
    is_late: bool
    created_at: datetime


@dataclass(frozen=True)
class ProgressView:
    """What anybody may see who knows number and query code: no person, no address."""

    number: str
    item_name: str
    department_name: str
    state: str
    national_code: int | None
    submitted_at: datetime
    accepted_at: datetime | None
    promised_on: date | None
    decided_at: datetime | None
    serve_by: datetime | None
    served_at: datetime | None


def turn_of(state: str, *, is_served: bool) -> Part | None:
    """Who has to take the next step in this state."""
    if state in WINDOW_TURN:
        return Part.WINDOW
    if state in DEPARTMENT_TURN:
        return Part.DEPARTMENT
    if state == S.CORRECTION:
        return Part.APPLICANT
    return Part.CERTIFICATE_CENTRE if state in DECIDED and not is_served else None


def due_of(row: Case | CaseView) -> datetime | date | None:
    """Until when the next step has to be taken."""
    if row.state in DECIDED:
        return None if row.served_at else row.serve_by
    return row.promised_on if row.state in DEPARTMENT_TURN else None


def case_view(actor: Actor, case_id: UUID) -> CaseView:
    """The case as `actor` may see it. Raises NotFound, also for a case of others. A fixed number of statements."""
    row = db.session.get(Case, case_id)
    if row is None:
        raise NotFound
    parts = case_parts(actor, row)
    if not parts:
        raise NotFound
    return _case_view(row, parts)


def _case_view(row: Case, parts: frozenset[Part]) -> CaseView:
    calendar = work_calendar.current()
    procedures = special_procedures_of(row.id)
    names = organisations_by_ids((row.department_organisation_id, row.hall_organisation_id))
    department = names[row.department_organisation_id].name
    item = db.session.get_one(ApprovalItem, row.item_id)
    service = db.session.scalars(select(ResultService).where(ResultService.case_id == row.id)).one()
    return CaseView(
        id=row.id,
        thread_id=row.thread_id,
        number=row.number,
        query_code=row.query_code,
        title=row.project_name,
        state=row.state,
        national_code=NATIONAL_CODES.get(S(row.state)),
        version=row.version,
        item=item_view(item, department),
        applicant_name=row.applicant_name,
        applicant_organisation_id=row.applicant_organisation_id,
        department_name=department,
        hall_name=names[row.hall_organisation_id].name,
        project_name=row.project_name,
        description=row.description,
        created_at=row.created_at,
        accepted_at=row.accepted_at,
        correction_note=row.correction_note,
        limit_on=row.limit_on,
        promised_on=row.promised_on,
        limit_provisional=row.limit_provisional,
        special_procedures_count=row.special_procedures_count,
        overdue_since=row.overdue_since,
        decided_at=row.decided_at,
        decided_by_name=row.decided_by_name,
        decision_text=row.decision_text,
        serve_by=row.serve_by,
        served_at=row.served_at,
        clock=promised_reading(row, procedures, calendar),
        statutory=statutory_reading(row, procedures, calendar),
        demands=_demands(row),
        materials=_materials(row.id),
        procedures=tuple(_procedure_view(one) for one in procedures),
        certificates=_certificates_of(row, service, parts),
        service=_service_view(service, parts),
        parts=parts,
    )


def item_view(item: ApprovalItem, department_name: str) -> ItemView:
    """The item with its department's name."""
    return ItemView(
        id=item.id,
        code=item.code,
        name=item.name,
        name_en=item.name_en,
        department_name=department_name,
        legal_basis=item.legal_basis,
        statutory_limit_wd=item.statutory_limit_wd,
        promised_limit_wd=item.promised_limit_wd,
        certificate_title=item.certificate_title,
        materials=item.materials,
    )


def approval_items() -> tuple[ItemView, ...]:
    """The public list of approval items, by code."""
    rows = db.session.scalars(select(ApprovalItem).order_by(ApprovalItem.code)).all()
    names = organisations_by_ids({row.department_organisation_id for row in rows})
    return tuple(item_view(row, names[row.department_organisation_id].name) for row in rows)


# --- lists ------------------------------------------------------------------------------------------------------


def cases_of(actor: Actor, *, state: str | None = None, number: int = 1) -> Page[CaseRow]:
    """A page of the cases this actor may see: what waits for it first, the nearest limit first."""
    statement = (
        select(Case, ApprovalItem.name)
        .join(ApprovalItem, ApprovalItem.id == Case.item_id)
        .order_by(_urgency(actor), Case.promised_on.is_(None), Case.promised_on, Case.created_at.desc(), Case.id)
    )
    statement = scoped(statement, actor)
    if state in set(S):
        statement = statement.where(Case.state == state)
    page = page_of(statement, number=number, scalars=False)
    return Page(tuple(_row(one, name) for one, name in page.items), page.number, page.size, page.total)


def scoped(statement: Select[Case, str], actor: Actor) -> Select[Case, str]:
    """Only the cases in which the actor plays a part: the same rule as `case_parts`, for lists."""
    if actor.has(Role.REGULATOR, Role.AUDITOR):
        return statement
    return statement.where(or_(*_mine(actor)))


def _mine(actor: Actor) -> Iterable[ColumnElement[bool]]:
    office = actor.organisation_id
    yield (Case.applicant_user_id == actor.user_id) & Case.applicant_organisation_id.is_(None)
    if office is None:
        return
    if actor.has(Role.OWNER, Role.APPLICANT):
        yield Case.applicant_organisation_id == office
    if actor.has(Role.WINDOW_CLERK, Role.CERTIFICATE_CENTRE):
        yield Case.hall_organisation_id == office
    if actor.has(Role.APPROVING_DEPARTMENT):
        yield Case.department_organisation_id == office


def _urgency(actor: Actor) -> ColumnElement[int]:
    mine: tuple[str, ...] = ()
    if actor.has(Role.WINDOW_CLERK):
        mine += WINDOW_TURN
    if actor.has(Role.APPROVING_DEPARTMENT):
        mine += DEPARTMENT_TURN
    if actor.has(Role.OWNER, Role.APPLICANT):
        mine += (S.CORRECTION,)
    return case((Case.state.in_(mine), 0), (Case.state.in_((*OVER, *DECIDED)), 2), else_=1)


def _row(row: Case, item_name: str) -> CaseRow:
    return CaseRow(
        id=row.id,
        number=row.number,
        project_name=row.project_name,
        item_name=item_name,
        applicant_name=row.applicant_name,
        state=row.state,
        turn=turn_of(row.state, is_served=row.served_at is not None),
        due_at=due_of(row),
        is_late=row.overdue_since is not None or (row.serve_overdue_at is not None and row.served_at is None),
        created_at=row.created_at,
    )


def print_queue(actor: Actor, *, state: str = "queued", number: int = 1) -> Page[CertificateView]:
    """The certificates of the actor's hall: those to be made first by the term for serving them."""
    statement = (
        select(Certificate, Case, ResultService.mode)
        .join(Case, Case.id == Certificate.case_id)
        .join(ResultService, ResultService.case_id == Case.id)
        .where(Certificate.hall_organisation_id == actor.organisation_id, Certificate.state == state)
        .order_by(Case.serve_by, Certificate.queued_at, Certificate.id)
    )
    page = page_of(statement, number=number, scalars=False)
    rows = tuple(_certificate_view(one, owner, mode, frozenset()) for one, owner, mode in page.items)
    return Page(rows, page.number, page.size, page.total)


def certificate_view(actor: Actor, certificate_id: UUID) -> CertificateView:
    """One certificate, for who plays a part in its case. Raises NotFound."""
    row = db.session.get(Certificate, certificate_id)
    owner = db.session.get(Case, row.case_id) if row else None
    parts = case_parts(actor, owner) if owner else frozenset()
    if row is None or owner is None or not parts:
        raise NotFound
    mode = db.session.scalars(select(ResultService.mode).where(ResultService.case_id == owner.id)).one()
    return _certificate_view(row, owner, mode, parts)


# --- files ------------------------------------------------------------------------------------------------------


def certificate_file(actor: Actor, certificate_id: UUID) -> UUID:
    """The stored PDF of a certificate that has been made. Raises NotFound."""
    view = certificate_view(actor, certificate_id)
    issued = next((one for one in issued_for(f"case:{view.case_id}") if one.number == view.serial), None)
    if issued is None:
        raise NotFound
    return issued.file_id


def material_file(actor: Actor, case_id: UUID, file_id: UUID) -> UUID:
    """A file of this case that the actor may read: the applicant's own and the demanded deliverables. Raises NotFound."""
    view = case_view(actor, case_id)
    known = {one.file_id for one in view.materials} | {one.file_id for one in view.demands if one.file_id}
    if file_id not in known:
        raise NotFound
    return file_id


# --- the public -------------------------------------------------------------------------------------------------


def progress(number: str, code: str) -> ProgressView:
    """Where a case stands, for who knows its number and its query code. Raises NotFound for anything else."""
    row = db.session.scalar(select(Case).where(Case.number == number.strip().upper()))
    given = code.strip().upper().replace(" ", "").replace("-", "")
    if row is None or not hmac.compare_digest(row.query_code.encode(), given.encode()):
        raise NotFound
    item_name = db.session.scalar(select(ApprovalItem.name).where(ApprovalItem.id == row.item_id)) or ""
    return ProgressView(
        number=row.number,
        item_name=item_name,
        department_name=organisation_name(row.department_organisation_id),
        state=row.state,
        national_code=NATIONAL_CODES.get(S(row.state)),
        submitted_at=row.created_at,
        accepted_at=row.accepted_at,
        promised_on=row.promised_on,
        decided_at=row.decided_at,
        serve_by=row.serve_by,
        served_at=row.served_at,
    )


# --- the workbench ----------------------------------------------------------------------------------------------


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """Rows of the workbench: the cases that are not over, in one statement."""
    if not actor.is_signed_in or actor.has(Role.REGULATOR, Role.AUDITOR):
        return ()
    statement = (
        scoped(select(Case, ApprovalItem.name).join(ApprovalItem, ApprovalItem.id == Case.item_id), actor)
        .where(Case.state.not_in(OVER), Case.served_at.is_(None))
        .order_by(Case.created_at)
        .limit(200)
    )
    return tuple(_work_item(actor, row, name) for row, name in db.session.execute(statement))


def _work_item(actor: Actor, row: Case, item_name: str) -> WorkItem:
    due = due_of(row)
    turn = turn_of(row.state, is_served=False)
    mine = turn is not None and turn in case_parts(actor, row)
    return WorkItem(
        turn=Turn.MINE if mine else Turn.WAITING,
        kind=N_("Approval case"),
        number=row.number,
        title=f"{row.project_name} · {item_name}",
        state=CASE.labels[S(row.state)],
        step=CASE.next_step[S(row.state)],
        href=f"/cases/{row.id}",
        due_at=end_of_day(due) if due is not None and not isinstance(due, datetime) else due,
        updated_at=row.decided_at or row.accepted_at or row.created_at,
    )


# --- parts of a view --------------------------------------------------------------------------------------------


def _demands(owner: Case) -> tuple[DemandView, ...]:
    statement = (
        select(DemandedDeliverable)
        .where(DemandedDeliverable.case_id == owner.id)
        .order_by(DemandedDeliverable.demanded_at, DemandedDeliverable.id)
    )
    organisation_id = owner.applicant_organisation_id
    linked = procurements_of_case(owner.subject, organisation_id) if organisation_id else ()
    under_way = {one.item_id: one for one in reversed(linked) if not one.is_over}
    return tuple(
        DemandView(
            row.id,
            row.item_version_id,
            row.item_id,
            row.item_name,
            row.reason,
            row.demanded_by_name,
            row.demanded_at,
            under_way.get(row.item_id),
            row.contract_id,
            row.file_id,
            row.file_title,
            row.met_at,
        )
        for row in db.session.scalars(statement)
    )


def _materials(case_id: UUID) -> tuple[MaterialView, ...]:
    statement = (
        select(CaseMaterial).where(CaseMaterial.case_id == case_id).order_by(CaseMaterial.uploaded_at, CaseMaterial.id)
    )
    return tuple(
        MaterialView(row.file_id, row.file_name, row.file_sha256, row.uploaded_at)
        for row in db.session.scalars(statement)
    )


def _procedure_view(row: SpecialProcedure) -> ProcedureView:
    return ProcedureView(row.reason, row.starts_on, row.ends_on, row.started_by_name)


def _certificates_of(row: Case, service: ResultService, parts: frozenset[Part]) -> tuple[CertificateView, ...]:
    statement = (
        select(Certificate)
        .where(Certificate.case_id == row.id)
        .order_by(Certificate.queued_at.desc(), Certificate.id.desc())
    )
    return tuple(_certificate_view(one, row, service.mode, parts) for one in db.session.scalars(statement))


def _certificate_view(row: Certificate, owner: Case, mode: str, parts: frozenset[Part]) -> CertificateView:
    return CertificateView(
        id=row.id,
        case_id=row.case_id,
        case_number=owner.number,
        applicant_name=owner.applicant_name,
        title=row.title,
        serial=row.serial,
        state=row.state,
        version=row.version,
        mode=mode,
        queued_at=row.queued_at,
        serve_by=owner.serve_by,
        printed_at=row.printed_at,
        printed_by_name=row.printed_by_name,
        parts=parts,
    )


def _service_view(row: ResultService, parts: frozenset[Part]) -> ServiceView:
    """The receiver's address is told to the applicant and to the hall, not to the department or to watchers."""
    full = bool(parts & {Part.APPLICANT, Part.WINDOW, Part.CERTIFICATE_CENTRE, Part.SYSTEM})
    mobile = row.receiver_mobile
    return ServiceView(
        mode=row.mode,
        state=row.state,
        receiver_name=row.receiver_name if full else None,
        receiver_mobile=mobile if full or mobile is None else f"{mobile[:3]}****{mobile[-4:]}",
        place=" ".join(dict.fromkeys(part for part in (row.prov, row.city, row.county) if part)),
        address=row.address if full else None,
        who_may_sign=row.who_may_sign,
        collection_point_id=row.collection_point_id,
        fee_mode=row.fee_mode,
        parcel_id=row.parcel_id,
        served_at=row.served_at,
        signer_name=row.signer_name,
        signer_class=row.signer_class,
    )


def is_open_for_choice(view: CaseView) -> bool:
    """Whether the way of service may still be changed: until the envelope is packed, or the result was handed over."""
    if view.service.state == ServiceState.SERVED or view.state in WITHOUT_RESULT:
        return False
    return view.service.parcel_id is None or may_give_up(view.service.parcel_id)
