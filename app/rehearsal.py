"""python -m app.rehearsal: a sandbox copy of an installation in which any procedure can be run in accelerated time.

Copies the SQLite database (or takes a restored copy by `--database-url`), takes out what must not leave the real one, and
starts everything on its own ports with the simulators. The copy has its own data directory, keys and clock; it sends no mail
and knows no real gateway or carrier. Everybody enters it as any role from the sign-in panel.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from app.factory import create_app
from app.identity.services.demonstration import ensure_demo_accounts
from app.kernel.backup import back_up
from app.kernel.db import APPEND_ONLY, Base, db, transaction
from app.kernel.outbox import OutboxMessage
from app.settings import Mode, Settings

PERSONAL: Final[Mapping[str, str]] = {
    "mobile": "13800000000",
    "contact_mobile": "13800000000",
    "receiver_mobile": "13800000000",
    "sender_mobile": "13800000000",
    "receiver_name": "某某",
    "sender_name": "某某",
    "agent_name": "某某",
    "sender_address": "演练地址",
    "receiver_address": "演练地址",
    "contact_phone": "0000-0000000",
    "contact_email": "nobody@rehearsal.invalid",
    "to_address": "nobody@rehearsal.invalid",
}
"""Columns of any table that name or reach a person, with what a rehearsal shows instead."""
EMPTIED: Final = ("user_session", "api_token", "login_attempt", "mail_message", "job_lease")
"""Tables whose rows let somebody in, would be sent, or belong to running processes."""
CREDENTIALS: Final[Mapping[str, object]] = {
    "password": None,
    "tf_totp_secret": None,
    "totp_enabled_at": None,
    "calendar_token_hash": None,
    "mf_recovery_codes": [],
}


def environment(data: Path, port: int, database_url: str) -> dict[str, str]:
    """What the processes of the rehearsal run with: nothing of the real installation's secrets or partners."""
    ours = ("CHAOSHI_", "STRIPE_", "EMS_", "PORT")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return {
        **kept,
        "CHAOSHI_ENV": "development",
        "CHAOSHI_REHEARSAL": "1",
        "CHAOSHI_DATA": str(data),
        "CHAOSHI_DATABASE_URL": database_url,
        "CHAOSHI_CLOCK_FILE": str(data / "clock"),
        "CHAOSHI_DEMO": "0",
        "PORT": str(port),
        "STRIPE_SIMULATOR_PORT": str(port + 1),
        "STRIPE_BASE_URL": f"http://127.0.0.1:{port + 1}",
        "EMS_SIMULATOR_PORT": str(port + 2),
        "EMS_BASE_URL": f"http://127.0.0.1:{port + 2}/sim/ems/amp-prod-api/f/amp/api/open",
    }


def copy(source: Settings, data: Path) -> None:
    """Copy the source's SQLite database into `data`; uploads stay behind. Raises Conflict for PostgreSQL and a present copy."""
    data.mkdir(parents=True, exist_ok=True)
    with create_app(source).app_context():
        back_up(data / "chaoshi.sqlite")
        db.engine.dispose()


def take_out_persons() -> None:
    """Replace what reaches or lets in a person, drop what would be sent, and make an account of every role."""
    with transaction() as session:
        for table in Base.metadata.sorted_tables:
            values = {c.name: PERSONAL[c.name] for c in table.columns if c.name in PERSONAL}
            for name, value in values.items():
                if table.name not in APPEND_ONLY:
                    session.execute(sa.update(table).where(table.c[name].is_not(None)).values({name: value}))
            if table.name in EMPTIED:
                session.execute(sa.delete(table))
        users = Base.metadata.tables["app_user"]
        email = sa.func.concat("person-", sa.cast(users.c.id, sa.String), "@rehearsal.invalid")
        session.execute(sa.update(users).where(~users.c.demo).values(email=sa.func.lower(email), **CREDENTIALS))
        session.execute(
            sa.delete(OutboxMessage).where(
                OutboxMessage.event == "identity.mail-queued", OutboxMessage.done_at.is_(None)
            )
        )
    ensure_demo_accounts()
    if db.engine.dialect.name == "sqlite":
        db.session.rollback()
        with db.engine.connect() as connection:  # what was overwritten still stands in free pages and in the log
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def prepare(settings: Settings) -> None:
    """Bring a fresh copy to the present schema and take persons out of it."""
    subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"], check=True)
    with create_app(settings).app_context():
        take_out_persons()
        db.engine.dispose()


def main() -> int:
    """Make the copy unless there is one, and run it until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run a sandbox copy of this installation in accelerated time.")
    parser.add_argument("--data", type=Path, default=None, help="where the copy lives; default: rehearsal/ in the data")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--database-url", default="", help="a restored copy of a PostgreSQL database; it is changed!")
    parser.add_argument("--fresh", action="store_true", help="throw the present copy away and copy again")
    given = parser.parse_args()
    source = Settings.from_env()
    data = (given.data or source.data_dir / "rehearsal").resolve()
    if given.database_url and given.database_url == source.database_url:
        parser.error("--database-url is the real database")
    if given.fresh:
        shutil.rmtree(data, ignore_errors=True)
    is_new = not (data / "prepared").exists()
    if is_new and not given.database_url:
        shutil.rmtree(data, ignore_errors=True)
        copy(source, data)
    os.environ.clear()
    os.environ.update(environment(data, given.port, given.database_url))
    if is_new:
        data.mkdir(parents=True, exist_ok=True)
        prepare(replace(Settings.from_env(), mode=Mode.DEVELOPMENT))
        (data / "prepared").touch()
    os.execv(sys.executable, [sys.executable, "-m", "app.supervisor"])  # noqa: S606 - our own module


if __name__ == "__main__":
    raise SystemExit(main())
