"""What comes in twice: idempotency keys of our callers and notices of providers and carriers."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import Base, db, new_id, transaction, use_case, uuid_pk
from app.kernel.errors import Refused
from app.kernel.words import N_


class IdempotencyKey(Base):
    """One request that must have one effect: who asked, where, with what body, and what was answered.

    `answer` is the effect's own, written in its transaction; `response` what the API sent, `locked_until` while it works.
    """

    __tablename__ = "idempotency_key"
    id: Mapped[UUID] = uuid_pk()
    caller: Mapped[str] = mapped_column(sa.String(80))
    endpoint: Mapped[str] = mapped_column(sa.String(160))
    key: Mapped[str] = mapped_column(sa.String(255))
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[dict[str, Any] | None]
    response: Mapped[dict[str, Any] | None]
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    __table_args__ = (sa.UniqueConstraint("caller", "endpoint", "key"),)


class Notice(Base):
    """A raw notice of a provider or carrier, stored before anything is done with it."""

    __tablename__ = "inbox_notice"
    id: Mapped[UUID] = uuid_pk()
    source: Mapped[str] = mapped_column(sa.String(40))
    notice_id: Mapped[str] = mapped_column(sa.String(160))
    kind: Mapped[str] = mapped_column(sa.String(80))
    object_ref: Mapped[str | None] = mapped_column(sa.String(160))
    raw: Mapped[bytes] = mapped_column(sa.LargeBinary())
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(sa.Integer(), default=0)
    done_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.Text())
    __table_args__ = (
        sa.UniqueConstraint("source", "notice_id"),
        sa.Index(
            "ix_inbox_notice_waiting", "source", "due_at", sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        ),
    )  # fmt: skip


def insert_ignore(model: type[Base], values: dict[str, Any]) -> bool:
    """Insert one row unless a unique key already holds it; return whether it was inserted.

    A second inserter of the same key waits for the first one's transaction, on both databases.
    """
    statement = _unless_there(model, db.engine.dialect.name)
    return db.session.execute(statement.returning(sa.inspect(model).primary_key[0]), values).first() is not None


def insert_new(model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows at once, leaving out those whose unique key is taken."""
    if rows:
        db.session.execute(_unless_there(model, db.engine.dialect.name), list(rows))


@functools.cache
def _unless_there(model: type[Base], dialect: str) -> sqlite.Insert | postgresql.Insert:
    """The statement, made once: a notice costs one INSERT, and building it anew cost more than running it."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


ENVELOPE = frozenset({"csrf_token", "idempotency_key"})
"""What a form carries besides its content; it changes when the page is loaded again."""


def fingerprint(body: Any) -> str:
    """Return the SHA-256 of the request's content, by which a reused key with another body is told apart."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in ENVELOPE}
    text = json.dumps(body, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def once(
    actor: Actor, endpoint: str, key: str, body: Any, run: Callable[[], dict[str, Any] | None]
) -> dict[str, Any] | None:
    """Run `run` once for (actor, endpoint, key) and return its answer; a repeat returns the stored answer.

    The key is stored in the transaction of the effect. Raises Refused("idempotency-key-reused", 422) when the same
    key comes with another body.
    """
    caller = str(actor.user_id or "anonymous")
    mark = fingerprint(body)
    with transaction() as session:
        fresh = insert_ignore(
            IdempotencyKey,
            {
                "id": new_id(),
                "caller": caller,
                "endpoint": endpoint,
                "key": key,
                "fingerprint": mark,
                "created_at": clock.now(),
            },
        )
        row = session.scalars(
            sa.select(IdempotencyKey).where(
                IdempotencyKey.caller == caller, IdempotencyKey.endpoint == endpoint, IdempotencyKey.key == key
            )
        ).one()
        if not fresh:
            if row.fingerprint != mark:
                raise Refused("idempotency-key-reused", N_("This idempotency key was used for another request."))
            return row.answer
        answer = run()
        row.answer = answer
        return answer


KEPT = timedelta(hours=48)
"""How long a key is remembered; callers may count on 24 hours."""


@use_case
def forget_keys() -> int:
    """Forget the keys of requests older than `KEPT`; return how many."""
    gone = db.session.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def receive(source: str, notice_id: str, kind: str, object_ref: str | None, raw: bytes) -> bool:
    """Store a notice unless it is known; return whether it is new. Call inside a transaction."""
    moment = clock.now()
    return insert_ignore(
        Notice,
        {
            "id": new_id(),
            "source": source,
            "notice_id": notice_id,
            "kind": kind,
            "object_ref": object_ref,
            "raw": raw,
            "received_at": moment,
            "due_at": moment,
            "tries": 0,
        },
    )


_AT_ONCE = 500  # names in one statement


def unknown_of(source: str, notice_ids: Sequence[str]) -> set[str]:
    """Those of the identifiers under which no notice of this source was stored."""
    known: set[str] = set()
    for start in range(0, len(notice_ids), _AT_ONCE):
        some = notice_ids[start : start + _AT_ONCE]
        stored = sa.select(Notice.notice_id).where(Notice.source == source, Notice.notice_id.in_(some))
        known.update(db.session.scalars(stored))
    return set(notice_ids) - known


def forget(object_id: str, *object_refs: str) -> None:
    """Erase what came in about an object: stored answers to its requests, and the raw notices that name it."""
    keys = sa.delete(IdempotencyKey).where(IdempotencyKey.endpoint.contains(object_id, autoescape=True))
    db.session.execute(keys.execution_options(synchronize_session=False))
    if object_refs:
        raw = sa.update(Notice).where(Notice.object_ref.in_(object_refs)).values(raw=b"", error=None)
        db.session.execute(raw.execution_options(synchronize_session=False))
