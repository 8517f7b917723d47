import dataclasses
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel import audit
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, transaction
from app.kernel.errors import NotFound
from app.kernel.money import Money

pytestmark = pytest.mark.postgresql
CLERK = Actor(uuid4(), uuid4(), frozenset({Role.WINDOW_CLERK}), "周予安")


def write(count: int, object_id: str = "1", actor: Actor = SYSTEM) -> list[audit.AuditEvent]:
    with transaction():
        return [
            audit.append(action="thing.do", object_type="thing", object_id=object_id, actor=actor, body={"n": n})
            for n in range(count)
        ]


def test_an_event_lives_and_dies_with_its_transaction(app) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        audit.append(action="thing.do", object_type="thing", object_id="1", actor=SYSTEM, body={})
        _ = 1 / 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(audit.AuditEvent)) == 0


def test_there_is_no_event_without_a_transaction(app) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        audit.append(action="thing.do", object_type="thing", object_id="1", actor=SYSTEM, body={})


def test_numbers_have_no_gap_and_every_receipt_holds(app) -> None:
    events = write(5) + write(8)
    assert audit.sequence(4) == 4
    assert audit.sequence_all() == 9
    assert audit.sequence() == 0
    assert sorted(db.session.scalars(sa.select(audit.AuditEvent.seq))) == list(range(13))
    key = audit.signing_key().public_key()
    for event in events:
        paper = audit.receipt(event.id)
        assert paper is not None
        assert paper.size == 13
        assert audit.check_receipt(paper, key)
        assert not audit.check_receipt(dataclasses.replace(paper, index=(paper.index + 1) % 13), key)
        assert not audit.check_receipt(dataclasses.replace(paper, root=paper.leaf), key)
        assert not audit.check_receipt(dataclasses.replace(paper, size=14), key)
    assert audit.verify() == audit.Verification(events=13, waiting=0, erased=0, heads=2, problems=())


def test_a_receipt_waits_for_its_number(app) -> None:
    (event,) = write(1)
    assert audit.receipt(event.id) is None
    with pytest.raises(NotFound):
        audit.receipt(uuid4())


def test_the_log_names_ids_not_people(app) -> None:
    (event,) = write(1, actor=CLERK)
    assert event.actor == f"user:{CLERK.user_id}"
    assert event.body is not None
    assert "周予安".encode() not in event.body
    assert str(CLERK.organisation_id).encode() in event.body


def test_erasure_leaves_the_tree_whole(app) -> None:
    kept, gone = write(3, "kept"), write(4, "gone")
    audit.sequence_all()
    before = audit.latest_head()
    assert before is not None
    assert audit.erase(CLERK, "thing", "gone", "art. 47") == 4
    audit.sequence_all()
    after = audit.latest_head()
    assert after is not None
    assert audit.verify() == audit.Verification(events=8, waiting=0, erased=4, heads=2, problems=())
    assert set(
        db.session.scalars(
            sa.select(audit.AuditEvent.body).where(
                audit.AuditEvent.object_id == "gone", audit.AuditEvent.action == "thing.do"
            )
        )
    ) == {None}
    paper = audit.receipt(gone[0].id)
    assert paper is not None
    assert audit.check_receipt(paper, audit.signing_key().public_key())
    assert audit.receipt(kept[0].id) is not None
    from app.kernel.merkle import verify_consistency

    assert verify_consistency(
        before.size, before.root, after.size, after.root, audit.consistency(before.size, after.size)
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET action = 'other'",
        "UPDATE audit_event SET body = salt",
        "UPDATE audit_event SET body = NULL",
        "UPDATE audit_event SET seq = seq + 100",
        "UPDATE audit_event SET seq = NULL",
        "DELETE FROM audit_event",
        "UPDATE audit_node SET idx = idx + 100",
        "DELETE FROM audit_node",
        "UPDATE audit_head SET unixtime = 0",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_to_change_the_log(app, statement) -> None:
    write(3)
    audit.sequence_all()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(statement))
    assert audit.verify().sound


def test_plain_values_have_one_spelling() -> None:
    import datetime as dt

    value = {"b": Money(105), "a": [Role.OWNER, None, True, 1.5], "d": dt.date(2026, 2, 14), "ü": "汉"}
    assert audit.canonical(value) == '{"a":["owner",null,true,1.5],"b":105,"d":"2026-02-14","ü":"汉"}'.encode()
    assert audit.canonical({"b": 1, "a": 2}) == audit.canonical({"a": 2, "b": 1})
    with pytest.raises(TypeError):
        audit.canonical({"a": object()})
    with pytest.raises(ValueError, match="JSON"):
        audit.canonical({"a": float("nan")})


