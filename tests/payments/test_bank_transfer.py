"""Bank transfer with voucher: the statement counts, two persons read it, and money that does not fit is set aside."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.files import Upload
from payments import jobs, services
from payments.models.bank import BankEntry
from payments.queries import balances, bill_page, bill_view
from payments.services import (
    BillKind,
    DecideEntry,
    DecideRefund,
    EnterMovement,
    EnterRefundSent,
    HandInVoucher,
    StartPayment,
)
from payments.states import PaymentState
from tests.builders import a_member
from tests.marketplace.market import PNG

pytestmark = pytest.mark.postgresql
MakeBill = Callable[..., UUID]


def transfer(actor: Actor, *bill_ids: UUID) -> tuple[UUID, str]:
    """Start a transfer of these bills; returns the attempt and its reference."""
    payment_id = services.start_joint_payment(actor, bill_ids, StartPayment("bank_transfer"))
    services.send_payment(payment_id)
    return payment_id, bill_page(actor, bill_ids[0]).payments[0].number


def line(reference: str | None, fen: int, ref: str = "20261122000001", gateway: str = "bank") -> EnterMovement:
    return EnterMovement(gateway, ref, "江城市水务集团有限公司", fen, clock.now() - timedelta(hours=1), reference)


@pytest.fixture
def second(app: Flask) -> Actor:
    return a_member(Role.OPERATOR)


def test_a_transfer_is_credited_when_two_persons_have_read_it(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    first_bill, other_bill = a_bill(150_000_000), a_bill(1)
    payment_id, reference = transfer(owner, first_bill, other_bill)
    attempt = bill_page(owner, first_bill).live_payment
    assert attempt is not None
    assert (attempt.gateway, attempt.state, attempt.amount_fen) == ("bank", "pending", 150_000_001)
    services.hand_in_voucher(owner, payment_id, HandInVoucher(Upload("回单.png", PNG), "今日电汇"))
    with pytest.raises(NotAllowed):
        services.enter_movement(owner, line(reference, 150_000_001))
    entry_id = services.enter_movement(operator, line(reference, 150_000_001))
    assert services.sync_payment(payment_id) is PaymentState.PENDING
    assert bill_page(owner, first_bill).payments[0].problem == "being-confirmed"
    assert services.cancel_payment(owner, payment_id) is PaymentState.PENDING  # the money has been seen
    with pytest.raises(Refused) as refusal:
        services.confirm_entry(operator, entry_id, DecideEntry())
    assert refusal.value.code == "same-person"
    services.confirm_entry(second, entry_id, DecideEntry())
    outbox.drain_all()
    db.session.expire_all()
    assert (bill_view(first_bill).state, bill_view(other_bill).state) == ("paid", "paid")
    assert balances(["bank:main"]) == {"bank:main": 150_000_001}
    with pytest.raises(Conflict):
        services.enter_movement(operator, line(reference, 150_000_001))


def test_the_database_itself_wants_two_persons(app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor) -> None:
    _payment_id, reference = transfer(owner, a_bill(100))
    entry_id = services.enter_movement(operator, line(reference, 100))
    with pytest.raises(IntegrityError), transaction() as session:
        values = {"state": "confirmed", "decided_by": operator.user_id, "decided_at": clock.now()}
        session.execute(sa.update(BankEntry).where(BankEntry.id == entry_id).values(**values))


def test_a_wrong_amount_is_set_aside_and_sent_back_by_transfer(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(100_000)
    _payment_id, reference = transfer(owner, bill_id)
    services.confirm_entry(second, services.enter_movement(operator, line(reference, 99_999)), DecideEntry())
    outbox.drain_all()
    db.session.expire_all()
    assert bill_view(bill_id).state == "open"
    (refund,) = bill_page(owner, bill_id).refunds
    assert (refund.amount_fen, refund.state) == (99_999, "requested")
    services.approve_refund(operator, refund.id, DecideRefund())
    outbox.drain_all()
    back = EnterRefundSent("20261122000009", "江城市水务集团有限公司", clock.now())
    services.confirm_entry(second, services.enter_refund_sent(operator, refund.id, back), DecideEntry())
    outbox.drain_all()
    db.session.expire_all()
    assert bill_page(owner, bill_id).refunds[0].state == "succeeded"
    assert balances(["bank:main"]) == {"bank:main": 0}


def test_money_without_reference_and_money_paid_twice_go_to_suspense(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(500)
    _payment_id, reference = transfer(owner, bill_id)
    lines = (line(None, 70, "A1"), line(reference, 500, "A2"), line(reference, 500, "A3"))
    for entry_id in [services.enter_movement(operator, one) for one in lines]:
        services.confirm_entry(second, entry_id, DecideEntry())
    outbox.drain_all()
    db.session.expire_all()
    assert bill_view(bill_id).held_fen == 500
    assert balances(["bank:main", "suspense:unmatched"]) == {"bank:main": 1070, "suspense:unmatched": -570}
    with pytest.raises(Refused) as refusal:
        services.enter_movement(operator, line("JK-2026-999999", 5, "A4"))
    assert refusal.value.field == "reference"


def test_a_rejected_entry_moves_nothing_and_may_be_entered_again(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(500)
    _payment_id, reference = transfer(owner, bill_id)
    wrong = services.enter_movement(operator, line(reference, 5_000))
    services.reject_entry(second, wrong, DecideEntry("金额录错"))
    outbox.drain_all()
    assert balances(["bank:main"]) == {}
    services.confirm_entry(operator, services.enter_movement(second, line(reference, 500)), DecideEntry())
    outbox.drain_all()
    db.session.expire_all()
    assert bill_view(bill_id).state == "paid"


def test_statutory_money_goes_to_the_treasurys_own_account_only(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(500, BillKind.STATUTORY_FEE)
    _payment_id, reference = transfer(owner, bill_id)
    assert bill_page(owner, bill_id).payments[0].gateway == "bank_treasury"
    with pytest.raises(Refused):
        services.enter_movement(operator, line(reference, 500, gateway="bank"))
    entry = services.enter_movement(operator, line(reference, 500, gateway="bank_treasury"))
    services.confirm_entry(second, entry, DecideEntry())
    outbox.drain_all()
    assert balances(["bank:main", "treasury_account", "treasury_payable"]) == {
        "treasury_account": 500,
        "treasury_payable": -500,
    }


def test_a_transfer_that_never_comes_expires_and_the_bill_can_be_paid_again(
    app: Flask, a_bill: MakeBill, owner: Actor
) -> None:
    bill_id = a_bill(500)
    transfer(owner, bill_id)
    with clock.at(clock.now() + timedelta(days=15)):
        jobs.follow_up()
        db.session.expire_all()
        assert bill_page(owner, bill_id).payments[0].state == "expired"
        transfer(owner, bill_id)
