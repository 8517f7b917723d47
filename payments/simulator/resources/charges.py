"""Charges: attempts that took money or were declined. Read only; intents make them."""

from __future__ import annotations

from payments.simulator.routing import Route, lister, reader

_PATH = "/v1/charges"
ROUTES = (
    Route(
        "GET",
        _PATH,
        lister("charge", _PATH, "payment_intent", "customer", "transfer_group"),
        "ChargeListParams",
        "charge",
    ),
    Route("GET", f"{_PATH}/<object_id>", reader("charge"), "ChargeRetrieveParams", "charge"),
)
