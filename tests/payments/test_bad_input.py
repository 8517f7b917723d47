"""What must never get in: amounts that are none, floating point, card data, secrets in logs."""

import ast
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError

from app.identity.models import Organisation
from app.kernel import outbox
from app.kernel.access import Actor
from app.kernel.db import Base, db, transaction
from app.kernel.errors import Refused
from app.kernel.logs import RedactingFormatter
from app.web.schemas import MoneyField
from payments import rules, services
from payments.errors import BadNotice
from payments.gateways.stripe import StripeGateway
from payments.models.bills import Bill
from payments.models.payments import Payment, PaymentBill
from payments.queries import PaymentView, bill_page, bill_view
from payments.rules import BillLine
from payments.services import StartPayment
from payments.simulator.application import Simulator
from payments.simulator.inprocess import TEST_CARD, Payer, take_deliveries
from payments.states import PaymentState
from tests.payments.test_payment_services import control, started

ROOT = Path(__file__).resolve().parents[2]
MONEY_CODE = sorted([*(ROOT / "payments").rglob("*.py"), ROOT / "app" / "kernel" / "money.py"])
NO_MONEY = {
    "payments/rules.py": {"age / 4"},  # a duration
    "payments/gateways/stripe.py": {"3.05", "10.0"},  # seconds
    "payments/gateways/direct.py": {"3.05", "10.0"},  # seconds
    "payments/gateways/probing.py": {"3.05", "20.0"},  # seconds
    "payments/bank_statements.py": {"Decimal"},  # exact: yuan as a bank writes them, times a hundred
    "payments/simulator/backend.py": {"float"},  # the machine's clock
}
"""Floating point that is not about money, by module; drawings and the simulator's waits are left out altogether."""
DRAWN_OR_WAITING = (
    "documents",
    "paper",
    "simulator/inprocess",
    "simulator/webhooks",
    "simulator/cashier",
    "application",
)


def floating(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex()) | ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield ast.unparse(node)
            case ast.Name(id="float" | "round" | "Decimal" | "Fraction"):
                yield ast.unparse(node)
            case ast.Attribute(attr="Float" | "Numeric" | "Double" | "Decimal"):
                yield ast.unparse(node)


def test_no_float_anywhere_in_money_code() -> None:
    """I11. Whole fen only: no float, no Decimal, no true division, no rounding."""
    found = {}
    for path in MONEY_CODE:
        name = str(path.relative_to(ROOT))
        if any(part in name for part in DRAWN_OR_WAITING):
            continue
        found[name] = set(floating(ast.parse(path.read_text()))) - NO_MONEY.get(name, set())
    assert {name: what for name, what in found.items() if what} == {}
    assert len(found) > 60


@pytest.mark.parametrize(
    "source", ["x = 0.01", "a / b", "a /= 2", "round(x)", "float(x)", "Decimal('1')", "sa.Numeric()"]
)
def test_the_search_for_floats_finds_them(source: str) -> None:
    assert list(floating(ast.parse(source)))


@pytest.mark.parametrize(
    "text",
    ["1.005", "0.001", "1e3", "1E3", ".5", "1.", "+1", "--1", "١٢", "１２", "0x10", "1_000", "NaN", "Infinity", "", " ",
     "99999999999999999999", "1.2.3", "¥1", "1元", 1.5, True, None, [], {"amount": 1}],
)  # fmt: skip
def test_the_edge_takes_yuan_with_two_decimals_and_nothing_else(text: object) -> None:
    with pytest.raises(ValidationError):
        MoneyField(required=True).deserialize(text)


@pytest.mark.parametrize(
    ("text", "fen"), [("0.01", 1), ("0.99", 99), ("999999.99", 99_999_999), ("1,280.5", 128_050), (7, 700)]
)
def test_the_edge_reads_fen_exactly(text: object, fen: int) -> None:
    assert MoneyField().deserialize(text) == fen


@pytest.mark.parametrize("fen", [0, -1, -99_999_999, 1.0, 1.005, "100", True, None])
def test_a_bill_over_no_amount_is_refused_before_anything_is_written(app: Flask, fen: object) -> None:
    with pytest.raises(Refused):
        rules.total_of((BillLine("报告书", fen, ""),))  # type: ignore[arg-type]


