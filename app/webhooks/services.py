"""Subscribing, announcing, delivering and replaying; the only writers of outgoing messages."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app

from app.identity.notices import notify
from app.kernel import clock, sealing
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.event import Event
from app.kernel.outbox import Handlers, publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from app.settings import Settings
from app.webhooks import catalogue, destination, rules
from app.webhooks.catalogue import PING, Announcement
from app.webhooks.destination import Answer
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from app.webhooks.policy import parts_seen
from app.webhooks.states import ENDPOINT, DeliveryState, EndpointState, Part

PURPOSE = "webhook secret"
MOST_ENDPOINTS = 10
MOST_REPLAYED = 1000


@dataclass(frozen=True)
class DeliveryDue(Event):
    """A message is to be sent to an address; `number` counts the tries from 1."""

    name: ClassVar[str] = "webhooks.delivery-due"
    delivery_id: UUID
    number: int


@dataclass(frozen=True)
class Subscribe:
    """Where to, what for, and which types of messages."""

    url: str
    description: str
    events: tuple[str, ...]
    version: int | None = None


@dataclass(frozen=True)
class Replay:
    """Send again what was made from `since` until before `until`; all of it, or only what never arrived."""

    since: datetime
    until: datetime
    only_missed: bool = True


def _settings() -> Settings:
    return cast("Settings", current_app.extensions["chaoshi_settings"])


def local_allowed() -> bool:
    """Whether this machine itself may be told: never in production."""
    return not _settings().is_production


# --- subscribing ------------------------------------------------------------------------------------------------------


@use_case
def subscribe(actor: Actor, command: Subscribe) -> tuple[UUID, str]:
    """Add an address of the actor's organisation; returns its id and the secret, which is shown this once.

    Raises Refused for an address that no message may go to, or unknown types; Conflict when there are too many.
    """
    if actor.organisation_id is None:
        raise NotFound
    _check(command)
    mine = sa.select(sa.func.count()).where(
        WebhookEndpoint.organisation_id == actor.organisation_id, WebhookEndpoint.state != EndpointState.REMOVED
    )
    if (db.session.scalar(mine) or 0) >= MOST_ENDPOINTS:
        raise Conflict("too-many-webhooks", N_("An organisation has at most ten addresses. Remove one first."))
    secret = rules.new_secret()
    endpoint_id = new_id()
    row = WebhookEndpoint(
        id=endpoint_id,
        thread_id=endpoint_id,
        organisation_id=actor.organisation_id,
        sees_all=actor.has(Role.OPERATOR),
        url=command.url.strip(),
        description=command.description,
        events=list(command.events),
        secret=sealing.seal(secret, PURPOSE),
        state=EndpointState.ACTIVE.value,
        created_at=clock.now(),
    )
    db.session.add(row)
    record(
        row, "subscribe", actor, title=N_("Address for messages added"), detail={"url": row.url, "events": row.events}
    )
    return row.id, secret


def _check(command: Subscribe) -> None:
    destination.read(command.url, local=local_allowed())
    known = {event.kind for event in catalogue.known()}
    if not command.events or not known.issuperset(command.events):
        raise Refused("webhook-events", N_("Choose at least one of the known types."), field="events")


@use_case
def change(actor: Actor, endpoint_id: UUID, command: Subscribe) -> None:
    """Change address, description or types. Raises as `subscribe`."""
    row = lock(WebhookEndpoint, endpoint_id, seen=command.version)
    parts_seen(actor, row)
    _not_removed(row)
    _check(command)
    row.url, row.description, row.events = command.url.strip(), command.description, list(command.events)
    record(
        row, "change", actor, title=N_("Address for messages changed"), detail={"url": row.url, "events": row.events}
    )


def _not_removed(row: WebhookEndpoint) -> None:
    if row.state == EndpointState.REMOVED:
        raise NotFound


@use_case
def rotate(actor: Actor, endpoint_id: UUID) -> str:
    """Make a new secret, shown this once; for a day messages carry the signatures of both."""
    row = lock(WebhookEndpoint, endpoint_id)
    parts_seen(actor, row)
    _not_removed(row)
    secret = rules.new_secret()
    row.previous_secret, row.previous_until = row.secret, clock.now() + rules.OVERLAP
    row.secret = sealing.seal(secret, PURPOSE)
    record(row, "rotate", actor, title=N_("New secret for messages"))
    return secret


@use_case
def pause(actor: Actor, endpoint_id: UUID, command: Plain) -> None:
    """Hold messages back."""
    row = lock(WebhookEndpoint, endpoint_id, seen=command.version)
    move(row, ENDPOINT, "pause", actor, parts_seen(actor, row))


@use_case
def resume(actor: Actor, endpoint_id: UUID, command: Plain) -> None:
    """Send messages again; what was held back is replayed by hand."""
    row = lock(WebhookEndpoint, endpoint_id, seen=command.version)
    row.failing_since = row.paused_reason = None
    move(row, ENDPOINT, "resume", actor, parts_seen(actor, row))


@use_case
def remove(actor: Actor, endpoint_id: UUID, command: Plain) -> None:
    """End a subscription; its log stays until it is old."""
    row = lock(WebhookEndpoint, endpoint_id, seen=command.version)
    move(row, ENDPOINT, "remove", actor, parts_seen(actor, row))


# --- announcing -------------------------------------------------------------------------------------------------------


@use_case
def announce(event: Event) -> None:
    """Make the messages of an event and put them on their way; the handler of every event that a domain declares."""
    for declared in catalogue.known():
        if declared.source is type(event):
            told = declared.describe(event)
            if told is not None:
                _announce(declared.kind, told)


def _announce(kind: str, told: Announcement) -> None:
    wanted = sa.or_(WebhookEndpoint.sees_all, WebhookEndpoint.organisation_id.in_(told.organisations))
    rows = db.session.scalars(sa.select(WebhookEndpoint).where(wanted, WebhookEndpoint.state != EndpointState.REMOVED))
    endpoints = [row for row in rows if kind in row.events]
    if endpoints:
        message = _message(kind, told.data)
        for endpoint in endpoints:
            _put_on_its_way(endpoint, message.id)


def _message(kind: str, data: Mapping[str, Any]) -> WebhookMessage:
    moment = clock.now()
    body = {"type": kind, "timestamp": moment.isoformat(), "data": dict(data)}
    message = WebhookMessage(
        id=new_id(), type=kind, body=json.dumps(body, ensure_ascii=False, separators=(",", ":")), created_at=moment
    )
    db.session.add(message)
    db.session.flush()  # deliveries refer to it
    return message


def _put_on_its_way(endpoint: WebhookEndpoint, message_id: UUID, *, is_replay: bool = False) -> UUID:
    active = endpoint.state == EndpointState.ACTIVE
    moment = clock.now()
    delivery = WebhookDelivery(
        id=new_id(),
        endpoint_id=endpoint.id,
        message_id=message_id,
        state=(DeliveryState.WAITING if active else DeliveryState.HELD).value,
        tries=0,
        is_replay=is_replay,
        created_at=moment,
        due_at=moment if active else None,
    )
    db.session.add(delivery)
    if active:
        publish(DeliveryDue(delivery.id, 1))
    return delivery.id


@use_case
def ping(actor: Actor, endpoint_id: UUID) -> UUID:
    """Send a test message; returns its delivery. Raises Conflict while the address is paused."""
    row = lock(WebhookEndpoint, endpoint_id)
    parts_seen(actor, row)
    _must_be_active(row)
    return _put_on_its_way(row, _message(PING, {"endpoint_id": str(row.id)}).id)


def _must_be_active(row: WebhookEndpoint) -> None:
    if row.state != EndpointState.ACTIVE:
        raise Conflict("webhook-paused", N_("Messages to this address are paused. Send messages again first."))


@use_case
def replay_one(actor: Actor, endpoint_id: UUID, delivery_id: UUID) -> UUID:
    """Send one message again under its own id; returns the new delivery."""
    row = lock(WebhookEndpoint, endpoint_id)
    parts_seen(actor, row)
    _must_be_active(row)
    delivery = get(WebhookDelivery, delivery_id)
    if delivery.endpoint_id != row.id:
        raise NotFound
    record(row, "replay", actor, title=N_("Messages sent again"), detail={"messages": 1})
    return _put_on_its_way(row, delivery.message_id, is_replay=True)


@use_case
def replay(actor: Actor, endpoint_id: UUID, command: Replay) -> int:
    """Send the messages of a span of time again, oldest first, each under its own id; returns how many."""
    row = lock(WebhookEndpoint, endpoint_id)
    parts_seen(actor, row)
    _must_be_active(row)
    chosen = _messages_between(row.id, command)
    for message_id in chosen:
        _put_on_its_way(row, message_id, is_replay=True)
    if chosen:
        record(row, "replay", actor, title=N_("Messages sent again"), detail={"messages": len(chosen)})
    return len(chosen)


def _messages_between(endpoint_id: UUID, command: Replay) -> list[UUID]:
    arrived = (
        sa.select(WebhookDelivery.message_id)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == DeliveryState.DELIVERED)
    )  # fmt: skip
    under_way = sa.select(WebhookDelivery.message_id).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == DeliveryState.WAITING
    )
    statement = (
        sa.select(WebhookMessage.id)
        .join(WebhookDelivery, WebhookDelivery.message_id == WebhookMessage.id)
        .where(
            WebhookDelivery.endpoint_id == endpoint_id,
            WebhookMessage.created_at >= command.since,
            WebhookMessage.created_at < command.until,
            WebhookMessage.id.not_in(under_way),
        )
        .group_by(WebhookMessage.id)
        .order_by(WebhookMessage.id)
        .limit(MOST_REPLAYED)
    )
    if command.only_missed:
        statement = statement.where(WebhookMessage.id.not_in(arrived))
    return list(db.session.scalars(statement))


# --- delivering -------------------------------------------------------------------------------------------------------


def deliver(event: DeliveryDue) -> None:
    """Send a message once and write down what came of it. Calls outside with no transaction open; bears a repeat."""
    assert not in_transaction(), "a call outside must not hold a transaction"
    delivery = get(WebhookDelivery, event.delivery_id)
    if delivery.state != DeliveryState.WAITING or delivery.tries >= event.number:
        return
    endpoint, message = get(WebhookEndpoint, delivery.endpoint_id), get(WebhookMessage, delivery.message_id)
    if endpoint.state != EndpointState.ACTIVE:
        db.session.rollback()
        _hold(event.delivery_id)
        return
    url, body, message_id = endpoint.url, message.body, f"msg_{message.id.hex}"
    headers = rules.headers(_secrets(endpoint), message_id, clock.wall_time(), body)
    db.session.rollback()  # ends the read; nothing stays open while we wait for the receiver
    answer = destination.send(url, headers, body, local=local_allowed())
    _note(event, answer)


def _secrets(endpoint: WebhookEndpoint) -> list[str]:
    sealed = [endpoint.secret]
    if endpoint.previous_until is not None and endpoint.previous_until > clock.now():
        sealed.append(cast("str", endpoint.previous_secret))
    return [secret for secret in (sealing.unseal(one, PURPOSE) for one in sealed) if secret]


@use_case
def _hold(delivery_id: UUID) -> None:
    row = lock(WebhookDelivery, delivery_id)
    if row.state == DeliveryState.WAITING:
        row.state, row.due_at = DeliveryState.HELD.value, None


@use_case
def _note(event: DeliveryDue, answer: Answer) -> None:
    delivery = lock(WebhookDelivery, event.delivery_id)
    if delivery.state != DeliveryState.WAITING or delivery.tries >= event.number:
        return
    endpoint = lock(WebhookEndpoint, delivery.endpoint_id)
    moment = clock.now()
    delivery.tries = event.number
    db.session.add(
        WebhookAttempt(
            delivery_id=delivery.id, number=event.number, at=moment, milliseconds=answer.milliseconds,
            status=answer.status, excerpt=answer.excerpt, problem=answer.problem,
        )
    )  # fmt: skip
    if rules.is_accepted(answer.status):
        delivery.state, delivery.finished_at, delivery.due_at = DeliveryState.DELIVERED.value, moment, None
        endpoint.failing_since, endpoint.accepted_at = None, moment
        return
    _plan(delivery, moment)
    endpoint.failing_since = endpoint.failing_since or moment
    _pause_if_hopeless(endpoint, answer, moment)


def _plan(delivery: WebhookDelivery, moment: datetime) -> None:
    due_at = rules.next_try(delivery.tries, moment)
    delivery.due_at = due_at
    if due_at is None:
        delivery.state, delivery.finished_at = DeliveryState.FAILED.value, moment
    else:
        publish(DeliveryDue(delivery.id, delivery.tries + 1), not_before=due_at)


def _pause_if_hopeless(endpoint: WebhookEndpoint, answer: Answer, moment: datetime) -> None:
    gone = answer.status == rules.GONE
    assert endpoint.failing_since is not None
    if endpoint.state != EndpointState.ACTIVE or not (gone or moment - endpoint.failing_since >= rules.GIVE_UP_AFTER):
        return
    endpoint.paused_reason = f"HTTP {answer.status}" if answer.status is not None else (answer.problem or "")
    move(endpoint, ENDPOINT, "give_up", SYSTEM, {Part.SYSTEM}, detail={"problem": endpoint.paused_reason})
    notify(
        to_organisation=endpoint.organisation_id,
        kind="webhooks.paused",
        subject=N_("Messages to your system are paused"),
        text=N_("%(url)s has accepted nothing for days (%(problem)s). Repair it, send messages again, and replay what was held back."),
        link=f"/webhooks/{endpoint.id}",
        thread_id=endpoint.thread_id,
        params={"url": endpoint.url, "problem": endpoint.paused_reason},
    )  # fmt: skip


@use_case
def forget_old() -> int:
    """Forget messages with their deliveries and tries when they are old; return how many messages."""
    old = list(
        db.session.scalars(
            sa.select(WebhookMessage.id)
            .where(WebhookMessage.created_at < clock.now() - rules.KEPT)
            .limit(MOST_REPLAYED)
        )
    )
    if old:
        deliveries = sa.select(WebhookDelivery.id).where(WebhookDelivery.message_id.in_(old))
        db.session.execute(sa.delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(deliveries)))
        db.session.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.message_id.in_(old)))
        db.session.execute(sa.delete(WebhookMessage).where(WebhookMessage.id.in_(old)))
    return len(old)


def handlers_of(events: Iterable[catalogue.WebhookEvent]) -> Handlers:
    """The reactions that tell partners: one for each declared event, and the delivery itself."""
    return {DeliveryDue: (deliver,), **{event.source: (announce,) for event in events}}
