"""Reads of bills, attempts, refunds and the books, as frozen values with a fixed number of statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from payments import ledger, rules
from payments.models import (
    Bill,
    BillItem,
    BooksCheck,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    Refund,
)
from payments.policy import Permission, parts_seen
from payments.rules import BillLine
from payments.states import BILL, LIVE, REFUND, BillState, Part, PaymentState, RefundState


@dataclass(frozen=True)
class PaymentView:
    """One attempt. `cashier_url` is filled while the payer can still pay there."""

    id: UUID
    bill_id: UUID
    attempt: int
    state: str
    method: str | None
    amount_fen: int
    started_at: datetime
    succeeded_at: datetime | None
    expires_at: datetime | None
    cashier_url: str | None
    payment_ref: str | None
    problem: str | None
    misfit: str | None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


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


@dataclass(frozen=True)
class BillView:
    """A bill with its lines; amounts in fen. `held_fen` is what the ledger holds for it now."""

    id: UUID
    number: str
    subject: str
    thread_id: UUID
    kind: str
    title: str
    state: str
    amount_fen: int
    held_fen: int
    payer_organisation_id: UUID | None
    payer_user_id: UUID | None
    payee_organisation_id: UUID | None
    payer_name: str
    payee_name: str
    opened_at: datetime
    due_at: datetime
    paid_at: datetime | None
    released_at: datetime | None
    receipt_document_id: UUID | None
    version: int
    lines: tuple[BillLine, ...] = ()
    payments: tuple[PaymentView, ...] = ()
    refunds: tuple[RefundView, ...] = ()
    parts: frozenset[Part] = frozenset()

    @property
    def live_payment(self) -> PaymentView | None:
        return next((p for p in self.payments if p.is_live), None)

    @property
    def is_overdue(self) -> bool:
        return rules.is_overdue(self.state, self.due_at, clock.now())


def bill_view(bill_id: UUID) -> BillView:
    """The bill with its lines, for the domains above; raises NotFound."""
    return _views([get(Bill, bill_id)], with_lines=True)[0]


def bills_of_subject(subject: str) -> tuple[BillView, ...]:
    """All bills of a subject, oldest first."""
    rows = db.session.scalars(sa.select(Bill).where(Bill.subject == subject).order_by(Bill.opened_at, Bill.id)).all()
    return _views(rows)


def bill_page(actor: Actor, bill_id: UUID) -> BillView:
    """The bill with everything that its page shows; raises NotFound for a stranger."""
    row = get(Bill, bill_id)
    parts = parts_seen(actor, row)
    (view,) = _views([row], with_lines=True)
    return replace(view, parts=parts, payments=_payments_of(row.id), refunds=_refunds_of(row))


def payment_page(actor: Actor, payment_id: UUID) -> tuple[BillView, PaymentView]:
    """One attempt with its bill, for the payer's return; raises NotFound for a stranger."""
    row = get(Payment, payment_id)
    bill = bill_page(actor, row.bill_id)
    return bill, _payment_view(row)


def bills_page(actor: Actor, *, state: str | None, side: str, number: int = 1) -> Page[BillView]:
    """Bills that the actor pays (`side="payer"`), is paid by (`"payee"`), or supervises (`"all"`).

    What is to be paid comes first, the nearest date on top; the others follow, the newest on top.
    """
    is_open = Bill.state == BillState.OPEN
    order = (is_open.desc(), sa.case((is_open, Bill.due_at)), Bill.opened_at.desc(), Bill.id.desc())
    statement = sa.select(Bill).where(_mine(actor, side)).order_by(*order)
    if state is not None:
        statement = statement.where(Bill.state == state)
    page: Page[Bill] = page_of(statement, number=number)
    return Page(_views(page.items), page.number, page.size, page.total)


def _mine(actor: Actor, side: str) -> sa.ColumnElement[bool]:
    if side == "all" and actor.may(Permission.BILLS_SUPERVISE):
        return sa.true()
    if side == "payee":
        return Bill.payee_organisation_id == actor.organisation_id
    mine = [Bill.payer_user_id == actor.user_id]
    if actor.organisation_id is not None:
        mine.append(Bill.payer_organisation_id == actor.organisation_id)
    return sa.or_(*mine)


def due_bills(actor: Actor, limit: int = 50) -> tuple[BillView, ...]:
    """What the actor has to pay, the nearest date first; for the counter and the workbench."""
    statement = (
        sa.select(Bill).where(_mine(actor, "payer"), Bill.state == BillState.OPEN).order_by(Bill.due_at, Bill.id)
    )
    return _views(db.session.scalars(statement.limit(limit)).all())


