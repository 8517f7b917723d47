"""Attempts counted in the database, so that the limit holds for all processes together.

An attempt is counted *before* the secret is looked at: parallel guesses cannot slip through between check and count.
Windows are fixed; keys are keyed hashes, so the table holds neither mail nor network addresses.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import Insert, delete
from sqlalchemy.dialects import postgresql, sqlite

from app.identity.models import LoginAttempt
from app.kernel import clock
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import TooManyRequests


@dataclass(frozen=True)
class Limit:
    """At most `count` attempts under one key in each window of `window`."""

    scope: str
    count: int
    window: timedelta


QUARTER_HOUR = timedelta(minutes=15)
HOUR = timedelta(hours=1)

# the first is what a forgetful person meets; the second stops guessing one account from many networks without letting
# a stranger lock somebody out with a handful of requests; the third stops guessing many accounts from one network
SIGN_IN_HERE = Limit("sign-in-account-network", 10, QUARTER_HOUR)
SIGN_IN_ACCOUNT = Limit("sign-in-account", 60, QUARTER_HOUR)
SIGN_IN_NETWORK = Limit("sign-in-network", 200, QUARTER_HOUR)
CODE_ACCOUNT = Limit("code-account", 5, QUARTER_HOUR)
RESET_ACCOUNT = Limit("reset-account", 3, HOUR)
RESET_NETWORK = Limit("reset-network", 30, HOUR)
REGISTER_NETWORK = Limit("register-network", 30, HOUR)
PASSWORD_CHECK = Limit("password-check", 10, QUARTER_HOUR)
BEARER_NETWORK = Limit("bearer-network", 100, QUARTER_HOUR)


def network_of(address: str | None) -> str:
    """The /24 (IPv4) or /64 (IPv6) that an address belongs to: what one subscriber usually holds."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 64
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def attempt(limit: Limit, *key: str) -> None:
    """Count one attempt in a transaction of its own, so that the count stays whatever happens to the request.

    Raises TooManyRequests with the seconds until the window ends.
    """
    moment = clock.now()
    starts_at = _window_start(moment, limit.window)
    if _count(limit, _key_hash(limit, key), starts_at) > limit.count:
        left = starts_at + limit.window - moment
        raise TooManyRequests(max(1, int(left.total_seconds())))


@use_case
def _count(limit: Limit, key_hash: str, starts_at: datetime) -> int:
    return db.session.scalar(_upsert(limit, key_hash, starts_at).returning(LoginAttempt.count)) or 0


@use_case
def clear(limit: Limit, *key: str) -> None:
    """Forget the attempts under `key`, after a success."""
    db.session.execute(
        delete(LoginAttempt).where(LoginAttempt.scope == limit.scope, LoginAttempt.key_hash == _key_hash(limit, key))
    )


@use_case
def forget_old() -> int:
    """Delete counters of windows that ended a day ago; a job."""
    gone = db.session.execute(
        delete(LoginAttempt).where(LoginAttempt.window_starts_at < clock.now() - timedelta(days=1))
    )
    return int(getattr(gone, "rowcount", 0))


def _window_start(moment: datetime, window: timedelta) -> datetime:
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def _key_hash(limit: Limit, key: tuple[str, ...]) -> str:
    text = "\n".join((limit.scope, *key))
    return hmac.new(str(current_app.config["SECRET_KEY"]).encode(), text.encode(), hashlib.sha256).hexdigest()


def _upsert(limit: Limit, key_hash: str, starts_at: datetime) -> Insert:
    values = {"id": new_id(), "scope": limit.scope, "key_hash": key_hash, "window_starts_at": starts_at, "count": 1}
    columns = ["scope", "key_hash", "window_starts_at"]
    raised = {"count": LoginAttempt.count + 1}
    if db.session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(LoginAttempt).values(values).on_conflict_do_update(index_elements=columns, set_=raised)
    return sqlite.insert(LoginAttempt).values(values).on_conflict_do_update(index_elements=columns, set_=raised)
