"""Five hundred quotes in the last second before a deadline, against four web threads: each is in time and kept, or refused."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from app.kernel import clock
from app.kernel.db import db
from marketplace.models.procurements import Registration
from marketplace.models.quotes import Quote
from marketplace.queries.quotes import number_of_quotes, opened_quotes
from marketplace.services import registrations
from marketplace.services.commands import Register
from tests.builders import sign_in
from tests.marketplace.procurement_builders import DEADLINE
from tests.marketplace.quotes.builders import a_bidding, opened, sealed_for, waiting

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
AGENCIES, WEB_THREADS, CLIENTS = 50, 4, 16
EACH = {"postgresql": 10, "sqlite": 2}
"""How often each agency quotes: five hundred where several can write at once, a hundred where one can."""
PACE = {"postgresql": 6, "sqlite": 1.5}
"""Seconds of this machine to one of the story's: with two shared cores a part of the crowd must still get through in time."""


def served(app: Flask, moving: Callable[[], datetime]) -> list[BaseWSGIServer]:
    """Four single-threaded servers on one listening socket: four requests at a time, no more, by the story's clock."""

    def serve(server: BaseWSGIServer) -> None:
        with clock.at(moving):
            server.serve_forever()

    first = make_server("127.0.0.1", 0, app)
    servers = [
        first,
        *(make_server("127.0.0.1", first.port, app, fd=first.socket.fileno()) for _ in range(WEB_THREADS - 1)),
    ]
    for server in servers:
        server.log = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=serve, args=(server,), daemon=True).start()
    return servers


def test_a_crowd_of_quotes_in_the_last_second(
    app: Flask, clock_at: Any, database_kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bidding = a_bidding(clock_at, agencies=AGENCIES)
    clock_at(DEADLINE - timedelta(minutes=1))
    sent: list[tuple[str, bytes, str]] = []
    for agency in bidding.story.agencies:
        registrations.register(agency.actor, bidding.id, Register())
        browser = app.test_client()
        sign_in(browser, agency.actor)
        cookie = browser.get_cookie("session")
        assert cookie is not None
        for number in range(EACH[database_kind]):
            quote = sealed_for(bidding, agency, f"{100000 + number}.{len(sent) % 100:02d}")
            body = json.dumps({"commitment": quote.commitment, "sealed": b64encode(quote.sealed).decode()}).encode()
            sent.append((cookie.value, body, quote.commitment))
    sent.sort(key=lambda one: one[2])  # a crowd, not a queue
    bidding_id = bidding.id
    db.session.remove()
    began: list[float] = []

    def moving() -> datetime:
        passed = (time.monotonic() - began[0]) / PACE[database_kind] if began else 0
        return DEADLINE - timedelta(seconds=1) + timedelta(seconds=passed)

    with clock.at(moving):
        servers = served(app, moving)
        answers: dict[str, int] = {}

        def hand_in(one: tuple[str, bytes, str]) -> None:
            cookie, body, commitment = one
            connection = HTTPConnection("127.0.0.1", servers[0].port, timeout=120)
            headers = {"Cookie": f"session={cookie}", "Content-Type": "application/json"}
            connection.request("POST", f"/api/procurements/{bidding_id}/quotes", body, headers)
            answers[commitment] = connection.getresponse().status
            connection.close()

        began.append(time.monotonic())
        with ThreadPoolExecutor(CLIENTS) as crowd:
            list(crowd.map(hand_in, sent))
        took = time.monotonic() - began[0]
        for server in servers:
            server.shutdown()
    counts = Counter(answers.values())
    assert set(counts) <= {201, 409}
    assert counts[201] > 0
    assert counts[409] > 0
    kept = db.session.query(Quote).all()
    assert {row.commitment for row in kept} == {name for name, status in answers.items() if status == 201}
    assert len(kept) == counts[201]  # none lost, none twice
    assert all(row.received_at <= DEADLINE for row in kept)
    numbers: dict[Any, list[int]] = defaultdict(list)
    for row in kept:
        numbers[row.registration_id].append(row.number)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())
    last = {row.registration_id: row.commitment for row in sorted(kept, key=lambda row: row.number)}
    assert number_of_quotes(bidding.key.id) == len(last)
    opened(waiting(bidding))
    rows = opened_quotes(bidding.id)
    assert {row.registration_id for row in rows} == set(last)
    assert all(row.is_valid for row in rows)
    assert db.session.query(Registration).count() == AGENCIES
    with capsys.disabled():
        print(
            f"\n{len(sent)} quotes in {took:.1f} s: {counts[201]} taken, {counts[409]} refused, {len(sent) / took:.0f} a second"
        )
