"""Reads of disputes and of tax papers."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor, Role
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.files import StoredFile
from app.kernel.paging import Page, page_of
from payments.models.bills import Bill
from payments.models.disputes import DisputeEvidence, PaymentDispute
from payments.models.tax_papers import TaxPaper
from payments.outgoing_states import OPEN_DISPUTE
from payments.policy import Permission
from payments.states import Part


@dataclass(frozen=True)
class EvidenceFile:
    """A file of our answer."""

    id: UUID
    file_id: UUID
    name: str
    sha256: str
    size: int
    uploaded_at: datetime
    uploaded_by_name: str


@dataclass(frozen=True)
class DisputeView:
    """One dispute; fen."""

    id: UUID
    bill_id: UUID
    bill_number: str
    bill_title: str
    amount_fen: int
    reason: str
    state: str
    due_by: datetime | None
    opened_at: datetime
    answer: str | None
    answered_at: datetime | None
    loss_settled: str | None
    gateway_ref: str
    version: int
    thread_id: UUID
    parts: frozenset[Part] = frozenset()
    evidence: tuple[EvidenceFile, ...] = ()

    @property
    def title(self) -> str:
        return self.bill_title

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_DISPUTE


def dispute_parts(actor: Actor, row: PaymentDispute) -> frozenset[Part]:
    """What the actor is towards a dispute; raises NotFound for a stranger. The payer deals with the own bank."""
    found = set()
    if actor.organisation_id is not None and f"org:{actor.organisation_id}" in row.readers:
        found.add(Part.PAYEE)
    if actor.has(Role.OPERATOR):
        found.add(Part.OPERATOR)
    if actor.may(Permission.BILLS_SUPERVISE):
        found.add(Part.SUPERVISOR)
    if not found:
        raise NotFound
    return frozenset(found)


def _view(row: PaymentDispute, bill: Bill, parts: frozenset[Part], evidence: tuple[EvidenceFile, ...]) -> DisputeView:
    return DisputeView(
        id=row.id,
        bill_id=row.bill_id,
        bill_number=bill.number,
        bill_title=bill.title,
        amount_fen=row.amount_fen,
        reason=row.reason,
        state=row.state,
        due_by=row.due_by,
        opened_at=row.opened_at,
        answer=row.answer,
        answered_at=row.answered_at,
        loss_settled=row.loss_settled,
        gateway_ref=row.gateway_ref,
        version=row.version,
        thread_id=row.thread_id,
        parts=parts,
        evidence=evidence,
    )


def dispute_page(actor: Actor, dispute_id: UUID) -> DisputeView:
    """One dispute with its evidence; raises NotFound for a stranger."""
    row = get(PaymentDispute, dispute_id)
    parts = dispute_parts(actor, row)
    rows = db.session.execute(
        sa.select(DisputeEvidence, StoredFile)
        .join(StoredFile, StoredFile.id == DisputeEvidence.file_id)
        .where(DisputeEvidence.dispute_id == row.id)
        .order_by(DisputeEvidence.uploaded_at)
    )
    files = tuple(
        EvidenceFile(e.id, f.id, f.name, f.sha256, f.size, e.uploaded_at, e.uploaded_by_name) for e, f in rows
    )
    return _view(row, get(Bill, row.bill_id), parts, files)


def disputes_page(*, state: str | None, number: int = 1) -> Page[DisputeView]:
    """All disputes, those with the nearest date first; for the operator."""
    statement: Any = sa.select(PaymentDispute, Bill).join(Bill, Bill.id == PaymentDispute.bill_id)
    is_open = PaymentDispute.state.in_(OPEN_DISPUTE)
    statement = statement.order_by(is_open.desc(), PaymentDispute.due_by, PaymentDispute.opened_at.desc())
    if state is not None:
        statement = statement.where(PaymentDispute.state == state)
    page: Page[Any] = page_of(cast("sa.Select[Any]", statement), number=number, scalars=False)
    views = [_view(row, bill, frozenset(), ()) for row, bill in page.items]
    return Page(views, page.number, page.size, page.total)


@dataclass(frozen=True)
class TaxPaperView:
    """One recorded paper; fen. `is_undone`: a red-letter invoice corrects it."""

    id: UUID
    kind: str
    code: str
    number: str
    check_code: str | None
    issued_on: date
    amount_fen: int
    file_id: UUID | None
    file_name: str | None
    corrects_id: UUID | None
    is_undone: bool
    recorded_by_name: str
    recorded_at: datetime


def tax_papers_of(bill_id: UUID) -> tuple[TaxPaperView, ...]:
    """The papers of a bill in the order of their record. One statement."""
    rows = db.session.execute(
        sa.select(TaxPaper, StoredFile.name)
        .outerjoin(StoredFile, StoredFile.id == TaxPaper.file_id)
        .where(TaxPaper.bill_id == bill_id)
        .order_by(TaxPaper.recorded_at, TaxPaper.id)
    ).all()
    undone = {paper.corrects_id for paper, _ in rows if paper.corrects_id is not None}
    return tuple(
        TaxPaperView(p.id, p.kind, p.code, p.number, p.check_code, p.issued_on, p.amount_fen, p.file_id, name,
                     p.corrects_id, p.id in undone, p.recorded_by_name, p.recorded_at)
        for p, name in rows
    )  # fmt: skip
