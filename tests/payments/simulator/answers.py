"""Whether an answer is what the classes of the installed `stripe` package describe: fields, types, nesting, enumerations."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe import checkout
from werkzeug.routing import Map, Rule

from payments.simulator.inprocess import InProcessHttp
from payments.simulator.resources import ROUTES
from payments.simulator.routing import Route

_URLS = Map([Rule(route.path, methods=[route.method], endpoint=route) for route in ROUTES])
CLASSES: dict[str, Any] = {
    kind.OBJECT_NAME: kind
    for kind in (
        stripe.Account, stripe.AccountLink, stripe.Balance, stripe.BalanceTransaction, stripe.BankAccount,
        stripe.Charge, stripe.Customer, stripe.Dispute, stripe.Event, stripe.PaymentIntent, stripe.PaymentMethod,
        stripe.Payout, stripe.Refund, stripe.Transfer, stripe.TransferReversal, stripe.WebhookEndpoint,
        checkout.Session,
    )
} | {"item": stripe.LineItem}  # fmt: skip


class CheckingHttp(InProcessHttp):
    """The in-process transport, which fails a test when an answer is not what the package's types describe."""

    seen: ClassVar[set[Route]] = set()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> tuple[str, int, Mapping[str, str]]:
        text, status, headers = super().request(method, url, *args, **kwargs)
        if status == 200:
            route, _ = _URLS.bind("").match(url.split("?", maxsplit=1)[0].split("8421", maxsplit=1)[-1], method.upper())
            self.seen.add(route)
            assert not (wrong := list(faults_of(json.loads(text), route.resource))), f"{route.path}: {wrong}"
        return text, status, headers


def faults_of(answer: Any, kind: str) -> Iterator[str]:
    """What is wrong with an answer of an endpoint of that object type; nothing when it is right."""
    if answer.get("object") == "list":
        for number, item in enumerate(answer["data"]):
            yield from _checked(item, CLASSES[kind], f"data[{number}]")
    elif not answer.get("deleted"):
        yield from _checked(answer, CLASSES[kind], kind)
    if kind == "event":
        for event in answer["data"] if "has_more" in answer else [answer]:
            told = event["data"]["object"]
            yield from _checked(told, CLASSES[told["object"]], f"{event['type']}")
            before = event["data"].get("previous_attributes") or {}
            yield from (f"{event['type']} tells of {name}, unknown" for name in before if name not in told)


@cache
def _fields(kind: Any) -> dict[str, Any]:
    return {
        name: hint
        for parent in reversed(kind.__mro__)
        if issubclass(parent, stripe.StripeObject)
        for name, hint in getattr(parent, "__annotations__", {}).items()
        if not name.startswith("_") and get_origin(hint) is not ClassVar and "ClassVar" not in str(hint)
    }


def _checked(value: Any, hint: Any, path: str) -> Iterator[str]:
    hint = _resolved(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any or hint is None:
        return
    if origin is Union:
        if value is None and type(None) in inner:
            return
        tried = [list(_checked(value, member, path)) for member in inner if member is not type(None)]
        if [] not in tried:
            yield from min(tried, key=len)
    elif origin is Literal:
        if value not in inner:
            yield f"{path} is {value!r}"
    elif origin in (list, set) or "ListObject" in str(origin):
        items = value.get("data") if isinstance(value, dict) and value.get("object") == "list" else value
        if not isinstance(items, list):
            yield f"{path} is no list"
            return
        for number, item in enumerate(items):
            yield from _checked(item, inner[0], f"{path}[{number}]")
    elif origin is dict or "UntypedStripeObject" in str(hint):
        if not isinstance(value, dict):
            yield f"{path} is no object"
    elif isinstance(hint, type) and issubclass(hint, stripe.StripeObject):
        yield from _object(value, hint, path)
    elif isinstance(hint, type) and type(value) is not hint:
        yield f"{path} is {value!r}, not {hint.__name__}"


def _object(value: Any, kind: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {value!r}, not an object"
        return
    fields = _fields(kind)
    for name, hint in fields.items():
        if name in value:
            yield from _checked(value[name], hint, f"{path}.{name}")
        elif type(None) not in get_args(_resolved(hint)):
            yield f"{path} lacks {name}"
    yield from (f"{path} has {name}, which the package does not know" for name in value if name not in fields)


def _resolved(hint: Any) -> Any:
    """A name used before its class exists is one of the package's resources."""
    name = hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
    if not isinstance(name, str):
        return hint
    if name.startswith("ExpandableField"):
        return Any
    return getattr(stripe, name, None) or getattr(checkout, name, Any)
