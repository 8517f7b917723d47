"""Imported statements of bank accounts, and money on them that fits no open bill."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    Versioned,
    named_check,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from payments.bank_states import BANK_STATEMENT, UNMATCHED_MONEY, LineVerdict
from payments.models.bank import Direction
from payments.models.bills import WATCHERS


class BankStatement(Versioned, Stateful, Base):
    """A file with all movements of one account from `first_day` to `last_day` (Beijing, both included), amounts in fen.

    Handed in by one person, taken over by another. `gateway` names the account. `opening_fen` and `closing_fen` are the
    balances that the statement itself names, where it does.
    """

    __tablename__ = "bank_statement"
    object_type: ClassVar[str] = "bank_statement"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    gateway: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    opening_fen: Mapped[int | None] = mapped_column(BigInteger)
    closing_fen: Mapped[int | None] = mapped_column(BigInteger)
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    problems: Mapped[list[Any]] = mapped_column(JSONValue)
    line_count: Mapped[int] = mapped_column(Integer)
    in_fen: Mapped[int] = mapped_column(BigInteger)
    out_fen: Mapped[int] = mapped_column(BigInteger)
    handed_in_by: Mapped[UUID]
    handed_in_by_name: Mapped[str] = mapped_column(String(120))
    handed_in_at: Mapped[datetime]
    applied_by: Mapped[UUID | None]
    applied_by_name: Mapped[str | None] = mapped_column(String(120))
    applied_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("days", "first_day <= last_day"),
        named_check("sums", "in_fen >= 0 AND out_fen >= 0"),
        named_check("balances", "(opening_fen IS NULL) = (closing_fen IS NULL)"),
        named_check("two_persons", "applied_by IS NULL OR applied_by <> handed_in_by"),
        Index("uq_bank_statement_file", "gateway", "file_sha256", unique=True,
              sqlite_where=sa.text("state <> 'discarded'"), postgresql_where=sa.text("state <> 'discarded'")),
        Index("ix_bank_statement_days", "gateway", "state", "last_day"),
        *state_checks(BANK_STATEMENT),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """Those who watch the money."""
        return WATCHERS


class BankStatementLine(Base):
    """One line of a statement: `bank_ref` is the bank's serial number, once in a file; `reference` what the sender wrote.

    `verdict` says what it is to us and `matched_id` the payment, refund, payout, entry or unmatched money that it names;
    both are decided again when the statement is taken over, and `entry_id` is then the entry of ours.
    """

    __tablename__ = "bank_statement_line"

    id: Mapped[UUID] = uuid_pk()
    statement_id: Mapped[UUID] = uuid_fk("bank_statement.id", index=False)
    row: Mapped[int] = mapped_column(Integer)
    bank_ref: Mapped[str] = mapped_column(String(60))
    direction: Mapped[str] = mapped_column(String(3))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime]
    counterparty: Mapped[str] = mapped_column(String(120))
    reference: Mapped[str] = mapped_column(String(200))
    verdict: Mapped[str] = mapped_column(String(16))
    matched_id: Mapped[UUID | None]
    entry_id: Mapped[UUID | None] = uuid_fk("bank_entry.id", nullable=True)

    __table_args__ = (
        UniqueConstraint("statement_id", "bank_ref"),
        named_check("direction", one_of("direction", Direction)),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("verdict", one_of("verdict", LineVerdict)),
    )


class UnmatchedMoney(Versioned, Stateful, Base):
    """Money that came to an account of ours with no or a wrong reference. It lies in suspense until two persons decide.

    `entry_id` is the entry that brought it. `bill_id` is the bill that is proposed or has got it, `payment_id` the attempt
    that then stands for it.
    """

    __tablename__ = "unmatched_money"
    object_type: ClassVar[str] = "unmatched_money"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    entry_id: Mapped[UUID] = uuid_fk("bank_entry.id", index=False)
    gateway: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12))
    found_at: Mapped[datetime]
    bill_id: Mapped[UUID | None] = uuid_fk("bill.id", nullable=True)
    payment_id: Mapped[UUID | None] = uuid_fk("payment.id", nullable=True, index=False)
    reason: Mapped[str | None] = mapped_column(Text)
    proposed_by: Mapped[UUID | None]
    proposed_by_name: Mapped[str | None] = mapped_column(String(120))
    proposed_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("entry_id"),
        UniqueConstraint("payment_id"),
        named_check("amount", "amount_fen > 0"),
        named_check("two_persons", "decided_by IS NULL OR (proposed_by IS NOT NULL AND decided_by <> proposed_by)"),
        Index("ix_unmatched_money_state", "state", "found_at"),
        *state_checks(UNMATCHED_MONEY),
    )

    def audience(self) -> tuple[str, ...]:
        """Those who watch the money; the payer of a bill is told of its payment instead."""
        return WATCHERS
