"""What networks, providers and clocks do to a payment, and that it costs no money. The cases of `failure_cases.py`."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import stripe
from flask import Flask

from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from app.kernel.outbox import OutboxMessage
from payments import jobs, services
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.models.payments import Payment
from payments.models.reconciliation import Mismatch
from payments.ports import Unknown
from payments.queries import PaymentView, bill_page, bill_view
from payments.services import DecideRefund, StartPayment
from payments.services.following import PATIENCE, UNANSWERED
from payments.services.reconciliation import watch_stuck
from payments.simulator.application import Simulator
from payments.simulator.faults import Fault
from payments.simulator.inprocess import take_deliveries
from payments.states import PaymentState
from tests.payments.test_payment_services import books_agree, control, count_charges, deliver, paid_bill

pytestmark = pytest.mark.postgresql
MakeBill = Callable[..., UUID]
Pay = Callable[..., PaymentView]


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.ERROR_KEPT])
def test_a_lost_or_broken_answer_leaves_one_session_and_finishes_later(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay, fault: Fault
) -> None:
    control(simulator, "/faults", path="/v1/checkout/sessions", fault=fault, times=2)
    bill_id = a_bill(12_345)
    payment_id = services.start_payment(owner, bill_id, StartPayment("card"))
    for _ in range(3):
        try:
            services.send_payment(payment_id)
        except Unknown:
            attempt = bill_page(owner, bill_id).live_payment
            assert attempt is not None
            assert (attempt.state, attempt.problem) == ("new", None)
    assert len(gateway._client.v1.checkout.sessions.list().data) == 1
    pay_at_cashier(bill_id, "card")
    assert services.sync_payment(payment_id) is PaymentState.SUCCEEDED
    assert (count_charges(gateway), bill_view(bill_id).held_fen) == (1, 12_345)
    books_agree()


def test_a_failure_that_the_provider_remembers_is_looked_up_once_the_key_is_old(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    """The key replays the 500 for a day although the session was made: repeating cannot help, asking does."""
    control(simulator, "/faults", path="/v1/checkout/sessions", fault=Fault.ERROR_KEPT)
    bill_id = a_bill(12_345)
    payment_id = services.start_payment(owner, bill_id, StartPayment("card"))
    for hours in range(13):
        with clock.at(clock.now() + timedelta(hours=hours)):
            outbox.drain_all()
    given_up = sa.select(sa.func.count(OutboxMessage.id)).where(OutboxMessage.dead_at.is_not(None))
    assert db.session.scalar(given_up) == 1
    db.session.rollback()
    with clock.at(clock.now() + timedelta(hours=21)):
        assert watch_stuck() == 1
        assert jobs.follow_up() == 1
        assert watch_stuck() == 0
    assert db.session.scalars(sa.select(Mismatch.state)).all() == ["resolved"]
    pay_at_cashier(bill_id, "card")
    assert services.sync_payment(payment_id) is PaymentState.SUCCEEDED
    assert len(gateway._client.v1.checkout.sessions.list().data) == 1
    books_agree()


def test_one_attempt_without_an_answer_keeps_no_other_waiting(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    """The first one's 500 is repeated for a day. It is put off; the one behind it is asked about in the same round."""
    control(simulator, "/faults", path="/v1/checkout/sessions", fault=Fault.ERROR_KEPT)
    unlucky = services.start_payment(owner, a_bill(100), StartPayment("card"))
    with pytest.raises(Unknown):
        services.send_payment(unlucky)
    behind = a_bill(200)
    services.send_payment(services.start_payment(owner, behind, StartPayment("card")))
    pay_at_cashier(behind, "card")
    moment = clock.now() + timedelta(minutes=3)
    with clock.at(moment):
        assert jobs.follow_up() == 1
    assert bill_view(behind).state == "paid"
    assert db.session.scalar(sa.select(Payment.check_at).where(Payment.id == unlucky)) == moment + UNANSWERED
    with clock.at(moment + timedelta(hours=10)):
        assert jobs.follow_up() == 0
        old = db.session.scalar(sa.select(Payment.check_at).where(Payment.id == unlucky))
        assert old == clock.now() + timedelta(minutes=30), "the older it is, the rarer it is asked about"


