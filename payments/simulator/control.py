"""``/_sim``: the simulator's own controls (clock, behaviour, faults, deliveries). Not part of Stripe's wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from payments.simulator.backend import BEHAVIOUR, Backend
from payments.simulator.errors import ApiError, invalid
from payments.simulator.resources import bank_accounts, disputes, payouts
from payments.simulator.resources.refunds import fail
from payments.simulator.routing import fetch
from payments.simulator.timers import sweep
from payments.simulator.webhooks import log_of
from payments.simulator.words import Json


def answer(backend: Backend, request: Request) -> Response:
    """One control request; answers JSON."""
    handler = _ROUTES.get((request.method, request.path.removeprefix("/_sim")))
    if handler is None:
        return _json({"error": {"message": "unknown control"}}, 404)
    try:
        with backend.store.transaction():
            return _json(handler(backend, request.get_json(silent=True) or {}), 200)
    except ApiError as error:
        return _json(error.body, error.status)


def _settings(backend: Backend, _values: Json) -> Json:
    return {name: backend.behaviour(name) for name in BEHAVIOUR} | {"now": backend.now()}


def _set(backend: Backend, values: Json) -> Json:
    for name, value in values.items():
        if name not in BEHAVIOUR or not isinstance(value, int):
            raise invalid(f"Unknown setting or not a whole number: {name}", param=name)
        backend.store.set_setting(name, str(value))
    backend.news.set()
    return _settings(backend, values)


def _advance(backend: Backend, values: Json) -> Json:
    seconds = values.get("advance")
    if not isinstance(seconds, int) or seconds < 0:
        raise invalid("The clock goes forward by a whole number of seconds.", param="advance")
    backend.store.set_setting("clock_offset", str(backend.behaviour("clock_offset") + seconds))
    sweep(backend)
    return _settings(backend, values)


def _fail_refund(backend: Backend, values: Json) -> Json:
    return fail(backend, str(values.get("refund")))


def _fail_payout(backend: Backend, values: Json) -> Json:
    payout = _anywhere(backend, "payout", values)
    number = str(values.get("as", "000111111116"))
    if number not in bank_accounts.REFUSALS:
        raise invalid(f"`as` is one of {', '.join(bank_accounts.REFUSALS)}.", param="as")
    with backend.store.acting_for(backend.store.owner_of(payout["id"]) or ""):
        return payouts.send_back(backend, payout, *bank_accounts.REFUSALS[number])


def _anywhere(backend: Backend, kind: str, values: Json) -> Json:
    object_id = str(values.get(kind))
    with backend.store.acting_for(backend.store.owner_of(object_id) or ""):
        return fetch(backend, kind, object_id, param=kind)


def _dispute(backend: Backend, values: Json) -> Json:
    charge = _anywhere(backend, "charge", values)
    amount = values.get("amount", charge["amount"] - charge["amount_refunded"])
    if not isinstance(amount, int):
        raise invalid("Invalid integer", param="amount", code="parameter_invalid_integer")
    return disputes.open_dispute(backend, charge, amount, str(values.get("reason", "fraudulent")))


def _decide(backend: Backend, values: Json) -> Json:
    outcome = values.get("outcome")
    if outcome not in ("won", "lost"):
        raise invalid("`outcome` is won or lost.", param="outcome")
    return disputes.decide(backend, _anywhere(backend, "dispute", values), outcome)


def _bank_account(backend: Backend, values: Json) -> Json:
    return bank_accounts.platform_bank_account(backend, str(values.get("account_number")))


def _add_fault(backend: Backend, values: Json) -> Json:
    return backend.faults.add(values)


def _faults(backend: Backend, _values: Json) -> Json:
    return {"faults": backend.faults.every()}


def _clear_faults(backend: Backend, _values: Json) -> Json:
    backend.faults.clear()
    return {"faults": []}


def _deliveries(backend: Backend, _values: Json) -> Json:
    return {"deliveries": log_of(backend)}


_ROUTES: dict[tuple[str, str], Callable[[Backend, Json], Json]] = {
    ("GET", "/settings"): _settings,
    ("POST", "/settings"): _set,
    ("POST", "/clock"): _advance,
    ("GET", "/faults"): _faults,
    ("POST", "/faults"): _add_fault,
    ("DELETE", "/faults"): _clear_faults,
    ("POST", "/refund-failures"): _fail_refund,
    ("POST", "/payout-failures"): _fail_payout,
    ("POST", "/disputes"): _dispute,
    ("POST", "/dispute-decisions"): _decide,
    ("POST", "/bank-account"): _bank_account,
    ("GET", "/deliveries"): _deliveries,
}


def _json(body: Any, status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
