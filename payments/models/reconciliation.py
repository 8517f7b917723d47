"""Comparing the books with the gateways: what they told of our balance, each comparison, and what did not fit."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    Versioned,
    append_only,
    iso_currency,
    named_check,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from payments.states import DAY_CLOSE, MISMATCH, MismatchKind

WATCHERS = ("role:operator", "role:regulator", "role:auditor")


class GatewayMovement(Base):
    """A gateway's own entry about our balance, kept as it was told: a day can be read without asking again."""

    __tablename__ = "gateway_movement"
    id: Mapped[UUID] = uuid_pk()
    gateway: Mapped[str] = mapped_column(String(16))
    ref: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(24))
    gross_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    object_ref: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("gateway", "ref"),
        named_check("whole", whole_fen("gross_fen", "fee_fen")),
        named_check("currency", iso_currency("currency")),
    )


append_only(GatewayMovement)


class EventCursor(Base):
    """Until when the list of a gateway's notices was read."""

    __tablename__ = "event_cursor"
    gateway: Mapped[str] = mapped_column(String(16), primary_key=True)
    read_until: Mapped[datetime]


class ReconciliationRun(Base):
    """One comparison of the books with a gateway, in fen: our account, its balance, and the sum of its movements."""

    __tablename__ = "recon_run"
    id: Mapped[UUID] = uuid_pk()
    gateway: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime]
    checked_at: Mapped[datetime] = mapped_column(index=True)
    asked_by: Mapped[UUID | None]
    movements: Mapped[int] = mapped_column(Integer)
    ours_fen: Mapped[int] = mapped_column(BigInteger)
    theirs_fen: Mapped[int] = mapped_column(BigInteger)
    net_fen: Mapped[int] = mapped_column(BigInteger)
    missing_here: Mapped[int] = mapped_column(Integer)
    missing_there: Mapped[int] = mapped_column(Integer)
    amounts: Mapped[int] = mapped_column(Integer)
    currencies: Mapped[int] = mapped_column(Integer)
    unbalanced: Mapped[int] = mapped_column(Integer)
    wrong_side: Mapped[int] = mapped_column(Integer)


append_only(ReconciliationRun)


class Mismatch(Versioned, Stateful, Base):
    """Something that stands differently here and there, until somebody has said why, or it is gone.

    `ours_fen` and `theirs_fen` are what each side has (fen; None where it has nothing). `booked_by` wrote it into the
    books; who closes it is somebody else.
    """

    __tablename__ = "recon_item"
    object_type: ClassVar[str] = "mismatch"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    run_id: Mapped[UUID | None] = uuid_fk("recon_run.id", nullable=True)
    gateway: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    ref: Mapped[str] = mapped_column(String(160))
    what: Mapped[str] = mapped_column(String(300))
    ours_fen: Mapped[int | None] = mapped_column(BigInteger)
    theirs_fen: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    moved_at: Mapped[datetime | None]
    bill_id: Mapped[UUID | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    found_at: Mapped[datetime]
    booked_by: Mapped[UUID | None]
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("gateway", "kind", "ref"),
        Index("ix_recon_item_state", "state", "kind", "found_at"),
        named_check("kind", one_of("kind", MismatchKind)),
        named_check("two_persons", "closed_by IS NULL OR booked_by IS NULL OR closed_by <> booked_by"),
        *state_checks(MISMATCH),
    )

    def audience(self) -> tuple[str, ...]:
        """Those who keep and watch the books."""
        return WATCHERS


class DayClose(Versioned, Stateful, Base):
    """The close of one business day (Beijing): the figures as signed, and the two persons who answer for them.

    `figures` is what the page showed; `bank_in_fen` and `bank_out_fen` are typed from the bank's statement of the day.
    """

    __tablename__ = "day_close"
    object_type: ClassVar[str] = "day_close"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    day: Mapped[date] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(String(12))
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSONValue)
    bank_in_fen: Mapped[int | None] = mapped_column(BigInteger)
    bank_out_fen: Mapped[int | None] = mapped_column(BigInteger)
    open_mismatches: Mapped[int] = mapped_column(Integer, default=0)
    reason: Mapped[str | None] = mapped_column(Text)
    signed_by: Mapped[UUID | None]
    signed_by_name: Mapped[str | None] = mapped_column(String(120))
    signed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_by_name: Mapped[str | None] = mapped_column(String(120))
    confirmed_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("two_persons", "confirmed_by IS NULL OR confirmed_by <> signed_by"),
        named_check("whole", whole_fen("bank_in_fen", "bank_out_fen")),
        named_check("bank", "bank_in_fen >= 0 AND bank_out_fen >= 0"),
        named_check("explained", "state = 'open' OR open_mismatches = 0 OR reason IS NOT NULL"),
        *state_checks(DAY_CLOSE),
    )

    def audience(self) -> tuple[str, ...]:
        """Those who keep and watch the books."""
        return WATCHERS