def test_a_lost_key_is_not_replaced_in_silence(app, tmp_path, monkeypatch) -> None:
    write(1)
    audit.sequence_all()
    path = Path(app.config["AUDIT_KEY_FILE"])
    assert path.stat().st_mode & 0o077 == 0
    path.unlink()
    monkeypatch.setitem(app.extensions, "chaoshi_settings", type("Production", (), {"is_production": True})())
    with pytest.raises(FileNotFoundError):
        audit.signing_key()


def test_heads_of_an_unknown_key_are_reported(app) -> None:
    write(1)
    audit.sequence_all()
    path = Path(app.config["AUDIT_KEY_FILE"])
    old = audit.signing_key().public_key()
    path.unlink()
    write(1)
    audit.sequence_all()
    assert audit.verify().problems == (f"head 1: signed by an unknown key {audit.key_id(old)}",)
    path.with_name(f"{path.name}.retired.pub").write_bytes(audit.public_bytes(old))
    assert audit.verify().sound


# --- somebody with all rights over the database ---

ATTACKS = {
    "body": "UPDATE audit_event SET body = CAST(replace(CAST(body AS TEXT), 'thing.do', 'thing.no') AS BLOB) WHERE seq = :n",
    "action": "UPDATE audit_event SET action = 'thing.undo' WHERE seq = :n",
    "actor": "UPDATE audit_event SET actor = 'user:somebody-else' WHERE seq = :n",
    "moment": "UPDATE audit_event SET at = '2020-01-01 00:00:00.000000' WHERE seq = :n",
    "object": "UPDATE audit_event SET object_id = 'other' WHERE seq = :n",
    "leaf": "UPDATE audit_event SET leaf = zeroblob(32) WHERE seq = :n",
    "salt": "UPDATE audit_event SET salt = zeroblob(32) WHERE seq = :n",
    "half-erased": "UPDATE audit_event SET salt = NULL WHERE seq = :n",
    "removed": "DELETE FROM audit_event WHERE seq = :n",
    "removed and renumbered": "DELETE FROM audit_event WHERE seq = :n; UPDATE audit_event SET seq = seq - 1 WHERE seq > :n",
    "cut tail": "DELETE FROM audit_event WHERE seq >= :n",
    "swapped": "UPDATE audit_event SET seq = -1 WHERE seq = :n; UPDATE audit_event SET seq = :n WHERE seq = (:n + 1) % 24; "
    "UPDATE audit_event SET seq = (:n + 1) % 24 WHERE seq = -1",
    "node": "UPDATE audit_node SET hash = zeroblob(32) WHERE level = 0 AND idx = :n",
    "inner node": "UPDATE audit_node SET hash = zeroblob(32) WHERE level = 1 AND idx = :n / 2",
    "node gone": "DELETE FROM audit_node WHERE level = 0 AND idx = :n",
    "foreign node": "INSERT INTO audit_node VALUES (9, :n, zeroblob(32))",
    "head moved": "UPDATE audit_head SET unixtime = unixtime + 1 + :n",
    "head forged": "UPDATE audit_head SET root = zeroblob(32)",
    "hidden among the waiting": "UPDATE audit_event SET seq = NULL WHERE seq = :n",
}


@pytest.fixture
def log_copy(app, database_kind, tmp_path) -> tuple[Path, Path]:
    if database_kind != "sqlite":
        pytest.skip("the attacker works on a copied file")
    for n in range(24):
        write(1, str(n))
    audit.sequence_all()
    assert audit.verify().sound
    db.session.remove()
    db.engine.dispose()
    original = Path(str(db.engine.url.database))
    kept = tmp_path / "kept.sqlite"
    shutil.copyfile(original, kept)
    with closing(sqlite3.connect(kept)) as intruder:
        for (trigger,) in intruder.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            intruder.execute(f"DROP TRIGGER {trigger}")
    return original, kept


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(attack=st.sampled_from(sorted(ATTACKS)), place=st.integers(0, 23))
def test_no_tampering_is_missed(log_copy, attack, place) -> None:
    original, kept = log_copy
    db.session.remove()
    db.engine.dispose()
    for leftover in original.parent.glob(f"{original.name}-*"):
        leftover.unlink()
    shutil.copyfile(kept, original)
    intruder = sqlite3.connect(original)
    for statement in ATTACKS[attack].split(";"):
        intruder.execute(statement, {"n": place} if ":n" in statement else {})
    intruder.commit()
    intruder.close()
    assert audit.verify().problems != ()
