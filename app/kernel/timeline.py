"""One timeline from listing to doorstep: every step of one thread, for each party what it may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import Base, db, uuid_pk


class TimelineRecord(Base):
    """A step as it is shown; the evidence behind it is the audit event of the same transaction."""

    __tablename__ = "timeline_record"
    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    at: Mapped[datetime]
    object_type: Mapped[str] = mapped_column(sa.String(40))
    object_id: Mapped[str] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200))
    from_state: Mapped[str | None] = mapped_column(sa.String(40))
    to_state: Mapped[str | None] = mapped_column(sa.String(40))
    actor_name: Mapped[str] = mapped_column(sa.String(120))
    reason: Mapped[str | None] = mapped_column(sa.Text())
    detail: Mapped[dict[str, Any]]
    audience: Mapped[list[Any]]
    __table_args__ = (
        sa.Index("ix_timeline_record_thread", "thread_id", "at"),
        sa.Index("ix_timeline_record_object", "object_type", "object_id", "at"),
    )


@dataclass(frozen=True)
class TimelineEntry:
    """`title` is a catalogue message; `detail` holds its parameters and small facts; `object_type`/`object_id` link."""

    at: datetime
    object_type: str
    object_id: str
    action: str
    title: str
    from_state: str | None
    to_state: str | None
    actor_name: str
    reason: str | None
    detail: dict[str, Any]
    is_own: bool = True
    """Whether the object names the reader among its own, who may open it; else it is public, or seen by supervision only."""


SEES_ALL = frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})


def write(
    *,
    thread_id: UUID,
    object_type: str,
    object_id: UUID | str,
    action: str,
    title: str,
    actor_name: str,
    audience: tuple[str, ...],
    from_state: str | None = None,
    to_state: str | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a step, in the caller's transaction."""
    db.session.add(
        TimelineRecord(
            thread_id=thread_id,
            at=clock.now(),
            object_type=object_type,
            object_id=str(object_id),
            action=action,
            title=title,
            from_state=from_state,
            to_state=to_state,
            actor_name=actor_name,
            reason=reason,
            detail=detail or {},
            audience=list(audience),
        )
    )


def thread_entries(thread_id: UUID, actor: Actor, limit: int = 500) -> tuple[TimelineEntry, ...]:
    """Return the steps of a thread that `actor` may see, oldest first. One statement."""
    return _visible(sa.select(TimelineRecord).where(TimelineRecord.thread_id == thread_id), actor, limit)


def object_entries(
    object_type: str, object_id: UUID | str, actor: Actor, limit: int = 200
) -> tuple[TimelineEntry, ...]:
    """Return the steps of one object that `actor` may see, oldest first. One statement."""
    wanted = sa.select(TimelineRecord).where(
        TimelineRecord.object_type == object_type, TimelineRecord.object_id == str(object_id)
    )
    return _visible(wanted, actor, limit)


def _visible(statement: sa.Select[TimelineRecord], actor: Actor, limit: int) -> tuple[TimelineEntry, ...]:
    rows = db.session.scalars(statement.order_by(TimelineRecord.at, TimelineRecord.id).limit(limit))
    keys = actor.audience
    everything = actor.is_system or not SEES_ALL.isdisjoint(actor.roles)
    own = keys - {"public"}
    return tuple(
        _entry(row, is_own=not own.isdisjoint(row.audience))
        for row in rows
        if everything or not keys.isdisjoint(row.audience)
    )


def _entry(row: TimelineRecord, *, is_own: bool) -> TimelineEntry:
    return TimelineEntry(
        at=row.at,
        object_type=row.object_type,
        object_id=row.object_id,
        action=row.action,
        title=row.title,
        from_state=row.from_state,
        to_state=row.to_state,
        actor_name=row.actor_name,
        reason=row.reason,
        detail=row.detail,
        is_own=is_own,
    )


def forget(object_type: str, object_id: UUID | str, names: frozenset[str]) -> None:
    """Erase reasons, small facts and these persons' names from an object's steps; that there were steps stays."""
    wanted = sa.select(TimelineRecord).where(
        TimelineRecord.object_type == object_type, TimelineRecord.object_id == str(object_id)
    )
    for row in db.session.scalars(wanted):
        row.reason, row.detail = None, {}
        if row.actor_name in names:
            row.actor_name = ""
