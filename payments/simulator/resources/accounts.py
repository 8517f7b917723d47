"""Connected accounts: those to whom money can be transferred, each with a balance and bank accounts of its own."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.errors import invalid
from payments.simulator.resources.bank_accounts import new_bank_account
from payments.simulator.routing import Route, fetch, lister, merged, reader
from payments.simulator.words import Json, new_id

_REQUIREMENTS: Json = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/accounts``; the simulated account is verified at once. It pays out on request only."""
    account_id = new_id("account")
    account = backend.store.add(
        {
            "id": account_id,
            "object": "account",
            "business_profile": values.get("business_profile"),
            "business_type": values.get("business_type"),
            "capabilities": {"transfers": "active"},
            "charges_enabled": True,
            "controller": {"type": "application", "is_controller": True},
            "country": values.get("country", "HK"),
            "created": backend.now(),
            "default_currency": values.get("default_currency", "cny"),
            "details_submitted": True,
            "email": values.get("email"),
            "external_accounts": _no_accounts(account_id),
            "future_requirements": dict(_REQUIREMENTS),
            "metadata": values.get("metadata") or {},
            "payouts_enabled": "external_account" in values,
            "requirements": dict(_REQUIREMENTS),
            "settings": None,
            "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
            "type": values.get("type", "none"),
        }
    )
    if "external_account" in values:
        _attach(backend, account, values["external_account"], {})
    backend.emit("account.updated", account)
    return account


def _no_accounts(account_id: str) -> Json:
    url = f"/v1/accounts/{account_id}/external_accounts"
    return {"object": "list", "data": [], "has_more": False, "url": url}


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/accounts/<id>``: metadata, address, and a new bank account in place of the present ones."""
    account = fetch(backend, "account", object_id)
    if "external_account" in values:
        account["external_accounts"] = _no_accounts(object_id)
        _attach(backend, account, values["external_account"], {})
    wanted = {k: v for k, v in values.items() if k in ("email", "business_profile")}
    if "metadata" in values:
        wanted["metadata"] = merged(account, values)
    return backend.update("account.updated", account, **wanted)


def _attach(backend: Backend, account: Json, data: Json | str, metadata: Json) -> Json:
    with backend.store.acting_for(account["id"]):
        made = new_bank_account(backend, data, account["id"], metadata)
        listed = account["external_accounts"]["data"]
        made["default_for_currency"] = not listed
        backend.store.save(made)
        backend.emit("account.external_account.created", made)
    owned = {**account["external_accounts"], "data": [*listed, made]}
    backend.change(account, external_accounts=owned, payouts_enabled=True)
    return made


def attach(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/accounts/<id>/external_accounts``."""
    account = fetch(backend, "account", object_id)
    made = _attach(backend, account, values["external_account"], values.get("metadata") or {})
    if values.get("default_for_currency"):
        _make_default(backend, account, made["id"])
    return made


def _make_default(backend: Backend, account: Json, bank_account_id: str) -> None:
    listed = [{**a, "default_for_currency": a["id"] == bank_account_id} for a in account["external_accounts"]["data"]]
    with backend.store.acting_for(account["id"]):
        for bank_account in listed:
            backend.store.save(bank_account)
    backend.change(account, external_accounts={**account["external_accounts"], "data": listed})


def attached(backend: Backend, _values: Json, object_id: str) -> Json:
    """``GET /v1/accounts/<id>/external_accounts``."""
    found: Json = fetch(backend, "account", object_id)["external_accounts"]
    return found


def one_attached(backend: Backend, _values: Json, object_id: str, bank_account: str) -> Json:
    """``GET /v1/accounts/<id>/external_accounts/<bank account>``."""
    fetch(backend, "account", object_id)
    with backend.store.acting_for(object_id):
        return fetch(backend, "bank_account", bank_account)


def choose(backend: Backend, values: Json, object_id: str, bank_account: str) -> Json:
    """``POST /v1/accounts/<id>/external_accounts/<bank account>``: make it the default for payouts."""
    account = fetch(backend, "account", object_id)
    one_attached(backend, {}, object_id, bank_account)
    if values.get("default_for_currency"):
        _make_default(backend, account, bank_account)
    return one_attached(backend, {}, object_id, bank_account)


def detach(backend: Backend, _values: Json, object_id: str, bank_account: str) -> Json:
    """``DELETE /v1/accounts/<id>/external_accounts/<bank account>``; the default one stays."""
    account = fetch(backend, "account", object_id)
    found = one_attached(backend, {}, object_id, bank_account)
    if found["default_for_currency"]:
        raise invalid("You cannot delete the default external account for your default currency.", kept=True)
    left = [a for a in account["external_accounts"]["data"] if a["id"] != bank_account]
    backend.change(account, external_accounts={**account["external_accounts"], "data": left})
    backend.store.remove(bank_account)
    return {"id": bank_account, "object": "bank_account", "deleted": True}


def link(backend: Backend, values: Json) -> Json:
    """``POST /v1/account_links``: where the agency would give its details; the simulated account needs none."""
    fetch(backend, "account", values["account"], param="account")
    now = backend.now()
    back = values.get("return_url") or backend.public_url
    return {"object": "account_link", "created": now, "expires_at": now + 300, "url": back}


_PATH = "/v1/accounts"
_BANKS = f"{_PATH}/<object_id>/external_accounts"
ROUTES = (
    Route("POST", _PATH, create, "AccountCreateParams", "account"),
    Route("GET", _PATH, lister("account", _PATH), "AccountListParams", "account"),
    Route("GET", f"{_PATH}/<object_id>", reader("account"), "AccountRetrieveParams", "account"),
    Route("POST", f"{_PATH}/<object_id>", update, "AccountUpdateParams", "account"),
    Route("POST", _BANKS, attach, "AccountExternalAccountCreateParams", "bank_account"),
    Route("GET", _BANKS, attached, "AccountExternalAccountListParams", "bank_account"),
    Route("GET", f"{_BANKS}/<bank_account>", one_attached, "AccountExternalAccountRetrieveParams", "bank_account"),
    Route("POST", f"{_BANKS}/<bank_account>", choose, "AccountExternalAccountUpdateParams", "bank_account"),
    Route("DELETE", f"{_BANKS}/<bank_account>", detach, "AccountExternalAccountDeleteParams", "bank_account"),
    Route("POST", "/v1/account_links", link, "AccountLinkCreateParams", "account_link"),
)
