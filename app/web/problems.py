"""Refusals as problem documents (RFC 9457) or pages. The only place that does this."""

import logging
from typing import Any

from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.db import db
from app.kernel.errors import DomainError, NotSignedIn, Refused, TooManyRequests
from app.kernel.words import N_
from app.web.parsing import flat_errors

log = logging.getLogger(__name__)

HTTP_TITLES = {
    400: N_("The request could not be understood"),
    401: N_("Please sign in first"),
    403: N_("You may not do this"),
    404: N_("There is no such page"),
    405: N_("This address cannot be used that way"),
    409: N_("The request conflicts with the present state"),
    413: N_("The upload is too large"),
    415: N_("This kind of content is not accepted"),
    422: N_("Some entries need to be corrected"),
    429: N_("Too many attempts. Wait a little and try again."),
    500: N_("Something went wrong on our side"),
    503: N_("The service is busy or under maintenance"),
}


def wants_json() -> bool:
    """Tell whether this request is to be answered with JSON: an API address, or JSON preferred over HTML."""
    if request.path.startswith("/api/"):
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def problem(status: int, code: str, title: str, detail: str = "", **extra: Any) -> Response:
    """Build the problem document. `title` and `detail` are already translated."""
    document = {"type": f"/problems/{code}", "code": code, "title": title, "status": status, "detail": detail or title}
    document["instance"] = g.get("request_id", "")
    response = jsonify({**document, **extra})
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def answer(status: int, code: str, title: str, detail: str = "", **extra: Any) -> Response:
    if wants_json():
        return problem(status, code, title, detail, **extra)
    page = render_template(
        "errors/error.html", status=status, code=code, title=title, detail=detail, request_id=g.get("request_id", "")
    )
    return Response(page, status=status, mimetype="text/html")


def register_problems(app: Flask) -> None:
    """Install the error handlers."""

    @app.errorhandler(NotSignedIn)
    def _sign_in(refusal: NotSignedIn) -> BaseResponse:
        if wants_json():
            return problem(401, refusal.code, gettext(refusal.title))
        target = request.full_path.rstrip("?") if request.method == "GET" else request.referrer or "/"
        return redirect(url_for("identity.sign_in", next=target if target.startswith("/") else "/"))

    @app.errorhandler(DomainError)
    def _refused(refusal: DomainError) -> BaseResponse:
        extra = dict(refusal.extra)
        detail = gettext(refusal.detail or refusal.title, **refusal.params)
        if isinstance(refusal, Refused):
            extra["errors"] = [{"pointer": f"/{refusal.field}" if refusal.field else "", "detail": detail}]
        response = answer(refusal.status, refusal.code, gettext(refusal.title), detail, **extra)
        if isinstance(refusal, TooManyRequests):
            response.headers["Retry-After"] = str(refusal.retry_after_seconds)
        return response

    @app.errorhandler(ValidationError)
    def _invalid(failure: ValidationError) -> BaseResponse:
        errors = [{"pointer": p, "detail": gettext(m)} for p, m in flat_errors(failure.messages)]
        detail = "; ".join(f"{e['pointer'].strip('/')}: {e['detail']}".lstrip(": ") for e in errors)
        return answer(422, "invalid-input", gettext(HTTP_TITLES[422]), detail, errors=errors)

    @app.errorhandler(IntegrityError)
    def _conflict(failure: IntegrityError) -> BaseResponse:
        log.warning("integrity error", exc_info=failure)
        return answer(409, "conflict", gettext(HTTP_TITLES[409]))

    @app.errorhandler(OperationalError)
    def _busy(failure: OperationalError) -> BaseResponse:
        log.error("database unavailable", exc_info=failure)
        db.session.rollback()
        response = answer(503, "unavailable", gettext(HTTP_TITLES[503]))
        response.headers["Retry-After"] = "5"
        return response

    @app.errorhandler(HTTPException)
    def _http(failure: HTTPException) -> BaseResponse:
        status = failure.code or 500
        if failure.response is not None or status < 400:
            return failure.get_response()
        title = gettext(HTTP_TITLES.get(status, failure.name))
        response = answer(status, f"http-{status}", title)
        for name, value in failure.get_headers():
            if name.lower() in {"allow", "retry-after"}:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def _broken(failure: Exception) -> BaseResponse:
        log.error("unhandled", exc_info=failure)
        db.session.rollback()
        return answer(500, "internal", gettext(HTTP_TITLES[500]))
