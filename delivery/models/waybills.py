"""Every number that was learnt for a parcel, and what we want of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    named_check,
    uuid_fk,
    uuid_pk,
)


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
