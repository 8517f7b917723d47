"""kill -9 of the worker at every named point of a payment and a refund: one session, one charge, one refund, right books."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from app.settings import Settings
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.queries import PaymentView, bill_page, last_check
from payments.services import DecideRefund, StartPayment
from payments.simulator.application import Simulator, open_simulator
from payments.simulator.inprocess import take_deliveries

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator whose file the killed process shares."""
    made = open_simulator(tmp_path / "simulator")
    yield made
    made.backend.store.close()


def test_killed_at_every_point_it_finishes_later(
    app: Flask, settings: Settings, simulator: Simulator, gateway: StripeGateway, secret: str, tmp_path: Path,
    a_bill: Callable[..., UUID], owner: Actor, operator: Actor, pay_at_cashier: Callable[..., PaymentView],
) -> None:  # fmt: skip
    hours = 0

    def worker(fault: str = "") -> int:
        nonlocal hours
        hours += 1  # by then the lease of a dead worker has run out
        db.session.remove()
        places = [settings.sqlalchemy_url, str(settings.data_dir), str(tmp_path / "simulator"), str(hours)]
        command = [sys.executable, "-m", "tests.payments.worker_program", *places]
        environment = {**os.environ, "CHAOSHI_FAULT": fault}
        return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=120).returncode

    bill_id = a_bill(45_600)
    services.start_payment(owner, bill_id, StartPayment())
    for point in ("payment-before-call", "payment-after-call"):
        assert worker(point) == -9, point
    assert worker() == 0
    assert bill_page(owner, bill_id).payments[0].state == "pending"

    pay_at_cashier(bill_id, "card")
    for delivery in take_deliveries(simulator):
        services.record_notice(dict(delivery.headers), delivery.body)
    for point in ("payment-after-fetch", "payment-after-posting"):
        assert worker(point) == -9, point
        assert bill_page(owner, bill_id).state == "open"
    assert worker() == 0
    assert (bill_page(owner, bill_id).state, bill_page(owner, bill_id).held_fen) == ("paid", 45_600)

    refund_id = services.refund(SYSTEM, bill_id, "合同解除")
    services.approve_refund(operator, refund_id, DecideRefund())
    assert worker("refund-after-call") == -9
    assert worker() == 0
    assert bill_page(owner, bill_id).state == "refunded"

    api = gateway._client.v1
    made = (api.checkout.sessions.list().data, api.charges.list().data, api.refunds.list().data)
    assert [len(things) for things in made] == [1, 1, 1]
    db.session.rollback()
    assert services.check_books() == 0
    check = last_check()
    assert check is not None
    assert check.is_clean
