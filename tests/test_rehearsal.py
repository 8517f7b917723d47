"""The sandbox copy: nobody can be reached or entered from it, and its clock runs as an officer sets it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import rehearsal
from app.factory import create_app
from app.identity.models import MailMessage, User, UserSession
from app.identity.services import demonstration
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.db import Base, db, transaction
from app.settings import MissingSetting, Mode, Settings
from tests.identity.builders import a_person

REACHES_A_PERSON = re.compile(r"(mobile|phone|email|to_address|receiver_name|receiver_address|id_number)$")
PUBLIC_BY_LAW = {"contact_phone", "complaint_phone", "phone"}  # telephones of notices and organisations are published


def test_every_column_that_reaches_a_person_is_replaced() -> None:
    left = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if REACHES_A_PERSON.search(column.name)
        and column.name not in rehearsal.PERSONAL
        and column.name not in PUBLIC_BY_LAW
        and (table.name, column.name) != ("app_user", "email")
    }
    assert left == set()


def test_nothing_personal_is_in_the_file_of_the_copy(app: Flask, tmp_path: Path) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL copies are made by its own tools")
    person = a_person()
    with transaction() as session:
        session.get_one(User, person.id).mobile = "13912345678"
    settings = replace(app.extensions["chaoshi_settings"], data_dir=tmp_path, mode=Mode.DEVELOPMENT)
    data = tmp_path / "copy"
    rehearsal.copy(replace(settings, database_url=str(db.engine.url)), data)
    assert b"13912345678" in (data / "chaoshi.sqlite").read_bytes()
    sandbox = create_app(replace(settings, data_dir=data, database_url="", rehearsal=True))
    with sandbox.app_context():
        rehearsal.take_out_persons()
        people = {user.id: user for user in db.session.scalars(select(User))}
        assert people[person.id].email == f"person-{str(person.id).replace('-', '')}@rehearsal.invalid"
        assert people[person.id].password is None
        assert db.session.scalars(select(UserSession)).all() == []
        assert db.session.scalars(select(MailMessage)).all() == []
        assert {entry.role for entry in demonstration.demo_entries()} >= {Role.OWNER, Role.AGENCY, Role.OPERATOR}
        db.engine.dispose()
    content = b"".join(path.read_bytes() for path in data.glob("chaoshi.sqlite*"))
    assert b"13912345678" not in content
    assert b"li@example.test" not in content


def test_production_is_never_a_rehearsal() -> None:
    with pytest.raises(MissingSetting, match="CHAOSHI_REHEARSAL"):
        Settings(mode=Mode.PRODUCTION, rehearsal=True).check()


def test_the_real_installation_has_no_clock_to_set(client: FlaskClient) -> None:
    assert client.get("/rehearsal").status_code == 404


def test_the_processes_know_nothing_of_the_real_partners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "STRIPE_SECRET_KEY",
        "CHAOSHI_SMTP_URL",
        "EMS_AUTHORIZATION",
        "CHAOSHI_SECRET_KEY",
        "CHAOSHI_AUDIT_KEY",
    ):
        monkeypatch.setenv(name, "real")
    inside = rehearsal.environment(tmp_path, 8100, "")
    assert "real" not in inside.values()
    assert inside["STRIPE_BASE_URL"] == "http://127.0.0.1:8101"


@pytest.fixture
def pace_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "clock"
    clock.follow(path)
    yield path
    clock.follow(None)


def test_the_pace_of_time() -> None:
    start = datetime(2026, 11, 21, 8, tzinfo=UTC)
    pace = clock.Pace(ahead=3600, rate=60, since=int(start.timestamp()))
    assert pace.time_at(start) == start + timedelta(hours=1)
    assert pace.time_at(start + timedelta(minutes=1)) == start + timedelta(hours=2)
    assert clock.Pace(ahead=3600).time_at(start) == start + timedelta(hours=1)


def test_time_goes_on_and_never_back(pace_file: Path) -> None:
    target = clock.now() + timedelta(days=3)
    clock.set_pace(target, 1)
    assert timedelta(0) <= clock.now() - target < timedelta(minutes=1)
    with pytest.raises(ValueError, match="never runs back"):
        clock.set_pace(target - timedelta(days=1), 1)
    assert clock.now() >= target
    assert clock.wall_time() < target
    assert pace_file.read_text().split()[1] == "1"
