"""Tables of outgoing messages: addresses, messages, deliveries and their tries."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    Versioned,
    named_check,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from app.webhooks.states import ENDPOINT, DeliveryState


class WebhookEndpoint(Versioned, Stateful, Base):
    """An organisation's address for messages. `secret` and `previous_secret` are sealed; the latter is valid until
    `previous_until`. `sees_all`: the operator's, which is told of everybody's events.
    """

    __tablename__ = "webhook_endpoint"
    object_type: ClassVar[str] = "webhook_endpoint"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    sees_all: Mapped[bool] = mapped_column(Boolean, default=False)
    url: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(String(200))
    events: Mapped[list[Any]] = mapped_column(JSONValue)
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12))
    paused_reason: Mapped[str | None] = mapped_column(String(200))
    failing_since: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = state_checks(ENDPOINT)

    def audience(self) -> tuple[str, ...]:
        """The organisation's members."""
        return (f"org:{self.organisation_id}",)


class WebhookMessage(Base):
    """One message as it is signed; its id is the `webhook-id` of every delivery and replay."""

    __tablename__ = "webhook_message"
    id: Mapped[UUID] = uuid_pk()
    type: Mapped[str] = mapped_column(String(60))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)


class WebhookDelivery(Base):
    """One message on its way to one address; a replay is a row of its own."""

    __tablename__ = "webhook_delivery"
    id: Mapped[UUID] = uuid_pk()
    endpoint_id: Mapped[UUID] = uuid_fk("webhook_endpoint.id", index=False)
    message_id: Mapped[UUID] = uuid_fk("webhook_message.id")
    state: Mapped[str] = mapped_column(String(12))
    tries: Mapped[int] = mapped_column(Integer, default=0)
    is_replay: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        named_check("state", one_of("state", DeliveryState)),
        Index("ix_webhook_delivery_endpoint", "endpoint_id", "created_at"),
    )


class WebhookAttempt(Base):
    """One try: what the receiver answered, or why there was no answer."""

    __tablename__ = "webhook_attempt"
    id: Mapped[UUID] = uuid_pk()
    delivery_id: Mapped[UUID] = uuid_fk("webhook_delivery.id")
    number: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    milliseconds: Mapped[int] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(Integer)
    excerpt: Mapped[str | None] = mapped_column(String(500))
    problem: Mapped[str | None] = mapped_column(String(200))
