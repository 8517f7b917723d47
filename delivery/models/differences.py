"""What differed when a hand-over list was signed, and how it was cleared up."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, named_check, one_of, uuid_fk, uuid_pk


class Resolution(StrEnum):
    """What became of a parcel that was on the list but not there."""

    FOUND = "found"
    LEFT_BEHIND = "left_behind"
    WITH_CARRIER = "with_carrier"
    LOST = "lost"


class HandoverDifference(Base):
    """One line of a signed list whose parcel was missing; open until somebody says what became of it."""

    __tablename__ = "handover_difference"

    id: Mapped[UUID] = uuid_pk()
    batch_id: Mapped[UUID] = uuid_fk("handover_batch.id")
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    hall_organisation_id: Mapped[UUID]
    raised_at: Mapped[datetime]
    resolution: Mapped[str | None] = mapped_column(sa.String(16))
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    resolved_by: Mapped[UUID | None]
    resolved_name: Mapped[str | None] = mapped_column(sa.String(80))
    resolved_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("resolution", f"resolution IS NULL OR {one_of('resolution', Resolution)}"),
        named_check(
            "settled", "(resolution IS NULL) = (resolved_at IS NULL) AND (resolution IS NULL OR reason IS NOT NULL)"
        ),
        sa.UniqueConstraint("batch_id", "parcel_id"),
        sa.Index("ix_handover_difference_open", "hall_organisation_id", "resolved_at"),
    )
