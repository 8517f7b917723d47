"""The simulator keeps to the types of the installed `stripe` package, in what it takes and in what it answers."""

from typing import Any, get_args, get_origin

import pytest
import stripe

from payments.simulator.application import Simulator
from payments.simulator.contract import API_VERSION, check, parameters_of
from payments.simulator.errors import ApiError
from payments.simulator.inprocess import Payer
from payments.simulator.resources import ROUTES
from payments.simulator.wire import decode

ORDER: Any = {
    "mode": "payment",
    "success_url": "http://127.0.0.1/done?s={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://127.0.0.1/no",
    "line_items": [
        {"quantity": 2, "price_data": {"currency": "cny", "unit_amount": 650, "product_data": {"name": "测绘"}}}
    ],
    "allowed_payment_method_types": ["card", "alipay", "ideal"],
}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_endpoint_takes_the_parameters_of_the_installed_package(route: Any) -> None:
    assert parameters_of(route.parameters).__module__.startswith("stripe.")


def always_present(kind: Any) -> set[str]:
    """Fields whose type is not Optional: the real API always sends them."""
    found = set()
    for name, hint in kind.__annotations__.items():
        if get_origin(hint) is not None and "ClassVar" in str(hint):
            continue
        if not str(hint).startswith("typing.Optional") and type(None) not in get_args(hint):
            found.add(name)
    return found


def test_every_answer_has_the_fields_that_are_always_there(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(ORDER)
    assert session.url is not None
    Payer(simulator, session.url).by_card()
    session = client.v1.checkout.sessions.retrieve(session.id)
    intent = client.v1.payment_intents.retrieve(
        str(session.payment_intent), {"expand": ["latest_charge.balance_transaction"]}
    )
    charge: Any = intent.latest_charge
    account = client.v1.accounts.create({"country": "HK"})
    transfer = client.v1.transfers.create({"amount": 100, "currency": "cny", "destination": account.id})
    found: dict[Any, Any] = {
        stripe.checkout.Session: session,
        stripe.PaymentIntent: intent,
        stripe.Charge: charge,
        stripe.BalanceTransaction: charge.balance_transaction,
        stripe.Refund: client.v1.refunds.create({"payment_intent": intent.id, "amount": 5}),
        stripe.Balance: client.v1.balance.retrieve(),
        stripe.Event: client.v1.events.list().data[0],
        stripe.WebhookEndpoint: client.v1.webhook_endpoints.create({"url": "http://x/", "enabled_events": ["*"]}),
        stripe.Customer: client.v1.customers.create({"name": "王"}),
        stripe.Account: account,
        stripe.Transfer: transfer,
        stripe.Reversal if hasattr(stripe, "Reversal") else stripe.TransferReversal: (
            client.v1.transfers.reversals.create(transfer.id, {"amount": 1})
        ),
    }
    for kind, value in found.items():
        missing = always_present(kind) - {"OBJECT_NAME"} - set(value.to_dict())
        assert not missing, f"{kind.__name__} lacks {sorted(missing)}"


def test_the_removed_parameter_is_refused_and_unusable_methods_are_dropped(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create({**ORDER, "payment_method_types": ["card"]})
    assert refusal.value.code == "payment_method_types_no_longer_supported"
    assert client.v1.checkout.sessions.create(ORDER).payment_method_types == ["card", "alipay"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount": "100"}, "parameter_missing"),
        ({"amount": "1.005", "currency": "cny"}, "parameter_invalid_integer"),
        ({"amount": "100", "currency": "cny", "colour": "red"}, "parameter_unknown"),
        ({"amount": "100", "currency": "cny", "confirm": "perhaps"}, "parameter_invalid_boolean"),
        ({"amount": "100", "currency": "cny", "payment_method_data": {"typ": "card"}}, "parameter_unknown"),
        ({"amount": "100", "currency": "cny", "metadata": "x"}, "parameter_invalid_object"),
    ],
)
def test_wrong_parameters(values: Any, code: str) -> None:
    with pytest.raises(ApiError) as refusal:
        check(values, "PaymentIntentCreateParams")
    assert refusal.value.status == 400
    assert refusal.value.error["code"] == code


def test_nested_wire_encoding() -> None:
    pairs = [("a[b][0][c]", "1"), ("a[b][1][c]", "2"), ("expand[]", "x"), ("expand[]", "y"), ("plain", "z")]
    assert decode(pairs) == {"a": {"b": [{"c": "1"}, {"c": "2"}]}, "expand": ["x", "y"], "plain": "z"}


def test_another_api_version_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        client.v1.balance.retrieve({}, {"stripe_version": "2020-08-27"})
    assert stripe.api_version == API_VERSION
