"""A consistent copy of a live SQLite database. PostgreSQL has its own tools."""

from pathlib import Path

from app.kernel.db import db
from app.kernel.errors import Conflict
from app.kernel.words import N_


def back_up(target: Path) -> int:
    """Copy the live database into `target` with SQLite's online backup, check the copy and return its size in bytes.

    Raises Conflict when the database is not SQLite, the target exists, or the copy is not sound.
    """
    if db.engine.dialect.name != "sqlite":
        raise Conflict("not-sqlite", N_("Back up PostgreSQL with its own tools."))
    if target.exists():
        raise Conflict("target-exists", N_("The backup file exists already."))
    from pysqlite3 import dbapi2

    source = dbapi2.connect(str(db.engine.url.database))
    copy = dbapi2.connect(str(target))
    try:
        source.backup(copy)
        verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        copy.close()
        source.close()
    if verdict != "ok":
        target.unlink()
        raise Conflict("copy-broken", N_("The copy is not sound; the backup was thrown away."))
    return target.stat().st_size
