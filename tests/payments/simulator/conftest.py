"""The real package against a simulator in this process, every answer checked; nothing of the application."""

from collections.abc import Iterator

import pytest
import stripe

from payments.simulator.application import Simulator, open_simulator
from payments.simulator.contract import API_VERSION
from tests.payments.simulator.answers import CheckingHttp


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    made = open_simulator(":memory:")
    yield made
    made.backend.store.close()


@pytest.fixture
def client(simulator: Simulator) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_tests", stripe_version=API_VERSION, http_client=CheckingHttp(simulator), max_network_retries=0,
        base_addresses={"api": "http://127.0.0.1:8421"},
    )  # fmt: skip
