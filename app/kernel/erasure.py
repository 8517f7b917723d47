"""Making erased bytes leave the database file. An UPDATE or DELETE only frees them; they lie there until overwritten.

SQLite: connections run with `secure_delete`, which overwrites what is freed; pages that were split or moved earlier may
still hold a copy, so the file is rewritten and the write-ahead log emptied. PostgreSQL: dead row versions go with a
rewrite of the tables that held them.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from app.kernel.db import db


def compact(tables: Iterable[str]) -> None:
    """Rewrite the file (SQLite) or the named tables (PostgreSQL). Takes their locks: run it at night.

    Call with no transaction open.
    """
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in tables:
                connection.execute(sa.text(f'VACUUM (FULL) "{table}"'))
        return
    raw = db.engine.raw_connection()
    try:
        _rewrite(raw.cursor())
    finally:
        raw.close()


def _rewrite(cursor: Any) -> None:
    cursor.execute("VACUUM")
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    cursor.close()
