"""The side steps of a contract as shown: questions, disputes, notices of breach and the evidence of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.kernel.db import db
from marketplace.models.engagement import BreachNotice, ContractQuestion, Dispute, Evidence


@dataclass(frozen=True)
class EvidenceView:
    """One file that supports a step."""

    id: UUID
    about_id: UUID
    file_id: UUID
    name: str
    sha256: str
    size: int
    uploaded_by_name: str
    uploaded_at: datetime


@dataclass(frozen=True)
class QuestionView:
    """A question for an extension (`days_wd` working days) or an end by agreement, with its answer."""

    kind: str
    days_wd: int | None
    reason: str
    asked_by_name: str
    asked_at: datetime
    answer_by: datetime
    outcome: str
    answered_by_name: str | None
    answered_at: datetime | None
    answer_reason: str | None
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True)
class DisputeView:
    """A dispute, the proposal on the table and its settlement."""

    opened_by_name: str
    opened_at: datetime
    reason: str
    proposed_by_name: str | None
    proposal: str | None
    proposal_text: str | None
    proposed_agency_fen: int | None
    settlement: str | None
    settled_how: str | None
    settled_at: datetime | None
    settled_by_name: str | None
    settlement_text: str | None
    agency_fen: int | None
    days_count: bool
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True)
class NoticeView:
    """A notice of breach and how it ended."""

    kind: str
    facts: str
    sent_by: str
    sent_by_name: str
    sent_at: datetime
    cure_by: datetime
    ended_at: datetime | None
    ended_how: str | None
    end_text: str | None
    evidence: tuple[EvidenceView, ...]


Files = Mapping[UUID, tuple[EvidenceView, ...]]


def evidence_of(contract_id: UUID) -> Files:
    """All evidence of a contract by the step it supports."""
    statement = select(Evidence).where(Evidence.contract_id == contract_id).order_by(Evidence.uploaded_at, Evidence.id)
    found: dict[UUID, tuple[EvidenceView, ...]] = {}
    for row in db.session.scalars(statement):
        view = EvidenceView(
            row.id,
            row.about_id,
            row.file_id,
            row.file_name,
            row.file_sha256,
            row.file_size,
            row.uploaded_by_name,
            row.uploaded_at,
        )
        found[row.about_id] = (*found.get(row.about_id, ()), view)
    return found


def questions_of(contract_id: UUID, files: Files) -> tuple[QuestionView, ...]:
    """All questions, the newest first."""
    statement = (
        select(ContractQuestion)
        .where(ContractQuestion.contract_id == contract_id)
        .order_by(ContractQuestion.asked_at.desc(), ContractQuestion.id.desc())
    )
    return tuple(
        QuestionView(
            row.kind,
            row.days_wd,
            row.reason,
            row.asked_by_name,
            row.asked_at,
            row.answer_by,
            row.outcome,
            row.answered_by_name,
            row.answered_at,
            row.answer_reason,
            files.get(row.id, ()),
        )
        for row in db.session.scalars(statement)
    )


def disputes_of(contract_id: UUID, files: Files) -> tuple[DisputeView, ...]:
    """All disputes, the newest first."""
    statement = (
        select(Dispute).where(Dispute.contract_id == contract_id).order_by(Dispute.opened_at.desc(), Dispute.id.desc())
    )
    return tuple(
        DisputeView(
            row.opened_by_name,
            row.opened_at,
            row.reason,
            row.proposed_by_name,
            row.proposal,
            row.proposal_text,
            row.proposed_agency_fen,
            row.settlement,
            row.settled_how,
            row.settled_at,
            row.settled_by_name,
            row.settlement_text,
            row.agency_fen,
            row.days_count,
            files.get(row.id, ()),
        )
        for row in db.session.scalars(statement)
    )


def notices_of(contract_id: UUID, files: Files) -> tuple[NoticeView, ...]:
    """All notices of breach, the newest first."""
    statement = (
        select(BreachNotice)
        .where(BreachNotice.contract_id == contract_id)
        .order_by(BreachNotice.sent_at.desc(), BreachNotice.id.desc())
    )
    return tuple(
        NoticeView(
            row.kind,
            row.facts,
            row.sent_by,
            row.sent_by_name,
            row.sent_at,
            row.cure_by,
            row.ended_at,
            row.ended_how,
            row.end_text,
            files.get(row.id, ()),
        )
        for row in db.session.scalars(statement)
    )
