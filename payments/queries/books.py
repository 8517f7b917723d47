"""Reads of the ledger: accounts, statements, trial balance, and an agency's money."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from payments import ledger
from payments.models.bills import Bill
from payments.models.ledger import BooksCheck, LedgerAccount, LedgerEntry, LedgerTransaction
from payments.states import BillState


@dataclass(frozen=True)
class AccountView:
    """An account with its balance in fen, shown on its own normal side (positive when it stands as it should)."""

    code: str
    type: str
    currency: str
    owner_organisation_id: UUID | None
    balance_fen: int


@dataclass(frozen=True)
class StatementLine:
    """One entry of an account with the balance after it, both on the account's normal side, in fen."""

    tx_id: UUID
    effective_at: datetime
    kind: str
    memo: str
    bill_id: UUID | None
    amount_fen: int
    balance_fen: int


@dataclass(frozen=True)
class TrialBalance:
    """Sums by account family, debit positive; `total_fen` is zero or the books are wrong."""

    families: tuple[tuple[str, str, int, int], ...]
    total_fen: int


@dataclass(frozen=True)
class PostingView:
    """One posting with all its sides, debit positive."""

    id: UUID
    key: str
    kind: str
    memo: str
    effective_at: datetime
    posted_at: datetime
    bill_id: UUID | None
    entries: tuple[tuple[str, int], ...]


def balances(codes: Iterable[str]) -> dict[str, int]:
    """Balance by account, debit positive, in fen; accounts without entries are left out."""
    wanted = list(codes)
    if not wanted:
        return {}
    rows = db.session.execute(
        sa.select(LedgerEntry.account, sa.func.sum(LedgerEntry.amount_fen))
        .where(LedgerEntry.account.in_(wanted))
        .group_by(LedgerEntry.account)
    )
    return {code: int(total) for code, total in rows}


def _side(account_type: str) -> int:
    return 1 if account_type in (ledger.AccountType.ASSET, ledger.AccountType.EXPENSE) else -1


def accounts_page(*, family: str | None, number: int = 1) -> Page[AccountView]:
    """Accounts with their balances, by code; those of one family (`escrow`, `payable`, ...) where given."""
    total = sa.func.coalesce(sa.func.sum(LedgerEntry.amount_fen), 0)
    statement = (
        sa.select(LedgerAccount, total)
        .outerjoin(LedgerEntry, LedgerEntry.account == LedgerAccount.code)
        .group_by(LedgerAccount.code)
        .order_by(LedgerAccount.code)
    )
    if family:
        statement = statement.where(
            sa.or_(LedgerAccount.code == family, LedgerAccount.code.startswith(f"{family}:", autoescape=True))
        )
    page: Page[Any] = page_of(cast("sa.Select[Any]", statement), number=number, scalars=False)
    views = [
        AccountView(a.code, a.type, a.currency, a.owner_organisation_id, int(sum_) * _side(a.type))
        for a, sum_ in page.items
    ]
    return Page(views, page.number, page.size, page.total)


def account_view(code: str) -> AccountView:
    """One account with its balance; raises NotFound."""
    row = db.session.get(LedgerAccount, code)
    if row is None:
        raise NotFound
    balance = balances([code]).get(code, 0) * _side(row.type)
    return AccountView(row.code, row.type, row.currency, row.owner_organisation_id, balance)


def statement_page(code: str, number: int = 1) -> Page[StatementLine]:
    """The entries of an account, newest first, each with the balance after it. Empty for an unknown account."""
    side = _side(db.session.scalar(sa.select(LedgerAccount.type).where(LedgerAccount.code == code)) or "liability")
    running = sa.func.sum(LedgerEntry.amount_fen).over(order_by=LedgerEntry.id)
    statement = (
        sa.select(LedgerTransaction, LedgerEntry.amount_fen, running)
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(LedgerEntry.account == code)
        .order_by(LedgerEntry.id.desc())
    )
    page: Page[Any] = page_of(cast("sa.Select[Any]", statement), number=number, scalars=False)
    lines = [
        StatementLine(tx.id, tx.effective_at, tx.kind, tx.memo, tx.bill_id, int(fen) * side, int(after) * side)
        for tx, fen, after in page.items
    ]
    return Page(lines, page.number, page.size, page.total)


