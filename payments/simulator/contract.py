"""What a request may carry, read from the types of the installed ``stripe`` package.

``stripe.params`` describes every parameter of the pinned API version. Checking requests against it makes the simulator
refuse exactly what the real API of that version would refuse as unknown, and makes an upgrade of the package fail
loudly instead of letting code through that only works here.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin

import stripe
from stripe import params as request_types
from stripe.params import checkout as checkout_types
from typing_extensions import get_type_hints, is_typeddict

from payments.simulator.errors import ApiError, invalid
from payments.simulator.words import Json

API_VERSION = stripe.api_version
"""The version the installed package is pinned to; events are written in it."""

_OPTIONS = frozenset(
    {
        "api_key",
        "stripe_version",
        "stripe_account",
        "stripe_context",
        "idempotency_key",
        "headers",
        "max_network_retries",
        "content_type",
    }
)


def parameters_of(name: str) -> type:
    """The TypedDict of that name (``RefundCreateParams``, ``checkout.SessionCreateParams``)."""
    space = checkout_types if name.startswith("checkout.") else request_types
    found: type = getattr(space, name.removeprefix("checkout."))
    return found


def check(values: Json, name: str, *, known: frozenset[str] = frozenset()) -> Json:
    """Values converted to the types of ``stripe.params.<name>``.

    Raises the error Stripe sends: ``parameter_unknown``, ``parameter_missing``, ``parameter_invalid_*``. Names in
    ``known`` are accepted besides (for the identifiers a path carries).
    """
    if "payment_method_types" in values and "payment_method_types" not in _fields(parameters_of(name)):
        raise invalid(
            "`payment_method_types` is no longer supported since API version 2026-09-30.endive. "
            "Use `allowed_payment_method_types`.",
            param="payment_method_types",
            code="payment_method_types_no_longer_supported",
        )
    return _typed_dict({k: v for k, v in values.items() if k not in known}, parameters_of(name), "")


@cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    # The per-call options (key, version, context) are inherited by every TypedDict and are not part of a body.
    written = {name: hint for name, hint in kind.__annotations__.items() if name not in _OPTIONS}
    holder = type(kind.__name__, (), {"__annotations__": written, "__module__": kind.__module__})
    found: dict[str, tuple[Any, bool]] = {}
    for name, hint in get_type_hints(holder, include_extras=True).items():
        origin: object = get_origin(hint)
        required = origin is not NotRequired
        found[name] = (get_args(hint)[0] if origin in (NotRequired, Required) else hint, required)
    return found


def _typed_dict(values: Any, kind: type, path: str) -> Json:
    if not isinstance(values, dict):
        raise invalid(f"Invalid object for {path}.", param=path, code="parameter_invalid_object")
    fields = _fields(kind)
    done: Json = {}
    for key, value in values.items():
        where = f"{path}[{key}]" if path else key
        if key not in fields:
            raise invalid(f"Received unknown parameter: {where}", param=where, code="parameter_unknown")
        done[key] = _convert(value, fields[key][0], where)
    for key, (_, required) in fields.items():
        if required and key not in values:
            where = f"{path}[{key}]" if path else key
            raise invalid(f"Missing required param: {where}.", param=where, code="parameter_missing")
    return done


def _convert(value: Any, kind: Any, path: str) -> Any:
    choices = _members(kind)
    literals = [item for choice in choices if get_origin(choice) is Literal for item in get_args(choice)]
    if isinstance(value, str) and literals:
        if value in literals:
            return value
        # `Literal['']|str` is free text that may be emptied; other literals with a str are an enumeration.
        if literals != [""] and all(get_origin(choice) is Literal or choice is str for choice in choices):
            raise invalid(f"Invalid {path}: must be one of {', '.join(map(str, literals))}", param=path)
    refusal: ApiError | None = None
    for choice in choices:
        if get_origin(choice) is Literal:
            continue
        try:
            return _single(value, choice, path)
        except ApiError as error:
            refusal = refusal or error
    raise refusal or invalid(f"Invalid value for {path}.", param=path)


def _members(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(part for member in get_args(kind) for part in _members(member) if part is not type(None))
    return (kind,)


def _single(value: Any, kind: Any, path: str) -> Any:
    if is_typeddict(kind):
        return _typed_dict(value, kind, path)
    origin = get_origin(kind)
    if origin in (list, set, tuple):
        items = value if isinstance(value, list) else None
        if items is None:
            raise invalid(f"Invalid array for {path}.", param=path, code="parameter_invalid_array")
        (inner, *_) = get_args(kind)
        return [_convert(item, inner, f"{path}[{index}]") for index, item in enumerate(items)]
    if origin is dict or "UntypedStripeObject" in str(kind):
        return _string_map(value, path)
    if kind is int:
        return integer(value, path)
    if kind is bool:
        if value not in ("true", "false", True, False):
            raise invalid(f"Invalid boolean: {value}", param=path, code="parameter_invalid_boolean")
        return value in ("true", True)
    if not isinstance(value, str):
        raise invalid(f"Invalid string for {path}.", param=path, code="parameter_invalid_string")
    return value


def _string_map(value: Any, path: str) -> Json:
    if not isinstance(value, dict):
        raise invalid(f"Invalid object for {path}.", param=path, code="parameter_invalid_object")
    return {str(key): str(item) for key, item in value.items()}


def integer(value: Any, path: str) -> int:
    """Whole numbers only: "1.005" is refused, never rounded."""
    text = str(value)
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit():
        raise invalid(f"Invalid integer: {text}", param=path, code="parameter_invalid_integer")
    return int(text)
