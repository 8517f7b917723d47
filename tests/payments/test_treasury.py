"""Statutory money is on the treasury's own account from its first moment, and nowhere else: rules, gateways, database."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, transaction
from app.kernel.errors import DomainError
from payments import ledger, services
from payments.gateways import MORE, STATUTORY
from payments.gateways.stripe import StripeGateway
from payments.ledger import AccountType, Entry, Posting
from payments.models.ledger import LedgerEntry
from payments.models.payments import Payment
from payments.models.reconciliation import ReconciliationRun
from payments.queries import balances, bill_page, bill_view
from payments.services import BillKind, DecideRefund, StartPayment, post
from payments.simulator.application import Simulator, open_simulator
from payments.simulator.inprocess import InProcessHttp, Payer

MakeBill = Callable[..., UUID]


@pytest.fixture
def treasury(app: Flask, gateway: StripeGateway) -> Iterator[tuple[StripeGateway, Simulator]]:
    """The treasury's own account at the provider, beside ours."""
    bank = open_simulator(":memory:")
    made = StripeGateway("sk_test_of_the_treasury", "http://127.0.0.1:8421", http=InProcessHttp(bank),
                         code="stripe_treasury", kinds=STATUTORY)  # fmt: skip
    app.extensions[MORE] = (made,)
    yield made, bank
    bank.backend.store.close()


def test_a_statutory_fee_goes_through_the_treasurys_own_account_and_back(
    gateway: StripeGateway,
    treasury: tuple[StripeGateway, Simulator],
    a_bill: MakeBill,
    owner: Actor,
    operator: Actor,
    second: Actor,
) -> None:
    theirs, bank = treasury
    bill_id = a_bill(50_000, BillKind.STATUTORY_FEE)
    payment_id = services.start_payment(owner, bill_id, StartPayment("card"))
    services.send_payment(payment_id)
    attempt = bill_page(owner, bill_id).live_payment
    assert attempt is not None
    assert attempt.cashier_url is not None
    assert attempt.gateway == "stripe_treasury"
    assert Payer(bank, attempt.cashier_url).pay("card").status_code == 303
    services.sync_payment(payment_id)
    outbox.drain_all()
    assert bill_view(bill_id).state == "paid"
    places = ["psp:stripe", "treasury_account:stripe", "treasury_payable", f"escrow:{bill_id}"]
    net = theirs.balance_fen()
    assert 0 < net <= 50_000
    assert balances(places) == {"treasury_account:stripe": net, "treasury_payable": -50_000}
    assert gateway.balance_fen() == 0  # not for a moment with us
    assert list(gateway.movements_since(clock.now() - timedelta(days=1))) == []
    assert services.check_books() == 0
    runs = db.session.execute(
        sa.select(ReconciliationRun.gateway, ReconciliationRun.ours_fen, ReconciliationRun.theirs_fen)
    )
    assert sorted(tuple(run) for run in runs) == [("stripe", 0, 0), ("stripe_treasury", net, net)]
    with pytest.raises(DomainError):
        services.release_held(SYSTEM, bill_id, "验收合格")
    services.approve_refund(second, services.refund(operator, bill_id, "减免"), DecideRefund())
    outbox.drain_all()
    assert balances(places) == {"treasury_account:stripe": theirs.balance_fen(), "treasury_payable": 0}
    assert (gateway.balance_fen(), services.check_books()) == (0, 0)


@pytest.mark.postgresql
def test_the_database_keeps_statutory_payments_off_our_accounts_and_other_payments_off_the_treasurys(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    for kind, wrong in ((BillKind.STATUTORY_FEE, "bank"), (BillKind.SERVICE_FEE, "bank_treasury")):
        payment_id = services.start_payment(owner, a_bill(500, kind), StartPayment("bank_transfer"))
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(sa.update(Payment).where(Payment.id == payment_id).values(gateway=wrong))


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", [BillKind.STATUTORY_FEE, BillKind.COURIER_FEE])
def test_the_books_themselves_refuse_to_hold_any_other_money_than_service_fees(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, kind: BillKind
) -> None:
    bill_id = a_bill(500, kind)
    other = ledger.Account("bank:main", AccountType.ASSET, may_overdraw=True)
    held = Posting("by-hand", "charge", clock.now(), (Entry(other, 500), Entry(ledger.escrow(bill_id), -500)), "x")
    with pytest.raises(IntegrityError, match="only the money of a service fee is held"):
        post(held)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) == 0
    service_fee = a_bill(500)
    assert post(
        Posting("by-hand", "charge", clock.now(), (Entry(other, 500), Entry(ledger.escrow(service_fee), -500)), "x")
    )
