"""Paying in the demonstration: the real gateway code over loopback HTTP to the payment simulator on its own clock.

The simulator writes into the directory that `make run` later starts it on, so every payment made here is known to it
afterwards and can be refunded or looked up.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from app.kernel.access import Actor
from app.kernel.db import db, get
from payments import services as payments
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.models.bills import Bill
from payments.models.payments import Payment
from payments.simulator.application import Simulator, open_simulator
from payments.states import BillState

METHODS = ("alipay", "wechat_pay", "card")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Cashier:
    """Takes a payer through the cashier page of the simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._page = Client(simulator)

    def dispute(self, charge: str) -> None:
        """Have the holder of the card dispute a charge."""
        self._page.post("/_sim/disputes", json={"charge": charge, "reason": "product_unacceptable"})

    def pay(self, actor: Actor, bill_id: UUID, random: Random) -> bool:
        """Pay an open bill, as its payer would in a browser. Returns whether it is paid now."""
        if get(Bill, bill_id).state != BillState.OPEN:
            return False
        method = random.choices(METHODS, (5, 4, 2))[0]
        payment_id = payments.start_payment(actor, bill_id, payments.StartPayment(method=method))
        payments.send_payment(payment_id)
        db.session.expunge_all()
        session_ref = get(Payment, payment_id).session_ref
        assert session_ref is not None, "the simulator answered"
        self._go_through(method, session_ref)
        payments.sync_payment(payment_id)
        db.session.expunge_all()
        return get(Bill, bill_id).state == BillState.PAID

    def _go_through(self, method: str, session_ref: str) -> None:
        if method == "card":
            card = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123"}
            self._page.post(f"/c/pay/{session_ref}/card", data=card)
            return
        answer = self._page.post(f"/c/pay/{session_ref}/{method}")
        step = "authorise" if method == "alipay" else "confirm"
        self._page.post(f"{answer.headers['Location']}/{step}")


@contextmanager
def cashier_open(app: Flask, data: Path, now: Callable[[], datetime]) -> Iterator[Cashier]:
    """Run the simulator on a free loopback port, with the clock of the demonstration, and point the gateway to it."""
    settings = app.extensions["chaoshi_settings"]
    simulator = open_simulator(data, settings.stripe_base_url)
    backend: Any = simulator.backend
    backend.now = lambda: int(now().timestamp())
    server = make_server("127.0.0.1", 0, simulator, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    before = app.extensions.get(EXTENSION)
    here = dataclasses.replace(settings, stripe_base_url=f"http://127.0.0.1:{server.server_port}")
    app.extensions[EXTENSION] = StripeGateway(here.stripe_secret_key, here.stripe_base_url)
    try:
        yield Cashier(simulator)
    finally:
        app.extensions[EXTENSION] = before
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
        simulator.backend.store.close()
