"""Paying in the demonstration: the real gateway code over loopback HTTP to the payment simulator on its own clock.

The simulator writes into the directory that `make run` later starts it on, so every payment made here is known to it
afterwards and can be refunded or looked up.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
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
from payments.simulator.backend import BEHAVIOUR
from payments.states import BillState

METHODS = ("alipay", "wechat_pay", "card")


class Quiet(WSGIRequestHandler):
    """Serves without a line for every request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Cashier:
    """Takes a payer through the cashier page of the simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._page = Client(simulator)

    def pay(self, actor: Actor, bill_id: UUID, random: Random) -> bool:
        """Pay an open bill, as its payer would in a browser. Returns whether it is paid now."""
        if get(Bill, bill_id).state != BillState.OPEN:
            return False
        return self.pay_together(actor, (bill_id,), random.choices(METHODS, (5, 4, 2))[0])

    def pay_together(self, actor: Actor, bill_ids: Sequence[UUID], method: str) -> bool:
        """Pay open bills of one kind in one payment. Returns whether they are paid now."""
        payment_id, session_ref = self.open_session(actor, bill_ids, method)
        self._go_through(method, session_ref)
        payments.sync_payment(payment_id)
        db.session.expunge_all()
        return all(get(Bill, bill_id).state == BillState.PAID for bill_id in bill_ids)

    def open_session(self, actor: Actor, bill_ids: Sequence[UUID], method: str) -> tuple[UUID, str]:
        """Go as far as the cashier page: the attempt and its session there."""
        payment_id = payments.start_joint_payment(actor, bill_ids, payments.StartPayment(method=method))
        payments.send_payment(payment_id)
        db.session.expunge_all()
        session_ref = get(Payment, payment_id).session_ref
        assert session_ref is not None, "the simulator answered"
        return payment_id, session_ref

    def type_card(self, session_ref: str, number: str = "4242424242424242") -> None:
        """Type a card on the cashier page; some numbers are declined, as in the provider's own documentation."""
        self._page.post(f"/c/pay/{session_ref}/card", data={"number": number, "expiry": "12/34", "cvc": "123"})

    def _go_through(self, method: str, session_ref: str) -> None:
        if method == "card":
            self.type_card(session_ref)
            return
        answer = self._page.post(f"/c/pay/{session_ref}/{method}")
        step = "authorise" if method == "alipay" else "confirm"
        self._page.post(f"{answer.headers['Location']}/{step}")

    # --- what happens at the provider without us -------------------------------------------------------------------

    def dispute(self, charge: str) -> str:
        """Have the holder of the card dispute a charge; the provider's id of the dispute."""
        return str(self._control("disputes", charge=charge, reason="product_unacceptable")["id"])

    def decide(self, dispute: str, outcome: str) -> None:
        """The card holder's bank decides: won or lost."""
        self._control("dispute-decisions", dispute=dispute, outcome=outcome)

    def fail_refund(self, refund: str) -> None:
        """A refund comes back from the payer's wallet."""
        self._control("refund-failures", refund=refund)

    @contextmanager
    def slow_refunds(self, seconds: int) -> Iterator[None]:
        """Refunds to wallets that are asked for meanwhile take this long."""
        self._control("settings", refund_delay=seconds)
        try:
            yield
        finally:
            self._control("settings", refund_delay=BEHAVIOUR["refund_delay"])

    def correct_fee(self, movement_ref: str, more_fen: int) -> None:
        """The provider charges more for a movement than it told at first."""
        backend = self._simulator.backend
        with backend.store.transaction():
            movement = backend.store.find(movement_ref, "balance_transaction")
            assert movement is not None, "told by this simulator"
            backend.change(movement, fee=movement["fee"] + more_fen, net=movement["net"] - more_fen)

    def _control(self, what: str, **values: str | int) -> Any:
        return self._page.post(f"/_sim/{what}", json=values).get_json()


@contextmanager
def cashier_open(app: Flask, data: Path, now: Callable[[], datetime]) -> Iterator[Cashier]:
    """Run the simulator on a free loopback port, with the clock of the demonstration, and point the gateway to it."""
    settings = app.extensions["chaoshi_settings"]
    simulator = open_simulator(data, settings.stripe_base_url)
    backend: Any = simulator.backend
    backend.now = lambda: int(now().timestamp())
    server = make_server("127.0.0.1", 0, simulator, threaded=True, request_handler=Quiet)
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
