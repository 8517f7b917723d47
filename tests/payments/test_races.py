"""Many at once on one bill: one live attempt, one posting, one winner of release against refund. On both databases."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import outbox
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from app.kernel.errors import Conflict
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.models.payments import Payment
from payments.queries import PaymentView, balances, bill_view, income_of
from payments.services import StartPayment
from payments.services.payments import apply_fact
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]


@pytest.fixture
def paid_attempt(
    gateway: StripeGateway, a_bill: Callable[..., UUID], owner: Actor, pay_at_cashier: Callable[..., PaymentView]
) -> tuple[UUID, UUID]:
    """A bill whose attempt was paid at the cashier; our side does not know yet."""
    bill_id = a_bill(70_000)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    services.send_payment(payment_id)
    pay_at_cashier(bill_id)
    db.session.rollback()
    return bill_id, payment_id


def test_eight_clicks_make_one_attempt(
    app: Flask, gateway: StripeGateway, a_bill: Callable[..., UUID], owner: Actor
) -> None:
    bill_id = a_bill()
    db.session.rollback()
    answers = together(app, lambda _: services.start_payment(owner, bill_id, StartPayment()))
    assert len(set(answers)) == 1, answers
    assert db.session.scalar(sa.select(sa.func.count(Payment.id))) == 1


def test_fifty_deliveries_of_one_settlement_make_one_posting(
    app: Flask, gateway: StripeGateway, paid_attempt: tuple[UUID, UUID]
) -> None:
    bill_id, payment_id = paid_attempt
    session_ref = db.session.scalar(sa.select(Payment.session_ref).where(Payment.id == payment_id))
    assert session_ref is not None
    fact = gateway.fetch(session_ref)
    db.session.rollback()
    answers = together(app, lambda _: [apply_fact(payment_id, fact) for _ in range(7)])
    assert not [a for a in answers if isinstance(a, Exception)], answers
    keys = db.session.scalars(sa.select(LedgerTransaction.key)).all()
    assert keys == [f"stripe:{fact.charge.ref}" if fact.charge else ""]
    db.session.expire_all()
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("paid", 70_000)


def test_release_and_refund_have_one_winner(
    app: Flask, gateway: StripeGateway, agency: Actor, paid_attempt: tuple[UUID, UUID]
) -> None:
    bill_id, payment_id = paid_attempt
    services.sync_payment(payment_id)
    db.session.rollback()

    def work(number: int) -> str:
        if number % 2:
            services.release_held(SYSTEM, bill_id, "验收合格")
            return "released"
        services.refund(SYSTEM, bill_id, "合同解除")
        return "refunding"

    answers = together(app, work)
    won = {a for a in answers if isinstance(a, str)}
    assert len(won) == 1, answers
    assert all(isinstance(a, Conflict | str) or a.status == 409 for a in answers), answers
    db.session.expire_all()
    assert agency.organisation_id is not None
    released = income_of(agency.organisation_id).balance_fen
    assert released == (70_000 if won == {"released"} else 0)
    assert balances([f"escrow:{bill_id}"]) == {f"escrow:{bill_id}": 0}
    outbox.drain_all()
    assert services.check_books() == 0


def test_eight_partial_refunds_have_one_winner(
    app: Flask, gateway: StripeGateway, paid_attempt: tuple[UUID, UUID]
) -> None:
    bill_id, payment_id = paid_attempt
    services.sync_payment(payment_id)
    db.session.rollback()
    answers = together(app, lambda _: services.refund(SYSTEM, bill_id, "服务范围缩减", 30_000))
    assert len([a for a in answers if isinstance(a, UUID)]) == 1, answers
    assert all(isinstance(a, UUID | Conflict) for a in answers), answers
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("paid", 40_000)
    assert services.check_books() == 0
