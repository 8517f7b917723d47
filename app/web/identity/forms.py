"""Showing a form, and showing it again with what was typed when something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, render_template, request
from marshmallow import ValidationError

from app.kernel.access import Actor
from app.kernel.errors import DomainError
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.schemas import InputSchema
from app.web.session import current_actor

SECRET_WIDGETS = frozenset({"password"})


def me() -> tuple[Actor, UUID]:
    """Who asks, for views that only somebody signed in reaches."""
    actor = current_actor()
    assert actor.user_id is not None
    return actor, actor.user_id


def again(template: str, schema: type[InputSchema], failure: ValidationError | DomainError, **context: Any) -> Response:
    """The page with the form as typed (passwords left out) and what is wrong; the status is the refusal's."""
    form = Form(schema(), without_secrets(schema, parsing.form_values(schema)), errors_of(failure))
    status = failure.status if isinstance(failure, DomainError) else 422
    return Response(render_template(template, form=form, **context), status=status, mimetype="text/html")


def without_secrets(schema: type[InputSchema], values: Mapping[str, Any]) -> dict[str, Any]:
    """What may be written back into a page."""
    known = schema().fields
    return {
        name: value
        for name, value in values.items()
        if name not in known or known[name].metadata.get("widget") not in SECRET_WIDGETS
    }


def safe_next(target: str | None) -> str | None:
    """A path of this site to go on to, or None."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target or "\n" in target:
        return None
    return target


def client_address() -> str | None:
    """The network address of the request, behind the configured number of proxies."""
    return request.remote_addr