def test_a_gateway_that_is_away_is_not_asked_about_everything(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fen in range(100, 102 + PATIENCE):
        services.send_payment(services.start_payment(owner, a_bill(fen), StartPayment("card")))
    asked = []

    def away(session_ref: str) -> None:
        asked.append(session_ref)
        raise Unknown("no answer")

    monkeypatch.setattr(gateway, "fetch", away)
    with clock.at(clock.now() + timedelta(minutes=3)):
        assert jobs.follow_up() == 0
        assert len(asked) == PATIENCE
        assert jobs.follow_up() == 0
    assert len(set(asked)) == PATIENCE + 2, "those that nobody could ask about come first the next time"


def test_a_success_told_before_the_creation_and_thrice_is_one_posting(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    control(simulator, "/settings", webhook_newest_first=1, webhook_copies=3)
    bill_id = paid_bill(owner, a_bill, pay_at_cashier, "wechat_pay", 99)
    notices = take_deliveries(simulator)
    created = [gateway._client.v1.events.retrieve(n.event_id).created for n in notices]
    assert [n.seq for n in notices] == sorted((n.seq for n in notices), reverse=True), "newest first"
    assert len(notices) == 3 * len({n.event_id for n in notices})
    assert created == sorted(created, reverse=True)
    for notice in notices:
        deliver(notice)
    outbox.drain_all()
    kinds = db.session.scalars(sa.select(LedgerTransaction.kind)).all()
    assert (list(kinds), bill_view(bill_id).held_fen) == (["charge"], 99)
    books_agree()


def test_a_refund_told_of_before_its_own_answer_is_known_once(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, operator: Actor,
    pay_at_cashier: Pay,
) -> None:  # fmt: skip
    bill_id = paid_bill(owner, a_bill, pay_at_cashier)
    take_deliveries(simulator)
    refund_id = services.refund(SYSTEM, bill_id, "合同解除")
    services.approve_refund(operator, refund_id, DecideRefund())
    control(simulator, "/faults", path="/v1/refunds", fault=Fault.DROP_AFTER, times=2)
    with pytest.raises(Unknown):
        services.send_refund(refund_id)
    for notice in take_deliveries(simulator):  # the answer was lost, the notices come
        deliver(notice)
    outbox.drain_all()
    with clock.at(clock.now() + timedelta(minutes=10)):
        outbox.drain_all()
    db.session.expire_all()
    assert bill_page(owner, bill_id).refunds[0].state == "succeeded"
    assert len(gateway._client.v1.refunds.list().data) == 1
    books_agree()


def test_events_lost_for_an_hour_are_recalled(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    control(simulator, "/faults", event="*", fault="webhook_lost", per_mille=1000)
    bill_ids = [a_bill(fen) for fen in (1, 99, 99_999_999)]
    for bill_id in bill_ids:
        payment_id = services.start_payment(owner, bill_id, StartPayment("card"))
        services.send_payment(payment_id)
        pay_at_cashier(bill_id, "card")
    assert take_deliveries(simulator) == []
    assert jobs.recall() >= 3
    outbox.drain_all()
    assert [bill_view(bill_id).state for bill_id in bill_ids] == ["paid"] * 3
    assert jobs.recall() == 0
    books_agree()


def test_the_application_starts_and_bills_without_a_provider(
    app: Flask, a_bill: MakeBill, owner: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    app.extensions[EXTENSION] = StripeGateway("sk_test_nobody_there", "http://127.0.0.1:1")
    assert jobs.keep_address() == 0
    assert "the notice address is not registered" in caplog.text
    bill_id = a_bill(500)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    with pytest.raises(Unknown):
        services.send_payment(payment_id)
    attempt = bill_page(owner, bill_id).live_payment
    assert attempt is not None
    assert attempt.state == "new"


def test_an_absent_field_is_no_error_and_the_packages_objects_are_no_dictionaries(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    """`failure_reason` is absent from a refund that did not fail; `.get` does not exist since stripe 15."""
    bill_id = paid_bill(owner, a_bill, pay_at_cashier)
    intent = bill_page(owner, bill_id).payments[0].id
    assert services.sync_payment(intent) is PaymentState.SUCCEEDED
    refund = gateway._client.v1.refunds.create({"charge": gateway._client.v1.charges.list().data[0].id, "amount": 1})
    assert isinstance(refund, stripe.Refund)
    assert not hasattr(refund, "get")
    assert gateway.fetch_refund(refund.id).problem is None
