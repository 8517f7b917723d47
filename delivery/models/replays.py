"""Reading all stored reports again under the present mapping: first as a trial, then for good."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, named_check, one_of, uuid_fk, uuid_pk


class ReplayMode(StrEnum):
    """Whether anything is written."""

    TRIAL = "trial"
    REAL = "real"


class MappingReplay(Base):
    """One pass over all stored reports, carried on in pieces; `cursor` is the last parcel that was read."""

    __tablename__ = "mapping_replay"

    id: Mapped[UUID] = uuid_pk()
    mode: Mapped[str] = mapped_column(sa.String(8))
    mapping_version: Mapped[str] = mapped_column(sa.String(20))
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None]
    asked_name: Mapped[str] = mapped_column(sa.String(80))
    reason: Mapped[str | None] = mapped_column(sa.Text())
    cursor: Mapped[UUID | None]
    parcels: Mapped[int] = mapped_column(sa.Integer(), default=0)
    reports: Mapped[int] = mapped_column(sa.Integer(), default=0)
    changed_reports: Mapped[int] = mapped_column(sa.Integer(), default=0)
    changed_parcels: Mapped[int] = mapped_column(sa.Integer(), default=0)
    unreadable: Mapped[int] = mapped_column(sa.Integer(), default=0)
    """Reports whose record was erased or can no longer be read; they stay as they are."""
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("mode", one_of("mode", ReplayMode)),
        named_check("reason", "mode <> 'real' OR reason IS NOT NULL"),
        # one pass at a time
        sa.Index(
            "uq_mapping_replay_open", "mode", unique=True, sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        ),
    )  # fmt: skip


class ReplayChange(Base):
    """A parcel whose status the present mapping reads otherwise than it stands."""

    __tablename__ = "mapping_replay_change"

    id: Mapped[UUID] = uuid_pk()
    replay_id: Mapped[UUID] = uuid_fk("mapping_replay.id")
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    status_before: Mapped[str] = mapped_column(sa.String(24))
    status_after: Mapped[str] = mapped_column(sa.String(24))
    since_before: Mapped[datetime | None]
    since_after: Mapped[datetime | None]
    codes: Mapped[str] = mapped_column(sa.String(200))
    """The codes that are read differently, comma separated."""

    __table_args__ = (sa.UniqueConstraint("replay_id", "parcel_id"),)
