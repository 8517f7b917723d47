"""What couriers recorded at doors: kept as it came, never changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, append_only, named_check, one_of, uuid_fk
from delivery.doorstep import RecordKind


class Standing(StrEnum):
    """What a record came to when it arrived. A later one never changes an earlier one."""

    COUNTED = "counted"
    """It decided: the parcel moved by it."""
    EVIDENCE = "evidence"
    """Sound proof of a parcel that an outside carrier reports about: it supports or contradicts that report."""
    DOUBTFUL = "doubtful"
    """A person has to look at it."""
    CONFLICT = "conflict"
    """Another courier's delivery of the same parcel arrived before."""
    REFUSED = "refused"
    """It came from a handset that had been replaced or given up: kept as evidence, and refused."""
    LATE = "late"
    """The parcel was settled before; nothing follows from it."""


class DoorRecord(Base):
    """One record of a handset, with both its times and the hashes of its pictures.

    The id is made by the handset, so that an upload that is repeated finds it here. Columns that name a person may be
    emptied when personal data are erased; everything else stays as it came.
    """

    __tablename__ = "door_record"

    id: Mapped[UUID] = mapped_column(sa.Uuid(), primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    stop_id: Mapped[UUID] = uuid_fk("round_stop.id")
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    waybill_no: Mapped[str] = mapped_column(sa.String(20))
    courier_user_id: Mapped[UUID]
    courier_name: Mapped[str] = mapped_column(sa.String(80))
    device_id: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[str] = mapped_column(sa.String(12))
    standing: Mapped[str] = mapped_column(sa.String(12))
    doubts: Mapped[list[Any]]
    device_at: Mapped[datetime]
    offset_ms: Mapped[int]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    is_skewed: Mapped[bool]

    signer: Mapped[str | None] = mapped_column(sa.String(12))
    signer_name: Mapped[str | None] = mapped_column(sa.String(60))
    id_type: Mapped[str | None] = mapped_column(sa.String(20))
    id_last4: Mapped[str | None] = mapped_column(sa.String(4))
    code_check: Mapped[str] = mapped_column(sa.String(6))
    reason: Mapped[str | None] = mapped_column(sa.String(24))
    next_step: Mapped[str | None] = mapped_column(sa.String(12))
    note: Mapped[str | None] = mapped_column(sa.String(500))
    photo_file_id: Mapped[UUID | None] = uuid_fk("stored_file.id", nullable=True, index=False)
    photo_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    signature_file_id: Mapped[UUID | None] = uuid_fk("stored_file.id", nullable=True, index=False)
    signature_sha256: Mapped[str | None] = mapped_column(sa.String(64))

    __table_args__ = (
        named_check("record_kind", one_of("kind", RecordKind)),
        named_check("record_standing", one_of("standing", Standing)),
        named_check("who_signed", "kind <> 'delivered' OR signer IS NOT NULL"),
        named_check("why_not", "kind <> 'failed' OR (reason IS NOT NULL AND next_step IS NOT NULL)"),
        sa.Index("ix_door_record_parcel", "parcel_id", "received_at"),
        # one delivery of a parcel decides; a second one of the same carriage is refused by the database too
        sa.Index(
            "uq_door_record_counted", "waybill_no", unique=True, sqlite_where=sa.text("kind = 'delivered' AND standing = 'counted'"),
            postgresql_where=sa.text("kind = 'delivered' AND standing = 'counted'"),
        ),
    )  # fmt: skip


append_only(DoorRecord, mutable=("signer_name", "id_last4", "note", "photo_file_id", "signature_file_id"))
