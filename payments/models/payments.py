"""Attempts to pay at a gateway, and the bills that each of them pays together."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
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
from payments.ledger import TREASURY_GATEWAYS
from payments.states import LIVE, PAYMENT, BillKind, Standing


class Payment(Versioned, Stateful, Base):
    """One attempt to pay one or several bills of one payer and one kind (`PaymentBill`), as one payment at a gateway.

    `request` and `idempotency_key` are stored before the gateway is called, and what is sent is always what is stored.
    `thread_id` is that of its first bill.
    """

    __tablename__ = "payment"
    object_type: ClassVar[str] = "payment"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(String(24), unique=True)
    thread_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(16))
    gateway: Mapped[str] = mapped_column(String(16))
    method: Mapped[str | None] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    state: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    session_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    payment_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    cashier_url: Mapped[str | None] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(String(80))
    misfit: Mapped[str | None] = mapped_column(String(24))
    started_by: Mapped[UUID | None]
    readers: Mapped[list[Any]] = mapped_column(JSONValue)
    started_at: Mapped[datetime]
    check_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("kind", one_of("kind", BillKind)),
        named_check("currency", "currency = 'CNY'"),
        named_check("treasury", f"(kind = 'statutory_fee') = ({one_of('gateway', TREASURY_GATEWAYS)})"),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        Index("ix_payment_check", "check_at", sqlite_where=sa.text(one_of("state", LIVE)),
              postgresql_where=sa.text(one_of("state", LIVE))),
        *state_checks(PAYMENT),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The payer's side and those who watch; a payee is told when money has arrived, not of attempts."""
        return tuple(self.readers)


class PaymentBill(Base):
    """The part of an attempt that pays one bill, in fen; `attempt` counts the attempts on that bill, `position` its bills.

    At most one attempt on a bill is live and at most one was credited to it (partial unique indexes): a double click or a
    second tab meets the first attempt, whatever other bills are paid with it.
    """

    __tablename__ = "payment_bill"
    payment_id: Mapped[UUID] = uuid_fk("payment.id", index=False, primary_key=True)
    bill_id: Mapped[UUID] = uuid_fk("bill.id", index=False, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    attempt: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    standing: Mapped[str] = mapped_column(String(12))
    misfit: Mapped[str | None] = mapped_column(String(24))

    __table_args__ = (
        UniqueConstraint("bill_id", "attempt"),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("standing", one_of("standing", Standing)),
        Index("uq_payment_bill_live", "bill_id", unique=True, sqlite_where=sa.text("standing = 'live'"),
              postgresql_where=sa.text("standing = 'live'")),
        Index("uq_payment_bill_credited", "bill_id", unique=True, sqlite_where=sa.text("standing = 'credited'"),
              postgresql_where=sa.text("standing = 'credited'")),
    )  # fmt: skip
