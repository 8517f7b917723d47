"""The audit log under many writers and several sequencers, and a sequencer that is killed, again and again."""

import signal
from pathlib import Path

import pytest

from app.kernel import audit
from app.kernel.access import SYSTEM
from app.kernel.db import transaction
from tests.workers import bare_application, drop_connections, race, start

pytestmark = [pytest.mark.races, pytest.mark.postgresql]
WRITERS, ACTS = 6, 20


def append_some(worker: int) -> int:
    for number in range(ACTS):
        with transaction():
            audit.append(action="race.act", object_type="race", object_id=str(worker), actor=SYSTEM, body={"n": number})
        audit.sequence(5)
    return ACTS


def sequence_some() -> int:
    return sum(audit.sequence(7) for _ in range(30))


def test_writers_and_sequencers_leave_a_log_without_gaps(database: str, tmp_path: Path) -> None:
    race(database, tmp_path, [(append_some, (worker,)) for worker in range(WRITERS)] + [(sequence_some, ())] * 2)
    with bare_application(database, tmp_path).app_context():
        audit.sequence_all()
        report = audit.verify()
        drop_connections()
    assert (report.events, report.waiting, report.problems) == (WRITERS * ACTS, 0, ())


def test_a_sequencer_that_dies_before_its_head_leaves_no_gap(database: str, tmp_path: Path) -> None:
    with bare_application(database, tmp_path).app_context():
        append_without_sequence()
        drop_connections()
    for _ in range(5):
        process, _answers = start(database, tmp_path, sequence_some, armed="audit-before-head")
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
    with bare_application(database, tmp_path).app_context():
        assert audit.verify().events == 0
        assert audit.sequence_all() == ACTS
        report = audit.verify()
        drop_connections()
    assert report == audit.Verification(events=ACTS, waiting=0, erased=0, heads=1, problems=())


def append_without_sequence() -> None:
    audit.signing_key()
    with transaction():
        for number in range(ACTS):
            audit.append(action="crash.act", object_type="crash", object_id=str(number), actor=SYSTEM, body={})
