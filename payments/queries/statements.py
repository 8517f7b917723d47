"""Reads of imported bank statements: their rows, what they cover, and what they tell about an account."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.calendar import start_of_day
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from payments import ledger
from payments.bank_states import LineVerdict, StatementState
from payments.models.bank import BankEntry, Direction
from payments.models.statements import BankStatement, BankStatementLine
from payments.observed import Movement, MovementKind
from payments.policy import Permission
from payments.reconciling import Told
from payments.states import Part


def told_by_statements(gateway: str) -> Told | None:
    """What the statements that were taken over tell about an account; None where there is none. Two statements.

    Its balance is what the first one began with and the last one ended with, where they name it; else the sum of the lines.
    """
    taken = _taken_over(gateway)
    if not taken:
        return None
    moved = tuple(_movement(*row) for row in _lines_of(gateway))
    net = sum(one.net_fen for one in moved)
    first, last = taken[0], taken[-1]
    balance = net if first.opening_fen is None or last.closing_fen is None else last.closing_fen - first.opening_fen
    spans = tuple((start_of_day(one.first_day), start_of_day(one.last_day + timedelta(days=1))) for one in taken)
    return Told(gateway, clock.now(), moved, balance, spans)


def _taken_over(gateway: str) -> Sequence[BankStatement]:
    return db.session.scalars(
        sa.select(BankStatement)
        .where(BankStatement.gateway == gateway, BankStatement.state == StatementState.APPLIED)
        .order_by(BankStatement.first_day)
    ).all()


def _lines_of(gateway: str) -> list[Any]:
    return list(
        db.session.execute(
            sa.select(BankStatementLine, BankEntry)
            .join(BankStatement, BankStatement.id == BankStatementLine.statement_id)
            .outerjoin(BankEntry, BankEntry.id == BankStatementLine.entry_id)
            .where(BankStatement.gateway == gateway, BankStatement.state == StatementState.APPLIED)
            .order_by(BankStatementLine.moved_at, BankStatementLine.row)
        )
    )


def _movement(line: BankStatementLine, entry: BankEntry | None) -> Movement:
    comes = line.direction == Direction.IN
    kind: MovementKind = "charge" if comes else "other"
    if entry is not None and entry.payout_id is not None:
        kind = "transfer"
    elif entry is not None and not comes:
        kind = "refund"
    fen = line.amount_fen if comes else -line.amount_fen
    return Movement(line.bank_ref, kind, fen, 0, ledger.CNY, line.moved_at, line.counterparty[:60])


def covered_days(first: date, last: date) -> dict[str, set[date]]:
    """Which of these days the statements of each account cover. One statement."""
    rows = db.session.execute(
        sa.select(BankStatement.gateway, BankStatement.first_day, BankStatement.last_day).where(
            BankStatement.state == StatementState.APPLIED,
            BankStatement.first_day <= last,
            BankStatement.last_day >= first,
        )
    )
    found: dict[str, set[date]] = {}
    for code, since, until in rows:
        begin, end = max(since, first), min(until, last)
        found.setdefault(code, set()).update(begin + timedelta(days=n) for n in range((end - begin).days + 1))
    return found


def bank_balances(day: date, until: datetime) -> dict[str, int]:
    """What lies on each bank account at the end of a day (`until`), where a statement tells it (fen). Two statements.

    It is the balance that the statement of the day ends with, less what the same statement tells of later days. Days that no
    statement covers may lie before, so that the lines alone do not tell a balance.
    """
    closing = {
        (row.gateway, row.id): row.closing_fen
        for row in db.session.scalars(
            sa.select(BankStatement).where(
                BankStatement.state == StatementState.APPLIED, BankStatement.first_day <= day, BankStatement.last_day >= day
            )
        )
        if row.closing_fen is not None
    }  # fmt: skip
    signed = sa.case(
        (BankStatementLine.direction == Direction.IN, BankStatementLine.amount_fen), else_=-BankStatementLine.amount_fen
    )
    later = db.session.execute(
        sa.select(BankStatementLine.statement_id, sa.func.sum(signed))
        .where(
            BankStatementLine.statement_id.in_([statement_id for _, statement_id in closing]), BankStatementLine.moved_at >= until
        )
        .group_by(BankStatementLine.statement_id)
    )  # fmt: skip
    after = {statement_id: int(fen) for statement_id, fen in later}
    return {code: fen - after.get(statement_id, 0) for (code, statement_id), fen in closing.items()}


# --- pages ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatementView:
    """An imported statement; fen."""

    id: UUID
    thread_id: UUID
    number: str
    gateway: str
    state: str
    first_day: date
    last_day: date
    opening_fen: int | None
    closing_fen: int | None
    file_name: str
    file_sha256: str
    problems: tuple[dict[str, Any], ...]
    line_count: int
    in_fen: int
    out_fen: int
    handed_in_by: UUID
    handed_in_by_name: str
    handed_in_at: datetime
    applied_by_name: str | None
    applied_at: datetime | None
    version: int
    parts: frozenset[Part] = frozenset()

    @property
    def title(self) -> str:
        return self.number


@dataclass(frozen=True)
class LineView:
    """One line of a statement with its verdict; `href` leads to what it names."""

    row: int
    bank_ref: str
    direction: str
    amount_fen: int
    moved_at: datetime
    counterparty: str
    reference: str
    verdict: str
    href: str | None


def _view(row: BankStatement) -> StatementView:
    return StatementView(
        id=row.id, thread_id=row.thread_id, number=row.number, gateway=row.gateway, state=row.state,
        first_day=row.first_day, last_day=row.last_day, opening_fen=row.opening_fen, closing_fen=row.closing_fen,
        file_name=row.file_name, file_sha256=row.file_sha256, problems=tuple(row.problems), line_count=row.line_count,
        in_fen=row.in_fen, out_fen=row.out_fen, handed_in_by=row.handed_in_by, handed_in_by_name=row.handed_in_by_name,
        handed_in_at=row.handed_in_at, applied_by_name=row.applied_by_name, applied_at=row.applied_at,
        version=row.version,
    )  # fmt: skip


def statements_page(*, gateway: str | None = None, state: str | None = None, number: int = 1) -> Page[StatementView]:
    """Statements, those of the latest days first."""
    statement = sa.select(BankStatement).order_by(BankStatement.last_day.desc(), BankStatement.id)
    if gateway:
        statement = statement.where(BankStatement.gateway == gateway)
    if state:
        statement = statement.where(BankStatement.state == state)
    page: Page[BankStatement] = page_of(statement, number=number)
    return Page([_view(row) for row in page.items], page.number, page.size, page.total)


def statement_page(actor: Actor, statement_id: UUID) -> StatementView:
    """One statement with the actor's parts; raises NotFound for those who do not watch the money."""
    if not actor.may(Permission.BILLS_SUPERVISE):
        raise NotFound
    view = _view(get(BankStatement, statement_id))
    return replace(view, parts=frozenset({Part.OPERATOR}) if actor.may(Permission.BANK_ENTER) else frozenset())


