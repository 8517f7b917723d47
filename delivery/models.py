"""Tables of delivery: parcels, their waybills, what the carrier reported, hand-over batches, and what staff must look at."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    Stateful,
    Versioned,
    append_only,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from delivery.observed import Status
from delivery.states import BATCH, PARCEL, BatchState, ParcelState


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


class WaybillState(StrEnum):
    """What we want of a number: carried, being given up, given up, or refused to be given up."""

    LIVE = "live"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    STUCK = "stuck"


class Waybill(Base):
    """Every number that was ever learnt for a parcel. At most one of a parcel is live."""

    __tablename__ = "waybill"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    waybill_no: Mapped[str] = mapped_column(sa.String(20), unique=True)
    order_no: Mapped[str] = mapped_column(sa.String(32))
    state: Mapped[str] = mapped_column(sa.String(12))
    source: Mapped[str] = mapped_column(sa.String(12))
    created_at: Mapped[datetime]
    cancel_due_at: Mapped[datetime | None] = mapped_column(index=True)
    cancel_tries: Mapped[int] = mapped_column(sa.Integer(), default=0)
    label_pdf: Mapped[bytes | None] = mapped_column(sa.LargeBinary(), deferred=True)
    label_fetched_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("state", "state IN ('live', 'cancelling', 'cancelled', 'stuck')"),
        sa.Index(
            "uq_waybill_live", "parcel_id", unique=True, sqlite_where=sa.text("state = 'live'"),
            postgresql_where=sa.text("state = 'live'"),
        ),
    )  # fmt: skip


class CarrierEvent(Base):
    """One report of the carrier, confirmed by a query. `seen` is our reading of `raw` under `mapping_version`.

    Append-only; the three named columns may be rewritten when a better mapping is replayed or personal data is erased.
    """

    __tablename__ = "carrier_event"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    waybill_no: Mapped[str] = mapped_column(sa.String(20))
    key: Mapped[str] = mapped_column(sa.String(64))
    code: Mapped[str] = mapped_column(sa.String(12))
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    seen: Mapped[dict[str, Any]]
    raw: Mapped[dict[str, Any]]
    mapping_version: Mapped[str] = mapped_column(sa.String(20))

    __table_args__ = (
        sa.UniqueConstraint("parcel_id", "key"),
        sa.Index("ix_carrier_event_time", "parcel_id", "occurred_at"),
    )


append_only(CarrierEvent, mutable=("seen", "raw", "mapping_version"))


class CarrierHint(Base):
    """An event that a push announced. It decides nothing until a query shows the same event."""

    __tablename__ = "carrier_hint"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    waybill_no: Mapped[str] = mapped_column(sa.String(20))
    key: Mapped[str] = mapped_column(sa.String(64))
    code: Mapped[str] = mapped_column(sa.String(12))
    received_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(sa.Integer(), default=0)

    __table_args__ = (sa.UniqueConstraint("parcel_id", "key"),)


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
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None]
    resolution: Mapped[str | None] = mapped_column(sa.Text())

    __table_args__ = (
        sa.UniqueConstraint("parcel_id", "kind", "cause"),
        sa.Index("ix_parcel_task_open", "hall_organisation_id", "resolved_at", "due_at"),
    )


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
