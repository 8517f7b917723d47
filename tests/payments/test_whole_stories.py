"""Stories that hypothesis makes up: whatever order, loss, repetition and faults, the books equal the provider."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from werkzeug.test import Client

from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db
from app.kernel.errors import DomainError
from payments import queries, services
from payments.gateways.stripe import StripeGateway
from payments.models.bills import Bill
from payments.models.ledger import LedgerEntry
from payments.models.payments import Payment, PaymentBill
from payments.models.refunds import Refund
from payments.ports import GatewayError
from payments.queries import bill_page, bill_view
from payments.services import DecideRefund, StartPayment
from payments.simulator.application import Simulator
from payments.simulator.faults import Fault
from payments.simulator.inprocess import DECLINED_CARD, Payer, take_deliveries
from payments.states import LIVE, PaymentState, RefundState
from tests.builders import a_member

PATHS = ("/v1/checkout/sessions", "/v1/refunds")

# What is drawn must not depend on the world, which the examples share; how many there are to pick from does.
PICK = st.integers(0, 999)


def picked(among: Sequence[UUID], pick: int) -> UUID:
    """The one of ``among`` that a drawn number stands for."""
    return among[pick % len(among)]


class Counter(RuleBasedStateMachine):
    """People, jobs and a bad network around a few bills. The world is shared by all examples of the run."""

    simulator: Simulator
    owner: Actor
    operator: Actor
    a_bill: Callable[..., UUID]

    def __init__(self) -> None:
        super().__init__()
        self.bills: list[UUID] = []
        self.later = 0

    def _quietly(self, act: Callable[[], object]) -> None:
        """A refusal or an unreachable gateway is an answer; anything else fails the test."""
        try:
            with clock.at(clock.now() + timedelta(minutes=self.later)):
                act()
        except (DomainError, GatewayError):
            pass
        db.session.rollback()

    @rule(fen=st.sampled_from((1, 99, 100, 12_345, 9_999_999)))
    def open_bill(self, fen: int) -> None:
        self.bills.append(self.a_bill(fen))

    @rule(path=st.sampled_from(PATHS), fault=st.sampled_from(Fault), times=st.integers(1, 2))
    def break_the_network(self, path: str, fault: Fault, times: int) -> None:
        Client(self.simulator).post("/_sim/faults", json={"path": path, "fault": fault, "times": times})

    @rule(
        pick=PICK,
        method=st.sampled_from((None, "card", "alipay", "wechat_pay")),
        at_cashier=st.sampled_from(("pay", "decline then pay", "leave")),
    )
    def pay(self, pick: int, method: str | None, at_cashier: str) -> None:
        if not self.bills:
            self.open_bill(777)
        bill_id = picked(self.bills, pick)

        def act() -> None:
            services.send_payment(services.start_payment(self.owner, bill_id, StartPayment(method)))

        self._quietly(act)
        self._at_cashier(bill_id, method, at_cashier)

    def _at_cashier(self, bill_id: UUID, method: str | None, what: str) -> None:
        live = bill_page(self.owner, bill_id).live_payment
        if live is None or live.cashier_url is None or what == "leave":
            return
        payer = Payer(self.simulator, live.cashier_url)
        if what != "pay":
            payer.by_card(DECLINED_CARD)
        answer = payer.pay(method) if method in (None, "card") else payer.client.post(f"{payer.path}/{method}")
        if answer.location and "/c/" in answer.location:
            payer.client.post(f"{answer.location}/{'authorise' if method == 'alipay' else 'confirm'}")

    def _payments(self) -> list[UUID]:
        return list(
            db.session.scalars(
                sa.select(PaymentBill.payment_id)
                .where(PaymentBill.bill_id.in_(self.bills))
                .distinct()
                .order_by(PaymentBill.payment_id)
            )
        )

    @rule(pick=PICK)
    def ask_the_gateway(self, pick: int) -> None:
        if ids := self._payments():
            chosen = picked(ids, pick)
            self._quietly(lambda: services.sync_payment(chosen))

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        if ids := self._payments():
            chosen = picked(ids, pick)
            self._quietly(lambda: services.cancel_payment(self.owner, chosen))

    @rule(seed=st.integers(0, 99), copies=st.integers(1, 3), lost=st.sampled_from((0, 0, 2)))
    def deliver(self, seed: int, copies: int, lost: int) -> None:
        notices = take_deliveries(self.simulator)[lost:] * copies
        random.Random(seed).shuffle(notices)
        for notice in notices:
            self._quietly(lambda notice=notice: services.record_notice(dict(notice.headers), notice.body))

    @rule(minutes=st.sampled_from((0, 3, 45)))
    def let_the_worker_run(self, minutes: int) -> None:
        self.later += minutes
        self._quietly(outbox.drain)

    @rule(pick=PICK, what=st.sampled_from(("release", "refund")))
    def settle(self, pick: int, what: str) -> None:
        if not self.bills:
            return
        bill_id = picked(self.bills, pick)
        if what == "release":
            self._quietly(lambda: services.release_held(SYSTEM, bill_id, "验收合格"))
        else:
            self._quietly(lambda: services.refund(SYSTEM, bill_id, "合同解除"))

    @rule(pick=PICK, yes=st.booleans())
    def decide(self, pick: int, yes: bool) -> None:
        requested = sa.select(Refund.id).where(Refund.state == RefundState.REQUESTED).order_by(Refund.id)
        ids = list(db.session.scalars(requested))
        if not ids:
            return
        chosen = picked(ids, pick)
        decide = services.approve_refund if yes else services.reject_refund
        self._quietly(lambda: decide(self.operator, chosen, DecideRefund("核对无误")))

    @rule()
    def a_refund_comes_back(self) -> None:
        ref = db.session.scalar(sa.select(Refund.gateway_ref).where(Refund.state == RefundState.SUCCEEDED).limit(1))
        if ref:
            Client(self.simulator).post("/_sim/refund-failures", json={"refund": ref})

    @invariant()
    def at_most_one_live_and_one_credited_attempt(self) -> None:
        for states in (tuple(LIVE), (PaymentState.SUCCEEDED,)):
            many = (
                sa.select(PaymentBill.bill_id)
                .join(Payment, Payment.id == PaymentBill.payment_id)
                .where(Payment.state.in_(states), PaymentBill.standing != "set_aside")
                .group_by(PaymentBill.bill_id)
                .having(sa.func.count() > 1)
            )
            assert db.session.scalars(many).all() == []

    @invariant()
    def the_books_balance(self) -> None:
        assert (db.session.scalar(sa.select(sa.func.sum(LedgerEntry.amount_fen))) or 0) == 0

    def teardown(self) -> None:
        """When the network has healed and the worker has run, nothing is missing and nothing is there twice."""
        Client(self.simulator).delete("/_sim/faults")
        Client(self.simulator).post("/_sim/clock", json={"advance": 60})
        for payment_id in db.session.scalars(sa.select(Payment.id)).all():
            services.sync_payment(payment_id)
        for refund_id in db.session.scalars(sa.select(Refund.id)).all():
            services.sync_refund(refund_id)
        services.recall_notices(clock.now() - timedelta(hours=2))
        with clock.at(clock.now() + timedelta(hours=3)):
            outbox.drain_all()
        db.session.expire_all()
        assert services.check_books() == 0
        check = queries.last_check()
        assert check is not None
        assert check.is_clean, check
        for bill_id in self.bills:
            self._check_bill(bill_id)

    def _check_bill(self, bill_id: UUID) -> None:
        bill = bill_view(bill_id)
        held_for_refund = sum(
            r.amount_fen
            for r in bill_page(self.owner, bill_id).refunds
            if r.state in ("requested", "approved", "pending") and not self._is_surplus(r.id)
        )
        expected = bill.amount_fen if bill.state == "paid" else 0
        assert bill.held_fen + held_for_refund == expected, bill

    def _is_surplus(self, refund_id: UUID) -> bool:
        return db.session.scalar(sa.select(Refund.source).where(Refund.id == refund_id)) == "suspense:unmatched"


def test_the_books_equal_the_provider_whatever_happens(
    app: Flask, gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: Any, owner: Actor
) -> None:
    world = {
        "simulator": simulator,
        "owner": owner,
        "operator": a_member(Role.OPERATOR),
        "a_bill": staticmethod(a_bill),
    }
    machine = type("CounterHere", (Counter,), world)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    assert db.session.scalar(sa.select(sa.func.count(Bill.id))) is not None
