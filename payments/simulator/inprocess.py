"""The simulator without a server: a transport for the ``stripe`` package, and a payer at the cashier.

For tests and demonstration data. Real encoding, decoding and errors of the package; no sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from werkzeug.test import Client, TestResponse

from payments.simulator.application import Simulator
from payments.simulator.faults import ConnectionDropped
from payments.simulator.webhooks import Delivery, due, settle

TEST_CARD = {"number": "4242 4242 4242 4242", "expiry": "12/34", "cvc": "123", "holder": "测试"}
DECLINED_CARD = {**TEST_CARD, "number": "4000 0000 0000 0002"}


class InProcessHttp(stripe.HTTPClient):
    """Answers the package's requests from a simulator in this process."""

    name = "in-process"

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self.simulator = simulator

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request, with a dropped connection told as the package would see it.

        The package does not repeat that one by itself here, so that one rule strikes one call.
        """
        parts = urlsplit(url)
        client = Client(self.simulator)
        try:
            response = client.open(
                parts.path, method=method.upper(), headers=dict(headers or {}), data=post_data, query_string=parts.query
            )
        except ConnectionDropped as drop:
            told = "the request timed out" if drop.silence else "the connection was dropped"
            raise stripe.APIConnectionError(told) from None  # type: ignore[no-untyped-call]
        return response.get_data(as_text=True), response.status_code, dict(response.headers)

    def _sleep_time_seconds(self, *_args: Any, **_kwargs: Any) -> float:
        return 0.0  # the package's pauses between its own tries would only make tests slow

    def close(self) -> None:
        """Nothing is open."""


class Payer:
    """Somebody at the cashier page of a session."""

    def __init__(self, simulator: Simulator, cashier_url: str) -> None:
        self.path = urlsplit(cashier_url).path
        self.client = Client(simulator)

    def by_card(self, card: dict[str, str] | None = None) -> TestResponse:
        """Type a card and pay."""
        return self.client.post(f"{self.path}/card", data=card or TEST_CARD)

    def by_wallet(self, kind: str) -> TestResponse:
        """Choose Alipay or WeChat Pay, and authorise there."""
        chosen = self.client.post(f"{self.path}/{kind}")
        last = "authorise" if kind == "alipay" else "confirm"
        return self.client.post(f"{chosen.location}/{last}")

    def pay(self, method: str | None) -> TestResponse:
        """Pay with a method; a card where none is given."""
        return self.by_wallet(method) if method in ("alipay", "wechat_pay") else self.by_card()


def take_deliveries(simulator: Simulator) -> list[Delivery]:
    """Take all webhooks that are due, as if their receiver had answered 200."""
    taken = due(simulator.backend, limit=1000)
    for delivery in taken:
        settle(simulator.backend, delivery, 200)
    return taken
