"""The simulator keeps to the types of the installed `stripe` package, in what it takes and in what it answers."""

from typing import Any

import pytest
import stripe
from werkzeug.test import Client

from payments.simulator.application import Simulator
from payments.simulator.contract import API_VERSION, check, parameters_of
from payments.simulator.errors import ApiError
from payments.simulator.inprocess import Payer
from payments.simulator.resources import ROUTES
from payments.simulator.wire import decode
from tests.payments.simulator.answers import CheckingHttp, faults_of

BANK: Any = {"object": "bank_account", "country": "HK", "currency": "cny", "account_number": "000123456789"}
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


def test_every_endpoint_answers_what_the_package_describes(
    simulator: Simulator, client: stripe.StripeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One walk over all endpoints; the transport compares each answer, events included, with the package's classes."""
    monkeypatch.setattr(CheckingHttp, "seen", set())
    api = client.v1
    endpoint = api.webhook_endpoints.create({"url": "http://x/", "enabled_events": ["*"]})
    api.webhook_endpoints.update(endpoint.id, {"description": "z"})
    api.webhook_endpoints.retrieve(endpoint.id)
    customer = api.customers.create({"name": "王", "email": "wang@example.cn"})
    api.customers.retrieve(customer.id)
    session = api.checkout.sessions.create({**ORDER, "customer": customer.id})
    assert session.url is not None
    Payer(simulator, session.url).by_card()
    api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge.balance_transaction"]})
    api.checkout.sessions.line_items.list(session.id)
    api.checkout.sessions.expire(api.checkout.sessions.create(ORDER).id)
    method = api.payment_methods.create({"type": "alipay"})
    api.payment_methods.retrieve(method.id)
    wallet = api.payment_intents.create({"amount": 900, "currency": "cny"})
    api.payment_intents.update(wallet.id, {"description": "测绘", "metadata": {"a": "b"}})
    api.payment_intents.confirm(wallet.id, {"payment_method": method.id, "return_url": "http://x/"})
    Client(simulator).post(f"/c/alipay/{wallet.id}/authorise")
    api.payment_intents.cancel(api.payment_intents.create({"amount": 900, "currency": "cny"}).id)
    for card in ("pm_card_visa", "pm_card_createDispute", "pm_card_createDisputeProductNotReceived"):
        paid = api.payment_intents.create(
            {"amount": 90_000, "currency": "cny", "payment_method": card, "confirm": True}
        )
    api.payment_intents.retrieve(paid.id, {"expand": ["latest_charge.balance_transaction"]})
    api.charges.retrieve(str(paid.latest_charge))
    refund = api.refunds.create({"payment_intent": wallet.id, "amount": 5})
    api.refunds.update(refund.id, {"metadata": {"a": "b"}})
    api.refunds.retrieve(refund.id, {"expand": ["balance_transaction"]})
    first, second = api.disputes.list().data
    api.disputes.update(first.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    api.disputes.close(second.id)
    Client(simulator).post("/_sim/clock", json={"advance": 60})
    api.disputes.retrieve(first.id)
    account = api.accounts.create({"country": "HK", "business_type": "company"})
    api.accounts.update(account.id, {"metadata": {"uscc": "91320000000000000X"}})
    banks = api.accounts.external_accounts
    one, other = (banks.create(account.id, {"external_account": BANK}).id for _ in range(2))
    banks.update(account.id, other, {"default_for_currency": True})
    banks.retrieve(account.id, one)
    banks.delete(account.id, one)
    assert [a.id for a in banks.list(account.id).data] == [other]
    api.account_links.create({"account": account.id, "type": "account_onboarding", "return_url": "http://x/"})
    api.accounts.retrieve(account.id)
    transfer = api.transfers.create({"amount": 100, "currency": "cny", "destination": account.id})
    api.transfers.update(transfer.id, {"description": "放款"})
    reversal = api.transfers.reversals.create(transfer.id, {"amount": 1})
    api.transfers.reversals.retrieve(transfer.id, reversal.id)
    api.transfers.reversals.list(transfer.id)
    api.transfers.retrieve(transfer.id)
    payout = api.payouts.create({"amount": 100, "currency": "cny"})
    api.payouts.update(payout.id, {"metadata": {"a": "b"}})
    api.payouts.cancel(payout.id)
    api.payouts.create({"amount": 10, "currency": "cny"}, {"stripe_account": account.id})
    api.payouts.retrieve(payout.id)
    api.balance.retrieve()
    for listed in (api.checkout.sessions, api.payment_intents, api.charges, api.refunds, api.disputes, api.accounts,
                   api.transfers, api.payouts, api.customers, api.webhook_endpoints, api.balance_transactions):  # fmt: skip
        assert listed.list({"limit": 100}).data
    api.balance_transactions.retrieve(api.balance_transactions.list().data[0].id)
    api.events.retrieve(api.events.list({"limit": 100}).data[0].id)
    api.events.list({"limit": 100}, {"stripe_account": account.id})
    api.webhook_endpoints.delete(endpoint.id)
    refused = {"/v1/refunds/<object_id>/cancel"}  # no refund here waits for its payer
    assert {r.path for r in ROUTES} - {r.path for r in CheckingHttp.seen} == refused
    assert not [r for r in ROUTES if r not in CheckingHttp.seen and r.path not in refused]


def test_an_answer_that_the_package_does_not_describe_is_noticed(client: stripe.StripeClient) -> None:
    right = client.v1.customers.create({"name": "王"}).to_dict()
    assert list(faults_of(right, "customer")) == []
    assert list(faults_of({**right, "colour": "red"}, "customer")) == [
        "customer has colour, which the package does not know"
    ]
    assert list(faults_of({**right, "created": "today"}, "customer")) == ["customer.created is 'today', not int"]
    assert list(faults_of({k: v for k, v in right.items() if k != "livemode"}, "customer")) == [
        "customer lacks livemode"
    ]


def test_an_update_tells_what_was_before(client: stripe.StripeClient) -> None:
    account = client.v1.accounts.create({"email": "old@example.cn", "metadata": {"a": "1", "b": "2"}})
    client.v1.accounts.update(account.id, {"email": "new@example.cn", "metadata": {"b": ""}})
    event = client.v1.events.list().data[0]
    told: Any = event.data.previous_attributes
    assert told.to_dict() == {"email": "old@example.cn", "metadata": {"a": "1", "b": "2"}}
    assert event.data.object["metadata"].to_dict() == {"a": "1"}


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
