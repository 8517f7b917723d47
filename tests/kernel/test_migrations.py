"""Migrations run up, down and up again on both databases, and lead exactly to the models."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from app.factory import create_app
from app.kernel.db import APPEND_ONLY, Base, UTCDateTime, db, write_lock
from app.settings import Mode, Settings
from tests.servers import a_database

pytestmark = pytest.mark.postgresql
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bare_app(database_kind: str, tmp_path: Path) -> Flask:
    url = f"sqlite:///{tmp_path / 'bare.sqlite'}" if database_kind == "sqlite" else a_database()
    return create_app(Settings(mode=Mode.TESTING, data_dir=tmp_path, database_url=url))


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_up_down_up(bare_app: Flask) -> None:
    with bare_app.app_context():
        upgrade()
        assert tables() == set(Base.metadata.tables)
        downgrade(revision="base")
        assert tables() == set()
        upgrade()
        assert tables() == set(Base.metadata.tables)
        db.engine.dispose()


def test_they_lead_to_the_models(bare_app: Flask) -> None:
    with bare_app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
                },
            )
            assert compare_metadata(context, Base.metadata) == []
        db.engine.dispose()


def test_append_only_tables_refuse_in_the_database(bare_app: Flask) -> None:
    with bare_app.app_context():
        upgrade()
        if db.engine.dialect.name == "sqlite":
            guarded = set(db.session.scalars(sa.text("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'")))
        else:
            guarded = set(db.session.scalars(sa.text("SELECT event_object_table FROM information_schema.triggers")))
        assert set(APPEND_ONLY) <= guarded
        db.session.remove()
        db.engine.dispose()


def test_one_head_and_numbered_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    assert len(script.get_heads()) == 1
    numbers = sorted(r.revision for r in script.walk_revisions())
    assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)]


def test_rows_that_others_refer_to_outlive_a_changed_table(bare_app: Flask) -> None:
    """SQLite changes a table by dropping the old one; what refers to it must still find its rows."""
    person, organisation = uuid4(), uuid4()
    with bare_app.app_context():
        upgrade(revision="0007")
        moment = datetime(2026, 11, 1, tzinfo=UTC)
        with write_lock(), db.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO app_user (id, email, name, state, fs_uniquifier, mf_recovery_codes, locale, mail_notices,"
                    " demo, created_at) VALUES (:id, 'li@example.test', '李明', 'active', 'u', '[]', 'en', :no, :no, :at)"
                ).bindparams(sa.bindparam("id", type_=sa.Uuid()), sa.bindparam("at", type_=UTCDateTime())),
                {"id": person, "no": False, "at": moment},
            )
            connection.execute(
                sa.text(
                    "INSERT INTO organisation (id, kind, name, created_at) VALUES (:id, 'owner', '云港市测绘院', :at)"
                ).bindparams(sa.bindparam("id", type_=sa.Uuid()), sa.bindparam("at", type_=UTCDateTime())),
                {"id": organisation, "at": moment},
            )
            connection.execute(
                sa.text(
                    "INSERT INTO membership (id, user_id, organisation_id, role, administers, state, created_at)"
                    " VALUES (:id, :person, :organisation, 'owner', :yes, 'active', :at)"
                ).bindparams(
                    sa.bindparam("id", type_=sa.Uuid()),
                    sa.bindparam("person", type_=sa.Uuid()),
                    sa.bindparam("organisation", type_=sa.Uuid()),
                    sa.bindparam("at", type_=UTCDateTime()),
                ),
                {"id": uuid4(), "person": person, "organisation": organisation, "yes": True, "at": moment},
            )
        upgrade()
        with db.engine.connect() as connection:
            row = connection.execute(
                sa.text("SELECT u.name, u.mail_delivery FROM membership m JOIN app_user u ON u.id = m.user_id")
            ).one()
            assert tuple(row) == ("李明", "never")
            if db.engine.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        db.engine.dispose()