NO_AMOUNTS: tuple[tuple[type[Base], dict[str, object]], ...] = (
    (Bill, {"amount_fen": 0}),
    (Bill, {"amount_fen": -1}),
    (Bill, {"currency": "USD"}),
    (Bill, {"currency": "cny"}),
    (Bill, {"amount_fen": 10**15}),
    (Payment, {"currency": "HKD"}),
    (Payment, {"amount_fen": 10**15}),
    (PaymentBill, {"amount_fen": 10**15}),
    (Payment, {"amount_fen": 0}),
    (Payment, {"amount_fen": -5}),
    (PaymentBill, {"amount_fen": 0}),
)


@pytest.mark.postgresql
def test_the_database_refuses_what_is_no_amount(
    gateway: StripeGateway, a_bill: Callable[..., UUID], owner: Actor
) -> None:
    bill_id = a_bill(500)
    started(owner, bill_id)
    for model, values in NO_AMOUNTS:
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(sa.update(model).values(**values))
    assert bill_view(bill_id).amount_fen == 500
    assert db.session.scalars(sa.select(Payment.amount_fen)).all() == [500]


def test_a_session_in_another_currency_is_set_aside_and_credits_nothing(
    gateway: StripeGateway, a_bill: Callable[..., UUID], owner: Actor, pay_at_cashier: Callable[..., PaymentView]
) -> None:
    bill_id = a_bill(500)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    with transaction() as session:
        row = session.get_one(Payment, payment_id)
        (line,) = row.request["line_items"]
        row.request = {**row.request, "line_items": [{**line, "price_data": {**line["price_data"], "currency": "usd"}}]}
    services.send_payment(payment_id)
    pay_at_cashier(bill_id, "card")
    assert services.sync_payment(payment_id) is PaymentState.SURPLUS
    view = bill_page(owner, bill_id)
    assert (view.state, view.held_fen, view.payments[0].misfit, view.refunds) == ("open", 0, "currency", ())


def test_sqlite_refuses_half_a_fen(gateway: StripeGateway, a_bill: Callable[..., UUID], database_kind: str) -> None:
    """PostgreSQL rounds before any check could see it; the services refuse it on both."""
    bill_id = a_bill(500)
    if database_kind == "sqlite":
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(sa.text("UPDATE bill SET amount_fen = 0.5"))
    assert bill_view(bill_id).amount_fen == 500


def everything_stored() -> str:
    """Every value of every table."""
    values = [
        value
        for table in Base.metadata.tables.values()
        for row in db.session.execute(sa.select(table))
        for value in row
        if value is not None
    ]
    return "\n".join(v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in values)


@pytest.mark.postgresql
def test_card_data_secrets_and_payers_reach_neither_database_nor_logs(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: Callable[..., UUID], owner: Actor,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(RedactingFormatter("%(message)s"))
    bill_id = a_bill(500)
    control(simulator, "/faults", path="/v1/checkout/sessions", fault="error_after", times=3)
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    outbox.drain_all()
    services.sync_payment(payment_id)
    attempt = bill_page(owner, bill_id).live_payment
    assert attempt is not None
    assert attempt.cashier_url is not None
    holder = {**TEST_CARD, "holder": "欧阳明月"}
    assert Payer(simulator, attempt.cashier_url).by_card(holder).status_code == 303
    for delivery in take_deliveries(simulator):
        services.record_notice(dict(delivery.headers), delivery.body)
    with pytest.raises(BadNotice):
        services.record_notice({"Stripe-Signature": f"t=1,v1={secret}"}, b"{}")
    outbox.drain_all()
    assert bill_view(bill_id).state == "paid"
    stored = everything_stored()
    assert "checkout.session" in stored, "the search looks at the right tables"
    for private in ("4242424242424242", "4242 4242", secret, "欧阳明月"):
        assert private not in stored, private
        assert private not in caplog.text, private
    assert "sk_test_of_the_tests" not in caplog.text
    payer = db.session.scalar(sa.select(Organisation.name).where(Organisation.id == owner.organisation_id))
    assert payer is not None
    assert payer not in caplog.text
    assert caplog.records
