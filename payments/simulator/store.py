"""Where the simulator keeps its objects: one SQLite file, one writer at a time, kept over restarts."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from payments.simulator.words import Json

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    body TEXT NOT NULL, account TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_intent ON object (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS object_charge ON object (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS object_status ON object (kind, json_extract(body, '$.status'));
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request_id TEXT NOT NULL, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS idempotency_created ON idempotency (created);
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', answer TEXT);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due);
CREATE TABLE IF NOT EXISTS timer (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS timer_due ON timer (due, seq);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
"""


class Store:
    """Objects as JSON by identifier. Every method expects to be called inside :meth:`transaction`."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self.connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(SCHEMA)
        self._add_missing_columns()
        self.account = ""
        """Whose objects are seen and made: a connected account's id, or "" for the platform's own."""

    def _add_missing_columns(self) -> None:
        columns = {row[1] for row in self.connection.execute("PRAGMA table_info(object)")}
        if "account" not in columns:  # a file of an earlier version
            self.connection.execute("ALTER TABLE object ADD COLUMN account TEXT NOT NULL DEFAULT ''")

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        with self._lock:
            self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one thread at a time. A nested call joins the outer one."""
        with self._lock:
            if self._depth:
                yield
                return
            self._depth += 1
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            else:
                self.connection.execute("COMMIT")
            finally:
                self._depth -= 1

    @contextmanager
    def acting_for(self, account: str) -> Iterator[None]:
        """See and make the objects of that account until the end of the block."""
        before, self.account = self.account, account
        try:
            yield
        finally:
            self.account = before

    def owner_of(self, object_id: str) -> str | None:
        """The account whose object it is; None when there is none of that identifier."""
        row = self.connection.execute("SELECT account FROM object WHERE id = ?", (object_id,)).fetchone()
        return None if row is None else str(row[0])

    def add(self, value: Json) -> Json:
        """Insert a new object."""
        self.connection.execute(
            "INSERT INTO object (id, kind, created, body, account) VALUES (?, ?, ?, ?, ?)",
            (value["id"], value["object"], value.get("created", 0), json.dumps(value), self.account),
        )
        return value

    def save(self, value: Json) -> Json:
        """Replace an object."""
        self.connection.execute("UPDATE object SET body = ? WHERE id = ?", (json.dumps(value), value["id"]))
        return value

    def remove(self, object_id: str) -> None:
        """Delete an object (webhook endpoints only; money is never deleted)."""
        self.connection.execute("DELETE FROM object WHERE id = ?", (object_id,))

    def find(self, object_id: str, kind: str | None = None) -> Json | None:
        """The object of that identifier, and of that type when one is given."""
        row = self.connection.execute("SELECT body, kind, account FROM object WHERE id = ?", (object_id,)).fetchone()
        if row is None or row[2] != self.account or (kind is not None and row[1] != kind):
            return None
        value: Json = json.loads(row[0])
        return value

    def every(self, kind: str, **equal: Any) -> list[Json]:
        """All objects of a type whose fields equal the given values, oldest first."""
        sql, arguments = _where(kind, self.account, equal)
        rows = self.connection.execute(f"SELECT body FROM object WHERE {sql} ORDER BY seq", arguments)  # noqa: S608
        return [json.loads(row[0]) for row in rows]

    def nets(self) -> list[tuple[str, str, int]]:
        """Sums of the net of all movements, by status and currency, in the minor unit."""
        rows = self.connection.execute(
            "SELECT json_extract(body, '$.status'), json_extract(body, '$.currency'), sum(json_extract(body, '$.net')) "
            "FROM object WHERE kind = 'balance_transaction' AND account = ? GROUP BY 1, 2",
            (self.account,),
        )
        return [(str(status), str(currency), int(total)) for status, currency, total in rows]

    def page(
        self, kind: str, *, equal: Json, created: Json, limit: int, after: str | None, before: str | None
    ) -> tuple[list[Json], bool]:
        """One page, newest first as Stripe lists, and whether more follow."""
        sql, arguments = _where(kind, self.account, equal)
        for name, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")):
            if name in created:
                sql += f" AND created {sign} ?"
                arguments.append(int(created[name]))
        order = "DESC"
        if after is not None:
            sql += " AND seq < (SELECT seq FROM object WHERE id = ?)"
            arguments.append(after)
        if before is not None:
            sql += " AND seq > (SELECT seq FROM object WHERE id = ?)"
            arguments.append(before)
            order = "ASC"
        query = f"SELECT body FROM object WHERE {sql} ORDER BY seq {order} LIMIT ?"  # noqa: S608 - our own words only
        rows = self.connection.execute(query, [*arguments, limit + 1]).fetchall()
        found = [json.loads(row[0]) for row in rows]
        more = len(found) > limit
        found = found[:limit]
        return (found[::-1] if before is not None else found), more

    def setting(self, name: str, default: str) -> str:
        """A stored setting, or the default."""
        row = self.connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting; it survives a restart."""
        self.connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))


def _where(kind: str, account: str, equal: Json) -> tuple[str, list[Any]]:
    sql, arguments = "kind = ? AND account = ?", [kind, account]
    for name, value in equal.items():
        sql += f" AND json_extract(body, '$.{name}') = ?"
        arguments.append(value)
    return sql, arguments