def total_due_fen(actor: Actor) -> int:
    """The sum of what the actor has to pay, in fen."""
    total = sa.select(sa.func.coalesce(sa.func.sum(Bill.amount_fen), 0))
    return int(db.session.scalar(total.where(_mine(actor, "payer"), Bill.state == BillState.OPEN)) or 0)


def _views(rows: Sequence[Bill], *, with_lines: bool = False) -> tuple[BillView, ...]:
    ids = [row.id for row in rows]
    held = balances([ledger.escrow(i).code for i in ids])
    named: set[UUID] = {
        i for row in rows for i in (row.payer_organisation_id, row.payee_organisation_id) if i is not None
    }
    organisations = identity.organisations_by_ids(named)
    persons = identity.persons_by_ids({row.payer_user_id for row in rows if row.payer_user_id is not None})
    lines = _lines_of(ids) if with_lines else {}

    def name(organisation: UUID | None, person: UUID | None = None) -> str:
        if organisation is not None:
            return organisations[organisation].name if organisation in organisations else ""
        return persons[person].name if person is not None and person in persons else ""

    return tuple(
        BillView(
            id=row.id,
            number=row.number,
            subject=row.subject,
            thread_id=row.thread_id,
            kind=row.kind,
            title=row.title,
            state=row.state,
            amount_fen=row.amount_fen,
            held_fen=-held.get(ledger.escrow(row.id).code, 0),
            payer_organisation_id=row.payer_organisation_id,
            payer_user_id=row.payer_user_id,
            payee_organisation_id=row.payee_organisation_id,
            payer_name=name(row.payer_organisation_id, row.payer_user_id),
            payee_name=name(row.payee_organisation_id),
            opened_at=row.opened_at,
            due_at=row.due_at,
            paid_at=row.paid_at,
            released_at=row.released_at,
            receipt_document_id=row.receipt_document_id,
            version=row.version,
            lines=tuple(lines.get(row.id, ())),
        )
        for row in rows
    )


def _lines_of(ids: Sequence[UUID]) -> dict[UUID, list[BillLine]]:
    found: dict[UUID, list[BillLine]] = {}
    statement = sa.select(BillItem).where(BillItem.bill_id.in_(ids)).order_by(BillItem.bill_id, BillItem.position)
    for item in db.session.scalars(statement):
        found.setdefault(item.bill_id, []).append(BillLine(item.title, item.amount_fen, item.basis))
    return found


def _payment_view(row: Payment) -> PaymentView:
    open_page = row.cashier_url if row.state == PaymentState.PENDING else None
    return PaymentView(
        id=row.id,
        bill_id=row.bill_id,
        attempt=row.attempt,
        state=row.state,
        method=row.method,
        amount_fen=row.amount_fen,
        started_at=row.started_at,
        succeeded_at=row.succeeded_at,
        expires_at=row.expires_at,
        cashier_url=open_page,
        payment_ref=row.payment_ref,
        problem=row.problem,
        misfit=row.misfit,
    )


def _payments_of(bill_id: UUID) -> tuple[PaymentView, ...]:
    rows = db.session.scalars(sa.select(Payment).where(Payment.bill_id == bill_id).order_by(Payment.attempt.desc()))
    return tuple(_payment_view(row) for row in rows)


# --- refunds ----------------------------------------------------------------------------------------------------------


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


def _refunds_of(bill: Bill) -> tuple[RefundView, ...]:
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


# --- the books --------------------------------------------------------------------------------------------------------


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


# --- an agency's money ------------------------------------------------------------------------------------------------


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


# --- the workbench ----------------------------------------------------------------------------------------------------


def worklist(actor: Actor) -> tuple[WorkItem, ...]:
    """What waits for the actor in payments: bills to pay, and for operators refunds to decide."""
    if not actor.is_signed_in:
        return ()
    bills = [
        WorkItem(Turn.MINE, N_("Bill"), b.number, b.title, BILL.labels[BillState.OPEN], N_("Pay the bill"),
                 f"/bills/{b.id}", b.due_at)
        for b in due_bills(actor)
    ]  # fmt: skip
    if not actor.may(Permission.REFUND_DECIDE):
        return tuple(bills)
    waiting = refunds_page(state=RefundState.REQUESTED)
    asked = [
        WorkItem(Turn.MINE, N_("Refund"), r.bill_number, r.title, REFUND.labels[RefundState.REQUESTED],
                 N_("Approve or refuse the refund"), f"/refunds/{r.id}", None, r.requested_at)
        for r in waiting.items
        if r.requested_by != actor.user_id
    ]  # fmt: skip
    return (*bills, *asked)
