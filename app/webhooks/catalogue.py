"""Which events partners may be told, and what of them: declared by the domains."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app

from app.kernel.event import Event
from app.kernel.words import N_

EXTENSION = "chaoshi_webhook_events"
PING = "webhook.ping"
PING_LABEL = N_("A test message")


@dataclass(frozen=True)
class Announcement:
    """What is told of an event: to which organisations, and plain JSON values. No more of a person than an id."""

    organisations: frozenset[UUID]
    data: Mapping[str, Any]
    thread_id: UUID | None = None


@dataclass(frozen=True)
class WebhookEvent:
    """One type of message ("bill.paid"), the event it follows from, and what is told of it (None: nothing this time)."""

    kind: str
    source: type[Event]
    label: str
    describe: Callable[[Any], Announcement | None]


def known() -> tuple[WebhookEvent, ...]:
    """All types of this installation, in the order of the domains."""
    return tuple(current_app.extensions[EXTENSION])


def labels() -> dict[str, str]:
    """The types with their labels (message ids)."""
    return {event.kind: event.label for event in known()} | {PING: PING_LABEL}
