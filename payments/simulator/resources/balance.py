"""The account's balance, and the movements that add up to it."""

from __future__ import annotations

from collections import defaultdict

from payments.simulator.backend import Backend
from payments.simulator.routing import Route, lister, reader
from payments.simulator.words import Json


def retrieve(backend: Backend, _values: Json) -> Json:
    """``GET /v1/balance``: sums of the net of all movements, by currency."""
    sums: dict[str, dict[str, int]] = {"available": defaultdict(int), "pending": defaultdict(int)}
    for status, currency, total in backend.store.nets():
        sums[status][currency] += total
    currencies = sorted({*sums["available"], *sums["pending"]}) or ["cny"]
    return {
        "object": "balance",
        "livemode": False,
        **{
            name: [
                {"amount": sums[name].get(currency, 0), "currency": currency, "source_types": {}}
                for currency in currencies
            ]
            for name in ("available", "pending")
        },
    }


_PATH = "/v1/balance_transactions"
ROUTES = (
    Route("GET", "/v1/balance", retrieve, "BalanceRetrieveParams", "balance"),
    Route(
        "GET",
        _PATH,
        lister("balance_transaction", _PATH, "currency", "source", "type", "payout"),
        "BalanceTransactionListParams",
        "balance_transaction",
    ),
    Route(
        "GET",
        f"{_PATH}/<object_id>",
        reader("balance_transaction"),
        "BalanceTransactionRetrieveParams",
        "balance_transaction",
    ),
)
