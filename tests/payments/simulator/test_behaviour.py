"""What the simulator does with money, keys, webhooks and time."""

import json
import time
from typing import Any

import pytest
import stripe
from werkzeug.test import Client

from payments.simulator.application import Simulator, open_simulator
from payments.simulator.inprocess import DECLINED_CARD, InProcessHttp, Payer, take_deliveries
from payments.simulator.webhooks import due, settle
from tests.payments.simulator.test_contract import ORDER


def paid(client: stripe.StripeClient, amount: int = 1000) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {"amount": amount, "currency": "cny", "payment_method": "pm_card_visa", "confirm": True}
    )


@pytest.mark.parametrize("key", ["sk_live_abc", "pk_test_abc", "sk_test_", "nonsense"])
def test_only_test_keys(simulator: Simulator, key: str) -> None:
    wrong = stripe.StripeClient(key, http_client=InProcessHttp(simulator))
    with pytest.raises(stripe.AuthenticationError):
        wrong.v1.balance.retrieve()
    assert Client(simulator).get("/v1/balance").status_code == 401


def test_a_key_with_the_same_request_replays_and_with_another_is_refused(client: stripe.StripeClient) -> None:
    charge = paid(client)
    first = client.v1.refunds.create({"payment_intent": charge.id, "amount": 10}, {"idempotency_key": "k"})
    second = client.v1.refunds.create({"payment_intent": charge.id, "amount": 10}, {"idempotency_key": "k"})
    assert first.id == second.id
    headers: Any = second.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.headers["Request-Id"]
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create({"payment_intent": charge.id, "amount": 11}, {"idempotency_key": "k"})
    assert len(client.v1.refunds.list().data) == 1


def test_a_refused_validation_does_not_use_the_key_up_but_a_decline_does(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create({"amount": 0, "currency": "cny"}, {"idempotency_key": "a"})
    assert client.v1.payment_intents.create({"amount": 5, "currency": "cny"}, {"idempotency_key": "a"}).amount == 5
    declined: Any = {"amount": 5, "currency": "cny", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            client.v1.payment_intents.create(declined, {"idempotency_key": "b"})
        assert refusal.value.code == "card_declined"
    assert len(client.v1.payment_intents.list().data) == 2


def test_refunds_never_exceed_what_was_captured(client: stripe.StripeClient) -> None:
    charge = paid(client, 1000)
    client.v1.refunds.create({"payment_intent": charge.id, "amount": 700})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": charge.id, "amount": 301})
    client.v1.refunds.create({"payment_intent": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": charge.id})
    assert refusal.value.code == "charge_already_refunded"


def test_the_balance_is_the_sum_of_the_movements(client: stripe.StripeClient) -> None:
    for amount in (1000, 1, 99_999_999):
        paid(client, amount)
    movements = client.v1.balance_transactions.list({"limit": 100}).data
    assert client.v1.balance.retrieve().available[0].amount == sum(m.net for m in movements)
    assert all(m.net == m.amount - m.fee for m in movements)


def test_settlement_waits_for_the_clock(simulator: Simulator, client: stripe.StripeClient) -> None:
    control = Client(simulator)
    control.post("/_sim/settings", json={"settlement_delay": 86_400})
    paid(client, 10_000)
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 9460)
    account = client.v1.accounts.create({"country": "HK"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.transfers.create({"amount": 1, "currency": "cny", "destination": account.id})
    assert refusal.value.code == "balance_insufficient"
    control.post("/_sim/clock", json={"advance": 86_400})
    assert client.v1.transfers.create({"amount": 1, "currency": "cny", "destination": account.id}).amount == 1


def test_lists_page_newest_first(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"name": str(n)}).id for n in range(5)]
    assert [c.id for c in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]


def test_events_are_signed_repeated_until_taken_and_then_still(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    endpoint = client.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/x", "enabled_events": ["charge.succeeded"]}
    )
    assert endpoint.secret is not None
    assert "secret" not in client.v1.webhook_endpoints.retrieve(endpoint.id)
    paid(client)
    (delivery,) = due(simulator.backend)
    event = stripe.Webhook.construct_event(  # type: ignore[no-untyped-call]
        delivery.body, delivery.headers["Stripe-Signature"], endpoint.secret
    )
    assert (event.type, event.data.object.amount) == ("charge.succeeded", 1000)
    settle(simulator.backend, delivery, 500)
    assert due(simulator.backend) == []
    (row,) = Client(simulator).get("/_sim/deliveries").get_json()["deliveries"]
    assert (row["state"], row["tries"], row["answer"]) == ("waiting", 1, "500")
    time.sleep(1.05)
    assert [d.event_id for d in take_deliveries(simulator)] == [event.id]
    assert due(simulator.backend) == []
    assert client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_the_cashier_page(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create({**ORDER, "locale": "zh"})
    assert session.url is not None
    assert session.payment_intent is None
    path = session.url.removeprefix("http://127.0.0.1:8421")
    browser = Client(simulator)
    page = browser.get(path)
    assert "模拟收银台 · 不会产生真实扣款" in page.text
    assert "¥13.00" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in policy
    assert "http://127.0.0.1" in policy.split("form-action")[1]
    assert browser.get("/c/static/cashier.css").mimetype == "text/css"
    english = browser.get(f"{path}?lang=en").text
    assert "Simulated cashier · no real money moves" in english
    assert browser.get(path).text.count("Card number") == 1  # remembered
    declined = Payer(simulator, session.url).by_card(DECLINED_CARD)
    assert declined.status_code == 402
    assert "4000" not in declined.text.split("test-cards")[0].replace("4000 0000", "")
    done = Payer(simulator, session.url).by_card()
    assert done.location == f"http://127.0.0.1/done?s={session.id}"
    assert "无需重复付款" in Client(simulator).get(path).text
    assert Payer(simulator, session.url).by_card().status_code == 200
    assert len(client.v1.charges.list().data) == 2  # one declined, one taken
    assert Client(simulator).get("/c/pay/cs_test_nothing").status_code == 404


def test_an_expired_session_takes_nothing(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(ORDER)
    assert session.url is not None
    chosen = Client(simulator).post(session.url.removeprefix("http://127.0.0.1:8421") + "/alipay")
    Client(simulator).post("/_sim/clock", json={"advance": 25 * 3600})
    assert Client(simulator).post(f"{chosen.location}/authorise").status_code == 410
    assert client.v1.charges.list().data == []
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)


def test_a_restart_keeps_everything(tmp_path: Any) -> None:
    first = open_simulator(tmp_path)
    client = stripe.StripeClient("sk_test_x", http_client=InProcessHttp(first))
    intent = paid(client)
    first.backend.store.close()
    second = open_simulator(tmp_path)
    again = stripe.StripeClient("sk_test_x", http_client=InProcessHttp(second))
    assert again.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    second.backend.store.close()


def test_health_and_unknown_addresses(simulator: Simulator) -> None:
    browser = Client(simulator)
    assert json.loads(browser.get("/healthz").text)["status"] == "ok"
    assert browser.get("/v1/nothing", headers={"Authorization": "Bearer sk_test_x"}).status_code == 404
    assert browser.delete("/v1/charges", headers={"Authorization": "Bearer sk_test_x"}).status_code == 404
