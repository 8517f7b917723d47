"""Whether this process lives, and whether the whole installation can do its work."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, current_app, jsonify
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from app.kernel import audit, clock, work_calendar
from app.kernel.db import SAFE_SQLITE, db, transaction
from app.kernel.jobs import WorkerHeartbeat
from app.settings import Settings
from app.web.guard import public

log = logging.getLogger(__name__)
bp = Blueprint("health", __name__)

WORKER_SECONDS = 60
AUDIT_SECONDS = 60
FREE_SHARE = 0.05
CALENDAR_DAYS = 60


@dataclass(frozen=True)
class Finding:
    """The result of one check. A warning does not take the installation out of service."""

    ok: bool
    note: str
    warning: bool = False


def check_database() -> Finding:
    """A writing transaction can be opened and committed."""
    with transaction() as session:
        session.execute(text("SELECT 1"))
    return Finding(ok=True, note=db.engine.dialect.name)


def check_sqlite_version() -> Finding:
    """SQLite is new enough for the write-ahead log (older versions may corrupt it)."""
    if db.engine.dialect.name != "sqlite":
        return Finding(ok=True, note="not in use")
    version = str(db.session.scalar(text("SELECT sqlite_version()")))
    safe = tuple(int(part) for part in version.split(".")) >= SAFE_SQLITE
    return Finding(ok=True, note=version, warning=not safe)


def check_worker() -> Finding:
    """A worker has given a sign of life within the last minute."""
    last = db.session.scalar(select(func.max(WorkerHeartbeat.at)))
    if last is None:
        return Finding(ok=False, note="no worker has run")
    age = (clock.now() - last).total_seconds()
    return Finding(ok=age < WORKER_SECONDS, note=f"{age:.0f} s")


def check_audit_log() -> Finding:
    """Audit events get their place in the log within a minute."""
    lag = audit.lag_seconds()
    return Finding(ok=lag < AUDIT_SECONDS, note=f"{lag:.0f} s")


def check_disk() -> Finding:
    """More than five hundredths of the data volume are free."""
    settings: Settings = current_app.extensions["chaoshi_settings"]
    usage = shutil.disk_usage(settings.data_dir)
    share = usage.free / usage.total
    return Finding(ok=share > FREE_SHARE, note=f"{share:.0%} free")


def check_calendar() -> Finding:
    """The working days of the next sixty days are known; a provisional year is a warning."""
    covered = work_calendar.current().covers(clock.today(), CALENDAR_DAYS)
    last = clock.today() + timedelta(days=CALENDAR_DAYS)
    note = f"known until {last.isoformat()}" if covered else f"{last.year} is not official yet"
    return Finding(ok=True, note=note, warning=not covered)


CHECKS: dict[str, Callable[[], Finding]] = {
    "database": check_database,
    "sqlite": check_sqlite_version,
    "worker": check_worker,
    "audit": check_audit_log,
    "disk": check_disk,
    "calendar": check_calendar,
}


@bp.get("/healthz")
@public
def healthz() -> Response:
    """Tell that this process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> Response:
    """Every part of the installation works; 503 with the failing part otherwise."""
    findings = {name: _run(name, check) for name, check in CHECKS.items()}
    ready = all(finding.ok for finding in findings.values())
    response = jsonify(
        status="ready" if ready else "not ready",
        checks={
            name: {"ok": finding.ok, "note": finding.note, **({"warning": True} if finding.warning else {})}
            for name, finding in findings.items()
        },
    )
    response.status_code = 200 if ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response


def _run(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except (SQLAlchemyError, OSError) as failure:
        log.warning("readiness check failed", extra={"check": name}, exc_info=failure)
        db.session.rollback()
        return Finding(ok=False, note=type(failure).__name__)
