"""Collections of originals from applicants: the way in of two-way courier."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, Versioned, state_checks, uuid_fk, uuid_pk
from delivery.observed import Status
from delivery.states import PAPERS, PapersState


class PapersOrder(Base, Versioned, Stateful):
    """One collection at an applicant's address. `papers` is the applicant's list, which the hall compares on receipt."""

    __tablename__ = "papers_order"
    object_type: ClassVar[str] = "papers"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    thread_id: Mapped[UUID]
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    hall_organisation_id: Mapped[UUID]
    applicant_user_id: Mapped[UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(sa.String(12), default=PapersState.REQUESTED)
    created_at: Mapped[datetime]
    papers: Mapped[list[Any]]

    sender_name: Mapped[str] = mapped_column(sa.String(60))
    sender_mobile: Mapped[str] = mapped_column(sa.String(20))
    sender_prov: Mapped[str] = mapped_column(sa.String(40))
    sender_city: Mapped[str] = mapped_column(sa.String(40))
    sender_county: Mapped[str] = mapped_column(sa.String(40))
    sender_address: Mapped[str] = mapped_column(sa.String(200))
    pickup_on: Mapped[date] = mapped_column(sa.Date())
    pickup_window: Mapped[str] = mapped_column(sa.String(11))

    order_no: Mapped[str | None] = mapped_column(sa.String(32), unique=True)
    waybill_no: Mapped[str | None] = mapped_column(sa.String(20), unique=True)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the carrier is asked next: for a number, then for its reports."""
    tries: Mapped[int] = mapped_column(sa.Integer(), default=0)
    problem: Mapped[str | None] = mapped_column(sa.String(300))
    observed_status: Mapped[str] = mapped_column(sa.String(24), default=Status.LABEL_CREATED)
    observed_since: Mapped[datetime | None]
    reports: Mapped[list[Any]] = mapped_column(default=list)
    """The carrier's reports as last heard, masked: [{"at", "title", "office"}], oldest first."""

    received_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None]
    missing: Mapped[list[Any]] = mapped_column(default=list)
    remark: Mapped[str | None] = mapped_column(sa.String(500))
    parcel_id: Mapped[UUID | None] = uuid_fk("parcel.id", nullable=True)
    """The parcel in which the originals go back."""
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        *state_checks(PAPERS),
        sa.Index("ix_papers_order_hall", "hall_organisation_id", "state", "created_at"),
        sa.Index(
            "uq_papers_order_open", "subject", unique=True, sqlite_where=sa.text("state IN ('requested', 'booked')"),
            postgresql_where=sa.text("state IN ('requested', 'booked')"),
        ),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The hall and the applicant."""
        return (f"org:{self.hall_organisation_id}", f"user:{self.applicant_user_id}")
