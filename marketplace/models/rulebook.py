"""Versions of the rule book, and the proposals that lead to them.

A version is append-only: a procurement or an application that pins it finds it unchanged for ever.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, JSONValue, Stateful, UTCDateTime, Versioned, append_only, state_checks, uuid_pk
from marketplace.states.rulebook import RULE_CHANGE, RuleChangeState


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


class RuleChange(Versioned, Stateful, Base):
    """A proposed next version: all its parameters, its legal basis, why, and from which Beijing day it is to hold."""

    __tablename__ = "rule_change"
    object_type: ClassVar[str] = "rule_change"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    base_version: Mapped[int] = mapped_column(Integer)
    basis: Mapped[str] = mapped_column(String(500))
    reason: Mapped[str] = mapped_column(Text)
    effective_from: Mapped[date]
    state: Mapped[str] = mapped_column(String(12), default=RuleChangeState.PROPOSED)
    proposed_by: Mapped[UUID]
    proposed_by_name: Mapped[str] = mapped_column(String(120))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version_published: Mapped[int | None] = mapped_column(Integer, unique=True)

    __table_args__ = (*state_checks(RULE_CHANGE),)

    def audience(self) -> tuple[str, ...]:
        """Those who make and watch the rules; everybody once it is published."""
        readers = ("role:operator", "role:regulator", "role:auditor")
        return (*readers, "public") if self.state == RuleChangeState.PUBLISHED else readers
