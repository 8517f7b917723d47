"""Faults on demand: what networks and servers do to money requests and to webhooks, by named rules. None by default.

A rule strikes the next `times` matching requests or deliveries, or each with a chance of `per_mille` drawn from `seed`.
Rules live in this process and are forgotten with it, unless a rule says `persist`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random

from payments.simulator.errors import ApiError, invalid
from payments.simulator.store import Store
from payments.simulator.words import Json


class Fault(StrEnum):
    """What goes wrong with a request, and whether it was executed before."""

    ERROR_BEFORE = "error_before"  # 500, nothing was done
    ERROR_AFTER = "error_after"  # 500 on the way back: it was done, and its key would replay the real answer
    ERROR_KEPT = "error_kept"  # 500 from the endpoint itself: it was done, and its key replays the 500
    DROP_BEFORE = "drop_before"  # the connection breaks before anything was done
    DROP_AFTER = "drop_after"  # it was done, the connection breaks before the answer
    TIMEOUT_BEFORE = "timeout_before"  # no answer for longer than the caller waits, nothing was done
    TIMEOUT_AFTER = "timeout_after"  # no answer for longer than the caller waits, it was done
    CONFLICT = "conflict"  # 409, another request with the key is under way
    RATE_LIMIT = "rate_limit"  # 429


class WebhookFault(StrEnum):
    """What goes wrong with the delivery of an event."""

    LOST = "webhook_lost"  # never sent; the event stays listable
    DUPLICATE = "webhook_duplicate"  # sent twice
    LATE = "webhook_late"  # sent after `seconds`, a minute unless told otherwise
    REORDER = "webhook_reorder"  # sent after those that follow it


DEFAULT_SILENCE = 30
"""Seconds a timed-out request is silent: longer than our callers wait."""

DEFAULT_LATENESS = 60


class ConnectionDropped(Exception):
    """The server must close the connection without an answer, after so many seconds of silence."""

    def __init__(self, silence: int = 0) -> None:
        super().__init__()
        self.silence = silence


@dataclass
class Rule:
    """One fault: `target` is a path prefix of requests of `method`, or a pattern of event types."""

    fault: str
    target: str
    method: str = "POST"
    times: int = 1
    per_mille: int = 0
    seed: int = 1
    seconds: int = 0
    drawn: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Tell whether it strikes this time, counting it."""
        self.drawn += 1
        if not self.per_mille:
            self.times -= 1
        elif Random(f"{self.seed} {self.fault} {self.drawn}").randrange(1000) >= self.per_mille:
            return False
        self.struck += 1
        return True

    @property
    def is_used_up(self) -> bool:
        return not self.per_mille and self.times <= 0


@dataclass
class Rules:
    """The rules of one simulator, in the order in which they were made."""

    store: Store
    made: list[Rule] = field(default_factory=list)

    def __post_init__(self) -> None:
        for (body,) in self.store.connection.execute("SELECT body FROM fault ORDER BY seq"):
            self.made.append(_rule(json.loads(body)))

    def add(self, wanted: Json) -> Json:
        """Make a rule.

        ``{"path": "/v1/refunds", "fault": "drop_after", "times": 1}`` or
        ``{"event": "refund.*", "fault": "webhook_lost", "per_mille": 10, "seed": 7}``; ``"persist": true`` keeps the
        rule, as it is now, over restarts.
        """
        rule = _rule(wanted)
        self.made.append(rule)
        if wanted.get("persist"):
            kept = {k: v for k, v in wanted.items() if k != "persist"}
            self.store.connection.execute("INSERT INTO fault (body) VALUES (?)", (json.dumps(kept),))
        return vars(rule)

    def every(self) -> list[Json]:
        """The rules still waiting."""
        return [vars(rule) for rule in self.made]

    def clear(self) -> None:
        """Forget all rules, the kept ones too."""
        self.made.clear()
        self.store.connection.execute("DELETE FROM fault")

    def for_request(self, method: str, path: str) -> Rule | None:
        """The rule that strikes this request."""
        return self._first(lambda r: r.fault in set(Fault) and r.method == method and path.startswith(r.target))

    def for_delivery(self, event_type: str) -> Rule | None:
        """The rule that strikes this delivery."""
        return self._first(lambda r: r.fault in set(WebhookFault) and fnmatchcase(event_type, r.target))

    def _first(self, fits: Callable[[Rule], bool]) -> Rule | None:
        for rule in self.made:
            if fits(rule) and rule.strikes():
                if rule.is_used_up:
                    self.made.remove(rule)
                return rule
        return None


def _rule(wanted: Json) -> Rule:
    try:
        fault = wanted["fault"]
        known = fault in set(Fault) or fault in set(WebhookFault)
        rule = Rule(
            fault=str(fault),
            target=str(wanted["path"] if fault in set(Fault) else wanted.get("event", "*")),
            method=str(wanted.get("method", "POST")),
            times=int(wanted.get("times", 1)),
            per_mille=int(wanted.get("per_mille", 0)),
            seed=int(wanted.get("seed", 1)),
            seconds=int(wanted.get("seconds", 0)),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise invalid(_HELP) from error
    if not known or not 0 <= rule.per_mille <= 1000 or rule.times < 1:
        raise invalid(_HELP)
    return rule


_HELP = f"A fault is one of {', '.join(Fault)} with a path, or one of {', '.join(WebhookFault)} with an event type."


def strike(rule: Rule | None, *, executed: bool) -> None:
    """Raise what the fault does at this moment of a request, if anything."""
    if rule is None:
        return
    fault = Fault(rule.fault)
    if fault is (Fault.DROP_AFTER if executed else Fault.DROP_BEFORE):
        raise ConnectionDropped
    if fault is (Fault.TIMEOUT_AFTER if executed else Fault.TIMEOUT_BEFORE):
        raise ConnectionDropped(rule.seconds or DEFAULT_SILENCE)
    if fault is (Fault.ERROR_AFTER if executed else Fault.ERROR_BEFORE):
        raise server_error()
    if executed:
        return
    if fault is Fault.CONFLICT:
        raise key_in_use()
    if fault is Fault.RATE_LIMIT:
        raise ApiError(429, "invalid_request_error", "Too many requests hit the API too quickly.", code="rate_limit")


def server_error() -> ApiError:
    """500."""
    return ApiError(500, "api_error", "An unknown error occurred")


def key_in_use() -> ApiError:
    """409: the first request with this key has not been answered yet."""
    return ApiError(
        409,
        "invalid_request_error",
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        "twice, and the other request is still going through).",
        code="idempotency_key_in_use",
    )
