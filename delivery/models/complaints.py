"""Complaints of receivers."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, Versioned, named_check, one_of, state_checks, uuid_fk, uuid_pk
from delivery.states import COMPLAINT, ComplaintState


class ComplaintKind(StrEnum):
    """What a receiver complains about."""

    LATE = "late"
    NOT_RECEIVED = "not_received"
    WRONG_PERSON = "wrong_person"
    DAMAGED = "damaged"
    MANNER = "manner"
    FEE = "fee"
    OTHER = "other"


class Complaint(Base, Versioned, Stateful):
    """One complaint about one parcel: answered by the hall, decided by the operator where that does not settle it."""

    __tablename__ = "delivery_complaint"
    object_type: ClassVar[str] = "delivery-complaint"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    thread_id: Mapped[UUID]
    hall_organisation_id: Mapped[UUID]
    applicant_user_id: Mapped[UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(sa.String(12), default=ComplaintState.FILED)
    kind: Mapped[str] = mapped_column(sa.String(16))
    text: Mapped[str] = mapped_column(sa.Text())
    by_link: Mapped[bool] = mapped_column(default=False)
    filed_at: Mapped[datetime]
    reply_due_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(sa.Text())
    answered_at: Mapped[datetime | None]
    close_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    decision: Mapped[str | None] = mapped_column(sa.Text())
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        *state_checks(COMPLAINT),
        named_check("kind", one_of("kind", ComplaintKind)),
        sa.Index("ix_delivery_complaint_hall", "hall_organisation_id", "state", "reply_due_at"),
        sa.Index(
            "uq_delivery_complaint_open", "parcel_id", unique=True, sqlite_where=sa.text("state IN ('filed', 'answered', 'escalated')"),
            postgresql_where=sa.text("state IN ('filed', 'answered', 'escalated')"),
        ),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The hall and the applicant; the operator sees all."""
        return (f"org:{self.hall_organisation_id}", f"user:{self.applicant_user_id}")
