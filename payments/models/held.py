"""Held money in parts: what was released, what is frozen, and from where a refund was taken."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    append_only,
    named_check,
    uuid_fk,
    uuid_pk,
    whole_fen,
)


class Release(Base):
    """One part of a bill's money that became the agency's: gross amount and the platform's fee in it, in fen."""

    __tablename__ = "bill_release"
    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id", index=False)
    number: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    released_by: Mapped[UUID | None]
    released_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("bill_id", "number"),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen", "fee_fen")),
        named_check("fee", "fee_fen >= 0 AND fee_fen <= amount_fen"),
    )


append_only(Release)


class Freeze(Base):
    """A dispute stops exactly this much of a bill's money: `held_fen` in escrow, `balance_fen` of the agency's balance.

    `cause` is like "engagement:<uuid>" or "dispute:<uuid>"; one open freeze of a bill for each cause.
    """

    __tablename__ = "bill_freeze"
    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id")
    payee_organisation_id: Mapped[UUID | None] = mapped_column(index=True)
    cause: Mapped[str] = mapped_column(String(60))
    held_fen: Mapped[int] = mapped_column(BigInteger)
    balance_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    frozen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        named_check("whole", whole_fen("held_fen", "balance_fen")),
        named_check("amounts", "held_fen >= 0 AND balance_fen >= 0 AND held_fen + balance_fen > 0"),
        Index("uq_bill_freeze_open", "bill_id", "cause", unique=True, sqlite_where=sa.text("ended_at IS NULL"),
              postgresql_where=sa.text("ended_at IS NULL")),
    )  # fmt: skip


append_only(Freeze, mutable=("ended_at", "end_reason"))


class RefundShare(Base):
    """From which account a refund was taken, and how much (fen). All shares of a refund make its amount when it is sent."""

    __tablename__ = "refund_share"
    id: Mapped[UUID] = uuid_pk()
    refund_id: Mapped[UUID] = uuid_fk("refund.id")
    account: Mapped[str] = mapped_column(sa.ForeignKey("ledger_account.code"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
    )


append_only(RefundShare)