def trial_balance(as_of: datetime | None = None) -> TrialBalance:
    """Debits and credits by account family up to a moment (all of them where none is given)."""
    statement = (
        sa.select(
            LedgerAccount.code,
            LedgerAccount.type,
            sa.func.sum(sa.case((LedgerEntry.amount_fen > 0, LedgerEntry.amount_fen), else_=0)),
            sa.func.sum(sa.case((LedgerEntry.amount_fen < 0, -LedgerEntry.amount_fen), else_=0)),
        )
        .join(LedgerEntry, LedgerEntry.account == LedgerAccount.code)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .where(LedgerAccount.currency == ledger.CNY)
        .group_by(LedgerAccount.code, LedgerAccount.type)
    )
    if as_of is not None:
        statement = statement.where(LedgerTransaction.effective_at <= as_of)
    sums: dict[tuple[str, str], list[int]] = {}
    for code, kind, debit, credit in db.session.execute(statement):
        both = sums.setdefault((code.split(":")[0], kind), [0, 0])
        both[0] += int(debit)
        both[1] += int(credit)
    families = tuple((family, kind, debit, credit) for (family, kind), (debit, credit) in sorted(sums.items()))
    return TrialBalance(families, sum(debit - credit for _, _, debit, credit in families))


def posting_view(tx_id: UUID) -> PostingView:
    """One posting; raises NotFound."""
    tx = get(LedgerTransaction, tx_id)
    entries = db.session.execute(
        sa.select(LedgerEntry.account, LedgerEntry.amount_fen)
        .where(LedgerEntry.tx_id == tx_id)
        .order_by(LedgerEntry.id)
    )
    sides = tuple((account, int(fen)) for account, fen in entries)
    return PostingView(tx.id, tx.key, tx.kind, tx.memo, tx.effective_at, tx.posted_at, tx.bill_id, sides)


@dataclass(frozen=True)
class CheckView:
    """The last comparison of the books with the gateway."""

    checked_at: datetime
    ours_fen: int
    theirs_fen: int
    missing_here: int
    missing_there: int
    unbalanced: int
    wrong_side: int

    @property
    def is_clean(self) -> bool:
        wrong = self.missing_here + self.missing_there + self.unbalanced + self.wrong_side
        return wrong == 0 and self.ours_fen == self.theirs_fen


def last_check() -> CheckView | None:
    """The last comparison, if there was one."""
    row = db.session.scalar(sa.select(BooksCheck).order_by(BooksCheck.checked_at.desc()).limit(1))
    if row is None:
        return None
    return CheckView(
        row.checked_at,
        row.ours_fen,
        row.theirs_fen,
        row.missing_here,
        row.missing_there,
        row.unbalanced,
        row.wrong_side,
    )


@dataclass(frozen=True)
class Income:
    """What an agency has (`balance_fen`) and what is held for it (`held_fen`), in fen."""

    balance_fen: int
    held_fen: int
    due_fen: int


def income_of(organisation_id: UUID) -> Income:
    """Sums for one agency: its balance, what is held for it, and what is billed but not paid."""
    code = ledger.payable(organisation_id).code
    sums = db.session.execute(
        sa.select(Bill.state, sa.func.sum(Bill.amount_fen))
        .where(Bill.payee_organisation_id == organisation_id)
        .group_by(Bill.state)
    )
    by_state = {state: int(total) for state, total in sums}
    return Income(-balances([code]).get(code, 0), by_state.get(BillState.PAID, 0), by_state.get(BillState.OPEN, 0))
