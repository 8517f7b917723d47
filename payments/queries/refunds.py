"""Reads of refunds."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.paging import Page, page_of
from payments.models.bills import Bill
from payments.models.refunds import Refund
from payments.policy import parts_seen
from payments.states import Part


@dataclass(frozen=True)
class RefundView:
    """One refund."""

    id: UUID
    bill_id: UUID
    bill_number: str
    title: str
    amount_fen: int
    state: str
    reason: str
    requested_at: datetime
    finished_at: datetime | None
    problem: str | None
    requested_by: UUID | None
    approved_by: UUID | None
    version: int
    parts: frozenset[Part] = frozenset()


def _refund_view(row: Refund, bill: Bill) -> RefundView:
    return RefundView(
        id=row.id,
        bill_id=row.bill_id,
        bill_number=bill.number,
        title=bill.title,
        amount_fen=row.amount_fen,
        state=row.state,
        reason=row.reason,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        problem=row.problem,
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        version=row.version,
    )


def refunds_of(bill: Bill) -> tuple[RefundView, ...]:
    """All refunds of a bill, newest first."""
    rows = db.session.scalars(sa.select(Refund).where(Refund.bill_id == bill.id).order_by(Refund.requested_at.desc()))
    return tuple(_refund_view(row, bill) for row in rows)


def refund_page(actor: Actor, refund_id: UUID) -> RefundView:
    """A refund with the actor's parts towards its bill; raises NotFound for a stranger."""
    row = get(Refund, refund_id)
    bill = get(Bill, row.bill_id)
    return replace(_refund_view(row, bill), parts=parts_seen(actor, bill))


def refunds_page(*, state: str | None, number: int = 1) -> Page[RefundView]:
    """All refunds, newest first; for the operator."""
    statement = (
        sa.select(Refund, Bill).join(Bill, Bill.id == Refund.bill_id).order_by(Refund.requested_at.desc(), Refund.id)
    )
    if state is not None:
        statement = statement.where(Refund.state == state)
    page: Page[Any] = page_of(cast("sa.Select[Any]", statement), number=number, scalars=False)
    return Page([_refund_view(row, bill) for row, bill in page.items], page.number, page.size, page.total)
