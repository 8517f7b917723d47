"""Customers: who pays, as far as the account wants to know."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.routing import Route, lister, reader
from payments.simulator.words import Json, new_id


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/customers``."""
    customer = backend.store.add(
        {
            "id": new_id("customer"),
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": backend.now(),
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": values.get("description"),
            "email": values.get("email"),
            "livemode": False,
            "metadata": values.get("metadata") or {},
            "name": values.get("name"),
            "phone": values.get("phone"),
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }
    )
    backend.emit("customer.created", customer)
    return customer


_PATH = "/v1/customers"
ROUTES = (
    Route("POST", _PATH, create, "CustomerCreateParams", "customer"),
    Route("GET", _PATH, lister("customer", _PATH, "email"), "CustomerListParams", "customer"),
    Route("GET", f"{_PATH}/<object_id>", reader("customer"), "CustomerRetrieveParams", "customer"),
)
