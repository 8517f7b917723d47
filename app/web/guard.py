"""Deny by default: every view carries exactly one policy, and the application does not start with one that has none."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask

from app.kernel.errors import NotAllowed, NotSignedIn
from app.web.session import current_actor

V = TypeVar("V", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """Who may call a view: everybody, everybody signed in, or holders of one of `permissions`."""

    kind: str
    permissions: frozenset[str] = frozenset()


def public(view: V) -> V:
    """Let everybody call the view."""
    return _marked(view, Policy("public"))


def signed_in(view: V) -> V:
    """Let everybody call the view who is signed in; the use case decides about the object."""

    @functools.wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not current_actor().is_signed_in:
            raise NotSignedIn
        return view(*args, **kwargs)

    return _marked(checked, Policy("signed-in"))  # type: ignore[return-value]


def requires(*permissions: str) -> Callable[[V], V]:
    """Let those call the view who hold at least one of `permissions`."""
    wanted = frozenset(str(p) for p in permissions)

    def decorate(view: V) -> V:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            actor = current_actor()
            if wanted.isdisjoint(actor.permissions):
                raise NotAllowed if actor.is_signed_in else NotSignedIn
            return view(*args, **kwargs)

        return _marked(checked, Policy("permission", wanted))  # type: ignore[return-value]

    return decorate


def _marked(view: V, policy: Policy) -> V:
    if hasattr(view, "policy"):
        raise TypeError(f"{view.__name__} has two policies")
    view.policy = policy  # type: ignore[attr-defined]
    return view


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    return getattr(app.view_functions[endpoint], "policy", None)


def check_policies(app: Flask) -> None:
    """Refuse to start with a view that says nothing about who may call it."""
    bare = [name for name in app.view_functions if policy_of(app, name) is None]
    if bare:
        raise RuntimeError(f"views without a policy: {', '.join(sorted(bare))}")
