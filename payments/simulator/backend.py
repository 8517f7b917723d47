"""What every endpoint works with: the store, the clock, the tunable behaviour and the events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from payments.simulator.contract import API_VERSION
from payments.simulator.faults import DEFAULT_LATENESS, Rules, WebhookFault
from payments.simulator.store import Store
from payments.simulator.words import Json, new_id, token

BEHAVIOUR = {
    "clock_offset": 0,  # seconds the simulator's clock is ahead of the machine's
    "settlement_delay": 0,  # seconds until a charge's money is available
    "refund_delay": 2,  # seconds a wallet refund stays pending; card refunds succeed at once
    "refund_failures": 0,  # per mille of wallet refunds that come back, a refund_delay after they had succeeded
    "payout_delay": 2,  # seconds until a payout reaches the bank, or comes back
    "dispute_days": 7,  # days to answer a dispute
    "review_delay": 2,  # seconds until the bank decides on submitted evidence
    "seed": 1,  # of everything that happens to so many per mille
    "webhook_copies": 1,  # how often each event is sent (duplicates on demand)
    "webhook_paused": 0,  # 1: events are recorded but not sent (a lost hour)
    "webhook_newest_first": 0,  # 1: due events are sent in reverse order
}
"""Every tunable and its default; all are whole numbers, stored, and shown at ``/_sim/settings``."""

DISPUTE_FEE = 6_000
"""What a dispute costs, in fen, whoever wins it."""

FEES = {"card": (340, 200), "alipay": (220, 200), "wechat_pay": (220, 200)}
"""Processing fee by method: basis points of the amount, and a fixed part in fen."""


def fee_of(method: str, amount: int) -> int:
    """The fee in fen, rounded half up, never more than the amount."""
    points, fixed = FEES[method]
    return min(amount, (amount * points + 5_000) // 10_000 + fixed)


@dataclass
class Backend:
    """One simulated Stripe account."""

    store: Store
    public_url: str = "http://127.0.0.1:8421"
    request_id: str | None = None
    request_key: str | None = None
    timer_due: int | None = None
    in_flight: set[str] = field(default_factory=set)
    news: threading.Event = field(default_factory=threading.Event)
    wall_clock: Callable[[], float] = time.time
    """The machine's time, which the receiver of a webhook shares; seconds since the epoch."""
    faults: Rules = field(init=False)

    def __post_init__(self) -> None:
        self.faults = Rules(self.store)

    def behaviour(self, name: str) -> int:
        """The current value of a tunable."""
        return int(self.store.setting(name, str(BEHAVIOUR[name])))

    def now(self) -> int:
        """Seconds since the epoch on the simulator's own clock; within a timer, the time it was set for."""
        if self.timer_due is not None:
            return self.timer_due
        return int(time.time()) + self.behaviour("clock_offset")

    def emit(self, kind: str, value: Json, previous: Json | None = None) -> Json:
        """Record an event and queue it for every endpoint that wants it."""
        data: Json = {"object": visible(value)}
        if previous is not None:
            data["previous_attributes"] = previous
        account = self.store.account
        with self.store.acting_for(""):
            endpoints = self.store.every("webhook_endpoint", status="enabled")
        wanted = [
            endpoint
            for endpoint in endpoints
            if {"*", kind} & set(endpoint["enabled_events"]) and endpoint.get("_connect", False) == bool(account)
        ]
        event: Json = {
            "id": new_id("event"),
            "object": "event",
            **({"account": account} if account else {}),
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(wanted),
            "type": kind,
            "request": {"id": self.request_id, "idempotency_key": self.request_key},
        }
        self.store.add(event)
        for endpoint in wanted:
            self._queue(event, endpoint["id"])
        self.news.set()
        return event

    def _queue(self, event: Json, endpoint_id: str) -> None:
        copies, due, state = max(1, self.behaviour("webhook_copies")), self.wall_clock(), "waiting"
        rule = self.faults.for_delivery(event["type"])
        match rule and rule.fault:
            case WebhookFault.LOST:
                state = "lost"
            case WebhookFault.DUPLICATE:
                copies += 1
            case WebhookFault.LATE:
                due += (rule and rule.seconds) or DEFAULT_LATENESS
            case WebhookFault.REORDER:
                state = "held back"
        for _ in range(copies):
            self.store.connection.execute(
                "INSERT INTO delivery (event, endpoint, due, state) VALUES (?, ?, ?, ?)",
                (event["id"], endpoint_id, due, state),
            )

    def change(self, value: Json, /, **fields: Any) -> Json:
        """Set fields of a stored object and return what they were (``previous_attributes``)."""
        before = {
            name: value.get(name) for name in fields if not name.startswith("_") and value.get(name) != fields[name]
        }
        value.update(fields)
        self.store.save(value)
        return before

    def update(self, kind: str, value: Json, /, **fields: Any) -> Json:
        """Set fields of a stored object and record an event that carries what they were; the object."""
        self.emit(kind, value, self.change(value, **fields))
        return value


def visible(value: Json) -> Json:
    """The object as the API shows it, at every depth: fields that begin with an underscore stay inside."""
    return {name: _shown(part) for name, part in value.items() if not name.startswith("_")}


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return visible(value)
    return [_shown(item) for item in value] if isinstance(value, list) else value


def drawn(backend: Backend, rate: str) -> bool:
    """Whether something that happens to so many per mille happens this time; the same course for the same seed."""
    chance = backend.behaviour(rate)
    if chance <= 0:
        return False
    count = int(backend.store.setting(f"drawn {rate}", "0")) + 1
    backend.store.set_setting(f"drawn {rate}", str(count))
    return Random(f"{backend.behaviour('seed')} {rate} {count}").randrange(1000) < chance


def secret_of(object_id: str) -> str:
    """A client secret in Stripe's shape."""
    return f"{object_id}_secret_{token(25)}"
