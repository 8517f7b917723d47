"""Several bills in one payment: each credited once, refunded by itself, and never mixed with money of another way."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db
from app.kernel.errors import Conflict, NotFound, Refused
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerEntry
from payments.models.payments import Payment, PaymentBill
from payments.queries import PaymentView, balances, bill_page, bill_view
from payments.services import BillKind, DecideRefund, StartPayment, VoidBill
from payments.simulator.application import Simulator
from payments.simulator.inprocess import Payer
from payments.states import PaymentState
from tests.builders import a_member
from tests.payments.test_payment_services import _force, books_agree, started
from tests.together import together

pytestmark = pytest.mark.postgresql
MakeBill = Callable[..., UUID]
Pay = Callable[..., PaymentView]


def started_together(actor: Actor, *bill_ids: UUID) -> UUID:
    payment_id = services.start_joint_payment(actor, bill_ids, StartPayment("card"))
    services.send_payment(payment_id)
    return payment_id


def test_two_bills_are_paid_by_one_charge_and_credited_once_each(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    first, second = a_bill(70_000), a_bill(30_001)
    payment_id = started_together(owner, first, second)
    pay_at_cashier(second, "card")
    for _ in range(2):
        assert services.sync_payment(payment_id) is PaymentState.SUCCEEDED
    for bill_id, fen in ((first, 70_000), (second, 30_001)):
        view = bill_page(owner, bill_id)
        assert (view.state, view.held_fen) == ("paid", fen)
        (attempt,) = view.payments
        assert (attempt.amount_fen, attempt.share_fen, attempt.standing) == (100_001, fen, "credited")
        assert {b.id for b in attempt.bills} == {first, second}
    split = db.session.execute(
        sa.select(LedgerEntry.bill_id, LedgerEntry.amount_fen).where(LedgerEntry.bill_id.is_not(None))
    )
    assert {tuple(row) for row in split} == {(first, -70_000), (second, -30_001)}
    assert len(gateway._client.v1.charges.list().data) == 1
    books_agree()


def test_one_of_them_is_refunded_and_the_other_released(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor, pay_at_cashier: Pay
) -> None:
    first, second = a_bill(70_000), a_bill(30_000)
    payment_id = started_together(owner, first, second)
    pay_at_cashier(first, "card")
    services.sync_payment(payment_id)
    refunds = [services.refund(SYSTEM, bill_id, "合同解除") for bill_id in (first, second)]
    services.approve_refund(operator, refunds[0], DecideRefund())
    services.reject_refund(operator, refunds[1], DecideRefund("服务已完成"))
    outbox.drain_all()
    db.session.expire_all()
    assert (bill_view(first).state, bill_view(first).held_fen) == ("refunded", 0)
    services.release_held(SYSTEM, second, "验收合格")
    assert bill_view(second).state == "released"
    assert [r.amount for r in gateway._client.v1.refunds.list().data] == [70_000]
    books_agree()


def test_what_must_not_share_a_payment_is_refused_and_starts_nothing(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    fee, courier, statutory = a_bill(), a_bill(2_200, BillKind.COURIER_FEE), a_bill(500, BillKind.STATUTORY_FEE)
    for mixed in ((fee, statutory), (courier, statutory), (fee, courier)):
        with pytest.raises(Refused) as refusal:
            services.start_joint_payment(owner, mixed, StartPayment())
        assert refusal.value.code == "routes-mixed"
    with pytest.raises(Refused) as refusal:
        services.start_joint_payment(owner, (), StartPayment())
    assert refusal.value.code == "bills-together"
    with pytest.raises(NotFound):
        services.start_joint_payment(a_member(Role.OWNER), (fee, a_bill()), StartPayment())
    with pytest.raises(Refused) as refusal:
        services.start_joint_payment(owner, (fee, a_bill(99_999_999)), StartPayment())
    assert refusal.value.code == "amount-too-large-online"
    assert db.session.scalar(sa.select(sa.func.count(Payment.id))) == 0


def test_a_bill_in_another_attempt_is_refused_and_the_same_basket_meets_itself(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    first, second, third = a_bill(), a_bill(), a_bill()
    payment_id = started_together(owner, first, second)
    assert services.start_joint_payment(owner, (second, first), StartPayment("alipay")) == payment_id
    for basket in ((first,), (second, third)):
        with pytest.raises(Conflict) as refusal:
            services.start_joint_payment(owner, basket, StartPayment())
        assert refusal.value.code == "bill-in-another-attempt"
    with pytest.raises(Conflict):
        services.void_bill(SYSTEM, second, VoidBill("不再收取"))
    services.cancel_payment(owner, payment_id)
    assert services.start_joint_payment(owner, (second, third), StartPayment()) != payment_id
    assert bill_page(owner, first).live_payment is None


def test_a_late_success_credits_what_is_still_open_and_returns_the_rest(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay
) -> None:
    first, second = a_bill(70_000), a_bill(30_000)
    payment_id = started_together(owner, first, second)
    page = bill_page(owner, first).payments[0].cashier_url
    assert page is not None
    _force(payment_id, PaymentState.EXPIRED)
    again = started(owner, second, "card")
    pay_at_cashier(second, "card")
    assert services.sync_payment(again) is PaymentState.SUCCEEDED
    assert Payer(simulator, page).by_card().status_code == 303
    assert services.sync_payment(payment_id) is PaymentState.SUCCEEDED
    assert (bill_view(first).state, bill_view(first).held_fen) == ("paid", 70_000)
    assert (bill_view(second).state, bill_view(second).held_fen) == ("paid", 30_000)
    late = next(p for p in bill_page(owner, second).payments if p.id == payment_id)
    assert (late.standing, late.misfit) == ("set_aside", "bill_closed")
    (refund,) = bill_page(owner, second).refunds
    assert (refund.amount_fen, refund.state) == (30_000, "requested")
    assert balances(["suspense:unmatched", f"refund_pending:{refund.id}"])[f"refund_pending:{refund.id}"] == -30_000
    books_agree()


@pytest.mark.races
def test_overlapping_baskets_race_to_one_live_attempt_for_each_bill(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    bills = [a_bill(100 + n) for n in range(3)]
    db.session.rollback()

    def work(number: int) -> UUID:
        basket = (bills[number % 3], bills[(number + 1) % 3])
        return services.start_joint_payment(owner, basket, StartPayment())

    answers = together(app, work)
    assert {type(a) for a in answers} <= {UUID, Conflict}, answers
    live = db.session.execute(
        sa.select(PaymentBill.bill_id, sa.func.count())
        .where(PaymentBill.standing == "live")
        .group_by(PaymentBill.bill_id)
    ).all()
    assert len({a for a in answers if isinstance(a, UUID)}) == 1
    assert [count for _bill, count in live] == [1, 1]
