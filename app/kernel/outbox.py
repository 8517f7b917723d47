"""Events on their way to their handlers: one row per (event, handler), claimed, run, settled; at least once.

A handler that only touches the database (marked by `@use_case`) runs in the same transaction as its settling, so its
effect happens exactly once. A handler that calls outside runs with no transaction open and must bear a repeat.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock, faults
from app.kernel.db import Base, db, transaction, uuid_pk
from app.kernel.event import Event, restore

log = logging.getLogger(__name__)
Handler = Callable[[Any], None]
Handlers = Mapping[type[Event], Sequence[Handler]]
MAX_TRIES = 12
LEASE = timedelta(seconds=60)
LONGEST_DELAY = timedelta(hours=1)


class OutboxMessage(Base):
    __tablename__ = "outbox_message"
    id: Mapped[UUID] = uuid_pk()
    event: Mapped[str] = mapped_column(sa.String(80))
    handler: Mapped[str] = mapped_column(sa.String(200))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(sa.Integer(), default=0)
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.Text())
    __table_args__ = (
        sa.Index(
            "ix_outbox_message_open",
            "due_at",
            sqlite_where=sa.text("done_at IS NULL AND dead_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND dead_at IS NULL"),
        ),
    )


_handlers: dict[str, dict[str, Handler]] = {}


def handler_name(handler: Handler) -> str:
    return f"{handler.__module__}.{getattr(handler, '__qualname__', handler)}"


def subscribe(handlers: Handlers) -> None:
    """Register the handlers of a domain; repeated registration changes nothing."""
    for event_type, functions in handlers.items():
        known = _handlers.setdefault(event_type.name, {})
        for function in functions:
            known[handler_name(function)] = function


def publish(event: Event, *, not_before: datetime | None = None) -> None:
    """Write one message per subscribed handler, in the caller's transaction."""
    moment = clock.now()
    for name in _handlers.get(event.name, {}):
        db.session.add(
            OutboxMessage(
                event=event.name,
                handler=name,
                payload=event.to_fields(),
                created_at=moment,
                due_at=not_before or moment,
                tries=0,
            )
        )


def forget(object_id: str) -> None:
    """Delete the settled messages that name an object: their payload may name persons who are to be erased."""
    named = sa.cast(OutboxMessage.payload, sa.Text()).contains(object_id, autoescape=True)
    ended = sa.or_(OutboxMessage.done_at.is_not(None), OutboxMessage.dead_at.is_not(None))
    db.session.execute(sa.delete(OutboxMessage).where(named, ended).execution_options(synchronize_session=False))


def drain(limit: int = 100) -> int:
    """Run up to `limit` due messages; return how many were settled."""
    if not _is_any_due():
        return 0
    settled = 0
    for _ in range(limit):
        claimed = _claim()
        if claimed is None:
            break
        settled += _run(claimed)
    return settled


def drain_all(rounds: int = 50) -> int:
    """Drain until nothing is due; for tests, demonstration data and the command line."""
    total = 0
    for _ in range(rounds):
        done = drain(500)
        total += done
        if not done:
            break
    return total


def _open(moment: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None), OutboxMessage.due_at <= moment)


def _is_any_due() -> bool:
    """Reading first keeps an idle worker from taking SQLite's write lock."""
    return db.session.scalar(sa.select(OutboxMessage.id).where(_open(clock.now())).limit(1)) is not None


@dataclass(frozen=True)
class _Claimed:
    """A message that is ours until its lease ends; `tries` counts this one."""

    id: UUID
    event: str
    handler: str
    payload: dict[str, Any]
    tries: int


def _claim() -> _Claimed | None:
    moment = clock.now()
    with transaction() as session:
        message = session.scalars(
            sa.select(OutboxMessage)
            .where(_open(moment))
            .order_by(OutboxMessage.due_at, OutboxMessage.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if message is None:
            return None
        message.tries += 1
        message.due_at = moment + min(LEASE * 2 ** (message.tries - 1), LONGEST_DELAY)
        return _Claimed(message.id, message.event, message.handler, message.payload, message.tries)


def _run(claimed: _Claimed) -> int:
    try:
        handler = _handlers[claimed.event][claimed.handler]
        event = restore(claimed.event, claimed.payload)
        faults.point("outbox-before-handler")
        if getattr(handler, "is_use_case", False):
            with transaction():
                handler(event)
                _settle(claimed.id)
        else:
            handler(event)
            faults.point("outbox-before-settle")
            with transaction():
                _settle(claimed.id)
    except Exception as failure:  # noqa: BLE001 - any failure is kept with the message and tried again
        db.session.rollback()
        _fail(claimed.id, claimed.tries, failure)
        return 0
    return 1


def _settle(message_id: UUID) -> None:
    db.session.execute(
        sa.update(OutboxMessage).where(OutboxMessage.id == message_id).values(done_at=clock.now(), error=None)
    )


def _fail(message_id: UUID, tries: int, failure: Exception) -> None:
    log.warning("outbox message failed", extra={"message_id": str(message_id), "tries": tries}, exc_info=failure)
    delay = min(timedelta(seconds=2) * 2 ** (tries - 1), LONGEST_DELAY)
    dead = clock.now() if tries >= MAX_TRIES else None
    with transaction() as session:
        session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(error=f"{type(failure).__name__}: {failure}"[:2000], due_at=clock.now() + delay, dead_at=dead)
        )


def revive(message_id: UUID) -> None:
    """Put a dead message back to work; for the command line."""
    with transaction() as session:
        session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(dead_at=None, tries=0, due_at=clock.now())
        )
