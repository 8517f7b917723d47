"""The statement of an agency's money over a month: opening, releases, fees, refunds, payouts, closing. From the ledger alone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.kernel.calendar import start_of_day
from app.kernel.clock import BEIJING
from app.kernel.db import db
from payments import ledger
from payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction

KINDS = ("release", "refund", "dispute", "payout")
_GROUPS = {
    "release": "release",
    "refund-hold": "refund", "refund-debt": "refund", "refund-unhold": "refund", "transfer_reversal": "refund",
    "dispute_recovered": "dispute",
    "payout-hold": "payout", "payout-unhold": "payout",
}  # fmt: skip


@dataclass(frozen=True)
class AgencyLine:
    """One movement of what belongs to an agency; fen, positive when it received. `fee_fen`: the platform's fee in a release."""

    tx_id: UUID
    at: datetime
    kind: str
    memo: str
    bill_id: UUID | None
    gross_fen: int
    fee_fen: int
    amount_fen: int
    balance_fen: int


@dataclass(frozen=True)
class AgencyStatement:
    """One month. The balance is what the agency has less what it owes; opening + the sums = closing."""

    organisation_id: UUID
    month: date
    opening_fen: int
    closing_fen: int
    lines: tuple[AgencyLine, ...]

    def total(self, kind: str) -> int:
        """The sum of one kind of movement (`KINDS`), fees not taken off a release."""
        return sum(line.gross_fen for line in self.lines if _GROUPS.get(line.kind, line.kind) == kind)

    @property
    def fees_fen(self) -> int:
        return sum(line.fee_fen for line in self.lines)

    @property
    def other_fen(self) -> int:
        """What belongs to none of the kinds."""
        return sum(line.gross_fen for line in self.lines if line.kind not in _GROUPS)


def bounds(month: date) -> tuple[datetime, datetime]:
    """The first instant of a Beijing month and of the next one."""
    first = month.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return start_of_day(first), start_of_day(following)


def agency_statement(organisation_id: UUID, month: date) -> AgencyStatement:
    """The statement of a month, by the time of writing: what was written later never changes it. Three statements."""
    codes = (ledger.payable(organisation_id).code, ledger.receivable(organisation_id).code)
    since, until = bounds(month)
    before = sa.select(sa.func.coalesce(sa.func.sum(-LedgerEntry.amount_fen), 0)).join(
        LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id
    ).where(LedgerEntry.account.in_(codes), LedgerTransaction.posted_at < since)  # fmt: skip
    opening = int(db.session.scalar(before) or 0)
    rows = db.session.execute(
        sa.select(LedgerTransaction, sa.func.sum(-LedgerEntry.amount_fen))
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(
            LedgerEntry.account.in_(codes),
            LedgerTransaction.posted_at >= since,
            LedgerTransaction.posted_at < until,
        )
        .group_by(LedgerTransaction.id)
        .having(sa.func.sum(LedgerEntry.amount_fen) != 0)
        .order_by(LedgerTransaction.posted_at, LedgerTransaction.id)
    ).all()
    fees = _fees([tx.id for tx, _ in rows if tx.kind == "release"])
    lines, balance = [], opening
    for tx, moved in rows:
        fee = fees.get(tx.id, 0)
        balance += int(moved)
        lines.append(
            AgencyLine(tx.id, tx.posted_at, tx.kind, tx.memo, tx.bill_id, int(moved) + fee, fee, int(moved), balance)
        )
    return AgencyStatement(organisation_id, month.replace(day=1), opening, balance, tuple(lines))


def first_movement(organisation_id: UUID) -> date | None:
    """The Beijing day of the first entry on the agency's accounts."""
    codes = (ledger.payable(organisation_id).code, ledger.receivable(organisation_id).code)
    first = db.session.scalar(
        sa.select(sa.func.min(LedgerTransaction.posted_at))
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(LedgerEntry.account.in_(codes))
    )
    return first.astimezone(BEIJING).date() if first else None


def _fees(tx_ids: list[UUID]) -> dict[UUID, int]:
    if not tx_ids:
        return {}
    rows = db.session.execute(
        sa.select(LedgerEntry.tx_id, sa.func.sum(-LedgerEntry.amount_fen))
        .where(LedgerEntry.tx_id.in_(tx_ids), LedgerEntry.account == ledger.PLATFORM_FEE.code)
        .group_by(LedgerEntry.tx_id)
    )
    return {tx: int(fen) for tx, fen in rows}


def agencies_with_money() -> list[UUID]:
    """Agencies that ever had a balance."""
    rows = db.session.scalars(
        sa.select(LedgerAccount.owner_organisation_id)
        .where(LedgerAccount.code.startswith("payable:"))
        .order_by(LedgerAccount.code)
    )
    return [owner for owner in rows if owner is not None]
