"""How a result came about: the stored inputs and outcome of each selection, comparison sheets, direct requests, replays."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, JSONValue, UTCDateTime, append_only, uuid_fk, uuid_pk
from marketplace.rules.selection.terms import DirectGround


class SelectionResult(Base):
    """One decision of the selection engine: everything it saw (`inputs`) and everything it said (`outcome`), never changed.

    `rule_book_version` is the version the procurement is pinned to; the digests are SHA-256 of the canonical JSON. A replay
    decides again from `inputs` and must find `outcome`. `number` counts the results of one procurement.
    """

    __tablename__ = "selection_result"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id", index=False)
    number: Mapped[int] = mapped_column(Integer)
    method: Mapped[str] = mapped_column(String(16))
    rule_book_version: Mapped[int] = mapped_column(Integer)
    draw_id: Mapped[UUID | None] = uuid_fk("draw.id", nullable=True)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    outcome_sha256: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("procurement_id", "number"),)


append_only(SelectionResult)


class SelectionRank(Base):
    """One place of a published ranking; successions follow it, it is never computed again for them."""

    __tablename__ = "selection_rank"

    result_id: Mapped[UUID] = uuid_fk("selection_result.id", primary_key=True, index=False)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    registration_id: Mapped[UUID] = uuid_fk("registration.id")
    price_fen: Mapped[int | None]

    __table_args__ = (UniqueConstraint("result_id", "registration_id"),)


append_only(SelectionRank)


class ReplayCheck(Base):
    """One replay of a result: by whom (None: the daily job), whether it found the same, and the digest it found."""

    __tablename__ = "replay_check"

    id: Mapped[UUID] = uuid_pk()
    result_id: Mapped[UUID] = uuid_fk("selection_result.id")
    checked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    checked_by: Mapped[UUID | None]
    checked_by_name: Mapped[str] = mapped_column(String(120))
    is_same: Mapped[bool]
    found_sha256: Mapped[str] = mapped_column(String(64))


append_only(ReplayCheck)


class Comparison(Base):
    """An owner's comparison (比选): the scores with their reasons, or the choice from the small list; handed in once, never changed."""

    __tablename__ = "comparison"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id", index=False)
    content: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str] = mapped_column(String(120))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("procurement_id"),)


append_only(Comparison)


class DirectRequest(Base):
    """An owner's request to choose an agency directly (直接选取申请), and what was decided about it.

    `document_file_id` is the record of the collective decision (集体决策), which public money needs.
    """

    __tablename__ = "direct_request"
    object_type: ClassVar[str] = "direct_request"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id")
    agency_id: Mapped[UUID] = uuid_fk("agency.id")
    ground: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    document_file_id: Mapped[UUID | None] = uuid_fk("stored_file.id", nullable=True)
    from_state: Mapped[str] = mapped_column(String(24))
    requested_by: Mapped[UUID | None]
    requested_by_name: Mapped[str] = mapped_column(String(120))
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decision: Mapped[str | None] = mapped_column(String(12))
    decision_reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        CheckConstraint(f"ground IN ({', '.join(repr(g.value) for g in DirectGround)})", name="ground"),
        CheckConstraint("decision IS NULL OR decision IN ('approved', 'refused', 'dropped')", name="decision"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_whole"),
    )
