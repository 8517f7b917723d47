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
from payments.gateways.outgoing import outgoing
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.models.payments import Payment
from payments.outgoing_states import PayoutState
from payments.ports import Unknown
from payments.queries import PaymentView, balances, bill_view, income_of
from payments.services import DecideRefund, StartPayment
from payments.services.payments import apply_fact
from payments.services.payouts import apply_transfer, sync_payout
from payments.services.refunds import apply_refund
from payments.simulator.application import Simulator
from payments.simulator.faults import Fault
from tests.payments.test_outgoing import approved
from tests.payments.test_payment_services import control
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


def gateway_postings() -> list[str]:
    """The keys of what moved at the gateway, as often as it was posted."""
    moved = sa.select(LedgerTransaction.key).where(LedgerTransaction.key.startswith("stripe:"))
    return sorted(db.session.scalars(moved.order_by(LedgerTransaction.key)))


def test_fifty_deliveries_of_one_refund_make_one_posting(
    app: Flask, gateway: StripeGateway, simulator: Simulator, operator: Actor, paid: Callable[..., UUID]
) -> None:
    bill_id = paid(70_000)
    (charge,) = gateway_postings()
    refund_id = services.refund(SYSTEM, bill_id, "合同解除")
    services.approve_refund(operator, refund_id, DecideRefund())
    control(simulator, "/faults", path="/v1/refunds", fault=Fault.DROP_AFTER, times=2)
    with pytest.raises(Unknown):
        services.send_refund(refund_id)
    payment_ref = db.session.scalars(sa.select(Payment.payment_ref)).one()
    assert payment_ref is not None
    db.session.rollback()
    fact = gateway.search_refund(payment_ref, refund_id)
    assert fact is not None
    (movement,) = fact.movements
    answers = together(app, lambda _: [apply_refund(refund_id, fact) for _ in range(7)])
    assert not [a for a in answers if isinstance(a, Exception)], answers
    assert gateway_postings() == sorted((charge, f"stripe:{movement.ref}"))
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("refunded", 0)
    assert services.check_books() == 0


def test_fifty_deliveries_of_one_transfer_make_one_posting(
    app: Flask, gateway: StripeGateway, simulator: Simulator, agency: Actor, operator: Actor,
    account: Callable[..., UUID], balance: Callable[[int], UUID],
) -> None:  # fmt: skip
    account()
    balance(100_000)
    payout_id = approved(agency, operator, 60_000)
    before = gateway_postings()
    control(simulator, "/faults", path="/v1/transfers", fault=Fault.DROP_AFTER, times=2)
    with pytest.raises(Unknown):
        sync_payout(payout_id)
    fact = outgoing().search_transfer(payout_id)
    assert fact is not None
    answers = together(app, lambda _: [apply_transfer(payout_id, fact) for _ in range(7)])
    assert not [a for a in answers if isinstance(a, Exception)], answers
    assert gateway_postings() == sorted((*before, f"stripe:{fact.movement.ref}"))
    assert balances([f"payout_pending:{payout_id}"]) == {f"payout_pending:{payout_id}": 0}
    together(app, lambda _: sync_payout(payout_id))
    control(simulator, "/clock", advance=60)
    db.session.rollback()
    assert sync_payout(payout_id) is PayoutState.PAID
    assert len(gateway.client.v1.payouts.list({}, {"stripe_account": destination(gateway)}).data) == 1
    assert services.check_books() == 0


def destination(gateway: StripeGateway) -> str:
    """The one account at the provider that money was transferred to."""
    (transfer,) = gateway.client.v1.transfers.list().data
    return str(transfer.destination)


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
