"""What the API documentation says of a view; read by `app.web.openapi`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from marshmallow import Schema

V = TypeVar("V", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """`summary` is a catalogue message; `response` the schema of the answer's body, `status` its code."""

    summary: str
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    response: type[Schema] | None = None
    many: bool = False
    status: int = 200
    tag: str = ""
    idempotent: bool = False


def operation(summary: str, **facts: Any) -> Callable[[V], V]:
    """Describe an API view: `@operation(N_("List bills"), query=BillQuery, response=BillOut, many=True)`."""
    described = Operation(summary, **facts)

    def decorate(view: V) -> V:
        view.operation = described  # type: ignore[attr-defined]
        return view

    return decorate
