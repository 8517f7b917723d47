"""Parcels: one delivery order each."""

from datetime import datetime
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
from delivery.observed import Status
from delivery.states import PARCEL, ParcelState


class Parcel(Base, Versioned, Stateful):
    """One delivery order: what goes to whom, how far we are, and the projection of what the carrier reports."""

    __tablename__ = "parcel"
    object_type: ClassVar[str] = "parcel"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    thread_id: Mapped[UUID] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    hall_organisation_id: Mapped[UUID]
    applicant_user_id: Mapped[UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(sa.String(20), default=ParcelState.CREATED)
    created_at: Mapped[datetime]
    serve_by: Mapped[datetime]
    contents: Mapped[str] = mapped_column(sa.String(200))
    department: Mapped[str] = mapped_column(sa.String(120), default="", server_default="")
    item: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    """Whose decision it brings, and on which approval item: for the statistics."""
    who_may_sign: Mapped[str] = mapped_column(sa.String(10))
    weight_g: Mapped[int] = mapped_column(sa.Integer(), default=120)

    receiver_name: Mapped[str] = mapped_column(sa.String(60))
    receiver_mobile: Mapped[str] = mapped_column(sa.String(20))
    receiver_prov: Mapped[str] = mapped_column(sa.String(40))
    receiver_city: Mapped[str] = mapped_column(sa.String(40))
    receiver_county: Mapped[str] = mapped_column(sa.String(40))
    receiver_address: Mapped[str] = mapped_column(sa.String(200))
    pickup_code: Mapped[str] = mapped_column(sa.String(6))

    ready_at: Mapped[datetime | None]
    packed_by: Mapped[UUID | None]
    packed_at: Mapped[datetime | None]
    checked_by: Mapped[UUID | None]
    checked_at: Mapped[datetime | None]
    seal_no: Mapped[str | None] = mapped_column(sa.String(40), unique=True)

    carrier: Mapped[str] = mapped_column(sa.String(20), default="ems")
    merged_into_id: Mapped[UUID | None] = uuid_fk("parcel.id", nullable=True)
    """The parcel of the same receiver that this one travels in."""
    rounds: Mapped[int] = mapped_column(sa.Integer(), default=0)
    """How many orders were made at the carrier for this parcel; each has its own order number."""
    order_no: Mapped[str | None] = mapped_column(sa.String(32), unique=True)
    booking_due_at: Mapped[datetime | None] = mapped_column(index=True)
    booking_tries: Mapped[int] = mapped_column(sa.Integer(), default=0)
    booking_uncertain: Mapped[bool] = mapped_column(default=False)
    booking_problem: Mapped[str | None] = mapped_column(sa.String(300))
    waybill_no: Mapped[str | None] = mapped_column(sa.String(20), index=True)
    route_code: Mapped[str | None] = mapped_column(sa.String(40))
    package_name: Mapped[str | None] = mapped_column(sa.String(60))
    destination_name: Mapped[str | None] = mapped_column(sa.String(60))
    label_printed_at: Mapped[datetime | None]
    label_prints: Mapped[int] = mapped_column(sa.Integer(), default=0)
    handed_over_at: Mapped[datetime | None]

    observed_status: Mapped[str] = mapped_column(sa.String(24), default=Status.LABEL_CREATED)
    observed_since: Mapped[datetime | None]
    failed_attempts: Mapped[int] = mapped_column(sa.Integer(), default=0)
    last_report_at: Mapped[datetime | None]
    last_checked_at: Mapped[datetime | None]
    check_problem: Mapped[str | None] = mapped_column(sa.String(300))
    next_poll_at: Mapped[datetime | None] = mapped_column(index=True)
    quiet_polls: Mapped[int] = mapped_column(sa.Integer(), default=0)
    signer_class: Mapped[str | None] = mapped_column(sa.String(20))
    signer_name: Mapped[str | None] = mapped_column(sa.String(60))
    delivered_at: Mapped[datetime | None]
    close_at: Mapped[datetime | None]

    erased_at: Mapped[datetime | None]
    """When name, telephone, address and whatever the carrier wrote about persons were erased."""

    track_tries: Mapped[int] = mapped_column(sa.Integer(), default=0)
    track_locked_until: Mapped[datetime | None]

    __table_args__ = (
        *state_checks(PARCEL),
        named_check("second_person", "checked_by IS NULL OR checked_by <> packed_by"),
        sa.Index("ix_parcel_hall", "hall_organisation_id", "state", "serve_by"),
    )

    def audience(self) -> tuple[str, ...]:
        """The hall and the applicant."""
        return (f"org:{self.hall_organisation_id}", f"user:{self.applicant_user_id}")
