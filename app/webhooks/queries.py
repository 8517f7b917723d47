"""Reads of addresses and of the log of deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from app.webhooks.policy import parts_seen
from app.webhooks.states import EndpointState, Part


@dataclass(frozen=True)
class EndpointView:
    """An address with what it is told; its secret is shown nowhere."""

    id: UUID
    thread_id: UUID
    url: str
    description: str
    events: tuple[str, ...]
    sees_all: bool
    state: str
    paused_reason: str | None
    failing_since: datetime | None
    accepted_at: datetime | None
    previous_until: datetime | None
    created_at: datetime
    version: int
    parts: frozenset[Part] = frozenset()

    @property
    def title(self) -> str:
        return self.description


def _view(row: WebhookEndpoint) -> EndpointView:
    return EndpointView(
        row.id, row.thread_id, row.url, row.description, tuple(row.events), row.sees_all, row.state, row.paused_reason,
        row.failing_since, row.accepted_at, row.previous_until, row.created_at, row.version,
    )  # fmt: skip


def endpoints_of(actor: Actor) -> tuple[EndpointView, ...]:
    """The addresses of the actor's organisation, newest first."""
    statement = (
        sa.select(WebhookEndpoint)
        .where(WebhookEndpoint.organisation_id == actor.organisation_id, WebhookEndpoint.state != EndpointState.REMOVED)
        .order_by(WebhookEndpoint.created_at.desc())
    )
    return tuple(_view(row) for row in db.session.scalars(statement))


def endpoint_page(actor: Actor, endpoint_id: UUID) -> EndpointView:
    """One address; raises NotFound for everybody outside its organisation."""
    row = get(WebhookEndpoint, endpoint_id)
    return replace(_view(row), parts=parts_seen(actor, row))


@dataclass(frozen=True)
class DeliveryView:
    """One message to one address, with the receiver's last answer."""

    id: UUID
    message_id: UUID
    kind: str
    state: str
    tries: int
    is_replay: bool
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    last_status: int | None
    last_problem: str | None


@dataclass(frozen=True)
class LogFilter:
    """Which deliveries: by state, by type, made from `since` until before `until`."""

    state: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def deliveries_page(endpoint_id: UUID, wanted: LogFilter, *, number: int = 1) -> Page[DeliveryView]:
    """The log of an address, newest first."""
    statement = _deliveries(endpoint_id)
    if wanted.state:
        statement = statement.where(WebhookDelivery.state == wanted.state)
    if wanted.kind:
        statement = statement.where(WebhookMessage.type == wanted.kind)
    if wanted.since:
        statement = statement.where(WebhookDelivery.created_at >= wanted.since)
    if wanted.until:
        statement = statement.where(WebhookDelivery.created_at < wanted.until)
    page: Page[Any] = page_of(statement, number=number, scalars=False)
    return Page(_delivery_views(page.items), page.number, page.size, page.total)


def _deliveries(endpoint_id: UUID) -> sa.Select[Any]:
    last = (
        sa.select(sa.func.max(WebhookAttempt.number))
        .where(WebhookAttempt.delivery_id == WebhookDelivery.id)
        .correlate(WebhookDelivery)
        .scalar_subquery()
    )
    return cast(
        "sa.Select[Any]",
        sa.select(WebhookDelivery, WebhookMessage.type, WebhookAttempt.status, WebhookAttempt.problem)
        .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
        .outerjoin(
            WebhookAttempt, sa.and_(WebhookAttempt.delivery_id == WebhookDelivery.id, WebhookAttempt.number == last)
        )
        .where(WebhookDelivery.endpoint_id == endpoint_id)
        .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc()),
    )


def _delivery_views(rows: Sequence[Any]) -> list[DeliveryView]:
    return [
        DeliveryView(
            row.id, row.message_id, kind, row.state, row.tries, row.is_replay, row.created_at, row.due_at,
            row.finished_at, status, problem,
        )
        for row, kind, status, problem in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """One try."""

    number: int
    at: datetime
    milliseconds: int
    status: int | None
    excerpt: str | None
    problem: str | None


def delivery_page(endpoint_id: UUID, delivery_id: UUID) -> tuple[DeliveryView, str, tuple[Attempt, ...]]:
    """One delivery of an address with the message's body and every try; raises NotFound."""
    rows = db.session.execute(_deliveries(endpoint_id).where(WebhookDelivery.id == delivery_id)).all()
    if not rows:
        raise NotFound
    (view,) = _delivery_views(rows)
    tries = db.session.scalars(
        sa.select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id).order_by(WebhookAttempt.number)
    )
    attempts = tuple(Attempt(t.number, t.at, t.milliseconds, t.status, t.excerpt, t.problem) for t in tries)
    return view, get(WebhookMessage, view.message_id).body, attempts
