"""Reads of bills and the attempts to pay them, with a fixed number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from payments import ledger, rules
from payments.models.bills import Bill, BillItem
from payments.models.payments import Payment, PaymentBill
from payments.policy import Permission, parts_seen
from payments.ports import SCAN
from payments.queries.books import balances
from payments.queries.refunds import RefundView, refunds_of
from payments.rules import BillLine
from payments.states import LIVE, BillState, Part, PaymentState


@dataclass(frozen=True)
class PaidBill:
    """A bill in an attempt, and what has become of it there."""

    id: UUID
    number: str
    title: str
    amount_fen: int
    standing: str


@dataclass(frozen=True)
class PaymentView:
    """One attempt, seen from one of its bills. `cashier_url` is filled while the payer can still pay there.

    `amount_fen` is the whole payment, `share_fen` the part of this bill; `bills` are all that are paid together.
    """

    id: UUID
    number: str
    bill_id: UUID
    attempt: int
    standing: str
    state: str
    gateway: str
    method: str | None
    amount_fen: int
    started_at: datetime
    succeeded_at: datetime | None
    expires_at: datetime | None
    cashier_url: str | None
    scan_text: str | None
    payment_ref: str | None
    problem: str | None
    misfit: str | None
    share_fen: int
    bills: tuple[PaidBill, ...]

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True)
class BillView:
    """A bill with its lines; amounts in fen. `held_fen` is what the ledger holds for it now."""

    id: UUID
    number: str
    pay_code: str
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


def bill_by_code(pay_code: str) -> BillView:
    """The bill with this payment code, with its lines and attempts, for whoever holds the paper; raises NotFound."""
    row = db.session.scalar(sa.select(Bill).where(Bill.pay_code == pay_code))
    if row is None:
        raise NotFound
    (view,) = _views([row], with_lines=True)
    return replace(view, payments=_payments_of(row.id))


def basket(actor: Actor, bill_ids: Sequence[UUID]) -> tuple[BillView, ...]:
    """Bills that the actor wants to pay together, with their lines, by due date; raises NotFound for one of a stranger."""
    wanted = set(bill_ids)
    rows = db.session.scalars(
        sa.select(Bill).where(Bill.id.in_(wanted), _mine(actor, "payer")).order_by(Bill.due_at, Bill.number)
    ).all()
    if len(rows) != len(wanted):
        raise NotFound
    return _views(rows, with_lines=True)


def bills_of_subject(subject: str) -> tuple[BillView, ...]:
    """All bills of a subject, oldest first."""
    rows = db.session.scalars(sa.select(Bill).where(Bill.subject == subject).order_by(Bill.opened_at, Bill.id)).all()
    return _views(rows)


def bill_page(actor: Actor, bill_id: UUID) -> BillView:
    """The bill with everything that its page shows; raises NotFound for a stranger."""
    row = get(Bill, bill_id)
    parts = parts_seen(actor, row)
    (view,) = _views([row], with_lines=True)
    return replace(view, parts=parts, payments=_payments_of(row.id), refunds=refunds_of(row))


def payment_page(actor: Actor, payment_id: UUID) -> tuple[BillView, PaymentView]:
    """One attempt with the first of its bills, for the payer's return; raises NotFound for a stranger."""
    row = get(Payment, payment_id)
    parts = _parts_of([row.id])[row.id]
    bill = bill_page(actor, parts[0][0].bill_id)
    return bill, _payment_view(row, parts, parts[0][0].bill_id)


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


def due_bills(actor: Actor, limit: int = 50, *, with_lines: bool = False) -> tuple[BillView, ...]:
    """What the actor has to pay, the nearest date first; for the counter and the workbench."""
    statement = (
        sa.select(Bill).where(_mine(actor, "payer"), Bill.state == BillState.OPEN).order_by(Bill.due_at, Bill.id)
    )
    return _views(db.session.scalars(statement.limit(limit)).all(), with_lines=with_lines)


def unfinished_bills(organisation_id: UUID) -> tuple[BillView, ...]:
    """The bills that an organisation owes, or whose money has not reached it yet, by number. A fixed number of statements."""
    owed = sa.and_(Bill.payer_organisation_id == organisation_id, Bill.state == BillState.OPEN)
    awaited = sa.and_(Bill.payee_organisation_id == organisation_id, Bill.state.in_((BillState.OPEN, BillState.PAID)))
    return _views(db.session.scalars(sa.select(Bill).where(sa.or_(owed, awaited)).order_by(Bill.number)).all())


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
            pay_code=row.pay_code,
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
        line = BillLine(
            item.title, item.amount_fen, item.basis, item.standard or "", item.reduction_fen, item.reduction or ""
        )
        found.setdefault(item.bill_id, []).append(line)
    return found


_Parts = Sequence[tuple[PaymentBill, Bill]]


def _parts_of(payment_ids: Sequence[UUID]) -> dict[UUID, list[tuple[PaymentBill, Bill]]]:
    """The bills of attempts, in the order in which they are shown."""
    rows = db.session.execute(
        sa.select(PaymentBill, Bill)
        .join(Bill, Bill.id == PaymentBill.bill_id)
        .where(PaymentBill.payment_id.in_(payment_ids))
        .order_by(PaymentBill.payment_id, PaymentBill.position)
    )
    found: dict[UUID, list[tuple[PaymentBill, Bill]]] = {}
    for part, bill in rows:
        found.setdefault(part.payment_id, []).append((part, bill))
    return found


def _payment_view(row: Payment, parts: _Parts, bill_id: UUID) -> PaymentView:
    open_page = row.cashier_url if row.state == PaymentState.PENDING else None
    scan_text = open_page.removeprefix(SCAN) if open_page and open_page.startswith(SCAN) else None
    mine = next(part for part, _bill in parts if part.bill_id == bill_id)
    return PaymentView(
        id=row.id,
        number=row.number,
        bill_id=bill_id,
        attempt=mine.attempt,
        standing=mine.standing,
        state=row.state,
        gateway=row.gateway,
        method=row.method,
        amount_fen=row.amount_fen,
        started_at=row.started_at,
        succeeded_at=row.succeeded_at,
        expires_at=row.expires_at,
        cashier_url=f"/pay/cashier/{row.id}" if scan_text else open_page,
        scan_text=scan_text,
        payment_ref=row.payment_ref,
        problem=row.problem,
        misfit=mine.misfit,
        share_fen=mine.amount_fen,
        bills=tuple(PaidBill(b.id, b.number, b.title, part.amount_fen, part.standing) for part, b in parts),
    )


def _payments_of(bill_id: UUID) -> tuple[PaymentView, ...]:
    rows = db.session.scalars(
        sa.select(Payment)
        .join(PaymentBill, PaymentBill.payment_id == Payment.id)
        .where(PaymentBill.bill_id == bill_id)
        .order_by(PaymentBill.attempt.desc())
    ).all()
    parts = _parts_of([row.id for row in rows])
    return tuple(_payment_view(row, parts[row.id], bill_id) for row in rows)
