"""Marking notices as read."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from app.identity.models import Notice
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import NotFound


@use_case
def mark_read(actor: Actor, notice_id: UUID) -> str:
    """Mark one own notice as read; returns where it leads. Raises NotFound for another person's."""
    notice = lock(Notice, notice_id)
    if notice.user_id != actor.user_id:
        raise NotFound
    notice.read_at = notice.read_at or clock.now()
    return notice.link


@use_case
def mark_all_read(actor: Actor) -> int:
    """Mark all own notices as read; returns how many were new."""
    done = db.session.execute(
        update(Notice).where(Notice.user_id == actor.user_id, Notice.read_at.is_(None)).values(read_at=clock.now())
    )
    return int(getattr(done, "rowcount", 0))
