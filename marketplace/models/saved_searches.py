"""Searches that a person keeps, and what each has been told of."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UTCDateTime, Versioned, uuid_fk, uuid_pk


class SavedSearch(Versioned, Base):
    """A question somebody wants to hear of again. `asked` holds the arguments of its address, without page and comparison.

    `told_until` is the moment up to which new results have been looked for, `told_on` the Beijing day of the last digest: at most
    one a day. `stop_token` opens the page that ends the mails, without signing in.
    """

    __tablename__ = "saved_search"
    object_type: ClassVar[str] = "saved_search"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    user_id: Mapped[UUID] = uuid_fk("app_user.id", index=False)
    name: Mapped[str] = mapped_column(String(80))
    asked: Mapped[dict[str, Any]]
    is_told: Mapped[bool]
    stop_token: Mapped[str] = mapped_column(String(64), unique=True)
    told_until: Mapped[datetime] = mapped_column(UTCDateTime)
    told_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        Index("ix_saved_search_told", "is_told", "user_id"),
    )


class SavedSearchMatch(Base):
    """A result that a saved search has told of: the same result is never told twice."""

    __tablename__ = "saved_search_match"

    saved_search_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    told_at: Mapped[datetime] = mapped_column(UTCDateTime)
