"""Requests that change something must come from our own pages.

Two independent checks: the token of Flask-WTF, bound to the session, and what the browser says about where the request
comes from (`Sec-Fetch-Site`, `Origin`). A bearer token is not sent by browsers on their own, so requests with one are
exempt, and so are notices of providers, which carry their own signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from app.identity import sessions
from app.identity.authentication import bearer_token
from app.kernel.errors import DomainError
from app.kernel.words import N_
from app.settings import Settings
from app.web.guard import policy_of
from app.web.headers import origin

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
V = TypeVar("V", bound=Callable[..., Any])


class ForgeryRefused(DomainError):
    """The request does not prove that it comes from one of our pages."""

    code = "not-from-our-page"
    title = N_("This form is too old, or did not come from this site. Open the page again and repeat the step.")
    status = 403


def signed_by_sender(view: V) -> V:
    """Mark a view that takes notices of a provider: it checks their signature itself, browsers never call it."""
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def no_session_used(view: V) -> V:
    """Mark an API view that takes its caller's secrets in the body and neither reads nor opens a session."""
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def init_app(app: Flask) -> None:
    """Check every unsafe request before its view runs."""
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)
    app.config.setdefault("WTF_CSRF_ENABLED", not app.testing)  # its own tests turn it on
    # tokens live as long as the session; the referrer is not sent by our own pages (Referrer-Policy)
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["WTF_CSRF_SSL_STRICT"] = False
    protection = CSRFProtect(app)

    @app.before_request
    def _protect() -> None:
        g.pop("csrf_token", None)  # where a test shares one application context, tokens of other requests linger
        if request.method in SAFE or not request.endpoint or _is_exempt():
            return
        if not app.config["WTF_CSRF_ENABLED"]:
            return
        _check_origin(app.extensions["chaoshi_settings"])
        try:
            protection.protect()
        except CSRFError as failure:
            raise ForgeryRefused from failure


def _is_exempt() -> bool:
    assert request.endpoint is not None
    if getattr(current_app.view_functions[request.endpoint], "csrf_exempt", False):
        return True
    if bearer_token() is not None:
        return True
    # without a session there is nothing to borrow, and the guard refuses all but public views
    policy = policy_of(current_app, request.endpoint)
    return sessions.signed_in() is None and (policy is None or policy.kind != "public")


def _check_origin(settings: Settings) -> None:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise ForgeryRefused
        return
    given = request.headers.get("Origin")
    # "null" is what browsers send under our Referrer-Policy; the token decides alone then
    if given is None or given == "null":
        return
    if given != origin(settings.public_url) and urlsplit(given).netloc != request.host:
        raise ForgeryRefused
