"""Events: what happened, in the order it happened; listable so that a lost webhook loses nothing."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.errors import invalid
from payments.simulator.routing import Route, lister, reader
from payments.simulator.words import Json

_PATH = "/v1/events"
_list = lister("event", _PATH, "type")


def index(backend: Backend, values: Json) -> Json:
    """``GET /v1/events``, newest first, by time and by one type."""
    if "types" in values:
        raise invalid("The simulator filters events by `type` only.", param="types")
    return _list(backend, values)


ROUTES = (
    Route("GET", _PATH, index, "EventListParams", "event"),
    Route("GET", f"{_PATH}/<object_id>", reader("event"), "EventRetrieveParams", "event"),
)
