"""The actor of this request."""

from flask import g, has_request_context

from app.kernel.access import ANONYMOUS, Actor


def current_actor() -> Actor:
    """Return who is asking; an anonymous actor for visitors and outside a request."""
    if not has_request_context():
        return ANONYMOUS
    actor = g.get("actor")
    return actor if isinstance(actor, Actor) else ANONYMOUS
