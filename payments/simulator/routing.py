"""How an endpoint is declared, and the two endpoints nearly every resource has: retrieve and list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from payments.simulator.backend import Backend
from payments.simulator.errors import invalid, missing
from payments.simulator.words import Json

Handler = Callable[..., Json]


@dataclass(frozen=True)
class Route:
    """``handler(backend, values, **path values)`` for a method and path, with the type its parameters obey."""

    method: str
    path: str
    handler: Handler
    parameters: str
    resource: str


def fetch(backend: Backend, kind: str, object_id: str, *, param: str = "id") -> Json:
    """The object, or Stripe's 404."""
    found = backend.store.find(object_id, kind)
    if found is None:
        raise missing(kind, object_id, param)
    return found


def merged(value: Json, values: Json) -> Json:
    """The metadata after a request: names are added or replaced, an empty text removes one."""
    wanted = values.get("metadata")
    if wanted == "":
        return {}
    return {name: text for name, text in {**value["metadata"], **(wanted or {})}.items() if text != ""}


def reader(kind: str) -> Handler:
    """An endpoint that retrieves one object."""

    def retrieve(backend: Backend, _values: Json, object_id: str) -> Json:
        return fetch(backend, kind, object_id)

    return retrieve


def lister(kind: str, path: str, *filters: str) -> Handler:
    """An endpoint that lists objects newest first, filtered by equality of the named fields."""

    def index(backend: Backend, values: Json) -> Json:
        created = values.get("created", {})
        if not isinstance(created, dict):
            created = {"gte": created, "lte": created}
        return page(
            backend,
            kind,
            path,
            values,
            equal={name: values[name] for name in filters if name in values},
            created=created,
        )

    return index


def page(backend: Backend, kind: str, path: str, values: Json, *, equal: Json, created: Json) -> Json:
    """A list object."""
    limit = values.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid(
            "Invalid integer: limit must be between 1 and 100", param="limit", code="parameter_invalid_integer"
        )
    found, more = backend.store.page(
        kind,
        equal=equal,
        created=created,
        limit=limit,
        after=values.get("starting_after"),
        before=values.get("ending_before"),
    )
    return {"object": "list", "data": found, "has_more": more, "url": path}
