"""Reads of what a bank account is expected to show: what waits for a line of its statement, and which lines are known."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel import clock
from app.kernel.db import db
from payments import ledger, rules
from payments.bank_statements import Awaited, KnownLine
from payments.bank_states import LineVerdict, UnmatchedState
from payments.models.bank import BankEntry, Direction
from payments.models.bills import Bill
from payments.models.ledger import LedgerEntry, LedgerTransaction
from payments.models.payments import Payment, PaymentBill
from payments.models.payouts import Payout
from payments.models.refunds import Refund
from payments.models.statements import UnmatchedMoney
from payments.outgoing_states import PayoutState
from payments.states import LIVE, BankEntryState, RefundState

BACK_WITHIN = timedelta(days=60)
"""So long after it was paid a payout that comes back is recognised by its number."""
_CHUNK = 500


def awaited_on(gateway: str) -> tuple[Awaited, ...]:
    """All that waits for a line of this account and has no entry yet. Six statements."""
    return (*_transfers(gateway), *_refunds(gateway), *_payouts(gateway), *_returns(gateway))


def _no_entry(column: InstrumentedAttribute[Any], of: InstrumentedAttribute[UUID]) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(column == of, BankEntry.state != BankEntryState.REJECTED)


def _transfers(gateway: str) -> list[Awaited]:
    rows = db.session.execute(
        sa.select(Payment.id, Payment.number, Payment.amount_fen).where(
            Payment.state.in_(LIVE), Payment.method == rules.BANK_TRANSFER, Payment.gateway == gateway,
            _no_entry(BankEntry.payment_id, Payment.id),
        )
    ).all()  # fmt: skip
    codes: dict[UUID, set[str]] = {}
    for payment_id, code in db.session.execute(
        sa.select(PaymentBill.payment_id, Bill.pay_code)
        .join(Bill, Bill.id == PaymentBill.bill_id)
        .join(Payment, Payment.id == PaymentBill.payment_id)
        .where(Payment.state.in_(LIVE), Payment.method == rules.BANK_TRANSFER, Payment.gateway == gateway)
    ):
        codes.setdefault(payment_id, set()).add(code)
    return [
        Awaited(row.id, LineVerdict.PAYMENT, frozenset({row.number, *codes.get(row.id, ())}), row.amount_fen)
        for row in rows
    ]


def _refunds(gateway: str) -> list[Awaited]:
    rows = db.session.execute(
        sa.select(Refund.id, Payment.number, Refund.amount_fen)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Refund.state == RefundState.PENDING, Payment.method == rules.BANK_TRANSFER, Payment.gateway == gateway,
            _no_entry(BankEntry.refund_id, Refund.id),
        )
    )  # fmt: skip
    return [Awaited(row.id, LineVerdict.REFUND, frozenset({row.number}), row.amount_fen) for row in rows]


def _payouts(gateway: str) -> list[Awaited]:
    ordered = sa.and_(Payout.state == PayoutState.SUBMITTED, _no_entry(BankEntry.payout_id, Payout.id))
    paid = sa.and_(Payout.state == PayoutState.PAID, Payout.arrived_at > clock.now() - BACK_WITHIN)
    rows = db.session.execute(
        sa.select(Payout.id, Payout.number, Payout.amount_fen, Payout.state).where(
            Payout.gateway == gateway, sa.or_(ordered, paid)
        )
    )
    return [
        Awaited(row.id, LineVerdict.PAYOUT_BACK if row.state == PayoutState.PAID else LineVerdict.PAYOUT,
                frozenset({row.number}), row.amount_fen)
        for row in rows
    ]  # fmt: skip


def _returns(gateway: str) -> list[Awaited]:
    rows = db.session.execute(
        sa.select(UnmatchedMoney.id, BankEntry.number, UnmatchedMoney.amount_fen)
        .join(BankEntry, BankEntry.id == UnmatchedMoney.entry_id)
        .where(UnmatchedMoney.state == UnmatchedState.TO_SEND, UnmatchedMoney.gateway == gateway)
    ).all()
    entered = set(
        db.session.scalars(
            sa.select(UnmatchedMoney.id)
            .join(BankEntry, BankEntry.returns_id == UnmatchedMoney.entry_id)
            .where(UnmatchedMoney.state == UnmatchedState.TO_SEND, BankEntry.state != BankEntryState.REJECTED)
        )
    )
    return [
        Awaited(row.id, LineVerdict.GIVEN_BACK, frozenset({row.number}), row.amount_fen)
        for row in rows
        if row.id not in entered
    ]


def known_on(gateway: str, refs: Sequence[str], *, by_entries: bool) -> dict[str, KnownLine]:
    """What we have under these serial numbers: entries, or postings where the provider tells of its payments itself."""
    found: dict[str, KnownLine] = {}
    for start in range(0, len(refs), _CHUNK):
        chunk = refs[start : start + _CHUNK]
        found |= _entries(gateway, chunk) if by_entries else _postings(gateway, chunk)
    return found


def _entries(gateway: str, refs: Sequence[str]) -> dict[str, KnownLine]:
    rows = db.session.scalars(
        sa.select(BankEntry).where(
            BankEntry.gateway == gateway, BankEntry.bank_ref.in_(refs), BankEntry.state != BankEntryState.REJECTED
        )
    )
    return {
        row.bank_ref: KnownLine(row.id, row.direction, row.amount_fen, row.state == BankEntryState.CONFIRMED)
        for row in rows
    }


def _postings(gateway: str, refs: Sequence[str]) -> dict[str, KnownLine]:
    rows = db.session.execute(
        sa.select(LedgerTransaction.id, LedgerTransaction.key, sa.func.sum(LedgerEntry.amount_fen))
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.key.in_([f"{gateway}:{ref}" for ref in refs]),
            LedgerEntry.account == ledger.at_gateway(gateway).code,
        )
        .group_by(LedgerTransaction.id, LedgerTransaction.key)
    )
    return {
        key.partition(":")[2]: KnownLine(tx_id, (Direction.IN if fen > 0 else Direction.OUT).value, abs(int(fen)), True)
        for tx_id, key, fen in rows
    }
