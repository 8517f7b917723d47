"""One contract with everything its page shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from app.identity.queries import organisations_by_ids
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.contracts import ClockPause, Contract, ContractSignature, Deliverable
from marketplace.models.engagement import Evidence
from marketplace.models.procurements import Procurement
from marketplace.policy import contract_parts, side_of
from marketplace.queries.contracts.clock import pauses_of, reading_of
from marketplace.queries.contracts.milestones import FeeState, MilestoneView, milestone_rows, milestone_views
from marketplace.queries.contracts.steps import (
    DisputeView,
    EvidenceView,
    NoticeView,
    QuestionView,
    disputes_of,
    evidence_of,
    notices_of,
    questions_of,
)
from marketplace.queries.contracts.templates import pinned_template
from marketplace.queries.contracts.turns import due_of, turn_of
from marketplace.queries.reviews import RatingView, ratings_of_contract
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.contract_text import Template
from marketplace.rules.service_clock import ClockReading
from marketplace.states.parts import Part


@dataclass(frozen=True)
class SignatureView:
    """One signature as shown: side, name, time (UTC) and the digest of the text that was signed."""

    side: str
    organisation_name: str
    name: str
    signed_at: datetime
    document_sha256: str


@dataclass(frozen=True)
class PauseView:
    """One pause or question for one. `days` are Beijing dates."""

    reason: str
    explanation: str
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    answer_by: datetime | None
    outcome: str
    answered_by_name: str | None
    answer_reason: str | None
    starts_on: date
    ends_on: date | None
    end_reason: str | None
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True)
class Signatory:
    """Somebody who signs for a deliverable. `on_register`: a checked practitioner of the agency on that day."""

    name: str
    certificate: str
    on_register: bool


@dataclass(frozen=True)
class DeliverableView:
    """One uploaded version."""

    id: UUID
    number: int
    title: str
    file_id: UUID
    file_name: str
    file_sha256: str
    file_size: int
    practitioner_name: str
    practitioner_certificate: str
    practitioners: tuple[Signatory, ...]
    milestone: int
    checklist: tuple[str, ...]
    note: str
    submitted_by_name: str
    submitted_at: datetime
    accepted_at: datetime | None
    returned_at: datetime | None
    return_reason: str | None
    decided_by_name: str | None


@dataclass(frozen=True)
class ContractView:
    """Everything the page of a contract shows to one actor. `parts` are what that actor is to the contract."""

    id: UUID
    thread_id: UUID
    number: str
    title: str
    state: str
    version: int
    procurement_id: UUID
    procurement_number: str
    owner_organisation_id: UUID
    owner_name: str
    agency_organisation_id: UUID
    agency_name: str
    price_fen: int
    limit_wd: int
    document_text: str
    document_sha256: str
    case_subject: str | None
    created_at: datetime
    sign_by: datetime
    signed_at: datetime | None
    deadline_on: date | None
    deadline_provisional: bool
    overdue_since: date | None
    extended_wd: int
    asked_by: str | None
    answer_by: datetime | None
    accept_by: datetime | None
    accepted_at: datetime | None
    rate_by: datetime | None
    closed_at: datetime | None
    terminated_at: datetime | None
    termination_cause: str | None
    settled_at: datetime | None
    rework_count: int
    payment_moment: str
    pay_days: int
    terms: Mapping[str, str]
    template: Template
    rule_book_version: int
    milestones: tuple[MilestoneView, ...]
    questions: tuple[QuestionView, ...]
    disputes: tuple[DisputeView, ...]
    notices: tuple[NoticeView, ...]
    clock: ClockReading | None
    signatures: tuple[SignatureView, ...]
    pauses: tuple[PauseView, ...]
    deliverables: tuple[DeliverableView, ...]
    rating: RatingView | None
    ratings: tuple[RatingView, ...]
    parts: frozenset[Part]

    @property
    def subject(self) -> str:
        """What other domains know this contract by."""
        return f"contract:{self.id}"

    @property
    def turn(self) -> Part | None:
        """The side whose step is next, if it is a side's."""
        return turn_of(self)

    @property
    def due_at(self) -> datetime | date | None:
        """Until when that step must be taken: an instant, or a Beijing date for the service itself."""
        return due_of(self)

    @property
    def bill_id(self) -> UUID | None:
        """The bill that is to be paid now, else the newest; None before the first."""
        owed = next((one.bill_id for one in self.milestones if one.fee_state in (FeeState.DUE, FeeState.OVERDUE)), None)
        return owed or next((one.bill_id for one in reversed(self.milestones) if one.bill_id), None)

    @property
    def funded_at(self) -> datetime | None:
        """When the last fee was paid, once all are."""
        paid = [one.funded_at for one in self.milestones]
        return max(filter(None, paid)) if paid and all(paid) else None

    @property
    def released_at(self) -> datetime | None:
        """When the last fee was paid out to the agency, once all are."""
        released = [one.released_at for one in self.milestones]
        return max(filter(None, released)) if released and all(released) else None

    @property
    def postponed_on(self) -> date | None:
        """The postponed end date (顺延截止日), once an extension was granted."""
        return self.deadline_on if self.extended_wd else None

    @property
    def is_overdue(self) -> bool:
        """Whether the service itself is late."""
        return self.clock is not None and self.clock.is_overdue


def evidence_file(actor: Actor, contract_id: UUID, evidence_id: UUID) -> UUID:
    """The stored file of a piece of evidence, for who may see the contract. Raises NotFound."""
    contract = db.session.get(Contract, contract_id)
    if contract is None or not contract_parts(actor, contract):
        raise NotFound
    statement = select(Evidence.file_id).where(Evidence.contract_id == contract_id, Evidence.id == evidence_id)
    file_id = db.session.scalar(statement)
    if file_id is None:
        raise NotFound
    return file_id


