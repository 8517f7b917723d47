"""Bills and their lines."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
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
from payments.states import BILL, BillKind

WATCHERS = ("role:operator", "role:regulator", "role:auditor")


class Bill(Versioned, Stateful, Base):
    """What one payer owes for one subject. `amount_fen` is the sum of its lines; `due_at` does not make it vanish.

    `pay_code` (缴款码) is printed on the bill: whoever holds it may look the bill up and pay it.
    """

    __tablename__ = "bill"
    object_type: ClassVar[str] = "bill"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    pay_code: Mapped[str] = mapped_column(String(20), unique=True)
    subject: Mapped[str] = mapped_column(String(60), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(200))
    payer_organisation_id: Mapped[UUID | None] = uuid_fk("organisation.id", nullable=True, index=False)
    payer_user_id: Mapped[UUID | None] = uuid_fk("app_user.id", nullable=True, index=False)
    payee_organisation_id: Mapped[UUID | None] = uuid_fk("organisation.id", nullable=True, index=False)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    state: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    receipt_document_id: Mapped[UUID | None]

    __table_args__ = (
        named_check("kind", one_of("kind", BillKind)),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("currency", "currency = 'CNY'"),
        named_check("payer", "payer_organisation_id IS NOT NULL OR payer_user_id IS NOT NULL"),
        named_check("payee", "(kind = 'service_fee') = (payee_organisation_id IS NOT NULL)"),
        Index("ix_bill_payer_organisation", "payer_organisation_id", "state", "due_at"),
        Index("ix_bill_payer_user", "payer_user_id", "state", "due_at"),
        Index("ix_bill_payee", "payee_organisation_id", "state", "opened_at"),
        Index("ix_bill_state", "state", "due_at"),
        *state_checks(BILL),
    )

    def audience(self) -> tuple[str, ...]:
        """Payer, payee and those who watch."""
        keys = [f"org:{i}" for i in (self.payer_organisation_id, self.payee_organisation_id) if i]
        if self.payer_user_id:
            keys.append(f"user:{self.payer_user_id}")
        return (*keys, *WATCHERS)


class BillItem(Base):
    """One line of a bill: `amount_fen` is what is asked for after `reduction_fen`; 0 says that this item is free.

    `standard` is the tariff that the amount follows, `reduction` the ground of a reduction or exemption.
    """

    __tablename__ = "bill_line"
    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id", index=False)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    basis: Mapped[str] = mapped_column(String(500))
    standard: Mapped[str | None] = mapped_column(String(200))
    reduction_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    reduction: Mapped[str | None] = mapped_column(String(200))
    __table_args__ = (
        UniqueConstraint("bill_id", "position"),
        named_check("amount", "amount_fen >= 0"),
        named_check("whole", whole_fen("amount_fen", "reduction_fen")),
        named_check("reduction", "reduction_fen >= 0 AND (reduction_fen = 0 OR reduction IS NOT NULL)"),
    )


append_only(BillItem)
