"""Reads of the ledger: accounts, statements, trial balance, and an agency's money."""

from collections.abc import Iterable, Iterator
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
from payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
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
    key: str = ""


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
    subject: str | None
    posted_by: UUID | None
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


@dataclass(frozen=True)
class Frame:
    """The sums around a statement on the account's normal side: before it, in it, and after it (fen)."""

    opening_fen: int
    increase_fen: int
    decrease_fen: int

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.increase_fen - self.decrease_fen


def _side_of(code: str) -> int:
    return _side(db.session.scalar(sa.select(LedgerAccount.type).where(LedgerAccount.code == code)) or "liability")


def _statement(code: str, since: datetime | None, until: datetime | None) -> sa.Select[Any]:
    """The entries of an account in a span of time with the balance after each, over all its entries, newest first."""
    order = (LedgerTransaction.effective_at, LedgerEntry.id)
    running = (
        sa.select(
            LedgerTransaction.id.label("tx_id"),
            LedgerTransaction.effective_at,
            LedgerTransaction.kind,
            LedgerTransaction.memo,
            LedgerTransaction.bill_id,
            LedgerTransaction.key,
            LedgerEntry.id.label("entry_id"),
            LedgerEntry.amount_fen,
            sa.func.sum(LedgerEntry.amount_fen).over(order_by=order).label("after"),
        )
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(LedgerEntry.account == code)
        .subquery()
    )
    statement = sa.select(running).order_by(running.c.effective_at.desc(), running.c.entry_id.desc())
    if since is not None:
        statement = statement.where(running.c.effective_at >= since)
    return statement.where(running.c.effective_at < until) if until is not None else statement


def _line(row: Any, side: int) -> StatementLine:
    return StatementLine(
        row.tx_id,
        row.effective_at,
        row.kind,
        row.memo,
        row.bill_id,
        int(row.amount_fen) * side,
        int(row.after) * side,
        row.key,
    )


def statement_page(
    code: str, number: int = 1, *, since: datetime | None = None, until: datetime | None = None
) -> Page[StatementLine]:
    """The entries of an account, newest first, each with the balance after it; from `since` until before `until`.

    Empty for an unknown account.
    """
    side = _side_of(code)
    page: Page[Any] = page_of(_statement(code, since, until), number=number, scalars=False)
    return Page([_line(row, side) for row in page.items], page.number, page.size, page.total)


def statement_lines(code: str, since: datetime | None, until: datetime | None) -> Iterator[StatementLine]:
    """The whole statement, newest first, read as it is written out."""
    side = _side_of(code)
    for row in db.session.execute(_statement(code, since, until).execution_options(yield_per=500)):
        yield _line(row, side)


def statement_frame(code: str, since: datetime | None, until: datetime | None) -> Frame:
    """What the account held before a span of time, and what came to it and left it within, in one statement."""
    side = _side_of(code)
    fen, at = LedgerEntry.amount_fen * side, LedgerTransaction.effective_at
    inside = sa.and_(*([at >= since] if since else []), *([at < until] if until else []), sa.true())
    before = at < since if since is not None else sa.false()
    row = db.session.execute(
        sa.select(
            *(
                sa.func.coalesce(sa.func.sum(sa.case((condition, value), else_=0)), 0)
                for condition, value in (
                    (before, fen),
                    (sa.and_(inside, fen > 0), fen),
                    (sa.and_(inside, fen < 0), -fen),
                )
            )
        )
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .where(LedgerEntry.account == code)
    ).one()
    return Frame(*(int(value) for value in row))


@dataclass(frozen=True)
class JournalEntry:
    """One side of one posting, for the journal's downloads; debit positive, in fen."""

    tx_id: UUID
    key: str
    kind: str
    memo: str
    effective_at: datetime
    posted_at: datetime
    bill_id: UUID | None
    subject: str | None
    account: str
    amount_fen: int
    currency: str


def journal(since: datetime | None, until: datetime | None) -> Iterator[JournalEntry]:
    """Every entry of the postings of a span of time, oldest first, read as it is written out."""
    at = LedgerTransaction.effective_at
    statement = (
        sa.select(LedgerTransaction, LedgerEntry.account, LedgerEntry.amount_fen, LedgerEntry.currency)
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .order_by(at, LedgerTransaction.id, LedgerEntry.id)
        .execution_options(yield_per=500)
    )
    if since is not None:
        statement = statement.where(at >= since)
    if until is not None:
        statement = statement.where(at < until)
    for tx, account, fen, currency in db.session.execute(statement):
        yield JournalEntry(
            tx.id, tx.key, tx.kind, tx.memo, tx.effective_at, tx.posted_at, tx.bill_id, tx.subject, account, fen,
            currency,
        )  # fmt: skip


@dataclass(frozen=True)
class OpenedAccount:
    """An account with the instant of its first entry and its balance (debit positive, fen) in a span of time."""

    code: str
    type: str
    currency: str
    first_at: datetime
    balance_fen: int


def accounts_until(until: datetime | None) -> tuple[OpenedAccount, ...]:
    """Every account with entries before `until`, with its balance then."""
    at = LedgerTransaction.effective_at
    statement = (
        sa.select(
            LedgerAccount.code, LedgerAccount.type, LedgerAccount.currency, sa.func.min(at),
            sa.func.sum(LedgerEntry.amount_fen),
        )
        .join(LedgerEntry, LedgerEntry.account == LedgerAccount.code)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .group_by(LedgerAccount.code, LedgerAccount.type, LedgerAccount.currency)
        .order_by(LedgerAccount.code)
    )  # fmt: skip
    if until is not None:
        statement = statement.where(at < until)
    return tuple(
        OpenedAccount(code, kind, currency, first_at, int(fen))
        for code, kind, currency, first_at, fen in db.session.execute(statement)
    )


def trial_balance(as_of: datetime | None = None) -> TrialBalance:
    """Debits and credits by account family before a moment (all of them where none is given)."""
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
        statement = statement.where(LedgerTransaction.effective_at < as_of)
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
    return PostingView(
        tx.id, tx.key, tx.kind, tx.memo, tx.effective_at, tx.posted_at, tx.bill_id, tx.subject, tx.posted_by, sides
    )  # fmt: skip


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
