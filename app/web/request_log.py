"""One log line a request, and a request id that the answer, the error page and the log share."""

from __future__ import annotations

import logging
import re
import time
from uuid import uuid4

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from app.kernel import logs

log = logging.getLogger("app.request")
ACCEPTED_ID = re.compile(r"[A-Za-z0-9\-]{8,64}")
QUIET = ("/static/", "/assets/", "/healthz")


def init_app(app: Flask) -> None:
    """Number the requests and write them down: route pattern, status, milliseconds; never addresses or query strings."""
    if not app.testing:
        logs.configure()
    proxies = app.extensions["chaoshi_settings"].behind_proxies
    if proxies:  # only as many hops as are ours: a visitor may write any X-Forwarded-For
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]

    @app.before_request
    def _number() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if ACCEPTED_ID.fullmatch(given) else uuid4().hex
        g.request_started = time.monotonic()
        logs.request_id.set(g.request_id)

    @app.after_request
    def _write(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        if not request.path.startswith(QUIET):
            _log(response)
        return response

    @app.teardown_request
    def _forget(_failure: BaseException | None) -> None:
        logs.request_id.set("")


def _log(response: Response) -> None:
    started = g.get("request_started")
    log.info(
        "request",
        extra={
            "method": request.method,
            "path": request.url_rule.rule if request.url_rule else "(no route)",
            "status": response.status_code,
            "ms": round((time.monotonic() - started) * 1000, 1) if started else None,
        },
    )
