"""Faults by rule, and idempotency keys as documented: in flight 409, other parameters 400, replay, forgotten after a day."""

from pathlib import Path
from typing import Any

import pytest
import stripe
from werkzeug.test import Client

from payments.simulator.application import Simulator, open_simulator
from payments.simulator.backend import Backend
from payments.simulator.faults import ConnectionDropped, Fault, WebhookFault
from payments.simulator.inprocess import take_deliveries
from payments.simulator.resources import refunds
from tests.payments.simulator.test_behaviour import paid
from tests.payments.simulator.test_money_out import control, pass_time

DONE = {Fault.ERROR_AFTER, Fault.ERROR_KEPT, Fault.DROP_AFTER, Fault.TIMEOUT_AFTER}
WRONG: dict[Fault, type[stripe.StripeError]] = {
    **dict.fromkeys((Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.ERROR_KEPT, Fault.CONFLICT), stripe.APIError),
    **dict.fromkeys(
        (Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER), stripe.APIConnectionError
    ),
    Fault.RATE_LIMIT: stripe.RateLimitError,
}


def refund(client: stripe.StripeClient, charge: stripe.PaymentIntent, key: str) -> stripe.Refund:
    return client.v1.refunds.create({"payment_intent": charge.id, "amount": 10}, {"idempotency_key": key})


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_has_or_has_not_executed_and_the_same_key_makes_one_refund(
    simulator: Simulator, client: stripe.StripeClient, fault: Fault
) -> None:
    charge = paid(client)
    control(simulator, "faults", path="/v1/refunds", fault=fault)
    with pytest.raises(WRONG[fault]):
        refund(client, charge, "k")
    assert len(client.v1.refunds.list().data) == (1 if fault in DONE else 0)
    if fault is Fault.ERROR_KEPT:
        with pytest.raises(stripe.APIError) as again:
            refund(client, charge, "k")
        headers: Any = again.value.headers
        assert headers["Idempotent-Replayed"] == "true"
    else:
        refund(client, charge, "k")
    assert len(client.v1.refunds.list().data) == 1
    assert Client(simulator).get("/_sim/faults").get_json() == {"faults": []}


def test_a_key_is_forgotten_after_a_day_of_the_simulated_clock(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    charge = paid(client)
    first = refund(client, charge, "k")
    pass_time(simulator, 24 * 3600 - 60)
    assert refund(client, charge, "k").id == first.id
    pass_time(simulator, 60)
    assert refund(client, charge, "k").id != first.id


def test_a_second_request_with_a_key_in_flight_is_told_so(
    simulator: Simulator, client: stripe.StripeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = paid(client)
    find = refunds._charge
    refusals: list[stripe.StripeError] = []

    def while_busy(backend: Backend, values: Any) -> Any:
        monkeypatch.setattr(refunds, "_charge", find)
        with pytest.raises(stripe.StripeError) as refusal:
            refund(client, charge, "k")
        refusals.append(refusal.value)
        return find(backend, values)

    monkeypatch.setattr(refunds, "_charge", while_busy)
    first = refund(client, charge, "k")
    assert [(e.http_status, "in-progress" in str(e)) for e in refusals] == [(409, True)]
    assert refund(client, charge, "k").id == first.id
    assert len(client.v1.refunds.list().data) == 1


def test_rates_are_drawn_from_a_seed(simulator: Simulator, client: stripe.StripeClient) -> None:
    def course(seed: int) -> list[bool]:
        Client(simulator).delete("/_sim/faults")
        control(simulator, "faults", path="/v1/customers", fault="error_before", per_mille=300, seed=seed)
        fine = []
        for _ in range(20):
            try:
                client.v1.customers.create({"name": "王"})
            except stripe.APIError:
                fine.append(False)
            else:
                fine.append(True)
        return fine

    assert course(5) == course(5) != course(6)
    assert 2 <= course(5).count(False) <= 10


def test_rules_are_forgotten_with_the_process_unless_they_say_otherwise(tmp_path: Path) -> None:
    first = open_simulator(tmp_path)
    control(first, "faults", path="/v1/refunds", fault="drop_after")
    control(first, "faults", path="/v1/payouts", fault="rate_limit", times=3, persist=True)
    assert len(first.backend.faults.every()) == 2
    first.backend.store.close()
    second = open_simulator(tmp_path)
    assert [(r["target"], r["times"]) for r in second.backend.faults.every()] == [("/v1/payouts", 3)]
    second.backend.store.close()


@pytest.mark.parametrize(
    "rule",
    [{}, {"fault": "storm", "path": "/"}, {"fault": "drop_after"}, {"fault": "drop_after", "path": "/", "times": 0},
     {"fault": "webhook_lost", "per_mille": 1001}],
)  # fmt: skip
def test_a_rule_that_says_nothing_is_refused(simulator: Simulator, rule: Any) -> None:
    assert Client(simulator).post("/_sim/faults", json=rule).status_code == 400
    assert simulator.backend.faults.every() == []


def test_a_timeout_is_silent_for_longer_than_the_caller_waits(simulator: Simulator) -> None:
    control(simulator, "faults", path="/v1/customers", fault="timeout_after", seconds=45)
    with pytest.raises(ConnectionDropped) as silence:
        Client(simulator).post("/v1/customers", data={}, headers={"Authorization": "Bearer sk_test_x"})
    assert silence.value.silence == 45


@pytest.fixture
def endpoint(client: stripe.StripeClient) -> None:
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/x", "enabled_events": ["customer.created"]})


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("fault", "got"),
    [
        (WebhookFault.LOST, "bc"),
        (WebhookFault.DUPLICATE, "aabc"),
        (WebhookFault.LATE, "bc"),
        (WebhookFault.REORDER, "bca"),
    ],
)
def test_webhooks_are_lost_repeated_late_and_out_of_order_on_demand(
    simulator: Simulator, client: stripe.StripeClient, fault: WebhookFault, got: str
) -> None:
    control(simulator, "faults", event="customer.*", fault=fault)
    names = {client.v1.customers.create({"name": name}).id: name for name in "abc"}
    events = {event.id: names[event.data.object.id] for event in client.v1.events.list().data}
    sent = [*take_deliveries(simulator), *take_deliveries(simulator)]
    assert "".join(events[delivery.event_id] for delivery in sent) == got
    assert len(events) == 3  # whatever happens to the webhook, the event is listed


def test_the_transport_of_the_tests_tells_a_timeout_as_the_package_does(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    control(simulator, "faults", path="/v1/balance", method="GET", fault="timeout_before")
    with pytest.raises(stripe.APIConnectionError, match="timed out"):
        client.v1.balance.retrieve()
    assert client.v1.balance.retrieve().available[0].amount == 0
