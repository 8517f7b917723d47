"""Reads of bank transfers: what payers are told, their vouchers, and the lines of the statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from payments import rules
from payments.models.bank import BankEntry, TransferVoucher
from payments.models.payments import Payment
from payments.models.refunds import Refund
from payments.models.statements import UnmatchedMoney
from payments.policy import Permission
from payments.queries.bills import BillView, PaymentView, payment_page
from payments.states import LIVE, BankEntryState, Part, RefundState


@dataclass(frozen=True)
class VoucherView:
    """A slip that was handed in."""

    id: UUID
    payment_id: UUID
    file_id: UUID
    note: str
    uploaded_at: datetime


@dataclass(frozen=True)
class OwnCashier:
    """What our own cashier page shows: the account to transfer to, or the text of a QR code that a phone scans."""

    bill: BillView
    payment: PaymentView
    holder: str = ""
    bank: str = ""
    account: str = ""
    qr_text: str = ""
    vouchers: tuple[VoucherView, ...] = ()


@dataclass(frozen=True)
class WaitingTransfer:
    """A transfer that a payer announced and nobody has found on the statement yet. Amounts in fen."""

    payment_id: UUID
    number: str
    gateway: str
    amount_fen: int
    started_at: datetime
    expires_at: datetime | None
    vouchers: int
    is_entered: bool


@dataclass(frozen=True)
class WaitingRefund:
    """A refund that a clerk must transfer back by hand."""

    refund_id: UUID
    payment_number: str
    amount_fen: int
    requested_at: datetime
    is_entered: bool


@dataclass(frozen=True)
class EntryView:
    """One line of the statement, as entered."""

    id: UUID
    number: str
    gateway: str
    direction: str
    payment_id: UUID | None
    payment_number: str | None
    expected_fen: int | None
    refund_id: UUID | None
    payout_id: UUID | None
    returns_id: UUID | None
    unmatched_id: UUID | None
    bank_ref: str
    counterparty: str
    amount_fen: int
    moved_at: datetime
    state: str
    entered_by: UUID
    entered_by_name: str
    entered_at: datetime
    decided_by_name: str
    decided_at: datetime | None
    reason: str | None
    version: int
    parts: frozenset[Part] = frozenset()


def own_cashier(actor: Actor, payment_id: UUID) -> OwnCashier:
    """Our cashier page of an attempt. Raises NotFound for a stranger, and where the gateway has a page of its own."""
    bill, payment = payment_page(actor, payment_id)
    row = get(Payment, payment_id)
    if row.method == rules.BANK_TRANSFER:
        told = row.request
        return OwnCashier(
            bill, payment, told["holder"], told["bank"], told["account"], vouchers=vouchers_of(payment_id)
        )
    if payment.scan_text:
        return OwnCashier(bill, payment, qr_text=payment.scan_text)
    raise NotFound


def vouchers_of(payment_id: UUID) -> tuple[VoucherView, ...]:
    """The vouchers of an attempt, newest first."""
    rows = db.session.scalars(
        sa.select(TransferVoucher)
        .where(TransferVoucher.payment_id == payment_id)
        .order_by(TransferVoucher.uploaded_at.desc())
    )
    return tuple(VoucherView(row.id, row.payment_id, row.file_id, row.note, row.uploaded_at) for row in rows)


def voucher_file(actor: Actor, voucher_id: UUID) -> UUID:
    """The stored file of a voucher; raises NotFound for a stranger to its bills."""
    row = get(TransferVoucher, voucher_id)
    payment_page(actor, row.payment_id)
    return row.file_id


def waiting_transfers() -> tuple[WaitingTransfer, ...]:
    """Transfers that are announced and not confirmed, those with a voucher first, then by age."""
    vouchers = (
        sa.select(sa.func.count()).where(TransferVoucher.payment_id == Payment.id).correlate(Payment).scalar_subquery()
    )
    entered = (
        sa.exists()
        .where(BankEntry.payment_id == Payment.id, BankEntry.state == BankEntryState.ENTERED)
        .correlate(Payment)
    )
    rows = db.session.execute(
        sa.select(Payment, vouchers, entered)
        .where(Payment.state.in_(LIVE), Payment.method == rules.BANK_TRANSFER)
        .order_by((vouchers > 0).desc(), Payment.started_at)
        .limit(200)
    )
    return tuple(
        WaitingTransfer(p.id, p.number, p.gateway, p.amount_fen, p.started_at, p.expires_at, count, bool(is_entered))
        for p, count, is_entered in rows
    )


def waiting_refunds() -> tuple[WaitingRefund, ...]:
    """Approved refunds of transfers, which a person sends by a transfer back."""
    entered = (
        sa.exists().where(BankEntry.refund_id == Refund.id, BankEntry.state == BankEntryState.ENTERED).correlate(Refund)
    )
    rows = db.session.execute(
        sa.select(Refund, Payment.number, entered)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.state == RefundState.PENDING, Payment.method == rules.BANK_TRANSFER)
        .order_by(Refund.requested_at)
        .limit(200)
    )
    return tuple(WaitingRefund(r.id, number, r.amount_fen, r.requested_at, bool(done)) for r, number, done in rows)


def waiting_refund(refund_id: UUID) -> WaitingRefund:
    """One of them; raises NotFound."""
    found = next((one for one in waiting_refunds() if one.refund_id == refund_id), None)
    if found is None:
        raise NotFound
    return found


def entries_page(*, state: str | None, number: int = 1) -> Page[EntryView]:
    """The entered lines, newest first."""
    statement = (
        sa.select(BankEntry, Payment)
        .outerjoin(Payment, Payment.id == BankEntry.payment_id)
        .order_by(BankEntry.entered_at.desc(), BankEntry.id)
    )
    if state is not None:
        statement = statement.where(BankEntry.state == state)
    page: Page[Any] = page_of(cast("sa.Select[Any]", statement), number=number, scalars=False)
    return Page(_entry_views([tuple(row) for row in page.items]), page.number, page.size, page.total)


def entry_page(actor: Actor, entry_id: UUID) -> EntryView:
    """One entered line; raises NotFound for those who do not watch the money."""
    if not actor.may(Permission.BILLS_SUPERVISE):
        raise NotFound
    row = get(BankEntry, entry_id)
    payment = get(Payment, row.payment_id) if row.payment_id else None
    (view,) = _entry_views([(row, payment)])
    from dataclasses import replace

    return replace(view, parts=frozenset({Part.OPERATOR}) if actor.may(Permission.BANK_ENTER) else frozenset())


def _unmatched_of(entries: list[UUID]) -> dict[UUID, UUID]:
    """The unmatched money that these entries brought, by entry."""
    found = db.session.execute(
        sa.select(UnmatchedMoney.entry_id, UnmatchedMoney.id).where(UnmatchedMoney.entry_id.in_(entries))
    )
    return {row.entry_id: row.id for row in found}


def _entry_views(rows: list[Any]) -> tuple[EntryView, ...]:
    people = identity.persons_by_ids({i for row, _ in rows for i in (row.entered_by, row.decided_by) if i is not None})

    aside = _unmatched_of([row.returns_id or row.id for row, _ in rows])

    def name(user_id: UUID | None) -> str:
        return people[user_id].name if user_id in people else ""

    return tuple(
        EntryView(
            id=row.id,
            number=row.number,
            gateway=row.gateway,
            direction=row.direction,
            payment_id=row.payment_id,
            payment_number=payment.number if payment else None,
            expected_fen=payment.amount_fen if payment else None,
            refund_id=row.refund_id,
            payout_id=row.payout_id,
            returns_id=row.returns_id,
            unmatched_id=aside.get(row.returns_id or row.id),
            bank_ref=row.bank_ref,
            counterparty=row.counterparty,
            amount_fen=row.amount_fen,
            moved_at=row.moved_at,
            state=row.state,
            entered_by=row.entered_by,
            entered_by_name=name(row.entered_by),
            entered_at=row.entered_at,
            decided_by_name=name(row.decided_by),
            decided_at=row.decided_at,
            reason=row.reason,
            version=row.version,
        )
        for row, payment in rows
    )
