"""Events reach every handler; a failing one holds up no other; a database handler's effect happens exactly once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import clock, outbox
from app.kernel.db import db, transaction, use_case
from app.kernel.event import Event, restore
from app.kernel.jobs import JobLease
from app.kernel.outbox import OutboxMessage, publish

pytestmark = pytest.mark.postgresql


@dataclass(frozen=True)
class LampLit(Event):
    name: ClassVar[str] = "test.lamp-lit"
    lamp_id: UUID


seen: list[UUID] = []


@use_case
def note(event: LampLit) -> None:
    db.session.add(JobLease(name=f"lamp {event.lamp_id}"))


def tell(event: LampLit) -> None:
    seen.append(event.lamp_id)


def fail(event: LampLit) -> None:
    raise ConnectionError("the gateway is away")


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    outbox.subscribe({LampLit: (note, tell, fail)})
    seen.clear()
    yield
    outbox._handlers.pop(LampLit.name)


def open_messages() -> list[str]:
    return [
        m.handler.rsplit(".", 1)[1]
        for m in db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.done_at.is_(None)))
    ]


def test_each_handler_settles_by_itself(app: Flask) -> None:
    lamp = uuid4()
    with transaction():
        publish(LampLit(lamp_id=lamp))
    assert outbox.drain() == 2
    assert seen == [lamp]
    assert db.session.scalars(sa.select(JobLease.name)).all() == [f"lamp {lamp}"]
    assert open_messages() == ["fail"]
    with clock.at(clock.now() + timedelta(minutes=10)):
        assert outbox.drain() == 0
    failed = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.done_at.is_(None))).one()
    assert (failed.tries, failed.error) == (2, "ConnectionError: the gateway is away")


def test_nothing_is_published_by_a_transaction_that_failed(app: Flask) -> None:
    with pytest.raises(KeyError), transaction():
        publish(LampLit(lamp_id=uuid4()))
        raise KeyError
    assert open_messages() == []


def test_twelve_failures_make_a_dead_letter_that_can_be_revived(app: Flask) -> None:
    with transaction():
        publish(LampLit(lamp_id=uuid4()))
    moment = clock.now()
    for _ in range(13):
        moment += timedelta(hours=2)
        with clock.at(moment):
            outbox.drain()
    dead = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.dead_at.is_not(None))).one()
    assert dead.tries == 12
    outbox.revive(dead.id)
    db.session.expire_all()
    assert dead.dead_at is None


def test_an_event_survives_storage() -> None:
    event = LampLit(lamp_id=uuid4())
    assert restore(event.name, event.to_fields()) == event
