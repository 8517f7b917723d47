"""Parcels that came back: why, in which condition, and what was decided."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, named_check, one_of, uuid_fk, uuid_pk


class ReturnDecision(StrEnum):
    """What is done with a parcel that came back."""

    RESEND = "resend"
    KEEP = "keep"
    CALL = "call"
    CENTRE = "centre"


class ParcelReturn(Base):
    """One return of one parcel to the returns desk (退件)."""

    __tablename__ = "parcel_return"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    hall_organisation_id: Mapped[UUID]
    waybill_no: Mapped[str | None] = mapped_column(sa.String(20))
    arrived_at: Mapped[datetime]
    received_name: Mapped[str] = mapped_column(sa.String(80))
    cause: Mapped[str] = mapped_column(sa.String(24))
    seal_intact: Mapped[bool]
    remark: Mapped[str | None] = mapped_column(sa.String(500))
    decision: Mapped[str | None] = mapped_column(sa.String(12))
    decided_name: Mapped[str | None] = mapped_column(sa.String(80))
    decided_at: Mapped[datetime | None]
    keep_until: Mapped[datetime | None] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("decision", f"decision IS NULL OR {one_of('decision', ReturnDecision)}"),
        named_check("keep", "decision IS NULL OR decision <> 'keep' OR keep_until IS NOT NULL"),
        # a parcel lies on the desk once
        sa.Index(
            "uq_parcel_return_open", "parcel_id", unique=True, sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("ix_parcel_return_hall", "hall_organisation_id", "ended_at", "arrived_at"),
    )  # fmt: skip
