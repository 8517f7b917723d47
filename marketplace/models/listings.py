"""Offers on an agency's shelf (上架服务), and the list of documents whose search entry is to be renewed."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, UTCDateTime, Versioned, named_check, state_checks, uuid_fk, uuid_pk
from marketplace.states.listing import LISTING


class Listing(Stateful, Versioned, Base):
    """A service of the item list as one agency offers it.

    `promised_limit_wd` is the agency's own promise in working days, at most the item's limit. `price_fen` is None exactly when the
    price is by agreement. `organisation_id` repeats the agency's, so that ownership needs no join. `expires_on` is its last Beijing
    day on the shelf: an offer that nobody confirms leaves it.
    """

    __tablename__ = "listing"
    object_type: ClassVar[str] = "listing"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    agency_id: Mapped[UUID] = uuid_fk("agency.id", index=False)
    organisation_id: Mapped[UUID]
    item_id: Mapped[UUID] = uuid_fk("service_item.id", index=False)
    item_version_id: Mapped[UUID] = uuid_fk("item_version.id")
    promised_limit_wd: Mapped[int] = mapped_column(Integer)
    price_mode: Mapped[str] = mapped_column(String(16))
    price_fen: Mapped[int | None] = mapped_column(BigInteger)
    region_code: Mapped[str] = mapped_column(String(6))
    description: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    suspension_cause: Mapped[str | None] = mapped_column(String(200))
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index("ix_listing_agency_state", "agency_id", "state", "id"),
        Index("ix_listing_item_state", "item_id", "state", "id"),
        Index("ix_listing_state_id", "state", "id"),
        Index("ix_listing_expiry", "state", "expires_on"),
        named_check("promise_positive", "promised_limit_wd > 0"),
        named_check("price_or_negotiable", "(price_fen IS NULL) = (price_mode = 'negotiable')"),
        named_check("price_positive", "price_fen IS NULL OR price_fen > 0"),
        *state_checks(LISTING),
    )

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
