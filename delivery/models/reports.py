"""What the carrier reported, and what it only announced."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    append_only,
    uuid_fk,
    uuid_pk,
)


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
