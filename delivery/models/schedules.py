"""When a hall's parcels are collected, what is promised where, where parcels wait for their receivers."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Versioned, named_check, uuid_pk


class HallSchedule(Base, Versioned):
    """Collection of one hall on working days. Times are Beijing wall-clock times ("16:00")."""

    __tablename__ = "hall_schedule"
    object_type: ClassVar[str] = "hall-schedule"

    hall_organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    cutoff: Mapped[str] = mapped_column(sa.String(5))
    """What is ready until then leaves the same day."""
    windows: Mapped[list[Any]]
    """When the courier comes: [["10:00", "10:30"], ["16:00", "17:00"]], in order, without overlap."""
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID]


class ServicePromise(Base):
    """Days from collection to delivery and the posted tariff (fen) from one hall to one area.

    `area` is same_city, same_province, elsewhere, or a region code; the narrowest counts. Without `days` the area is not
    served.
    """

    __tablename__ = "service_promise"

    id: Mapped[UUID] = uuid_pk()
    hall_organisation_id: Mapped[UUID]
    area: Mapped[str] = mapped_column(sa.String(16))
    days: Mapped[int | None] = mapped_column(sa.Integer())
    fee_fen: Mapped[int] = mapped_column(sa.BigInteger())

    __table_args__ = (
        named_check("days", "days IS NULL OR (days >= 0 AND days <= 30)"),
        named_check("fee", "fee_fen >= 0 AND fee_fen <= 1000000"),
        sa.UniqueConstraint("hall_organisation_id", "area"),
    )


class CollectionRun(Base):
    """One visit of the courier at one hall: what was to go then, told to the post once."""

    __tablename__ = "collection_run"

    id: Mapped[UUID] = uuid_pk()
    hall_organisation_id: Mapped[UUID]
    day: Mapped[date] = mapped_column(sa.Date())
    starts: Mapped[str] = mapped_column(sa.String(5))
    ends: Mapped[str] = mapped_column(sa.String(5))
    waiting: Mapped[int] = mapped_column(sa.Integer())
    left_behind: Mapped[int | None] = mapped_column(sa.Integer())
    """Parcels that still stood there when the visit was over; empty until then."""
    told_at: Mapped[datetime]

    __table_args__ = (sa.UniqueConstraint("hall_organisation_id", "day", "starts"),)


class CollectionPoint(Base):
    """A post office or agency point (代收点) where a parcel waits for its receiver."""

    __tablename__ = "collection_point"

    id: Mapped[UUID] = uuid_pk()
    hall_organisation_id: Mapped[UUID]
    """The hall whose post agreed on it; every applicant of that hall may choose it."""
    name: Mapped[str] = mapped_column(sa.String(60))
    region_code: Mapped[str] = mapped_column(sa.String(6))
    prov: Mapped[str] = mapped_column(sa.String(40))
    city: Mapped[str] = mapped_column(sa.String(40))
    county: Mapped[str] = mapped_column(sa.String(40))
    address: Mapped[str] = mapped_column(sa.String(200))
    phone: Mapped[str] = mapped_column(sa.String(20))
    hours: Mapped[str] = mapped_column(sa.String(60))
    kept_days: Mapped[int] = mapped_column(sa.Integer(), default=7)
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("kept_days", "kept_days >= 1 AND kept_days <= 30"),
        sa.UniqueConstraint("hall_organisation_id", "name"),
    )