def contract_view(actor: Actor, contract_id: UUID) -> ContractView:
    """The contract as `actor` may see it. Raises NotFound, also for a contract of others. A fixed number of statements."""
    contract = db.session.get(Contract, contract_id)
    if contract is None:
        raise NotFound
    parts = contract_parts(actor, contract)
    if not parts:
        raise NotFound
    names = organisations_by_ids((contract.owner_organisation_id, contract.agency_organisation_id))
    pauses = pauses_of(contract_id)
    ratings = ratings_of_contract(contract_id, sees_hidden=_sees_hidden(parts), rater=side_of(parts))
    files = evidence_of(contract_id)
    number = db.session.scalar(select(Procurement.number).where(Procurement.id == contract.procurement_id))
    return ContractView(
        id=contract.id,
        thread_id=contract.thread_id,
        number=contract.number,
        title=contract.title,
        state=contract.state,
        version=contract.version,
        procurement_id=contract.procurement_id,
        procurement_number=number or "",
        owner_organisation_id=contract.owner_organisation_id,
        owner_name=names[contract.owner_organisation_id].name,
        agency_organisation_id=contract.agency_organisation_id,
        agency_name=names[contract.agency_organisation_id].name,
        price_fen=contract.price_fen,
        limit_wd=contract.limit_wd,
        document_text=contract.document_text,
        document_sha256=contract.document_sha256,
        case_subject=contract.case_subject,
        created_at=contract.created_at,
        sign_by=contract.sign_by,
        signed_at=contract.signed_at,
        deadline_on=contract.deadline_on,
        deadline_provisional=contract.deadline_provisional,
        overdue_since=contract.overdue_since,
        extended_wd=contract.extended_wd,
        asked_by=contract.asked_by,
        answer_by=contract.answer_by,
        accept_by=contract.accept_by,
        accepted_at=contract.accepted_at,
        rate_by=contract.rate_by,
        closed_at=contract.closed_at,
        terminated_at=contract.terminated_at,
        termination_cause=contract.termination_cause,
        settled_at=contract.settled_at,
        rework_count=contract.rework_count,
        payment_moment=contract.payment_moment,
        pay_days=contract.pay_days,
        terms=contract.terms.get("texts", {}),
        template=pinned_template(contract.template_edition_id),
        rule_book_version=contract.rule_book_version,
        milestones=milestone_views(
            milestone_rows(contract_id), rule_book(contract.rule_book_version).pay_late_interest_bp
        ),
        questions=questions_of(contract_id, files),
        disputes=disputes_of(contract_id, files),
        notices=notices_of(contract_id, files),
        clock=reading_of(contract, pauses),
        signatures=_signatures(contract, {key: value.name for key, value in names.items()}),
        pauses=tuple(_pause_view(row, files.get(row.id, ())) for row in pauses),
        deliverables=_deliverables(contract_id),
        rating=next((row for row in ratings if row.rater == "owner"), None),
        ratings=ratings,
        parts=parts,
    )


def deliverable_file(actor: Actor, contract_id: UUID, number: int) -> UUID:
    """The stored file of one version, for who may see the contract. Raises NotFound."""
    contract = db.session.get(Contract, contract_id)
    if contract is None or not contract_parts(actor, contract):
        raise NotFound
    statement = select(Deliverable.file_id).where(Deliverable.contract_id == contract_id, Deliverable.number == number)
    file_id = db.session.scalar(statement)
    if file_id is None:
        raise NotFound
    return file_id


def _signatures(contract: Contract, names: dict[UUID, str]) -> tuple[SignatureView, ...]:
    statement = (
        select(ContractSignature)
        .where(ContractSignature.contract_id == contract.id)
        .order_by(ContractSignature.signed_at, ContractSignature.id)
    )
    return tuple(
        SignatureView(row.side, names.get(row.organisation_id, ""), row.name, row.signed_at, row.document_sha256)
        for row in db.session.scalars(statement)
    )


def _pause_view(row: ClockPause, evidence: tuple[EvidenceView, ...]) -> PauseView:
    return PauseView(
        row.reason,
        row.explanation,
        row.asked_by,
        row.asked_by_name,
        row.asked_at,
        row.answer_by,
        row.outcome,
        row.answered_by_name,
        row.answer_reason,
        row.starts_on,
        row.ends_on,
        row.end_reason,
        evidence,
    )


def _deliverables(contract_id: UUID) -> tuple[DeliverableView, ...]:
    statement = select(Deliverable).where(Deliverable.contract_id == contract_id).order_by(Deliverable.number.desc())
    return tuple(
        DeliverableView(
            row.id,
            row.number,
            row.title,
            row.file_id,
            row.file_name,
            row.file_sha256,
            row.file_size,
            row.practitioner_name,
            row.practitioner_certificate,
            _people(row),
            row.milestone,
            tuple(row.checklist),
            row.note,
            row.submitted_by_name,
            row.submitted_at,
            row.accepted_at,
            row.returned_at,
            row.return_reason,
            row.decided_by_name,
        )
        for row in db.session.scalars(statement)
    )


def _people(row: Deliverable) -> tuple[Signatory, ...]:
    named = tuple(
        Signatory(one["name"], one["certificate"], one.get("on_register", False)) for one in row.practitioners
    )
    return named or (Signatory(row.practitioner_name, row.practitioner_certificate, on_register=False),)


def _sees_hidden(parts: frozenset[Part]) -> bool:
    """Owners and agencies see each other's rating only when both are in; those who run and watch the supermarket at once."""
    return bool(parts & {Part.OPERATOR, Part.REGULATOR})
