"""Where the money of a bill lies, read from the books, the releases, the freezes and the refunds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.kernel.db import db
from payments import ledger
from payments.held_money import BillMoney
from payments.models.held import Freeze, RefundShare, Release
from payments.models.refunds import Refund
from payments.queries.books import balances
from payments.states import RefundState

_GONE = (RefundState.REJECTED, RefundState.FAILED)


def standing_of(bill_id: UUID) -> BillMoney:
    """Where the money of one bill lies now. Four statements."""
    return standings([bill_id])[bill_id]


def standings(bill_ids: Iterable[UUID]) -> dict[UUID, BillMoney]:
    """Where the money of each bill lies now, in four statements."""
    ids = list(bill_ids)
    held = balances([ledger.escrow(i).code for i in ids])
    released: dict[UUID, tuple[int, int]] = {
        bill: (int(gross), int(fee))
        for bill, gross, fee in db.session.execute(
            sa.select(Release.bill_id, sa.func.sum(Release.amount_fen), sa.func.sum(Release.fee_fen))
            .where(Release.bill_id.in_(ids))
            .group_by(Release.bill_id)
        )
    }
    frozen = {
        bill: int(total)
        for bill, total in db.session.execute(
            sa.select(Freeze.bill_id, sa.func.sum(Freeze.held_fen))
            .where(Freeze.bill_id.in_(ids), Freeze.ended_at.is_(None))
            .group_by(Freeze.bill_id)
        )
    }
    agency: dict[UUID, int] = {}
    fees: dict[UUID, int] = {}
    for bill, account, fen in db.session.execute(
        sa.select(Refund.bill_id, RefundShare.account, RefundShare.amount_fen)
        .join(Refund, Refund.id == RefundShare.refund_id)
        .where(Refund.bill_id.in_(ids), Refund.state.not_in(_GONE))
    ):
        if account == ledger.PLATFORM_FEE.code:
            fees[bill] = fees.get(bill, 0) + int(fen)
        elif account.startswith(("payable:", "receivable:")):
            agency[bill] = agency.get(bill, 0) + int(fen)
    return {
        i: BillMoney(
            held=-held.get(ledger.escrow(i).code, 0),
            frozen=frozen.get(i, 0),
            released=released.get(i, (0, 0))[0],
            fee=released.get(i, (0, 0))[1],
            returned=agency.get(i, 0) + fees.get(i, 0),
            fee_returned=fees.get(i, 0),
        )
        for i in ids
    }


@dataclass(frozen=True)
class ReleaseView:
    """One part that became the agency's; fen."""

    number: int
    amount_fen: int
    fee_fen: int
    reason: str
    released_at: datetime


@dataclass(frozen=True)
class FreezeView:
    """One stop on a bill's money; fen."""

    id: UUID
    amount_fen: int
    reason: str
    frozen_at: datetime
    ended_at: datetime | None
    end_reason: str | None


def releases_of(bill_id: UUID) -> tuple[ReleaseView, ...]:
    """The released parts of a bill, oldest first."""
    rows = db.session.scalars(sa.select(Release).where(Release.bill_id == bill_id).order_by(Release.number))
    return tuple(ReleaseView(r.number, r.amount_fen, r.fee_fen, r.reason, r.released_at) for r in rows)


def freezes_of(bill_id: UUID) -> tuple[FreezeView, ...]:
    """The freezes of a bill, the newest first."""
    rows = db.session.scalars(sa.select(Freeze).where(Freeze.bill_id == bill_id).order_by(Freeze.frozen_at.desc()))
    return tuple(
        FreezeView(r.id, r.held_fen + r.balance_fen, r.reason, r.frozen_at, r.ended_at, r.end_reason) for r in rows
    )


def frozen_balance_fen(organisation_id: UUID) -> int:
    """How much of an agency's balance is frozen by open disputes, in fen."""
    total = sa.select(sa.func.coalesce(sa.func.sum(Freeze.balance_fen), 0)).where(
        Freeze.payee_organisation_id == organisation_id, Freeze.ended_at.is_(None)
    )
    return int(db.session.scalar(total) or 0)
