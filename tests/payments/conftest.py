"""A simulator in this process behind the real gateway adapter, and builders of bills."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, new_id
from app.kernel.files import Upload
from payments import outgoing_jobs
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.models.gateways import GatewayAddress
from payments.queries import PaymentView, bill_page
from payments.services import (
    BillKind,
    BillLine,
    OpenBill,
    StartPayment,
    open_bill,
    register_address,
    release_held,
    send_payment,
    start_payment,
    sync_payment,
)
from payments.services.bank_accounts import (
    DecideBankAccount,
    EnterBankAccount,
    check_bank_account,
    confirm_bank_account,
    enter_bank_account,
)
from payments.services.sealing import unseal
from payments.simulator.application import Simulator, open_simulator
from payments.simulator.inprocess import InProcessHttp, Payer
from tests.builders import a_member, sign_in


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    made = open_simulator(":memory:")
    yield made
    made.backend.store.close()


@pytest.fixture
def gateway(app: Flask, simulator: Simulator) -> StripeGateway:
    """The real adapter and the real package, talking to the simulator of this test."""
    made = StripeGateway("sk_test_of_the_tests", "http://127.0.0.1:8421", http=InProcessHttp(simulator))
    app.extensions[EXTENSION] = made
    return made


@pytest.fixture
def secret(gateway: StripeGateway) -> str:
    """The secret with which notices are signed, after the address was registered."""
    register_address()
    row = db.session.get(GatewayAddress, "stripe")
    assert row is not None
    opened = unseal(row.secret)
    assert opened is not None
    assert opened.startswith("whsec_")
    assert "whsec" not in row.secret
    return opened


@pytest.fixture
def owner(app: Flask) -> Actor:
    return a_member(Role.OWNER)


@pytest.fixture
def agency(app: Flask) -> Actor:
    return a_member(Role.AGENCY)


@pytest.fixture
def operator(app: Flask) -> Actor:
    return a_member(Role.OPERATOR)


def bill_maker(owner: Actor, agency: Actor) -> Callable[..., UUID]:
    """`bill_maker(owner, agency)(12_345)`: a bill of the owner to the agency over so many fen."""

    def make(amount_fen: int = 1_280_000, kind: BillKind = BillKind.SERVICE_FEE) -> UUID:
        return open_bill(
            SYSTEM,
            OpenBill(
                thread_id=new_id(),
                subject=f"contract:{new_id()}",
                kind=kind,
                title="滨河路综合管廊项目环境影响报告书编制",
                payer_organisation_id=owner.organisation_id,
                payer_user_id=None,
                payee_organisation_id=agency.organisation_id if kind is BillKind.SERVICE_FEE else None,
                lines=(BillLine("环境影响报告书编制费", amount_fen, "合同 HT-2026-000012 第五条"),),
                due_at=clock.now() + timedelta(days=30),
            ),
        )

    return make


@pytest.fixture
def a_bill(owner: Actor, agency: Actor) -> Callable[..., UUID]:
    """`a_bill(12_345)`: a bill of the owner to the agency over so many fen."""
    return bill_maker(owner, agency)


@pytest.fixture
def pay_at_cashier(simulator: Simulator, owner: Actor) -> Callable[..., PaymentView]:
    """Pay a bill's live attempt at the cashier, without telling our side."""

    def pay(bill_id: UUID, method: str | None = "alipay") -> PaymentView:
        attempt = bill_page(owner, bill_id).live_payment
        assert attempt is not None
        assert attempt.cashier_url is not None
        answer = Payer(simulator, attempt.cashier_url).pay(method)
        assert answer.status_code == 303
        return attempt

    return pay


@pytest.fixture
def paid(
    gateway: StripeGateway, a_bill: Callable[..., UUID], owner: Actor, pay_at_cashier: Callable[..., PaymentView]
) -> Callable[..., UUID]:
    """`paid(12_345)`: a bill that was paid by card and whose money is held."""

    def make(amount_fen: int = 100_000, method: str = "card") -> UUID:
        bill_id = a_bill(amount_fen)
        payment_id = start_payment(owner, bill_id, StartPayment(method))
        send_payment(payment_id)
        pay_at_cashier(bill_id, method)
        sync_payment(payment_id)
        return bill_id

    return make


@pytest.fixture
def second(app: Flask) -> Actor:
    return a_member(Role.OPERATOR)


@pytest.fixture
def browser(app: Flask) -> Callable[[Actor], FlaskClient]:
    """`browser(operator)`: a client that this person is signed in with."""

    def make(actor: Actor) -> FlaskClient:
        client = app.test_client()
        sign_in(client, actor)
        return client

    return make


PROOF = Upload("开户许可证.txt", "基本存款账户信息".encode())


def entered_account(agency: Actor, number: str = "6222 0210 0112 3456 789") -> UUID:
    """A bank account that the agency has entered."""
    return enter_bank_account(agency, EnterBankAccount("某环境技术有限公司", "中国建设银行", number, PROOF))


@pytest.fixture
def account(agency: Actor, operator: Actor, second: Actor) -> Callable[..., UUID]:
    """An account of the agency that is in use and known to the provider."""

    def make(number: str = "6222021001123456789") -> UUID:
        account_id = entered_account(agency, number)
        check_bank_account(operator, account_id, DecideBankAccount())
        confirm_bank_account(second, account_id, DecideBankAccount())
        with clock.at(clock.now() + timedelta(days=3, seconds=1)):
            assert outgoing_jobs.activate_accounts() == 1
            outbox.drain_all()
        return account_id

    return make


@pytest.fixture
def balance(paid: Callable[..., UUID], agency: Actor) -> Callable[[int], UUID]:
    """Give the agency so much released money; another bill, still held, bears the provider's fees."""
    floated: list[UUID] = []

    def make(amount_fen: int) -> UUID:
        if not floated:
            floated.append(paid(50_000))
        bill_id = paid(amount_fen)
        release_held(SYSTEM, bill_id, "验收合格")
        return bill_id

    return make
