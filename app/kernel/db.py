"""The database: base class, engine set-up for SQLite and PostgreSQL, transactions, locks and column kinds.

SQLite takes its write lock at BEGIN (`BEGIN IMMEDIATE`) in every transaction that writes; without it, measured, most
concurrent updates are silently lost. PostgreSQL rows are locked with FOR UPDATE and whole use cases are retried.
"""

import functools
import hashlib
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ClassVar, ParamSpec, TypeVar
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import TypeDecorator
from uuid6 import uuid7

from app.kernel.errors import NotFound, Outdated
from app.kernel.money import MAX_FEN
from app.kernel.states import Machine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables. Relationships are loaded explicitly; `type_annotation_map` keeps columns alike everywhere."""

    metadata = sa.MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC instant. SQLite keeps no zone, so it is stripped on the way in and restored on the way out."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must carry its zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JSONValue = sa.JSON().with_variant(JSONB(), "postgresql")

Base.registry.update_type_annotation_map(
    {datetime: UTCDateTime(), UUID: sa.Uuid(), int: sa.BigInteger(), dict[str, Any]: JSONValue, list[Any]: JSONValue}
)


def uuid_pk() -> Mapped[UUID]:
    """Return a primary key column filled with time-ordered UUIDs (version 7), so that indexes grow at their end."""
    return mapped_column(sa.Uuid(), primary_key=True, default=new_id)


def uuid_fk(target: str, *, nullable: bool = False, index: bool = True, primary_key: bool = False) -> Mapped[Any]:
    """Return an indexed foreign key to `target` ("table.column")."""
    return mapped_column(sa.Uuid(), sa.ForeignKey(target), nullable=nullable, index=index, primary_key=primary_key)


def new_id() -> UUID:
    return UUID(int=uuid7().int)


class Versioned:
    """Mixin: a counter compared and raised by every UPDATE, so that a stale page cannot overwrite a newer state."""

    version: Mapped[int] = mapped_column(sa.Integer(), nullable=False, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - declared_attr passes the class
        return {"version_id_col": cls.version}


# --- constraints from rules -------------------------------------------------------------------------------------


def named_check(name: str, condition: str) -> sa.CheckConstraint:
    """Return a CHECK whose name ends in a digest of its text, so that a changed rule is a changed name in migrations."""
    digest = hashlib.sha256(condition.encode()).hexdigest()[:6]
    return sa.CheckConstraint(condition, name=f"{name}_{digest}")


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the SQL condition that `column` holds one of these words."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def whole_fen(*columns: str) -> str:
    """Return the SQL condition that amounts are whole fen and within what the product can hold.

    SQLite would store 0.5 in a BIGINT column as it is.
    """
    return " AND ".join(f"{column} = CAST({column} AS BIGINT) AND abs({column}) <= {MAX_FEN}" for column in columns)


def iso_currency(column: str) -> str:
    """Return the SQL condition that a column holds a currency's three capital letters (ISO 4217)."""
    return f"length({column}) = 3 AND {column} = upper({column})"


def state_checks(machine: Machine, column: str = "state") -> tuple[sa.CheckConstraint, ...]:
    """Return the database's side of `machine`: known states only, and the columns that each state requires."""
    values = ", ".join(f"'{s}'" for s in machine.states)
    checks = [named_check(column, f"{column} IN ({values})")]
    for state, columns in machine.requires.items():
        filled = " AND ".join(f"{c} IS NOT NULL" for c in columns)
        checks.append(named_check(f"{column}_{state}", f"{column} <> '{state}' OR ({filled})"))
    return tuple(checks)


