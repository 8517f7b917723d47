"""The closing of a hall's day, and claims against the carrier."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, Versioned, named_check, state_checks, uuid_fk, uuid_pk
from delivery.states import CLAIM, HALL_DAY, ClaimState, HallDayState


class HallDay(Base, Versioned, Stateful):
    """One day of one hall: what lay on each shelf, what was carried over and why, signed by a supervisor (日终盘点)."""

    __tablename__ = "hall_day"
    object_type: ClassVar[str] = "hall-day"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    hall_organisation_id: Mapped[UUID]
    day: Mapped[date]
    state: Mapped[str] = mapped_column(sa.String(12), default=HallDayState.COUNTED)
    shelves: Mapped[list[Any]]
    """One row a shelf: `shelf`, `expected`, `counted`, `reason` for what stays overnight."""
    open_items: Mapped[list[Any]]
    """Lists, differences and exceptions that were open: `kind`, `count`, `reason`."""
    flow: Mapped[dict[str, Any]]
    """What the day moved: packed, handed over, delivered, came back."""
    counted_by: Mapped[UUID]
    counted_name: Mapped[str] = mapped_column(sa.String(80))
    counted_at: Mapped[datetime]
    signed_by: Mapped[UUID | None]
    signed_name: Mapped[str | None] = mapped_column(sa.String(80))
    signed_at: Mapped[datetime | None]
    remark: Mapped[str | None] = mapped_column(sa.String(500))

    __table_args__ = (
        *state_checks(HALL_DAY),
        named_check("two_persons", "signed_by IS NULL OR signed_by <> counted_by"),
        sa.UniqueConstraint("hall_organisation_id", "day"),
    )

    @property
    def thread_id(self) -> UUID:
        """A day is its own journey."""
        return self.id

    def audience(self) -> tuple[str, ...]:
        """The hall."""
        return (f"org:{self.hall_organisation_id}",)


class Claim(Base, Versioned, Stateful):
    """A claim against the carrier for a parcel that was lost, damaged or late (索赔)."""

    __tablename__ = "carrier_claim"
    object_type: ClassVar[str] = "carrier-claim"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    hall_organisation_id: Mapped[UUID]
    thread_id: Mapped[UUID]
    waybill_no: Mapped[str] = mapped_column(sa.String(20), index=True)
    ground: Mapped[str] = mapped_column(sa.String(12))
    asked_fen: Mapped[int]
    statement: Mapped[str] = mapped_column(sa.String(2000))
    state: Mapped[str] = mapped_column(sa.String(12), default=ClaimState.FILED)
    filed_by_name: Mapped[str] = mapped_column(sa.String(80))
    filed_at: Mapped[datetime]
    answer_due_at: Mapped[datetime] = mapped_column(index=True)
    reference: Mapped[str | None] = mapped_column(sa.String(60))
    """The carrier's own number of the claim."""
    answer: Mapped[str | None] = mapped_column(sa.String(2000))
    answered_at: Mapped[datetime | None]
    granted_fen: Mapped[int | None]
    paid_at: Mapped[datetime | None]

    __table_args__ = (
        *state_checks(CLAIM),
        named_check("ground", "ground IN ('lost', 'damaged', 'late')"),
        named_check("amounts", "asked_fen > 0 AND (granted_fen IS NULL OR (granted_fen > 0 AND granted_fen <= asked_fen))"),
        sa.Index("ix_carrier_claim_hall", "hall_organisation_id", "state", "filed_at"),
        # one claim of a parcel stands; a refused or withdrawn one makes room
        sa.Index(
            "uq_carrier_claim_standing", "parcel_id", unique=True, sqlite_where=sa.text("state IN ('filed', 'granted', 'paid')"),
            postgresql_where=sa.text("state IN ('filed', 'granted', 'paid')"),
        ),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The hall, and who oversees."""
        return (f"org:{self.hall_organisation_id}", "role:operator", "role:auditor", "role:regulator")
