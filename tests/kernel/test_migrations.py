"""Migrations run up, down and up again on both databases, and lead exactly to the models."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from app.factory import create_app
from app.kernel.db import APPEND_ONLY, Base, db
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
