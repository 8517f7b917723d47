"""Alembic's entry: runs the migrations on the application's engine, SQLite and PostgreSQL alike."""

from typing import Any

from alembic import context
from flask import current_app

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
    with kernel_db.write_lock(), db.engine.connect() as connection:
        context.configure(
            connection=connection,
            process_revision_directives=_next_number,
            render_item=_render_item,
            **OPTIONS,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.in_transaction():
            connection.commit()


run_offline() if context.is_offline_mode() else run_online()
