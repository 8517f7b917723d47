"""Creating something at most once per idempotency key, from the API and from forms alike."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from app.kernel.access import Actor
from app.kernel.inbox import once


def create_once(actor: Actor, endpoint: str, key: str | None, raw: Any, make: Callable[[], UUID]) -> UUID:
    """Run `make` once for this actor, endpoint and key; a repeat answers with the same id. Without a key it just runs."""
    if not key:
        return make()
    answer = once(actor, endpoint, key, raw, lambda: {"id": str(make())})
    assert answer is not None, "the effect answers with an id"
    return UUID(str(answer["id"]))