def verdicts_of(statement_id: UUID) -> dict[LineVerdict, tuple[int, int]]:
    """How many lines of each verdict there are, and what they sum up to (fen)."""
    rows = db.session.execute(
        sa.select(BankStatementLine.verdict, sa.func.count(), sa.func.sum(BankStatementLine.amount_fen))
        .where(BankStatementLine.statement_id == statement_id)
        .group_by(BankStatementLine.verdict)
    )
    found = {LineVerdict(verdict): (int(count), int(fen)) for verdict, count, fen in rows}
    return {verdict: found[verdict] for verdict in LineVerdict if verdict in found}


def _lines(statement_id: UUID, verdict: str | None) -> sa.Select[BankStatementLine]:
    statement = (
        sa.select(BankStatementLine)
        .where(BankStatementLine.statement_id == statement_id)
        .order_by(BankStatementLine.row)
    )
    return statement.where(BankStatementLine.verdict == verdict) if verdict else statement


def lines_page(statement_id: UUID, *, verdict: str | None = None, number: int = 1) -> Page[LineView]:
    """The lines of a statement in its own order."""
    page: Page[BankStatementLine] = page_of(_lines(statement_id, verdict), number=number)
    return Page([_line_view(row) for row in page.items], page.number, page.size, page.total)


def all_lines(statement_id: UUID, *, verdict: str | None = None) -> list[LineView]:
    """The same for a download."""
    return [_line_view(row) for row in db.session.scalars(_lines(statement_id, verdict))]


_PAGES = {
    LineVerdict.PAYMENT: "/pay/return/", LineVerdict.PAYMENT_AMOUNT: "/pay/return/", LineVerdict.REFUND: "/refunds/",
    LineVerdict.PAYOUT: "/payouts/", LineVerdict.PAYOUT_BACK: "/payouts/", LineVerdict.GIVEN_BACK: "/unmatched-money/",
}  # fmt: skip


def _line_view(row: BankStatementLine) -> LineView:
    page = _PAGES.get(LineVerdict(row.verdict))
    href = f"/bank-entries/{row.entry_id}" if row.entry_id else None
    if href is None and page is not None and row.matched_id is not None:
        href = f"{page}{row.matched_id}"
    return LineView(row.row, row.bank_ref, row.direction, row.amount_fen, row.moved_at, row.counterparty, row.reference,
                    row.verdict, href)  # fmt: skip
