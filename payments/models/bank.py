"""Bank transfers: what payers hand in, and what clerks read on the bank's statement."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    Versioned,
    append_only,
    named_check,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from payments.states import BANK_ENTRY


class Direction(StrEnum):
    """Whether money came to an account of ours or left it."""

    IN = "in"
    OUT = "out"


class TransferVoucher(Base):
    """The slip of a bank transfer that a payer handed in. It proves nothing: only the bank's statement does."""

    __tablename__ = "transfer_voucher"
    id: Mapped[UUID] = uuid_pk()
    payment_id: Mapped[UUID] = uuid_fk("payment.id")
    file_id: Mapped[UUID] = uuid_fk("stored_file.id", index=False)
    note: Mapped[str] = mapped_column(String(200))
    uploaded_by: Mapped[UUID]
    uploaded_at: Mapped[datetime]


append_only(TransferVoucher)


PURPOSE = (
    "(direction = 'in' AND refund_id IS NULL AND returns_id IS NULL AND (payment_id IS NULL OR payout_id IS NULL))"
    " OR (direction = 'out' AND payment_id IS NULL AND"
    " (CASE WHEN refund_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN payout_id IS NULL THEN 0 ELSE 1 END)"
    " + (CASE WHEN returns_id IS NULL THEN 0 ELSE 1 END) = 1)"
)
"""Money out always has exactly one reason; money in at most one."""


class BankEntry(Versioned, Stateful, Base):
    """One line of a bank statement, entered by one clerk and confirmed by another; only then does it move the books.

    `gateway` names the account it lies on. Money in belongs to a payment, is a payout that the agency's bank sent back or,
    without either, is unmatched; money out is a refund, a payout or the return of the unmatched money that the entry
    `returns_id` brought. `bank_ref` is the bank's own serial number of the movement, once per account.
    """

    __tablename__ = "bank_entry"
    object_type: ClassVar[str] = "bank_entry"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    gateway: Mapped[str] = mapped_column(String(16))
    direction: Mapped[str] = mapped_column(String(3))
    payment_id: Mapped[UUID | None] = uuid_fk("payment.id", nullable=True)
    refund_id: Mapped[UUID | None] = uuid_fk("refund.id", nullable=True)
    payout_id: Mapped[UUID | None] = uuid_fk("payout.id", nullable=True)
    returns_id: Mapped[UUID | None] = uuid_fk("bank_entry.id", nullable=True)
    bank_ref: Mapped[str] = mapped_column(String(60))
    counterparty: Mapped[str] = mapped_column(String(120))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    entered_by: Mapped[UUID]
    entered_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
    readers: Mapped[list[Any]] = mapped_column(JSONValue)

    __table_args__ = (
        named_check("direction", one_of("direction", Direction)),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("two_persons", "decided_by IS NULL OR decided_by <> entered_by"),
        named_check("purpose", PURPOSE),
        Index("uq_bank_entry_ref", "gateway", "bank_ref", unique=True, sqlite_where=sa.text("state <> 'rejected'"),
              postgresql_where=sa.text("state <> 'rejected'")),
        Index("ix_bank_entry_state", "state", "entered_at"),
        *state_checks(BANK_ENTRY),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """Those who watch the money; the payer is told of the payment instead."""
        return tuple(self.readers)
