"""What a person must look at."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    uuid_fk,
    uuid_pk,
)


class TaskKind(StrEnum):
    """Why a person has to look at a parcel."""

    BOOKING_REFUSED = "booking_refused"
    BOOKING_UNCLEAR = "booking_unclear"
    EXTRA_WAYBILL = "extra_waybill"
    MISSING_AT_HANDOVER = "missing_at_handover"
    NOT_COLLECTED = "not_collected"
    STALLED = "stalled"
    DELIVERY_FAILED = "delivery_failed"
    DOUBTFUL_DELIVERY = "doubtful_delivery"
    DELIVERY_REVOKED = "delivery_revoked"
    RETURNING = "returning"
    LOST = "lost"
    CONTRADICTION = "contradiction"
    UNKNOWN_CODE = "unknown_code"
    UNCONFIRMED_NOTICE = "unconfirmed_notice"
    DISPUTED = "disputed"
    CUSTODY_GAP = "custody_gap"
    KEPT_TOO_LONG = "kept_too_long"
    CALL_RECEIVER = "call_receiver"
    CLAIM_UNANSWERED = "claim_unanswered"
    SOURCES_DISAGREE = "sources_disagree"
    DOUBTFUL_PROOF = "doubtful_proof"
    TWO_DELIVERIES = "two_deliveries"
    CODE_LOCKED = "code_locked"
    SERVE_DEADLINE = "serve_deadline"
    WISH = "wish"
    INTERCEPT = "intercept"


class ParcelTask(Base):
    """One thing that a person must look at; open until somebody says what was done, or the cause is gone."""

    __tablename__ = "parcel_task"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    hall_organisation_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(24))
    fact: Mapped[str] = mapped_column(sa.String(300), default="")
    """What exactly it is about, without personal data: a code, a number, the carrier's words."""
    cause: Mapped[str] = mapped_column(sa.String(80), default="")
    """Identity of the cause: a resolved task is not raised again for the same one."""
    raised_at: Mapped[datetime]
    due_at: Mapped[datetime]
    owner_user_id: Mapped[UUID | None] = mapped_column(index=True)
    owner_name: Mapped[str | None] = mapped_column(sa.String(80))
    owned_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None]
    resolution: Mapped[str | None] = mapped_column(sa.Text())

    __table_args__ = (
        sa.UniqueConstraint("parcel_id", "kind", "cause"),
        sa.Index("ix_parcel_task_open", "hall_organisation_id", "resolved_at", "due_at"),
    )
