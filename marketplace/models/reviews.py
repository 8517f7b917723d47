"""Ratings of finished services (服务评价)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UTCDateTime, append_only, uuid_fk, uuid_pk

DIMENSIONS = ("quality", "timeliness", "attitude", "fee", "conformity")


class Rating(Base):
    """The owner's rating of one contract: one contract, one rating, at once public, never changed.

    Each dimension is 1 to 5 stars. `on_time` is what the clock said, not what the owner thinks.
    """

    __tablename__ = "rating"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id", index=False)
    agency_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    owner_organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    quality: Mapped[int] = mapped_column(Integer)
    timeliness: Mapped[int] = mapped_column(Integer)
    attitude: Mapped[int] = mapped_column(Integer)
    fee: Mapped[int] = mapped_column(Integer)
    conformity: Mapped[int] = mapped_column(Integer)
    comment: Mapped[str] = mapped_column(Text, default="")
    on_time: Mapped[bool]
    rated_by: Mapped[UUID]
    rated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index("uq_rating_contract", "contract_id", unique=True),
        Index("ix_rating_agency", "agency_organisation_id", "rated_at"),
        *(CheckConstraint(f"{name} BETWEEN 1 AND 5", name=f"{name}_stars") for name in DIMENSIONS),
    )


append_only(Rating)
