"""Money on its way back."""

from datetime import datetime
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
    named_check,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from payments.states import REFUND, UNFINISHED_REFUND


class Refund(Versioned, Stateful, Base):
    """Money on its way back. `source` is the account that it was held from; approval is another person's."""

    __tablename__ = "refund"
    object_type: ClassVar[str] = "refund"

    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id")
    payment_id: Mapped[UUID] = uuid_fk("payment.id", index=False)
    thread_id: Mapped[UUID]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(60))
    request: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    gateway_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    requested_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]
    readers: Mapped[list[Any]] = mapped_column(JSONValue)
    requested_at: Mapped[datetime]
    check_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("two_persons", "approved_by IS NULL OR requested_by IS NULL OR approved_by <> requested_by"),
        Index("uq_refund_unfinished", "payment_id", "bill_id", unique=True,
              sqlite_where=sa.text(one_of("state", UNFINISHED_REFUND)),
              postgresql_where=sa.text(one_of("state", UNFINISHED_REFUND))),
        Index("ix_refund_state", "state", "check_at"),
        *state_checks(REFUND),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """As the bill's."""
        return tuple(self.readers)
