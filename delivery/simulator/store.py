"""The simulator's memory: customers, orders, events, pushes and calls in one SQLite file."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, Final

from delivery.rules import check_digit
from delivery.simulator.scripts import Step

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS customer (
  sender_no TEXT NOT NULL, environment TEXT NOT NULL, authorization TEXT NOT NULL, sign_key TEXT NOT NULL,
  callback TEXT NOT NULL DEFAULT '', api_codes TEXT NOT NULL DEFAULT '', PRIMARY KEY (sender_no, environment));
CREATE TABLE IF NOT EXISTS parcel (
  waybill_no TEXT PRIMARY KEY, serial INTEGER NOT NULL UNIQUE, sender_no TEXT NOT NULL, environment TEXT NOT NULL,
  order_no TEXT NOT NULL, body TEXT NOT NULL, script TEXT NOT NULL, position INTEGER NOT NULL DEFAULT 0,
  next_at TEXT, waits_for_hand_in INTEGER NOT NULL DEFAULT 0, cancelled_at TEXT, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS parcel_due ON parcel (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS parcel_order ON parcel (sender_no, order_no);
CREATE TABLE IF NOT EXISTS event (
  id INTEGER PRIMARY KEY, waybill_no TEXT NOT NULL, at TEXT NOT NULL, code TEXT NOT NULL, item TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS event_waybill ON event (waybill_no, at, id);
CREATE TABLE IF NOT EXISTS push (
  id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, waybill_no TEXT NOT NULL, serial_no TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, due_at TEXT, done_at TEXT, dead_at TEXT, answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS push_due ON push (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS call (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, api_code TEXT NOT NULL, sender_no TEXT NOT NULL,
  waybill_no TEXT NOT NULL, ret_code TEXT NOT NULL, fault TEXT NOT NULL DEFAULT '', request TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS subscription (waybill_no TEXT PRIMARY KEY, callback TEXT NOT NULL, salt TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS aggregator_push (
  id INTEGER PRIMARY KEY, waybill_no TEXT NOT NULL, due_at TEXT, tries INTEGER NOT NULL DEFAULT 0,
  answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS aggregator_push_due ON aggregator_push (due_at) WHERE due_at IS NOT NULL;
"""

_PUSHES: Final = (
    "SELECT push.*, event.item, parcel.order_no, parcel.sender_no, parcel.environment FROM push"
    " JOIN event ON event.id = push.event_id JOIN parcel ON parcel.waybill_no = push.waybill_no"
)


@dataclass(frozen=True)
class Customer:
    """One agreement customer in one environment; the secret parts do not show."""

    sender_no: str
    environment: str
    authorization: str
    sign_key: str
    callback: str
    api_codes: frozenset[str]
    """Empty: every interface."""

    def __repr__(self) -> str:
        return f"Customer({self.sender_no}, {self.environment})"


@dataclass(frozen=True)
class SimParcel:
    """One simulated parcel."""

    waybill_no: str
    serial: int
    sender_no: str
    environment: str
    order_no: str
    body: dict[str, Any]
    script: list[Step]
    position: int
    next_at: datetime | None
    waits_for_hand_in: bool
    cancelled: bool


@dataclass(frozen=True)
class SimPush:
    """One push to be delivered, with what its event says."""

    id: int
    waybill_no: str
    serial_no: str
    tries: int
    item: dict[str, Any]
    order_no: str
    sender_no: str
    environment: str


@dataclass(frozen=True)
class SimCall:
    """One call as the operator may see it: its content masked."""

    at: datetime
    api_code: str
    sender_no: str
    waybill_no: str
    ret_code: str
    fault: str = ""
    request: str = ""


AGGREGATOR_CUSTOMER: Final = ("SIMCUSTOMER", "SIMKEY0000000001")
FIRST_CUSTOMER: Final = Customer(
    "1100000000001", "open", "SIMAUTH000000001", "U0lNLUtFWS0wMDAwMDAwMQ==", "", frozenset()
)


