"""Paying a bill through the real package and the simulator: one charge and one posting, whatever the network does."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import stripe
from sqlalchemy.exc import IntegrityError
from werkzeug.test import Client

from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from app.kernel.inbox import Notice
from app.kernel.outbox import OutboxMessage
from payments import jobs, ledger, queries, services
from payments.errors import BadNotice
from payments.gateways.stripe import StripeGateway
from payments.models.bills import Bill
from payments.models.gateways import GatewayAddress
from payments.models.ledger import LedgerEntry, LedgerTransaction
from payments.models.payments import Payment, PaymentBill
from payments.ports import Unknown
from payments.queries import PaymentView, balances, bill_page, bill_view
from payments.services import BillKind, DecideRefund, Overdrawn, StartPayment, VoidBill
from payments.services.sealing import seal, unseal
from payments.simulator.application import Simulator
from payments.simulator.inprocess import DECLINED_CARD, Payer, take_deliveries
from payments.simulator.webhooks import Delivery, signature
from payments.states import BillState, PaymentState
from tests.builders import a_member

pytestmark = pytest.mark.postgresql
MakeBill = Callable[..., UUID]
Pay = Callable[..., PaymentView]


def started(actor: Actor, bill_id: UUID, method: str | None = None) -> UUID:
    payment_id = services.start_payment(actor, bill_id, StartPayment(method))
    services.send_payment(payment_id)
    return payment_id


def control(simulator: Simulator, address: str, /, **values: object) -> None:
    answer = Client(simulator).post(f"/_sim{address}", json=values)
    assert answer.status_code == 200, answer.text


def deliver(delivery: Delivery) -> bool:
    return services.record_notice(dict(delivery.headers), delivery.body)


def count_charges(gateway: StripeGateway) -> int:
    return len(gateway._client.v1.charges.list({"limit": 100}).data)


def books_agree() -> None:
    assert services.check_books() == 0
    check = queries.last_check()
    assert check is not None
    assert check.is_clean, check
    assert queries.trial_balance().total_fen == 0


# --- the way it should go -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["alipay", "wechat_pay", "card"])
def test_a_payment_is_held_for_the_agency(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay, method: str
) -> None:
    bill_id = a_bill(1_280_000)
    payment_id = started(owner, bill_id, method)
    pay_at_cashier(bill_id, method)
    assert services.sync_payment(payment_id) is PaymentState.SUCCEEDED
    bill = bill_view(bill_id)
    assert (bill.state, bill.held_fen) == ("paid", 1_280_000)
    assert bill.paid_at is not None
    attempt = bill_page(owner, bill_id).payments[0]
    assert (attempt.method, attempt.problem) == (method, None)
    fee = {"alipay": 28_360, "wechat_pay": 28_360, "card": 43_720}[method]
    assert balances(["psp:stripe", "expense:psp_fee"]) == {"psp:stripe": 1_280_000 - fee, "expense:psp_fee": fee}
    books_agree()


def test_bill_paid_is_told_once(gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay,
                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    from payments.events import BillPaid

    told: list[BillPaid] = []

    def listen(event: BillPaid) -> None:
        told.append(event)

    monkeypatch.setitem(outbox._handlers, BillPaid.name, {"test": listen})
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    pay_at_cashier(bill_id)
    for _ in range(3):
        services.sync_payment(payment_id)
    outbox.drain_all()
    assert [(e.bill_id, e.amount_fen) for e in told] == [(bill_id, 1_280_000)]


def test_release_gives_the_money_to_the_agency_once(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, agency: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    with pytest.raises(IllegalTransition):
        services.release_held(owner, bill_id, "验收合格")
    pay_at_cashier(bill_id)
    services.sync_payment(payment_id)
    for _ in range(2):
        services.release_held(owner, bill_id, "验收合格")
    assert bill_view(bill_id).state == "released"
    assert bill_view(bill_id).held_fen == 0
    assert agency.organisation_id is not None
    assert queries.income_of(agency.organisation_id) == queries.Income(1_280_000, 0, 0)
    (line,) = queries.statement_page(ledger.payable(agency.organisation_id).code).items
    assert (line.amount_fen, line.balance_fen) == (1_280_000, 1_280_000)
    books_agree()


def test_courier_money_is_never_held(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = a_bill(2_200, BillKind.COURIER_FEE)
    payment_id = started(owner, bill_id)
    pay_at_cashier(bill_id)
    services.sync_payment(payment_id)
    assert bill_view(bill_id).held_fen == 0
    assert balances(["courier_payable"]) == {"courier_payable": -2_200}


def test_statutory_money_cannot_reach_our_own_account(gateway: StripeGateway, a_bill: MakeBill, owner: Actor) -> None:
    bill_id = a_bill(2_200, BillKind.STATUTORY_FEE)
    for method in (None, "card", "alipay", "wechat_pay"):
        with pytest.raises(Refused) as refusal:
            services.start_payment(owner, bill_id, StartPayment(method))
        assert refusal.value.code == "method-not-offered"
    assert bill_page(owner, bill_id).payments == ()


# --- double clicks, lost answers, faults --------------------------------------------------------------------------


def test_double_click_and_two_tabs_meet_one_live_attempt(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    ids = {services.start_payment(owner, bill_id, StartPayment(method)) for method in ("card", "alipay", None)}
    assert len(ids) == 1
    (payment_id,) = ids
    for _ in range(3):
        services.send_payment(payment_id)
    assert len(gateway._client.v1.checkout.sessions.list().data) == 1


def test_the_database_itself_refuses_a_second_live_attempt(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    first = db.session.get(Payment, started(owner, bill_id))
    assert first is not None
    with pytest.raises(IntegrityError), transaction() as session:
        other = Payment(
            id=UUID(int=9),
            number="JK-9",
            thread_id=first.thread_id,
            kind="service_fee",
            gateway="stripe",
            amount_fen=1,
            state="new",
            request={},
            idempotency_key="x",
            readers=[],
            started_at=clock.now(),
            check_at=clock.now(),
        )
        session.add(other)
        session.flush()
        part = {"payment_id": other.id, "bill_id": bill_id, "position": 1, "attempt": 2, "amount_fen": 1}
        session.execute(sa.insert(PaymentBill).values(**part, standing="live"))


def test_an_unreachable_gateway_leaves_the_attempt_visible_and_the_outbox_finishes_it(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor
) -> None:
    control(simulator, "/faults", path="/v1/", fault="drop_before")
    bill_id = a_bill()
    services.start_payment(owner, bill_id, StartPayment())
    outbox.drain_all()
    assert bill_page(owner, bill_id).payments[0].state == "new"
    (message,) = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.done_at.is_(None))).all()
    assert message.error is not None
    with clock.at(clock.now() + timedelta(minutes=5)):
        outbox.drain_all()
        db.session.expire_all()
    assert bill_page(owner, bill_id).payments[0].state == "pending"


def test_a_request_older_than_its_key_is_looked_up_and_never_sent_again(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    control(simulator, "/faults", path="/v1/checkout/sessions", fault="drop_after", times=2)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    with pytest.raises(Unknown):
        services.send_payment(payment_id)
    with clock.at(clock.now() + timedelta(hours=21)):
        services.send_payment(payment_id)
    assert bill_page(owner, bill_id).payments[0].state == "pending"
    assert len(gateway._client.v1.checkout.sessions.list().data) == 1


def test_a_request_that_never_arrived_and_is_too_old_fails_so_that_the_payer_can_start_again(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    control(simulator, "/faults", path="/v1/checkout/sessions", fault="drop_before", times=2)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    with pytest.raises(Unknown):
        services.send_payment(payment_id)
    with clock.at(clock.now() + timedelta(hours=21)):
        services.send_payment(payment_id)
    view = bill_page(owner, bill_id)
    assert (view.payments[0].state, view.payments[0].problem) == ("failed", "never-arrived")
    assert services.start_payment(owner, bill_id, StartPayment()) != payment_id


def test_a_declined_card_then_a_success_is_one_attempt(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    attempt = bill_page(owner, bill_id).live_payment
    assert attempt is not None
    assert attempt.cashier_url is not None
    payer = Payer(simulator, attempt.cashier_url)
    assert payer.by_card(DECLINED_CARD).status_code == 402
    assert services.sync_payment(payment_id) is PaymentState.PENDING
    assert bill_page(owner, bill_id).payments[0].problem == "generic_decline"
    assert payer.by_card().status_code == 303
    assert services.sync_payment(payment_id) is PaymentState.SUCCEEDED
    books_agree()


# --- cancelling, expiring, late and unfitting money ------------------------------------------------------------------


def test_cancelling_closes_the_cashier_and_frees_the_bill(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    attempt = bill_page(owner, bill_id).live_payment
    assert attempt is not None
    assert attempt.cashier_url is not None
    assert services.cancel_payment(owner, payment_id) is PaymentState.CANCELED
    assert Payer(simulator, attempt.cashier_url).by_card().status_code == 410
    assert count_charges(gateway) == 0
    assert services.start_payment(owner, bill_id, StartPayment("card")) != payment_id


def test_cancelling_what_was_paid_a_moment_ago_takes_the_success_over(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    pay_at_cashier(bill_id)
    assert services.cancel_payment(owner, payment_id) is PaymentState.SUCCEEDED
    assert bill_view(bill_id).state == "paid"


def test_an_expired_session_ends_the_attempt(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    control(simulator, "/clock", advance=25 * 3600)
    assert services.sync_payment(payment_id) is PaymentState.EXPIRED
    assert bill_view(bill_id).state == "open"


def _force(payment_id: UUID, state: PaymentState) -> None:
    with transaction() as session:
        session.execute(sa.update(Payment).where(Payment.id == payment_id).values(state=state.value))
        session.execute(sa.update(PaymentBill).where(PaymentBill.payment_id == payment_id).values(standing="over"))


def test_late_success_after_expiry_is_credited_while_the_bill_is_open(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    pay_at_cashier(bill_id)
    _force(payment_id, PaymentState.EXPIRED)
    assert services.sync_payment(payment_id) is PaymentState.SUCCEEDED
    assert bill_view(bill_id).state == "paid"
    books_agree()


def test_late_success_of_a_bill_paid_otherwise_goes_to_suspense_and_a_refund_is_asked_for(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = a_bill(500_00)
    first = started(owner, bill_id)
    pay_at_cashier(bill_id, "card")
    _force(first, PaymentState.EXPIRED)
    second = started(owner, bill_id)
    pay_at_cashier(bill_id, "card")
    assert services.sync_payment(second) is PaymentState.SUCCEEDED
    assert services.sync_payment(first) is PaymentState.SURPLUS
    view = bill_page(owner, bill_id)
    assert (view.state, view.held_fen) == ("paid", 50_000)
    assert {p.misfit for p in view.payments} == {None, "bill_closed"}
    (refund,) = view.refunds
    assert (refund.state, refund.amount_fen) == ("requested", 50_000)
    assert balances([ledger.suspense().code, ledger.refund_pending(refund.id).code]) == {
        ledger.suspense().code: 0,
        ledger.refund_pending(refund.id).code: -50_000,
    }
    services.approve_refund(operator, refund.id, DecideRefund())
    outbox.drain_all()
    assert bill_page(owner, bill_id).refunds[0].state == "succeeded"
    assert bill_view(bill_id).state == "paid"
    books_agree()


def test_a_wrong_amount_goes_to_suspense_and_the_bill_stays_due(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = a_bill(500_00)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    with transaction() as session:
        row = session.get(Payment, payment_id)
        assert row is not None
        lines = [{**row.request["line_items"][0]}]
        lines[0]["price_data"] = {**lines[0]["price_data"], "unit_amount": 499_99}
        row.request = {**row.request, "line_items": lines}
    services.send_payment(payment_id)
    pay_at_cashier(bill_id)
    assert services.sync_payment(payment_id) is PaymentState.SURPLUS
    view = bill_page(owner, bill_id)
    assert (view.state, view.payments[0].misfit, view.held_fen) == ("open", "amount", 0)
    assert view.refunds[0].amount_fen == 499_99
    books_agree()


def test_a_bill_with_a_live_attempt_is_not_cancelled_and_a_cancelled_bill_is_not_paid(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor
) -> None:
    bill_id = a_bill()
    payment_id = started(owner, bill_id)
    with pytest.raises(Conflict):
        services.void_bill(operator, bill_id, VoidBill("合同已解除"))
    services.cancel_payment(owner, payment_id)
    with pytest.raises(NotAllowed):
        services.void_bill(owner, bill_id, VoidBill("不想付"))
    with pytest.raises(Refused):
        services.void_bill(operator, bill_id, VoidBill("  "))
    services.void_bill(operator, bill_id, VoidBill("合同已解除"))
    with pytest.raises(Conflict):
        services.start_payment(owner, bill_id, StartPayment())
    assert bill_view(bill_id).state == "void"


def test_strangers_see_nothing_and_only_the_payer_pays(gateway: StripeGateway, a_bill: MakeBill, agency: Actor) -> None:
    bill_id = a_bill()
    stranger = a_member(Role.OWNER)
    for act in (
        lambda: bill_page(stranger, bill_id),
        lambda: services.start_payment(stranger, bill_id, StartPayment()),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(NotAllowed):
        services.start_payment(agency, bill_id, StartPayment())
    assert db.session.scalar(sa.select(sa.func.count(Payment.id))) == 0


# --- notices ------------------------------------------------------------------------------------------------------


def test_shuffled_and_repeated_notices_give_one_posting(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    control(simulator, "/settings", webhook_copies=3)
    bill_id = a_bill()
    started(owner, bill_id)
    pay_at_cashier(bill_id)
    sent = take_deliveries(simulator)
    assert len(sent) == 2 * 3  # checkout.session.completed and payment_intent.succeeded, three copies of each
    new = [deliver(delivery) for delivery in reversed(sent)]
    assert sum(new) == len({d.event_id for d in sent})
    outbox.drain_all()
    assert bill_view(bill_id).state == "paid"
    keys = db.session.scalars(sa.select(LedgerTransaction.key)).all()
    assert len([k for k in keys if k.startswith("stripe:")]) == 1
    assert db.session.scalar(sa.select(sa.func.count(Notice.id)).where(Notice.done_at.is_(None))) == 0
    books_agree()


def test_a_notice_before_our_own_answer_finds_the_attempt(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill()
    control(simulator, "/faults", path="/v1/checkout/sessions", fault="drop_after", times=2)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    with pytest.raises(Unknown):
        services.send_payment(payment_id)
    (session,) = gateway._client.v1.checkout.sessions.list().data
    assert session.url is not None
    Payer(simulator, session.url).by_card()
    for delivery in take_deliveries(simulator):
        deliver(delivery)
    outbox.drain_all()
    assert bill_view(bill_id).state == "paid"
    assert count_charges(gateway) == 1


def _event(simulator: Simulator, a_bill: MakeBill, owner: Actor, pay: Pay) -> Delivery:
    bill_id = a_bill()
    started(owner, bill_id)
    pay(bill_id)
    return take_deliveries(simulator)[0]


def test_forged_late_and_future_notices_are_refused_and_store_nothing(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    delivery = _event(simulator, a_bill, owner, pay_at_cashier)
    body, now = delivery.body, int(time.time())
    bad = {
        "wrong secret": signature("whsec_other", body, now),
        "too old": signature(secret, body, now - 301),
        "from the future": signature(secret, body, now + 305),
        "no signature": "",
        "no timestamp": "v1=abc",
        "nonsense": "t=abc,v1=def",
    }
    for name, header in bad.items():
        with pytest.raises(BadNotice):
            services.record_notice({"Stripe-Signature": header}, body)
        assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 0, name
    with pytest.raises(BadNotice):
        services.record_notice({"Stripe-Signature": signature(secret, body, now)}, body + b" ")
    for raw in (b"", b"[]", b"not json", json.dumps({"object": "v2.core.event", "id": "evt_1"}).encode(), b"\xff\xfe"):
        with pytest.raises(BadNotice):
            services.record_notice({"Stripe-Signature": signature(secret, raw, now)}, raw)
    assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 0


def test_a_rotated_secret_keeps_the_previous_one_valid(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    with transaction() as session:
        row = session.get(GatewayAddress, "stripe")
        assert row is not None
        row.previous_secret, row.secret = row.secret, seal("whsec_brand_new")
    delivery = _event(simulator, a_bill, owner, pay_at_cashier)
    assert deliver(delivery) is True
    assert services.record_notice({"Stripe-Signature": signature("whsec_brand_new", delivery.body, int(time.time()))},
                                  delivery.body) is False  # fmt: skip


def test_a_notice_about_nothing_of_ours_is_kept_and_done(
    gateway: StripeGateway, simulator: Simulator, secret: str
) -> None:
    client: stripe.StripeClient = gateway._client
    client.v1.payment_intents.create(
        {"amount": 700, "currency": "cny", "payment_method": "pm_card_visa", "confirm": True}
    )
    for delivery in take_deliveries(simulator):
        assert deliver(delivery) is True
    outbox.drain_all()
    assert db.session.scalar(sa.select(sa.func.count(Notice.id)).where(Notice.done_at.is_(None))) == 0
    assert db.session.scalar(sa.select(sa.func.count(LedgerEntry.id))) == 0
    assert services.check_books() == 1  # the stray charge is at the gateway and not in our books: reported
    assert not getattr(queries.last_check(), "is_clean", True)


def test_lost_notices_are_recalled_and_silent_attempts_followed_up(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    control(simulator, "/settings", webhook_paused=1)
    first, second = a_bill(100), a_bill(200)
    started(owner, first)
    started(owner, second)
    pay_at_cashier(first)
    assert jobs.recall() >= 2
    outbox.drain_all()
    assert (bill_view(first).state, bill_view(second).state) == ("paid", "open")
    assert jobs.recall() == 0
    pay_at_cashier(second)
    assert jobs.follow_up() == 0  # not silent for long enough
    with clock.at(clock.now() + timedelta(minutes=3)):
        assert jobs.follow_up() == 1
    assert bill_view(second).state == "paid"
    books_agree()


def test_the_address_is_registered_once_and_again_when_the_gateway_forgot_it(
    gateway: StripeGateway, simulator: Simulator, secret: str
) -> None:
    assert services.register_address() is False
    endpoints = gateway._client.v1.webhook_endpoints
    (mine,) = endpoints.list().data
    assert mine.url == "http://127.0.0.1:8000/pay/notice/stripe"
    endpoints.delete(mine.id)
    assert services.register_address() is True
    row = db.session.get(GatewayAddress, "stripe", populate_existing=True)
    assert row is not None
    assert unseal(row.previous_secret) == secret
    assert unseal(row.secret) not in {None, secret}


# --- refunds ------------------------------------------------------------------------------------------------------


def paid_bill(owner: Actor, a_bill: MakeBill, pay: Pay, method: str = "card", fen: int = 100_000) -> UUID:
    bill_id = a_bill(fen)
    payment_id = started(owner, bill_id)
    pay(bill_id, method)
    services.sync_payment(payment_id)
    return bill_id


def test_a_refund_needs_two_persons_and_goes_out_once(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor, operator: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = paid_bill(owner, a_bill, pay_at_cashier)
    refund_id = services.refund(operator, bill_id, "合同解除，双方同意退款")
    for act in (
        lambda: services.release_held(owner, bill_id, "验收合格"),
        lambda: services.refund(operator, bill_id, "再退一次"),
    ):
        with pytest.raises(Conflict) as refusal:
            act()
        assert refusal.value.code == "refund-under-way"
    with pytest.raises(Refused):
        services.approve_refund(operator, refund_id, DecideRefund())
    with pytest.raises(NotAllowed):
        services.approve_refund(owner, refund_id, DecideRefund())
    control(simulator, "/faults", path="/v1/refunds", fault="drop_after")
    services.approve_refund(a_member(Role.OPERATOR), refund_id, DecideRefund())
    outbox.drain_all()
    with clock.at(clock.now() + timedelta(minutes=2)):
        outbox.drain_all()
    db.session.expire_all()
    view = bill_page(owner, bill_id)
    assert (view.state, view.held_fen, view.refunds[0].state) == ("refunded", 0, "succeeded")
    assert len(gateway._client.v1.refunds.list().data) == 1
    with pytest.raises(Conflict):
        services.refund(operator, bill_id, "又退一次")
    books_agree()


def test_a_wallet_refund_is_pending_until_the_gateway_says_done(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, operator: Actor,
    pay_at_cashier: Pay,
) -> None:  # fmt: skip
    bill_id = paid_bill(owner, a_bill, pay_at_cashier, "alipay")
    refund_id = services.refund(SYSTEM, bill_id, "合同解除")
    services.approve_refund(operator, refund_id, DecideRefund())
    services.send_refund(refund_id)
    assert bill_page(owner, bill_id).refunds[0].state == "pending"
    assert bill_view(bill_id).state == "paid"
    control(simulator, "/clock", advance=5)
    for delivery in take_deliveries(simulator):
        deliver(delivery)
    outbox.drain_all()
    db.session.expire_all()
    assert bill_page(owner, bill_id).refunds[0].state == "succeeded"
    assert bill_view(bill_id).state == "refunded"
    books_agree()


def test_a_refund_that_comes_back_after_success_is_held_again(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, operator: Actor,
    pay_at_cashier: Pay,
) -> None:  # fmt: skip
    bill_id = paid_bill(owner, a_bill, pay_at_cashier)
    refund_id = services.refund(SYSTEM, bill_id, "合同解除")
    services.approve_refund(operator, refund_id, DecideRefund())
    outbox.drain_all()
    (sent,) = gateway._client.v1.refunds.list().data
    control(simulator, "/refund-failures", refund=sent.id)
    for delivery in take_deliveries(simulator):
        deliver(delivery)
    outbox.drain_all()
    db.session.expire_all()
    view = bill_page(owner, bill_id)
    assert (view.state, view.held_fen, view.refunds[0].state) == ("paid", 100_000, "failed")
    books_agree()


def test_a_refused_refund_leaves_the_money_held(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor, pay_at_cashier: Pay
) -> None:
    bill_id = paid_bill(owner, a_bill, pay_at_cashier)
    refund_id = services.refund(SYSTEM, bill_id, "误点")
    with pytest.raises(Refused):
        services.reject_refund(operator, refund_id, DecideRefund())
    services.reject_refund(operator, refund_id, DecideRefund("没有退款依据"))
    assert bill_view(bill_id).held_fen == 100_000
    services.release_held(owner, bill_id, "验收合格")
    assert bill_view(bill_id).state == "released"
    books_agree()


# --- the books ----------------------------------------------------------------------------------------------------


def test_posting_twice_writes_once_and_overdrawing_writes_nothing(app: object, agency: Actor) -> None:
    assert agency.organisation_id is not None
    bill_id, at = UUID(int=7), datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(Overdrawn):
        services.post(ledger.released(bill_id, 2, agency.organisation_id, 1, 0, at, ""))
    assert db.session.scalar(sa.select(sa.func.count(LedgerTransaction.id))) == 0
    from payments.observed import Movement

    posting = ledger.charge_settled(
        "stripe",
        Movement("txn_9", "charge", 100, 3, "CNY", at, "ch"),
        [ledger.Credit(bill_id, ledger.escrow(bill_id), 100)],
        "",
    )
    assert services.post(posting) is True
    assert services.post(posting) is False
    assert balances(["psp:stripe"]) == {"psp:stripe": 97}


@pytest.mark.parametrize("table", ["ledger_tx", "ledger_entry", "ledger_account", "bill_line"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_the_database_keeps_the_books_as_written(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay, table: str, change: str
) -> None:
    paid_bill(owner, a_bill, pay_at_cashier)
    column = {"ledger_account": "type", "ledger_tx": "memo"}.get(table, "amount_fen")
    with pytest.raises(Exception, match="append-only"), transaction() as session:
        session.execute(sa.text(change.format(table, column)))


@pytest.mark.parametrize("fen", [1, 99, 99_999_999])
def test_fen_edges(gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay, fen: int) -> None:
    bill_id = paid_bill(owner, a_bill, pay_at_cashier, "wechat_pay", fen)
    assert bill_view(bill_id).held_fen == fen
    books_agree()


def test_an_amount_above_one_session_is_refused_before_anything_is_written(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill(100_000_000)
    with pytest.raises(Refused):
        services.start_payment(owner, bill_id, StartPayment())
    assert bill_page(owner, bill_id).payments == ()


def test_a_bill_leaves_its_mark_in_the_database_checks(app: object, a_bill: MakeBill) -> None:
    bill_id = a_bill()
    for values in ({"amount_fen": 0}, {"state": "paid"}, {"state": "unheard"}, {"currency": "USD"}):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(sa.update(Bill).where(Bill.id == bill_id).values(**values))
    assert bill_view(bill_id).state == BillState.OPEN


def test_an_unbalanced_posting_is_refused_by_postgresql_and_found_by_the_daily_check(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay, database_kind: str
) -> None:
    paid_bill(owner, a_bill, pay_at_cashier)
    tx_id = db.session.scalar(sa.select(LedgerTransaction.id))
    crooked = sa.insert(LedgerEntry).values(
        id=UUID(int=5), tx_id=tx_id, account="psp:stripe", amount_fen=1, currency="CNY"
    )
    if database_kind == "postgresql":
        with pytest.raises(IntegrityError, match="does not balance"), transaction() as session:
            session.execute(crooked)
        books_agree()
        return
    with transaction() as session:
        session.execute(crooked)
    assert services.check_books() == 2  # the posting does not balance, and is no longer what the gateway moved
    check = queries.last_check()
    assert check is not None
    assert (check.unbalanced, check.amounts, check.is_clean) == (1, 1, False)
