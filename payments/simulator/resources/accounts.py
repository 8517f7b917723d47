"""Connected accounts: those to whom money can be transferred."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.routing import Route, fetch, lister, reader
from payments.simulator.words import Json, new_id


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/accounts``; the simulated account is complete and can be paid at once."""
    account = backend.store.add(
        {
            "id": new_id("account"),
            "object": "account",
            "business_profile": values.get("business_profile"),
            "business_type": values.get("business_type"),
            "capabilities": {"transfers": "active"},
            "charges_enabled": True,
            "country": values.get("country", "HK"),
            "created": backend.now(),
            "default_currency": "cny",
            "details_submitted": True,
            "email": values.get("email"),
            "metadata": values.get("metadata") or {},
            "payouts_enabled": True,
            "type": values.get("type", "none"),
        }
    )
    backend.emit("account.updated", account)
    return account


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/accounts/<id>``: metadata and address."""
    account = fetch(backend, "account", object_id)
    backend.change(account, **{k: v for k, v in values.items() if k in ("metadata", "email", "business_profile")})
    return account


_PATH = "/v1/accounts"
ROUTES = (
    Route("POST", _PATH, create, "AccountCreateParams", "account"),
    Route("GET", _PATH, lister("account", _PATH), "AccountListParams", "account"),
    Route("GET", f"{_PATH}/<object_id>", reader("account"), "AccountRetrieveParams", "account"),
    Route("POST", f"{_PATH}/<object_id>", update, "AccountUpdateParams", "account"),
)
