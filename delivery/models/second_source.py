"""What a second source of tracking said beside the carrier: opinions, never reports."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, append_only, uuid_fk, uuid_pk


class SecondOpinion(Base):
    """One answer of the second source. It changes nothing; where it contradicts the carrier a person is asked."""

    __tablename__ = "second_opinion"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    source: Mapped[str] = mapped_column(sa.String(20))
    waybill_no: Mapped[str] = mapped_column(sa.String(20))
    asked_at: Mapped[datetime]
    status: Mapped[str | None] = mapped_column(sa.String(24))
    """Its last status; None where it had nothing or did not answer."""
    since: Mapped[datetime | None]
    told: Mapped[str] = mapped_column(sa.String(300), default="")
    """Its newest entry, without telephone numbers."""
    problem: Mapped[str | None] = mapped_column(sa.String(300))
    raw: Mapped[list[Any]]
    mapping_version: Mapped[str | None] = mapped_column(sa.String(20))

    __table_args__ = (sa.Index("ix_second_opinion_latest", "parcel_id", "asked_at"),)


append_only(SecondOpinion, mutable=("told", "raw"))


class SecondQuestion(Base):
    """A parcel that the second source is to be asked about; gone once it was."""

    __tablename__ = "second_question"

    parcel_id: Mapped[UUID] = uuid_fk("parcel.id", index=False, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    asked_by: Mapped[UUID | None]
