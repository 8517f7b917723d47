"""The ``/v1`` wire: authentication, parameters, idempotency keys, expansion, errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from payments.simulator import faults
from payments.simulator.backend import Backend, visible
from payments.simulator.contract import API_VERSION, check
from payments.simulator.errors import ApiError, invalid
from payments.simulator.faults import Fault
from payments.simulator.resources import ROUTES
from payments.simulator.routing import Route
from payments.simulator.timers import sweep
from payments.simulator.wire import decode
from payments.simulator.words import Json, token

_URLS = Map([Rule(route.path, methods=[route.method], endpoint=route) for route in ROUTES])
_LONGEST_KEY = 255
_KEY_LIFETIME = 24 * 3600
_DEEPEST_EXPANSION = 4


def answer(backend: Backend, request: Request) -> Response:
    """One API request, from authentication to the JSON answer with its ``Request-Id``."""
    request_id = f"req_{token(14)}"
    try:
        _authenticate(request)
        _check_version(request)
        status, body, replayed_from = _perform(backend, request, request_id)
    except ApiError as error:
        status, body, replayed_from = error.status, error.body, None
    response = Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
    response.headers["Request-Id"] = replayed_from or request_id
    response.headers["Stripe-Version"] = API_VERSION
    if replayed_from is not None:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = replayed_from
    if key := request.headers.get("Idempotency-Key"):
        response.headers["Idempotency-Key"] = key
    return response


def _authenticate(request: Request) -> None:
    authorization = request.authorization
    key = ""
    if authorization is not None:
        key = (authorization.token if authorization.type == "bearer" else authorization.username) or ""
    if not key:
        raise ApiError(
            401,
            "invalid_request_error",
            "You did not provide an API key. You need to provide your API key "
            "in the Authorization header, using Bearer auth.",
        )
    if not key.startswith("sk_test_") or len(key) <= len("sk_test_"):
        raise ApiError(
            401,
            "invalid_request_error",
            f"Invalid API Key provided: {key[:8]}****. This is a simulator: it takes test keys only.",
        )


def _check_version(request: Request) -> None:
    wanted = request.headers.get("Stripe-Version", API_VERSION)
    if wanted != API_VERSION:
        raise invalid(
            f"Invalid Stripe API version: {wanted}. The simulator speaks {API_VERSION}, the version of the "
            "installed stripe package."
        )


def _acting_for(backend: Backend, account: str) -> AbstractContextManager[None]:
    """Act for a connected account, or for the platform itself where none is named."""
    if account and backend.store.find(account, "account") is None:
        raise ApiError(
            403,
            "invalid_request_error",
            f"The provided key does not have access to account '{account}' (or that account does not exist).",
            code="account_invalid",
        )
    return backend.store.acting_for(account)


def _perform(backend: Backend, request: Request, request_id: str) -> tuple[int, Json, str | None]:
    try:
        route, path_values = _URLS.bind("").match(request.path, request.method)
    except (NotFound, MethodNotAllowed):
        raise ApiError(
            404, "invalid_request_error", f"Unrecognized request URL ({request.method}: {request.path})."
        ) from None
    values = decode([*request.args.items(multi=True), *request.form.items(multi=True)])
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    with backend.store.transaction():
        fault = backend.faults.for_request(request.method, request.path)
        sweep(backend)
    faults.strike(fault, executed=False)
    account = request.headers.get("Stripe-Account", "")
    with _under_way(backend, account, key), backend.store.transaction(), _acting_for(backend, account):
        backend.request_id, backend.request_key = request_id, key
        call = Call(route, dict(path_values), values, key, request_id, is_failing=_fails(fault))
        outcome = _once(backend, call)
    faults.strike(fault, executed=True)
    return outcome


def _fails(fault: faults.Rule | None) -> bool:
    return fault is not None and fault.fault == Fault.ERROR_KEPT


@dataclass(frozen=True)
class Call:
    """One request, understood. `is_failing`: it does what it should and answers 500 all the same."""

    route: Route
    path_values: Json
    values: Json
    key: str | None
    request_id: str
    is_failing: bool

    @property
    def fingerprint(self) -> str:
        """What a repeat under the same key must equal."""
        text = json.dumps([self.route.method, self.route.path, self.path_values, self.values], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _under_way(backend: Backend, account: str, key: str | None) -> Iterator[None]:
    """While a request is executed, another with its key is told so instead of waiting."""
    if key is None:
        yield
        return
    owned = f"{account} {key}"
    with backend.store.transaction():
        if owned in backend.in_flight:
            raise faults.key_in_use()
        backend.in_flight.add(owned)
    try:
        yield
    finally:
        backend.in_flight.discard(owned)


def _once(backend: Backend, call: Call) -> tuple[int, Json, str | None]:
    """Execute, or replay what the same key answered within the last day, errors of the endpoint included."""
    if call.key is None:
        return *_execute(backend, call), None
    if len(call.key) > _LONGEST_KEY:
        raise ApiError(400, "idempotency_error", "Idempotency keys are at most 255 characters long.")
    owned = f"{backend.store.account} {call.key}".strip()
    connection = backend.store.connection
    connection.execute("DELETE FROM idempotency WHERE created <= ?", (backend.now() - _KEY_LIFETIME,))
    known = connection.execute(
        "SELECT fingerprint, status, body, request_id FROM idempotency WHERE key = ?", (owned,)
    ).fetchone()
    if known is not None:
        if known[0] != call.fingerprint:
            raise ApiError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same "
                f"parameters they were first used with. Try using a key other than '{call.key}' if you meant to "
                "execute a different request.",
            )
        return known[1], json.loads(known[2]), known[3]
    status, body = _execute(backend, call)
    connection.execute(
        "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?)",
        (owned, call.fingerprint, status, json.dumps(body), call.request_id, backend.now()),
    )
    return status, body, None


def _execute(backend: Backend, call: Call) -> tuple[int, Json]:
    try:
        checked = check(call.values, call.route.parameters)
        result = visible(call.route.handler(backend, checked, **call.path_values))
        for path in checked.get("expand", []):
            _expand(backend, result, path.split("."), path)
    except ApiError as error:
        if not error.kept:
            raise
        return error.status, error.body
    if call.is_failing:
        failure = faults.server_error()
        return failure.status, failure.body
    return 200, result


def _expand(backend: Backend, node: Any, path: list[str], whole: str) -> None:
    """Replace identifiers along the path by their objects."""
    if len(path) > _DEEPEST_EXPANSION:
        raise invalid("You cannot expand more than 4 levels of a property.", param="expand")
    if isinstance(node, list):
        for item in node:
            _expand(backend, item, path, whole)
        return
    head, *rest = path
    if not isinstance(node, dict) or head not in node:
        raise invalid(f"This property cannot be expanded ({whole}).", param="expand", code="property_not_expandable")
    if isinstance(node[head], str) and (found := backend.store.find(node[head])) is not None:
        node[head] = visible(found)
    if rest and node[head] is not None:
        _expand(backend, node[head], rest, whole)
