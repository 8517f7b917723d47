"""Disputes: a payer's bank takes the money back until it is decided whose it is."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    Versioned,
    append_only,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from payments.outgoing_states import PAYMENT_DISPUTE


class PaymentDispute(Versioned, Stateful, Base):
    """One dispute of a payment. A lost one ends with a decision: the platform bears the loss, or the frozen money does."""

    __tablename__ = "payment_dispute"
    object_type: ClassVar[str] = "payment_dispute"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    payment_id: Mapped[UUID] = uuid_fk("payment.id")
    bill_id: Mapped[UUID] = uuid_fk("bill.id")
    gateway: Mapped[str] = mapped_column(String(16))
    gateway_ref: Mapped[str] = mapped_column(String(120), unique=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(16))
    due_by: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    check_at: Mapped[datetime]
    alarmed_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
    loss_settled: Mapped[str | None] = mapped_column(String(12))
    loss_settled_by: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]
    readers: Mapped[list[Any]] = mapped_column(JSONValue)

    __table_args__ = (
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("loss", "loss_settled IS NULL OR (state = 'lost' AND loss_settled IN ('borne', 'recovered'))"),
        Index("ix_payment_dispute_state", "state", "due_by"),
        *state_checks(PAYMENT_DISPUTE),
    )

    def audience(self) -> tuple[str, ...]:
        """The agency whose money is frozen and those who watch; the payer deals with the own bank."""
        return tuple(self.readers)


class DisputeEvidence(Base):
    """A file that supports our answer. Never changed."""

    __tablename__ = "dispute_evidence"
    id: Mapped[UUID] = uuid_pk()
    dispute_id: Mapped[UUID] = uuid_fk("payment_dispute.id")
    file_id: Mapped[UUID] = uuid_fk("stored_file.id", index=False)
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str] = mapped_column(String(120))
    uploaded_at: Mapped[datetime]


append_only(DisputeEvidence)
