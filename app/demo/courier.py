"""The courier in the demonstration: the real EMS client over loopback HTTP to the simulator, on the demonstration's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from delivery.carriers import chosen
from delivery.simulator.clock import ClockMode, SimClock
from delivery.simulator.pushes import Pusher
from delivery.simulator.server import create_simulator
from delivery.simulator.store import FIRST_CUSTOMER, Customer, Store
from delivery.simulator.world import World


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: lines would carry waybill numbers."""


class _ClockOf(SimClock):
    """Tells the demonstration's time whenever it is asked: an order is accepted when it is made."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(ClockMode.MANUAL, start=now())
        self._demonstration = now

    def now(self) -> datetime:
        return self._demonstration()


class Courier:
    """Lets the carrier's parcels move up to the present of the demonstration."""

    def __init__(self, world: World) -> None:
        self._world = world

    def move_on(self) -> int:
        """Everything that has happened to parcels since the last time; returns how many steps."""
        return self._world.tick()


@contextmanager
def courier_open(app: Flask, data: Path, now: Callable[[], datetime]) -> Iterator[Courier]:
    """Run the simulator on a free loopback port and point the carrier to it; its data are those of `make run`."""
    data.mkdir(parents=True, exist_ok=True)
    store = Store(data / "ems-simulator.sqlite")
    for environment in ("open", "test"):
        if store.customer(FIRST_CUSTOMER.sender_no, environment) is None:
            first = FIRST_CUSTOMER
            store.keep_customer(
                Customer(first.sender_no, environment, first.authorization, first.sign_key, "", frozenset())
            )
    world = World(store, _ClockOf(now))
    server = make_server(
        "127.0.0.1", 0, create_simulator(world, Pusher(world), ""), threaded=True, request_handler=_Quiet
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings = app.extensions["chaoshi_settings"]
    parts = urlsplit(settings.ems_base_url)
    here = urlunsplit(parts._replace(netloc=f"127.0.0.1:{server.server_port}"))
    try:
        with chosen.using(chosen.ems_of(replace(settings, ems_base_url=here))):
            yield Courier(world)
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
        store.close()
