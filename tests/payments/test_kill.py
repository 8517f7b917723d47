"""kill -9 of the worker at every pass of every named point: one session, one charge, one refund, and books that agree.

The worker is a fork of the test's own process, so that each death costs milliseconds and all of them can be tried.
"""

import ast
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from app.kernel import clock, faults, outbox
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from payments import services
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.outgoing_states import PayoutState
from payments.queries import PaymentView, balances, bill_page, last_check
from payments.services import DecideRefund, StartPayment
from payments.services.payouts import AskPayout, DecidePayout, approve_payout, ask_payout, sync_payout
from payments.simulator.application import Simulator, open_simulator
from payments.simulator.inprocess import InProcessHttp, take_deliveries
from tests.payments.test_payment_services import control
from tests.workers import drop_connections

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
PAYMENTS = Path(services.__file__).parents[1]
_fork = multiprocessing.get_context("fork")
KILLED = -9


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator whose file the killed process shares."""
    made = open_simulator(tmp_path / "simulator")
    yield made
    made.backend.store.close()


def named_points() -> set[str]:
    """The names of all points in the code of payments, read from its source."""
    return {
        call.args[0].value
        for path in PAYMENTS.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "faults.point"
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


class Workers:
    """Workers that live one after the other, an hour apart: by then the lease of a dead one has run out."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app = app
        self.folder = folder
        self.hours = 0
        self.died_at: list[str] = []

    def now(self) -> clock.at:
        """The time of the last worker, for what people do after it."""
        return clock.at(clock.now() + timedelta(hours=self.hours))

    def run(self, point: str = faults.ANY, passes: int = 1) -> int:
        """Let one work, until it dies at so many passes of a point; its exit status."""
        self.hours += 1
        drop_connections()
        process = _fork.Process(target=self._work, args=(point, passes), daemon=True)
        process.start()
        process.join(60)
        if process.exitcode == KILLED:
            self.died_at.append((self.folder / "died").read_text())
        assert process.exitcode is not None
        return process.exitcode

    def run_until_done(self, *points: str) -> None:
        """Kill one at each of the points; then one at its first pass of any, one at its second, until one lives."""
        for point in points:
            assert self.run(point) == KILLED, point
        passes = 1
        while (status := self.run(passes=passes)) == KILLED:
            passes += 1
        assert status == 0

    def _work(self, point: str, passes: int) -> None:
        faults._name, faults._remaining = point, passes
        kill = os.kill

        def tell_and_die(process: int, signal: int) -> None:
            (self.folder / "died").write_text(sys._getframe(1).f_locals["name"])
            kill(process, signal)

        os.kill = tell_and_die
        http = InProcessHttp(open_simulator(self.folder / "simulator"))
        self.app.extensions[EXTENSION] = StripeGateway("sk_test_worker", "http://127.0.0.1:8421", http=http)
        with self.app.app_context(), self.now():
            outbox.drain_all()
        os._exit(0)


def test_killed_at_every_pass_of_every_point_it_finishes_later(
    app: Flask, simulator: Simulator, gateway: StripeGateway, secret: str, tmp_path: Path,
    a_bill: Callable[..., UUID], owner: Actor, operator: Actor, agency: Actor,
    pay_at_cashier: Callable[..., PaymentView], account: Callable[..., UUID], balance: Callable[[int], UUID],
) -> None:  # fmt: skip
    workers = Workers(app, tmp_path)
    bill_id = a_bill(45_600)
    services.start_payment(owner, bill_id, StartPayment())
    workers.run_until_done("payment-before-call", "payment-after-call")
    assert bill_page(owner, bill_id).payments[0].state == "pending"

    pay_at_cashier(bill_id, "card")
    for delivery in take_deliveries(simulator):
        services.record_notice(dict(delivery.headers), delivery.body)
    workers.run_until_done("payment-after-fetch", "payment-after-posting")
    assert (bill_page(owner, bill_id).state, bill_page(owner, bill_id).held_fen) == ("paid", 45_600)

    with workers.now():
        refund_id = services.refund(SYSTEM, bill_id, "合同解除")
        services.approve_refund(operator, refund_id, DecideRefund())
    workers.run_until_done("refund-before-call", "refund-after-call")
    assert bill_page(owner, bill_id).state == "refunded"

    account()
    balance(100_000)
    assert agency.organisation_id is not None
    with workers.now():
        payout_id = ask_payout(agency, agency.organisation_id, AskPayout(60_000))
        approve_payout(operator, payout_id, DecidePayout())
    workers.run_until_done("payout-before-call", "payout-after-call")
    control(simulator, "/clock", advance=60)
    with workers.now():
        assert sync_payout(payout_id) is PayoutState.PAID

    assert named_points() <= set(workers.died_at), "a point nobody died at"
    api = gateway._client.v1
    made = (api.checkout.sessions.list().data, api.charges.list().data, api.refunds.list().data)
    assert [len(things) for things in made] == [3, 3, 1]
    (transfer,) = api.transfers.list().data
    assert (transfer.amount, balances([f"payout_pending:{payout_id}"])) == (60_000, {f"payout_pending:{payout_id}": 0})
    assert len(api.payouts.list({}, {"stripe_account": str(transfer.destination)}).data) == 1
    db.session.rollback()
    assert services.check_books() == 0
    check = last_check()
    assert check is not None
    assert check.is_clean
