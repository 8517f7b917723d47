"""Webhooks as Stripe sends them: signed, at least once, retried with growing pauses, possibly out of order."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from dataclasses import dataclass

import requests

from payments.simulator.backend import Backend, visible
from payments.simulator.timers import sweep
from payments.simulator.words import Json

log = logging.getLogger(__name__)

PAUSES = (1, 3, 10, 30, 120, 600, 1800, 3600, 7200, 14400)
"""Seconds between tries; after the last one the event stays listable but is not sent again."""

TIMEOUT = 10


@dataclass(frozen=True)
class Delivery:
    """One signed request that is due."""

    seq: int
    event_id: str
    url: str
    body: bytes
    headers: dict[str, str]


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """The ``Stripe-Signature`` header: HMAC-SHA256 over ``timestamp.body``."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def due(backend: Backend, limit: int = 20) -> list[Delivery]:
    """What should be sent now, oldest first (newest first when disorder is asked for)."""
    with backend.store.transaction():
        if backend.behaviour("webhook_paused"):
            return []
        order = "DESC" if backend.behaviour("webhook_newest_first") else "ASC"
        rows = backend.store.connection.execute(
            f"SELECT seq, event, endpoint FROM delivery WHERE state = 'waiting' AND due <= ? ORDER BY seq {order} LIMIT ?",  # noqa: S608
            (backend.wall_clock(), limit),
        ).fetchall()
        ready = [ready for row in rows if (ready := _prepare(backend, *row)) is not None]
        # What was held back to come out of order follows what went before it this time.
        backend.store.connection.execute("UPDATE delivery SET state = 'waiting' WHERE state = 'held back'")
        return ready


def _prepare(backend: Backend, seq: int, event_id: str, endpoint_id: str) -> Delivery | None:
    event, endpoint = _event(backend, event_id), backend.store.find(endpoint_id)
    if event is None or endpoint is None or endpoint["status"] != "enabled":
        backend.store.connection.execute("UPDATE delivery SET state = 'dropped' WHERE seq = ?", (seq,))
        return None
    body = json.dumps(visible(event), ensure_ascii=False, indent=2).encode()
    # The signature carries the machine's time, not the simulated one: the receiver compares it with its own clock.
    return Delivery(
        seq,
        event_id,
        endpoint["url"],
        body,
        {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (simulated)",
            "Stripe-Signature": signature(endpoint["_secret"], body, int(backend.wall_clock())),
        },
    )


def _event(backend: Backend, event_id: str) -> Json | None:
    """The event, whichever account it is of."""
    with backend.store.acting_for(backend.store.owner_of(event_id) or ""):
        return backend.store.find(event_id)


def settle(backend: Backend, delivery: Delivery, status: int | None) -> None:
    """Note the receiver's answer; anything but 2xx is tried again later."""
    with backend.store.transaction():
        connection = backend.store.connection
        if status is not None and 200 <= status < 300:
            connection.execute(
                "UPDATE delivery SET state = 'done', tries = tries + 1, answer = ? WHERE seq = ?",
                (str(status), delivery.seq),
            )
            event = _event(backend, delivery.event_id)
            if event is not None and event["pending_webhooks"] > 0:
                backend.change(event, pending_webhooks=event["pending_webhooks"] - 1)
            return
        (tries,) = connection.execute("SELECT tries FROM delivery WHERE seq = ?", (delivery.seq,)).fetchone()
        if tries >= len(PAUSES):
            connection.execute(
                "UPDATE delivery SET state = 'given_up', answer = ? WHERE seq = ?", (str(status), delivery.seq)
            )
            return
        connection.execute(
            "UPDATE delivery SET tries = tries + 1, due = ?, answer = ? WHERE seq = ?",
            (backend.wall_clock() + PAUSES[tries], str(status), delivery.seq),
        )


class Deliverer(threading.Thread):
    """Sends what is due, and lets simulated time do its work between requests."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(name="webhooks", daemon=True)
        self.backend = backend
        self.stopping = threading.Event()
        self.session = requests.Session()
        self.session.trust_env = False

    def run(self) -> None:
        """Until stopped: wait for news or a second, then send."""
        while not self.stopping.is_set():
            self.backend.news.wait(1.0)
            self.backend.news.clear()
            try:
                with self.backend.store.transaction():
                    sweep(self.backend)
                self.send_all()
            except Exception:
                log.exception("webhook delivery failed")

    def send_all(self) -> None:
        """Send everything that is due now."""
        tried: set[int] = set()
        while ready := [d for d in due(self.backend) if d.seq not in tried]:
            for delivery in ready:
                if self.stopping.is_set():
                    return
                tried.add(delivery.seq)
                settle(self.backend, delivery, self._send(delivery))

    def _send(self, delivery: Delivery) -> int | None:
        try:
            answer = self.session.post(
                delivery.url, data=delivery.body, headers=delivery.headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException:
            return None
        return answer.status_code

    def stop(self) -> None:
        """Finish after the request that is under way."""
        self.stopping.set()
        self.backend.news.set()


def log_of(backend: Backend) -> list[Json]:
    """Every delivery with its tries and last answer, newest first, for the control page."""
    rows = backend.store.connection.execute(
        "SELECT seq, event, endpoint, tries, state, answer FROM delivery ORDER BY seq DESC LIMIT 200"
    )
    return [dict(zip(("seq", "event", "endpoint", "tries", "state", "answer"), row, strict=True)) for row in rows]
