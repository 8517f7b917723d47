"""Offers on an agency's shelf (上架服务), and the list of documents whose search entry is to be renewed."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UTCDateTime, state_checks, uuid_pk, version_column
from marketplace.states.listing import LISTING


class Listing(Base):
    """A service of the item list as one agency offers it.

    `promised_limit_wd` is the agency's own promise in working days, at most the item's limit. `price_fen` is None exactly when the
    price is by agreement. `organisation_id` repeats the agency's, so that ownership needs no join.
    """

    __tablename__ = "listing"
    object_type: ClassVar[str] = "listing"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    organisation_id: Mapped[UUID]
    item_id: Mapped[UUID] = mapped_column(ForeignKey("service_item.id"))
    item_version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"))
    promised_limit_wd: Mapped[int] = mapped_column(Integer)
    price_mode: Mapped[str] = mapped_column(String(16))
    price_fen: Mapped[int | None] = mapped_column(BigInteger)
    region_code: Mapped[str] = mapped_column(String(6))
    description: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    suspension_cause: Mapped[str | None] = mapped_column(String(200))
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = version_column()

    __table_args__ = (
        Index("ix_listing_agency_state", "agency_id", "state", "id"),
        Index("ix_listing_item_state", "item_id", "state", "id"),
        Index("ix_listing_state_id", "state", "id"),
        CheckConstraint("promised_limit_wd > 0", name="promise_positive"),
        CheckConstraint("(price_fen IS NULL) = (price_mode = 'negotiable')", name="price_or_negotiable"),
        CheckConstraint("price_fen IS NULL OR price_fen > 0", name="price_positive"),
        *state_checks(LISTING),
    )
    __mapper_args__ = {"version_id_col": version}

    def audience(self) -> tuple[str, ...]:
        """The agency and the operator; the offer itself is public while published."""
        return (f"org:{self.organisation_id}", "role:operator", "role:auditor")


class SearchChange(Base):
    """A document whose search entry must be renewed. Written with the change, drained by the one index writer, then deleted."""

    __tablename__ = "search_change"

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    document_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
