"""Alembic's entry: runs the migrations on the application's engine, SQLite and PostgreSQL alike."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app.kernel import db as kernel_db
from app.kernel.db import Base, db

OPTIONS: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "render_as_batch": True,
    "compare_type": True,
    # checks are compared by name, and our names end in a digest of their text
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    "user_module_prefix": "kernel_db.",
}


def _next_number(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Number revisions 0001, 0002, ... so that their order can be read."""
    if not directives:
        return
    script = directives[0]
    heads = context.script.get_current_head()
    script.rev_id = f"{int(heads or 0) + 1:04d}"


def _render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    if kind == "type" and isinstance(item, kernel_db.UTCDateTime):
        autogen_context.imports.add("from app.kernel import db as kernel_db")
        return "kernel_db.UTCDateTime()"
    return False


def run_offline() -> None:
    context.configure(url=current_app.config["SQLALCHEMY_DATABASE_URI"], literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Migrate. SQLite changes a table by writing it anew and dropping the old one, to which others refer: its foreign keys
    are off meanwhile, and all of them are checked before the commit.
    """
    with kernel_db.write_lock(), db.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            _foreign_keys(connection, on=False)
        context.configure(
            connection=connection,
            process_revision_directives=_next_number,
            render_item=_render_item,
            **OPTIONS,
        )
        with context.begin_transaction():
            context.run_migrations()
            if is_sqlite:
                _check_references(connection)
        if connection.in_transaction():
            connection.commit()
        if is_sqlite:
            _foreign_keys(connection, on=True)


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """The pragma does nothing inside a transaction, so it goes to the driver's connection."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise RuntimeError(f"a migration left a reference without its row: {tuple(broken)}")


run_offline() if context.is_offline_mode() else run_online()
