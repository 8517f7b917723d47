"""What can happen in a story, one rule each."""

import random
from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.kernel.access import SYSTEM
from app.kernel.db import db
from payments import services
from payments.models.payments import PaymentBill
from payments.models.refunds import Refund
from payments.queries import bill_page, bill_view
from payments.services import BillKind, DecideRefund, StartPayment
from payments.simulator.faults import Fault
from payments.simulator.inprocess import DECLINED_CARD, Payer, take_deliveries
from payments.states import RefundState
from tests.payments.stories.invariants import ALWAYS, AT_REST
from tests.payments.stories.world import World

# What is drawn must not depend on the world, which the examples share; how many there are to pick from does.
PICK = st.integers(0, 999)
FEN = st.sampled_from((1, 99, 100, 12_345, 9_999_999))
METHOD = st.sampled_from((None, "card", "alipay", "wechat_pay"))
NETWORK = st.sampled_from((None, None, *Fault))
MINUTES = st.sampled_from((0, 3, 45, 45, 22 * 60))


def picked(among: Sequence[UUID], pick: int) -> UUID:
    """The one of ``among`` that a drawn number stands for."""
    return among[pick % len(among)]


class Story(RuleBasedStateMachine):
    """Payers, operators, agencies, jobs and a bad network around a few bills. All examples share one world."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.bills: list[UUID] = []

    # --- bills and payments -------------------------------------------------------------------------------------

    @initialize(fen=FEN)
    def begin(self, fen: int) -> None:
        self.bills.append(self.world.a_bill(fen))

    @rule(fen=FEN, kind=st.sampled_from((BillKind.SERVICE_FEE, BillKind.SERVICE_FEE, BillKind.COURIER_FEE)))
    def open_bill(self, fen: int, kind: BillKind) -> None:
        self.bills.append(self.world.a_bill(fen, kind))

    @rule(
        pick=PICK, method=METHOD, network=NETWORK, times=st.integers(1, 2),
        at_cashier=st.sampled_from(("pay", "pay", "decline then pay", "leave")),
    )  # fmt: skip
    def pay(self, pick: int, method: str | None, network: Fault | None, times: int, at_cashier: str) -> None:
        self._pay((picked(self.bills, pick),), method, network, times, at_cashier)

    @rule(first=PICK, second=PICK, method=METHOD, network=NETWORK)
    def pay_together(self, first: int, second: int, method: str | None, network: Fault | None) -> None:
        both = {picked(self.bills, first), picked(self.bills, second)}
        self._pay(tuple(sorted(both)), method, network, 1, "pay")

    def _pay(
        self, bill_ids: tuple[UUID, ...], method: str | None, network: Fault | None, times: int, at_cashier: str
    ) -> None:
        self.world.strike(network, times)

        def act() -> None:
            payment_id = services.start_joint_payment(self.world.owner, bill_ids, StartPayment(method))
            services.send_payment(payment_id)

        self.world.quietly(act)
        self._at_cashier(bill_ids[0], method, at_cashier)

    def _at_cashier(self, bill_id: UUID, method: str | None, what: str) -> None:
        live = bill_page(self.world.owner, bill_id).live_payment
        if live is None or live.cashier_url is None or what == "leave":
            return
        payer = Payer(self.world.simulator, live.cashier_url)
        if what != "pay":
            payer.by_card(DECLINED_CARD)
        answer = payer.by_card() if method in (None, "card") else payer.client.post(f"{payer.path}/{method}")
        if answer.location and "/c/" in answer.location:
            payer.client.post(f"{answer.location}/{'authorise' if method == 'alipay' else 'confirm'}")

    def _payments(self) -> list[UUID]:
        mine = sa.select(PaymentBill.payment_id).where(PaymentBill.bill_id.in_(self.bills)).distinct()
        return sorted(db.session.scalars(mine))

    @rule(pick=PICK, network=NETWORK)
    def ask_the_gateway(self, pick: int, network: Fault | None) -> None:
        if ids := self._payments():
            self.world.strike(network)
            self.world.quietly(lambda: services.sync_payment(picked(ids, pick)))

    @rule(pick=PICK, network=NETWORK)
    def cancel(self, pick: int, network: Fault | None) -> None:
        if ids := self._payments():
            self.world.strike(network)
            self.world.quietly(lambda: services.cancel_payment(self.world.owner, picked(ids, pick)))

    # --- what the provider tells, and who listens ------------------------------------------------------------------

    @rule(order=st.integers(0, 99), copies=st.integers(1, 3), lost=st.sampled_from((0, 0, 2)))
    def deliver(self, order: int, copies: int, lost: int) -> None:
        notices = take_deliveries(self.world.simulator)[lost:] * copies
        random.Random(order).shuffle(notices)
        for notice in notices:
            self.world.quietly(lambda notice=notice: services.record_notice(dict(notice.headers), notice.body))  # type: ignore[misc]

    @rule(minutes=MINUTES, network=NETWORK, times=st.integers(1, 2))
    def let_the_worker_run(self, minutes: int, network: Fault | None, times: int) -> None:
        self.world.pass_time(minutes)
        self.world.strike(network, times)
        self.world.work()

    @rule()
    def the_network_heals(self) -> None:
        self.world.heal()

    # --- what becomes of the money -----------------------------------------------------------------------------------

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        self.world.quietly(lambda: services.release_held(SYSTEM, picked(self.bills, pick), "验收合格"))

    @rule(pick=PICK)
    def refund(self, pick: int) -> None:
        self.world.quietly(lambda: services.refund(SYSTEM, picked(self.bills, pick), "合同解除"))

    @rule(pick=PICK, yes=st.sampled_from((True, True, False)), network=NETWORK)
    def decide(self, pick: int, yes: bool, network: Fault | None) -> None:
        requested = sa.select(Refund.id).where(Refund.state == RefundState.REQUESTED).order_by(Refund.id)
        ids = list(db.session.scalars(requested))
        if not ids:
            return
        chosen = picked(ids, pick)
        decide = services.approve_refund if yes else services.reject_refund
        self.world.quietly(lambda: decide(self.world.operators[0], chosen, DecideRefund("核对无误")))
        self.world.strike(network)
        self.world.work()

    @rule()
    def a_refund_comes_back(self) -> None:
        ref = db.session.scalar(sa.select(Refund.gateway_ref).where(Refund.state == RefundState.SUCCEEDED).limit(1))
        if ref:
            self.world.control("refund-failures", refund=ref)

    @rule(fen=FEN, method=METHOD, network=NETWORK, end=st.sampled_from(("released", "refunded", "both asked for")))
    def a_whole_story(self, fen: int, method: str | None, network: Fault | None, end: str) -> None:
        """Deep states are rare when every step is drawn: this goes all the way, and meets its fault at the end."""
        bill_id = self.world.a_bill(fen)
        self.bills.append(bill_id)
        self._pay((bill_id,), method, None, 1, "pay")
        self.world.quietly(lambda: services.sync_payment(self._payments()[-1]))
        if bill_view(bill_id).state != "paid":
            return
        if end != "refunded":
            self.world.quietly(lambda: services.release_held(SYSTEM, bill_id, "验收合格"))
        if end != "released":
            self.refund(len(self.bills) - 1)
            self.decide(999, yes=True, network=network)

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        for check in ALWAYS:
            check(self.world)

    def teardown(self) -> None:
        """When the network has healed and the worker has run, nothing is missing and nothing is there twice."""
        self.world.settle()
        for check in AT_REST:
            check(self.world)


def tell(world: World, *, examples: int, steps: int, chance: int | None = None, kind: type[Story] = Story) -> None:
    """Tell so many stories of so many steps in the world; `chance` makes them the same ones again."""
    machine = type("StoryHere", (kind,), {"world": world})
    wanted = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        phases=(Phase.generate,),  # shrinking a story of money takes minutes and tells little more
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=chance is None,
    )
    run_state_machine_as_test(machine if chance is None else seed(chance)(machine), settings=wanted)
