"""Hand-over lists, counted and signed on both sides."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    Stateful,
    Versioned,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from delivery.states import BATCH, BatchState


class HandoverBatch(Base, Versioned, Stateful):
    """A hand-over list (交接清单): counted and signed on both sides."""

    __tablename__ = "handover_batch"
    object_type: ClassVar[str] = "handover-batch"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    hall_organisation_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(sa.String(20), default=BatchState.OPEN)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID]
    offered_by: Mapped[UUID | None]
    offered_name: Mapped[str | None] = mapped_column(sa.String(80))
    offered_at: Mapped[datetime | None]
    offered_count: Mapped[int | None] = mapped_column(sa.Integer())
    taken_by: Mapped[UUID | None]
    taken_name: Mapped[str | None] = mapped_column(sa.String(80))
    taken_at: Mapped[datetime | None]
    taken_count: Mapped[int | None] = mapped_column(sa.Integer())
    courier_name: Mapped[str | None] = mapped_column(sa.String(40))
    courier_staff_no: Mapped[str | None] = mapped_column(sa.String(40))
    remark: Mapped[str | None] = mapped_column(sa.String(500))

    __table_args__ = (
        *state_checks(BATCH),
        named_check("two_signatures", "taken_by IS NULL OR taken_by <> offered_by"),
        sa.Index("ix_handover_batch_hall", "hall_organisation_id", "state", "created_at"),
    )

    @property
    def thread_id(self) -> UUID:
        """A list is its own journey; each of its parcels has another."""
        return self.id

    def audience(self) -> tuple[str, ...]:
        """The hall."""
        return (f"org:{self.hall_organisation_id}",)


class LineOutcome(StrEnum):
    """What became of a line of the list."""

    LISTED = "listed"
    TAKEN = "taken"
    MISSING = "missing"


class HandoverLine(Base):
    """One parcel on one list."""

    __tablename__ = "handover_line"

    id: Mapped[UUID] = uuid_pk()
    batch_id: Mapped[UUID] = uuid_fk("handover_batch.id")
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    outcome: Mapped[str] = mapped_column(sa.String(12), default=LineOutcome.LISTED)
    listed_at: Mapped[datetime]

    __table_args__ = (
        named_check("outcome", "outcome IN ('listed', 'taken', 'missing')"),
        sa.UniqueConstraint("batch_id", "parcel_id"),
        # a parcel stands on one unfinished list at most
        sa.Index(
            "uq_handover_line_listed", "parcel_id", unique=True, sqlite_where=sa.text("outcome = 'listed'"),
            postgresql_where=sa.text("outcome = 'listed'"),
        ),
    )  # fmt: skip