class Store:
    """All statements, behind one lock: the simulator needs to be right, not fast."""

    def __init__(self, path: Path | None) -> None:
        self._lock = RLock()
        self._db = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # a simulated post may lose its last second with the power
        self._db.executescript(_SCHEMA)
        if "request" not in {row["name"] for row in self._db.execute("PRAGMA table_info(call)")}:
            self._db.execute("ALTER TABLE call ADD COLUMN request TEXT NOT NULL DEFAULT ''")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; joins one that is open."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _run(self, sql: str, *values: object) -> int:
        with self._lock:
            cursor = self._db.execute(sql, values)
            return cursor.lastrowid or 0

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()

    def wipe(self) -> None:
        """Forget everything but the customers."""
        with self.transaction():
            for table in ("parcel", "event", "push", "call", "subscription", "aggregator_push"):
                self._run(f"DELETE FROM {table}")  # noqa: S608 - fixed names

    # --- customers ---

    def customer(self, sender_no: str, environment: str) -> Customer | None:
        rows = self._all("SELECT * FROM customer WHERE sender_no=? AND environment=?", sender_no, environment)
        return _customer(rows[0]) if rows else None

    def customers(self) -> list[Customer]:
        return [_customer(row) for row in self._all("SELECT * FROM customer ORDER BY sender_no, environment")]

    def keep_customer(self, customer: Customer) -> None:
        """Add or replace."""
        self._run(
            "INSERT OR REPLACE INTO customer VALUES (?,?,?,?,?,?)", customer.sender_no, customer.environment,
            customer.authorization, customer.sign_key, customer.callback, ",".join(sorted(customer.api_codes)),
        )  # fmt: skip

    # --- parcels ---

    def new_waybill_no(self) -> tuple[str, int]:
        """The next number of our own series: 10 + serial + check digit + 60."""
        serial = int(self._all("SELECT COALESCE(MAX(serial), 0) + 1 AS n FROM parcel")[0]["n"])
        digits = f"{serial:08d}"
        return f"10{digits}{check_digit(digits)}60", serial

    def add_parcel(self, parcel: SimParcel, created_at: datetime) -> None:
        self._run(
            "INSERT INTO parcel (waybill_no, serial, sender_no, environment, order_no, body, script, next_at,"
            " waits_for_hand_in, created_at) VALUES (?,?,?,?,?,?,?,?,?,?)",
            parcel.waybill_no, parcel.serial, parcel.sender_no, parcel.environment, parcel.order_no,
            json.dumps(parcel.body, ensure_ascii=False), json.dumps([step.to_json() for step in parcel.script]),
            _text(parcel.next_at), int(parcel.waits_for_hand_in), _text(created_at),
        )  # fmt: skip

    def parcel(self, waybill_no: str) -> SimParcel | None:
        rows = self._all("SELECT * FROM parcel WHERE waybill_no=?", waybill_no)
        return _parcel(rows[0]) if rows else None

    def parcels(self, limit: int = 500) -> list[SimParcel]:
        return [_parcel(row) for row in self._all("SELECT * FROM parcel ORDER BY serial DESC LIMIT ?", limit)]

    def parcels_of_order(self, sender_no: str, order_no: str) -> list[SimParcel]:
        sql = "SELECT * FROM parcel WHERE sender_no=? AND order_no=? ORDER BY serial"
        return [_parcel(row) for row in self._all(sql, sender_no, order_no)]

    def due_parcels(self, now: datetime) -> list[SimParcel]:
        sql = "SELECT * FROM parcel WHERE next_at IS NOT NULL AND next_at<=? ORDER BY next_at LIMIT 200"
        return [_parcel(row) for row in self._all(sql, _text(now))]

    def schedule(self, waybill_no: str, position: int, next_at: datetime | None) -> None:
        self._run(
            "UPDATE parcel SET position=?, next_at=?, waits_for_hand_in=0 WHERE waybill_no=?",
            position, _text(next_at), waybill_no,
        )  # fmt: skip

    def rewrite(self, waybill_no: str, script: list[Step], next_at: datetime | None) -> None:
        """Give a parcel another story from here on."""
        self._run(
            "UPDATE parcel SET script=?, next_at=?, waits_for_hand_in=0 WHERE waybill_no=?",
            json.dumps([step.to_json() for step in script]), _text(next_at), waybill_no,
        )  # fmt: skip

    def cancel(self, waybill_no: str, at: datetime) -> None:
        self._run("UPDATE parcel SET cancelled_at=?, next_at=NULL WHERE waybill_no=?", _text(at), waybill_no)

    # --- events ---

    def add_event(self, waybill_no: str, at: datetime, item: dict[str, Any]) -> int:
        text = json.dumps(item, ensure_ascii=False)
        sql = "INSERT INTO event (waybill_no, at, code, item) VALUES (?,?,?,?)"
        return self._run(sql, waybill_no, _text(at), item["opCode"], text)

    def events(self, waybill_no: str) -> list[dict[str, Any]]:
        rows = self._all("SELECT item FROM event WHERE waybill_no=? ORDER BY at, id", waybill_no)
        return [json.loads(row["item"]) for row in rows]

    # --- pushes ---

    def add_push(self, event_id: int, waybill_no: str, serial_no: str, due_at: datetime) -> int:
        sql = "INSERT INTO push (event_id, waybill_no, serial_no, due_at) VALUES (?,?,?,?)"
        return self._run(sql, event_id, waybill_no, serial_no, _text(due_at))

    def due_pushes(self, now: datetime, limit: int = 50) -> list[SimPush]:
        sql = f"{_PUSHES} WHERE due_at IS NOT NULL AND due_at<=? ORDER BY due_at, push.id LIMIT ?"
        return [_push(row) for row in self._all(sql, _text(now), limit)]

    def push(self, push_id: int) -> SimPush | None:
        rows = self._all(f"{_PUSHES} WHERE push.id=?", push_id)
        return _push(rows[0]) if rows else None

    def postpone_push(self, push_id: int, due_at: datetime) -> None:
        self._run("UPDATE push SET due_at=? WHERE id=?", _text(due_at), push_id)

    def settle_push(self, push_id: int, answer: str, at: datetime, retry_at: datetime | None, *, taken: bool) -> None:
        """Taken, to be tried again at `retry_at`, or dead."""
        dead = None if taken or retry_at else _text(at)
        self._run(
            "UPDATE push SET tries=tries+1, answer=?, due_at=?, done_at=?, dead_at=? WHERE id=?",
            answer[:500], None if taken else _text(retry_at), _text(at) if taken else None, dead, push_id,
        )  # fmt: skip

    def pushes(self, limit: int = 500) -> list[dict[str, Any]]:
        return [dict(row) for row in self._all("SELECT * FROM push ORDER BY id DESC LIMIT ?", limit)]

    # --- calls ---

    def log_call(self, call: SimCall) -> None:
        sql = "INSERT INTO call (at, api_code, sender_no, waybill_no, ret_code, fault, request) VALUES (?,?,?,?,?,?,?)"
        self._run(
            sql, _text(call.at), call.api_code, call.sender_no, call.waybill_no, call.ret_code, call.fault, call.request
        )

    # --- the aggregator's subscriptions ---

    def subscribe(self, waybill_no: str, callback: str, salt: str) -> bool:
        """Keep where notices about a number go; returns whether that is new."""
        known = self.subscription(waybill_no) is not None
        self._run("INSERT OR REPLACE INTO subscription VALUES (?,?,?)", waybill_no, callback, salt)
        return not known

    def subscription(self, waybill_no: str) -> tuple[str, str] | None:
        """The callback and the salt of a number."""
        rows = self._all("SELECT callback, salt FROM subscription WHERE waybill_no=?", waybill_no)
        return (rows[0]["callback"], rows[0]["salt"]) if rows else None

    def add_aggregator_push(self, waybill_no: str, due_at: datetime) -> None:
        self._run("INSERT INTO aggregator_push (waybill_no, due_at) VALUES (?,?)", waybill_no, _text(due_at))

    def due_aggregator_pushes(self, now: datetime) -> list[tuple[int, str, int]]:
        sql = "SELECT id, waybill_no, tries FROM aggregator_push WHERE due_at IS NOT NULL AND due_at<=? ORDER BY id LIMIT 50"
        return [(row["id"], row["waybill_no"], row["tries"]) for row in self._all(sql, _text(now))]

    def settle_aggregator_push(self, push_id: int, answer: str, retry_at: datetime | None) -> None:
        sql = "UPDATE aggregator_push SET tries=tries+1, answer=?, due_at=? WHERE id=?"
        self._run(sql, answer[:200], _text(retry_at), push_id)

    def calls(self, waybill_no: str = "", limit: int = 200) -> list[dict[str, Any]]:
        sql = "SELECT * FROM call WHERE ?='' OR waybill_no=? ORDER BY id DESC LIMIT ?"
        return [dict(row) for row in self._all(sql, waybill_no, waybill_no, limit)]


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def _customer(row: sqlite3.Row) -> Customer:
    codes = frozenset(row["api_codes"].split(",")) - {""}
    return Customer(row["sender_no"], row["environment"], row["authorization"], row["sign_key"], row["callback"], codes)


def _parcel(row: sqlite3.Row) -> SimParcel:
    return SimParcel(
        row["waybill_no"], row["serial"], row["sender_no"], row["environment"], row["order_no"],
        json.loads(row["body"]), [Step.from_json(step) for step in json.loads(row["script"])], row["position"],
        datetime.fromisoformat(row["next_at"]) if row["next_at"] else None, bool(row["waits_for_hand_in"]),
        row["cancelled_at"] is not None,
    )  # fmt: skip


def _push(row: sqlite3.Row) -> SimPush:
    return SimPush(
        row["id"], row["waybill_no"], row["serial_no"], row["tries"], json.loads(row["item"]), row["order_no"],
        row["sender_no"], row["environment"],
    )  # fmt: skip
