"""kill -9 of the worker at named points: nothing lost, nothing done twice."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import audit, clock, outbox
from app.kernel.access import SYSTEM
from app.kernel.db import db, transaction
from app.kernel.numbering import NumberSeries
from app.kernel.outbox import OutboxMessage, publish
from app.settings import Settings
from tests.crash.knocking import HANDLERS, Knocked
from tests.workers import drop_connections, start

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
MESSAGES = 6


def work_once(hours: int) -> None:
    """What a worker does, `hours` from now."""
    with clock.at(clock.now() + timedelta(hours=hours)):
        outbox.drain(500)
        audit.sequence_all()


def worker(settings: Settings, fault: str = "", *, hours: int = 0) -> int | None:
    """Run a worker in its own process, `hours` from now; return its exit status."""
    drop_connections()
    process, _ = start(settings.sqlalchemy_url, settings.data_dir, work_once, hours, armed=fault)
    process.join(60)
    return process.exitcode  # type: ignore[no-any-return]


@pytest.mark.parametrize("point", ["outbox-before-handler", "outbox-before-settle"])
@pytest.mark.parametrize("times", [1, 3])
def test_the_outbox_survives(app: Flask, settings: Settings, point: str, times: int) -> None:
    outbox.subscribe(HANDLERS)
    with transaction():
        for number in range(MESSAGES):
            publish(Knocked(number=number))
    assert worker(settings, f"{point}:{times}") == -9, "the worker was to die at the point"
    assert worker(settings, hours=1) == 0, "by then the lease of the dead worker has run out"
    db.session.expire_all()
    entered = {row.prefix: row.last for row in db.session.scalars(sa.select(NumberSeries))}
    # the database handler: exactly once; the outside handler: at least once, made once by its durable key
    assert entered == {f"inside-{n}": 1 for n in range(MESSAGES)} | {f"outside-{n}": 1 for n in range(MESSAGES)}
    waiting = db.session.scalar(
        sa.select(sa.func.count()).select_from(OutboxMessage).where(OutboxMessage.done_at.is_(None))
    )
    assert waiting == 0


@pytest.mark.parametrize("times", [1, 4])
def test_the_audit_sequencer_survives(app: Flask, settings: Settings, times: int) -> None:
    with transaction():
        for n in range(10):
            audit.append(action="test.write", object_type="test", object_id=str(n), actor=SYSTEM, body={"n": n})
    worker(settings, f"audit-before-head:{times}")
    assert worker(settings, hours=1) == 0
    db.session.expire_all()
    assert sorted(db.session.scalars(sa.select(audit.AuditEvent.seq))) == list(range(10))
    assert audit.verify().sound
