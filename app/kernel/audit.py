"""Audit events, written in the business transaction."""

import json
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import Base, db, uuid_pk


class AuditEvent(Base):
    __tablename__ = "audit_event"
    id: Mapped[UUID] = uuid_pk()
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(80))
    action: Mapped[str] = mapped_column(sa.String(120))
    object_type: Mapped[str] = mapped_column(sa.String(40))
    object_id: Mapped[str] = mapped_column(sa.String(64))
    salt: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    body: Mapped[bytes | None] = mapped_column(sa.LargeBinary())


def append(*, action: str, object_type: str, object_id: str, actor: Actor, body: dict[str, Any]) -> None:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    db.session.add(
        AuditEvent(
            at=clock.now(),
            actor=str(actor.user_id or actor.name),
            action=action,
            object_type=object_type,
            object_id=object_id,
            salt=secrets.token_bytes(32),
            body=text.encode(),
        )
    )
