"""kill -9 of the worker at named points: nothing lost, nothing done twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import audit
from app.kernel.access import SYSTEM
from app.kernel.db import db, transaction
from app.kernel.numbering import NumberSeries
from app.kernel.outbox import OutboxMessage, publish
from app.settings import Settings
from tests.crash.knocking import HANDLERS, Knocked

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
ROOT = Path(__file__).resolve().parents[2]
MESSAGES = 6


def worker(settings: Settings, fault: str = "", *, hours: int = 0) -> int:
    """Run the crash program in its own process, `hours` from now; return its exit status."""
    environment = {**os.environ, "CHAOSHI_FAULT": fault}
    command = [sys.executable, "-m", "tests.crash.program", settings.sqlalchemy_url, str(settings.data_dir), str(hours)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=60).returncode


@pytest.mark.parametrize("point", ["outbox-before-handler", "outbox-before-settle"])
@pytest.mark.parametrize("times", [1, 3])
def test_the_outbox_survives(app: Flask, settings: Settings, point: str, times: int) -> None:
    from app.kernel import outbox

    outbox.subscribe(HANDLERS)
    with transaction():
        for number in range(MESSAGES):
            publish(Knocked(number=number))
    db.session.remove()
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
    db.session.remove()
    worker(settings, f"audit-before-head:{times}")
    assert worker(settings, hours=1) == 0
    db.session.expire_all()
    assert sorted(db.session.scalars(sa.select(audit.AuditEvent.seq))) == list(range(10))
    assert audit.verify().sound
