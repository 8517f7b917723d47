"""Faults on demand: what networks and servers do to money requests, one named rule at a time. None by default."""

from __future__ import annotations

import json
from enum import StrEnum

from payments.simulator.errors import ApiError, invalid
from payments.simulator.store import Store
from payments.simulator.words import Json


class Fault(StrEnum):
    """What goes wrong, and whether the request was executed before."""

    ERROR_BEFORE = "error_before"  # 500, nothing was done
    ERROR_AFTER = "error_after"  # 500, but it was done
    DROP_BEFORE = "drop_before"  # the connection breaks before anything was done
    DROP_AFTER = "drop_after"  # it was done, the answer is lost
    CONFLICT = "conflict"  # 409, another request with the key is under way
    RATE_LIMIT = "rate_limit"  # 429


class ConnectionDropped(Exception):
    """The server must close the connection without an answer."""


def add(store: Store, rule: Json) -> Json:
    """Store a rule: ``{"method": "POST", "path": "/v1/refunds", "fault": "drop_after", "times": 1}``.

    ``path`` is a prefix; ``times`` counts down to nothing.
    """
    try:
        kept = {
            "method": str(rule.get("method", "POST")),
            "path": str(rule["path"]),
            "fault": Fault(rule["fault"]).value,
            "times": int(rule.get("times", 1)),
        }
    except (KeyError, ValueError) as error:
        raise invalid(f"A fault needs a path and one of {', '.join(Fault)}.") from error
    store.connection.execute("INSERT INTO fault (body) VALUES (?)", (json.dumps(kept),))
    return kept


def every(store: Store) -> list[Json]:
    """The rules still waiting."""
    return [json.loads(row[0]) for row in store.connection.execute("SELECT body FROM fault ORDER BY seq")]


def clear(store: Store) -> None:
    """Forget all rules."""
    store.connection.execute("DELETE FROM fault")


def take(store: Store, method: str, path: str) -> Fault | None:
    """The fault this request meets, counting its rule down."""
    for seq, body in store.connection.execute("SELECT seq, body FROM fault ORDER BY seq").fetchall():
        rule = json.loads(body)
        if rule["method"] != method or not path.startswith(rule["path"]):
            continue
        rule["times"] -= 1
        if rule["times"] > 0:
            store.connection.execute("UPDATE fault SET body = ? WHERE seq = ?", (json.dumps(rule), seq))
        else:
            store.connection.execute("DELETE FROM fault WHERE seq = ?", (seq,))
        return Fault(rule["fault"])
    return None


def strike(fault: Fault | None, *, executed: bool) -> None:
    """Raise what the fault does at this moment of the request, if anything."""
    if fault is None:
        return
    if fault is (Fault.DROP_AFTER if executed else Fault.DROP_BEFORE):
        raise ConnectionDropped
    if fault is (Fault.ERROR_AFTER if executed else Fault.ERROR_BEFORE):
        raise ApiError(500, "api_error", "An unknown error occurred")
    if executed:
        return
    if fault is Fault.CONFLICT:
        raise ApiError(
            409,
            "invalid_request_error",
            "There is currently another in-progress request using this Idempotent Key.",
            code="idempotency_key_in_use",
        )
    if fault is Fault.RATE_LIMIT:
        raise ApiError(429, "invalid_request_error", "Too many requests hit the API too quickly.", code="rate_limit")