def append_only_statements(table: str, dialect: str, mutable: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the DDL that forbids DELETE, and UPDATE of any column outside `mutable`, on `table`."""
    if dialect == "sqlite":
        changed = "" if not mutable else _sqlite_changed(table, mutable)
        return (
            (
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            ),
            (
                f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {changed}"
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            ),
        )
    kept = "" if not mutable else _postgres_unchanged(mutable)
    return (
        (
            f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {kept} "
            f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        ),
        (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
        ),
    )


def _sqlite_changed(table: str, mutable: tuple[str, ...]) -> str:
    frozen = [c.name for c in Base.metadata.tables[table].columns if c.name not in mutable]
    return "WHEN " + " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in frozen) + " "


def _postgres_unchanged(mutable: tuple[str, ...]) -> str:
    minus = "".join(f" - '{c}'" for c in mutable)
    return f"IF TG_OP = 'UPDATE' AND to_jsonb(NEW){minus} = to_jsonb(OLD){minus} THEN RETURN NEW; END IF;"


APPEND_ONLY: dict[str, tuple[str, ...]] = {}


def append_only(model: type[Base], mutable: tuple[str, ...] = ()) -> None:
    """Forbid UPDATE and DELETE on the model's table in the database itself; `mutable` columns may still be updated."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    APPEND_ONLY[table.name] = mutable

    def create(target: sa.Table, connection: sa.Connection, **_: Any) -> None:
        for statement in append_only_statements(target.name, connection.dialect.name, mutable):
            run_ddl(connection, statement)

    event.listen(table, "after_create", create)


def run_ddl(connection: sa.Connection, statement: str) -> None:
    """Run one statement as written; a percent sign means itself (psycopg would take it for a placeholder)."""
    postgresql = connection.dialect.name == "postgresql"
    connection.exec_driver_sql(statement.replace("%", "%%") if postgresql else statement)


def extra_ddl(model: type[Base], sqlite: tuple[str, ...], postgresql: tuple[str, ...]) -> None:
    """Run further DDL (a trigger, a partial index) after the model's table was created, by dialect."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    EXTRA_DDL.setdefault(table.name, []).append({"sqlite": sqlite, "postgresql": postgresql})

    def create(_target: sa.Table, connection: sa.Connection, **_: Any) -> None:
        for statement in sqlite if connection.dialect.name == "sqlite" else postgresql:
            run_ddl(connection, statement)

    event.listen(table, "after_create", create)


EXTRA_DDL: dict[str, list[dict[str, tuple[str, ...]]]] = {}


# --- engine -----------------------------------------------------------------------------------------------------

SAFE_SQLITE = (3, 51, 3)  # older versions carry the WAL-reset bug


def engine_options(url: str) -> dict[str, Any]:
    """Return the engine options for `url`: driver, timeouts and pool, as measured to lose nothing.

    The product has more than a thousand different statements; SQLAlchemy's own limit of 500 would compile them again and again.
    """
    common = {"query_cache_size": 2000}
    if url.startswith("sqlite"):
        from pysqlite3 import dbapi2

        return common | {
            "module": dbapi2,
            "connect_args": {"isolation_level": None, "timeout": 30, "check_same_thread": False},
        }
    limits = "-c lock_timeout=5000 -c statement_timeout=30000 -c idle_in_transaction_session_timeout=30000"
    return common | {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 8, "connect_args": {"options": limits}}


def prepare_engine(engine: sa.Engine) -> None:
    """Install the connection set-up and the write-lock discipline on `engine`."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        version = tuple(int(n) for n in cursor.execute("select sqlite_version()").fetchone()[0].split("."))
        journal = "WAL" if version >= SAFE_SQLITE else "TRUNCATE"
        for pragma in (
            f"journal_mode={journal}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def init_db(app: Flask) -> None:
    """Bind the database to the application."""
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


# --- transactions -----------------------------------------------------------------------------------------------

_writing: ContextVar[bool] = ContextVar("writing", default=False)


def in_transaction() -> bool:
    """Tell whether a writing transaction is open here."""
    return _writing.get()


@contextmanager
def write_lock() -> Iterator[None]:
    """Make connections opened here take SQLite's write lock at BEGIN; for migrations, which use no session."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one writing transaction, or join the one that is open; commit at the end of the outermost."""
    session: Session = db.session()
    if _writing.get():
        yield session
        return
    if session.in_transaction():
        session.commit()  # ends a read snapshot; nothing can be pending, see _refuse_stray_writes
    token = _writing.set(True)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)


@event.listens_for(Session, "before_flush")
def _refuse_stray_writes(session: Session, _context: Any, _instances: Any) -> None:
    if not _writing.get() and (session.new or session.dirty or session.deleted):
        raise RuntimeError("a write outside transaction(): wrap the use case")


P = ParamSpec("P")
R = TypeVar("R")
RETRYABLE = {"40001", "40P01", "55P03"}
ATTEMPTS = 6


def use_case(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in one transaction, joined when one is open.

    The outermost call is repeated, at most five times with jitter, when the database asks for it (serialisation
    failure, deadlock, lock timeout); a version conflict becomes `Outdated`.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _writing.get():
            return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction():
                    return function(*args, **kwargs)
            except StaleDataError as stale:
                raise Outdated from stale
            except DBAPIError as failure:
                if attempt == ATTEMPTS or not _may_retry(failure):
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError

    run.is_use_case = True  # type: ignore[attr-defined]
    return run


def _may_retry(failure: DBAPIError) -> bool:
    return failure.connection_invalidated or getattr(failure.orig, "sqlstate", None) in RETRYABLE


M = TypeVar("M", bound=Base)


def lock(model: type[M], object_id: Any, *, seen: int | None = None) -> M:
    """Load one row for writing, locked until the transaction ends.

    `seen` is the version that the caller's page showed. Raises NotFound, or Outdated when the row is newer.
    """
    key = sa.inspect(model).primary_key[0]
    statement = sa.select(model).where(key == object_id).with_for_update().execution_options(populate_existing=True)
    row = db.session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound
    if seen is not None and getattr(row, "version", seen) != seen:
        raise Outdated
    return row


def get(model: type[M], object_id: Any, *, fresh: bool = False) -> M:
    """Load one row for reading; raises NotFound. `fresh`: ask the database even if the row was loaded before."""
    row = db.session.get(model, object_id, populate_existing=fresh)
    if row is None:
        raise NotFound
    return row


class Stateful:
    """What `move` and `record` ask of a model. `object_type` names it in logs and links."""

    object_type: ClassVar[str]
    id: Any
    thread_id: Any
    state: Any

    def audience(self) -> tuple[str, ...]:
        """Return who may read this object's timeline entries: "public", "org:<id>", "user:<id>", "role:<role>"."""
        raise NotImplementedError
