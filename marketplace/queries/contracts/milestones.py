"""Milestones as shown: their money, where it is, and what lateness costs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.calendar import beijing_date
from app.kernel.db import db
from app.kernel.words import N_
from marketplace.models.engagement import Milestone
from payments.late_payment import LatePayment, late_payment


class FeeState(StrEnum):
    """Where the money of a milestone is."""

    PLANNED = "planned"
    DUE = "due"
    OVERDUE = "overdue"
    HELD = "held"
    RELEASED = "released"
    RETURNING = "returning"
    REFUNDED = "refunded"
    WITHDRAWN = "withdrawn"


FEE_LABELS = {
    FeeState.PLANNED: N_("Planned"),
    FeeState.DUE: N_("To be paid by the owner"),
    FeeState.OVERDUE: N_("Payment overdue"),
    FeeState.HELD: N_("Paid, held until acceptance"),
    FeeState.RELEASED: N_("Paid out to the agency"),
    FeeState.RETURNING: N_("On its way back to the owner"),
    FeeState.REFUNDED: N_("Refunded to the owner"),
    FeeState.WITHDRAWN: N_("No longer owed"),
}


@dataclass(frozen=True)
class MilestoneView:
    """One milestone. Amounts are fen, `late` counts calendar days after `due_on` (a Beijing date)."""

    position: int
    title: str
    acceptance: str
    share: int
    amount_fen: int
    accepted_at: datetime | None
    bill_id: UUID | None
    due_on: date | None
    funded_at: datetime | None
    released_at: datetime | None
    fee_state: FeeState
    late: LatePayment


def milestone_rows(contract_id: UUID) -> Sequence[Milestone]:
    """The stored milestones in their order."""
    statement = select(Milestone).where(Milestone.contract_id == contract_id).order_by(Milestone.position)
    return db.session.scalars(statement).all()


def milestone_views(rows: Iterable[Milestone], daily_basis_points: int) -> tuple[MilestoneView, ...]:
    """What a page shows; interest runs at the rate of the contract's own rule-book version."""
    return tuple(
        MilestoneView(
            position=row.position,
            title=row.title,
            acceptance=row.acceptance,
            share=row.share,
            amount_fen=row.amount_fen,
            accepted_at=row.accepted_at,
            bill_id=row.bill_id,
            due_on=row.due_on,
            funded_at=row.funded_at,
            released_at=row.released_at,
            fee_state=fee_state(row),
            late=late_of(row, daily_basis_points),
        )
        for row in rows
    )


def late_of(row: Milestone, daily_basis_points: int) -> LatePayment:
    """How late its payment is or was; nothing for a bill that was never opened or was withdrawn."""
    if row.due_on is None or row.withdrawn_at is not None:
        return LatePayment(0, 0)
    paid_on = beijing_date(row.funded_at) if row.funded_at else None
    return late_payment(row.amount_fen, row.due_on, paid_on, clock.today(), daily_basis_points)


def fee_state(row: Milestone) -> FeeState:
    """Where the money of a milestone is now."""
    ends = (
        (row.released_at, FeeState.RELEASED),
        (row.refunded_at, FeeState.REFUNDED),
        (row.withdrawn_at, FeeState.WITHDRAWN),
        (row.refund_asked_at, FeeState.RETURNING),
        (row.funded_at, FeeState.HELD),
    )
    for moment, state in ends:
        if moment is not None:
            return state
    if row.due_at is None:
        return FeeState.PLANNED
    return FeeState.OVERDUE if clock.now() > row.due_at else FeeState.DUE
