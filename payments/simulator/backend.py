"""What every endpoint works with: the store, the clock, the tunable behaviour and the events."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from payments.simulator.contract import API_VERSION
from payments.simulator.store import Store
from payments.simulator.words import Json, new_id, token

BEHAVIOUR = {
    "clock_offset": 0,  # seconds the simulator's clock is ahead of the machine's
    "settlement_delay": 0,  # seconds until a charge's money is available
    "refund_delay": 2,  # seconds a wallet refund stays pending; card refunds succeed at once
    "webhook_copies": 1,  # how often each event is sent (duplicates on demand)
    "webhook_paused": 0,  # 1: events are recorded but not sent (a lost hour)
    "webhook_newest_first": 0,  # 1: due events are sent in reverse order
}
"""Every tunable and its default; all are whole numbers, stored, and shown at ``/_sim/settings``."""

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
    news: threading.Event = field(default_factory=threading.Event)

    def behaviour(self, name: str) -> int:
        """The current value of a tunable."""
        return int(self.store.setting(name, str(BEHAVIOUR[name])))

    def now(self) -> int:
        """Seconds since the epoch on the simulator's own clock."""
        return int(time.time()) + self.behaviour("clock_offset")

    def emit(self, kind: str, value: Json, previous: Json | None = None) -> Json:
        """Record an event and queue it for every endpoint that wants it."""
        data: Json = {"object": visible(value)}
        if previous is not None:
            data["previous_attributes"] = previous
        wanted = [
            endpoint
            for endpoint in self.store.every("webhook_endpoint", status="enabled")
            if {"*", kind} & set(endpoint["enabled_events"])
        ]
        event: Json = {
            "id": new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(wanted),
            "type": kind,
            "request": {"id": self.request_id, "idempotency_key": self.request_key},
        }
        self.store.add(event)
        copies = max(1, self.behaviour("webhook_copies"))
        for endpoint in wanted:
            for _ in range(copies):
                self.store.connection.execute(
                    "INSERT INTO delivery (event, endpoint, due) VALUES (?, ?, ?)",
                    (event["id"], endpoint["id"], time.time()),
                )
        self.news.set()
        return event

    def change(self, value: Json, **fields: Any) -> Json:
        """Set fields of a stored object and return what they were (``previous_attributes``)."""
        before = {name: value.get(name) for name in fields if value.get(name) != fields[name]}
        value.update(fields)
        self.store.save(value)
        return before


def visible(value: Json) -> Json:
    """The object as the API shows it: fields that begin with an underscore stay inside."""
    shown: Json = json.loads(json.dumps({k: v for k, v in value.items() if not k.startswith("_")}))
    return shown


def secret_of(object_id: str) -> str:
    """A client secret in Stripe's shape."""
    return f"{object_id}_secret_{token(25)}"
