"""Versions of the rule book. Append-only: a procurement or an application that pins a version finds it unchanged for ever."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, JSONValue, UTCDateTime, append_only


class RuleBookVersion(Base):
    """One published version of the rule book; `parameters` maps keys (`onboarding.check_wd`) to values."""

    __tablename__ = "rule_book_version"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    basis: Mapped[str] = mapped_column(String(500), default="")
    effective_from: Mapped[date]
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_by: Mapped[UUID | None]


append_only(RuleBookVersion)
