"""The cashier's pages and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from payments.simulator.backend import Backend
from payments.simulator.cashier.words import LANGUAGES, TEXT, amount_text, language_of
from payments.simulator.charging import FINAL, succeed
from payments.simulator.errors import ApiError
from payments.simulator.resources.checkout_sessions import intent_of
from payments.simulator.resources.payment_intents import attempt
from payments.simulator.resources.payment_methods import new_method
from payments.simulator.timers import sweep
from payments.simulator.words import Json

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE = (_HERE / "static" / "cashier.css").read_bytes()
_BEIJING = timezone(timedelta(hours=8))
_COOKIE = "cashier-language"
_SELF = "'self'"


class Page:
    """One request to the cashier: its language and how it answers."""

    def __init__(self, backend: Backend, request: Request, session: Json | None) -> None:
        self.backend = backend
        self.request = request
        self.session = session
        chosen = request.args.get("lang") or request.cookies.get(_COOKIE)
        self.language = language_of(
            chosen if chosen in LANGUAGES else None,
            session["locale"] if session else None,
            request.headers.get("Accept-Language", ""),
        )

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page under a strict content security policy."""
        session = self.session
        html = _TEMPLATES.get_template(template).render(
            t=TEXT[self.language],
            language=self.language,
            languages=LANGUAGES,
            path=self.request.path,
            session=session,
            amount=amount_text(session["amount_total"], session["currency"]) if session else "",
            amount_text=amount_text,
            until=_moment(session["expires_at"]) if session else "",
            **values,
        )
        response = Response(html, status, content_type="text/html; charset=utf-8")
        # A form that ends at the merchant's address is a redirect, and form-action covers redirects too.
        origins = sorted({origin for url in _merchant_urls(session) if (origin := _origin(url))})
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {' '.join([_SELF, *origins])}"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if self.request.args.get("lang") in LANGUAGES:
            response.set_cookie(_COOKIE, self.language, httponly=True, samesite="Lax", path="/c/")
        return response

    def notice(self, name: str, status: int) -> Response:
        """A page that only tells why there is nothing to pay here."""
        back = self.session and (self.session["success_url"] if name == "done" else self.session["cancel_url"])
        return self.render("notice.html", status, name=name, back=back and _filled(back, self.session))


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M")


def _merchant_urls(session: Json | None) -> list[str]:
    return [url for url in (session["success_url"], session["cancel_url"]) if url] if session else []


def _origin(url: str) -> str | None:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else None


def _filled(url: str, session: Json | None) -> str:
    return url.replace("{CHECKOUT_SESSION_ID}", quote(session["id"])) if session else url


def _to_merchant(session: Json) -> Response:
    return redirect(_filled(session["success_url"], session), 303)


def _pay(page: Page, _session_id: str, error: str | None = None, opened: str | None = None) -> Response:
    session = page.session
    if session is None:
        return page.notice("missing", 404)
    if session["status"] == "complete":
        return page.notice("done", 200)
    if session["status"] == "expired":
        return page.notice("expired", 410)
    return page.render(
        "pay.html",
        402 if error else 200,
        error=error,
        form=page.request.form,
        opened=opened or session["payment_method_types"][0],
        cancel=session["cancel_url"] or None,
    )


def _open(page: Page) -> bool:
    return page.session is not None and page.session["status"] == "open"


def _pay_by_card(page: Page, session_id: str) -> Response:
    if not _open(page) or page.session is None:
        return _pay(page, session_id)
    form = page.request.form
    month, _, year = form.get("expiry", "").replace(" ", "").partition("/")
    digits = year if year.isdigit() else "0"
    try:
        method = new_method(
            page.backend,
            {
                "type": "card",
                "card": {
                    "number": form.get("number", ""),
                    "exp_month": month if month.isdigit() else "0",
                    "exp_year": int(digits) + (2000 if len(digits) <= 2 else 0),
                    "cvc": form.get("cvc", ""),
                },
            },
        )
        attempt(page.backend, intent_of(page.backend, page.session), method, None)
    except ApiError as error:
        reason = error.error.get("decline_code")
        code = reason if reason in TEXT["zh"] else error.error.get("code", "")
        return _pay(page, session_id, error=code if code in TEXT["zh"] else "processing_error", opened="card")
    return _to_merchant(page.session)


def _pay_by_wallet(kind: str) -> Callable[[Page, str], Response]:
    def pay(page: Page, session_id: str) -> Response:
        if not _open(page) or page.session is None:
            return _pay(page, session_id)
        intent = intent_of(page.backend, page.session)
        attempt(
            page.backend,
            intent,
            new_method(page.backend, {"type": kind}),
            _filled(page.session["success_url"], page.session),
        )
        return redirect(f"/c/{'alipay' if kind == 'alipay' else 'wechat'}/{intent['id']}", 303)

    return pay


def _wallet_page(template: str) -> Callable[[Page, str], Response]:
    def show(page: Page, intent_id: str) -> Response:
        intent = page.backend.store.find(intent_id, "payment_intent")
        if intent is None:
            return page.notice("missing", 404)
        if intent["status"] == "succeeded":
            return _finished(page, intent)
        if intent["status"] != "requires_action":
            return page.notice("expired", 410)
        return page.render(template, intent=intent, total=amount_text(intent["amount"], intent["currency"]))

    return show


def _authorise(page: Page, intent_id: str) -> Response:
    intent = page.backend.store.find(intent_id, "payment_intent")
    if intent is None:
        return page.notice("missing", 404)
    if intent["status"] in FINAL:
        return _finished(page, intent) if intent["status"] == "succeeded" else page.notice("expired", 410)
    method = page.backend.store.find(intent["payment_method"] or "", "payment_method")
    if intent["status"] != "requires_action" or method is None:
        return page.notice("expired", 410)
    succeed(page.backend, intent, method)
    return _finished(page, intent)


def _finished(page: Page, intent: Json) -> Response:
    if page.session is not None:
        return _to_merchant(page.session)
    if intent["_return_url"]:
        return redirect(intent["_return_url"], 303)
    return page.notice("done", 200)


def _give_up(page: Page, intent_id: str) -> Response:
    intent = page.backend.store.find(intent_id, "payment_intent")
    if intent is not None and intent["status"] == "requires_action":
        page.backend.change(
            intent,
            status="requires_payment_method",
            next_action=None,
            payment_method=None,
            last_payment_error={
                "type": "invalid_request_error",
                "message": "The payer refused.",
                "code": "payment_intent_authentication_failure",
            },
        )
        page.backend.emit("payment_intent.payment_failed", intent)
    if page.session is None:
        return page.notice("expired", 410)
    return _pay(page, page.session["id"], error="refused_by_payer", opened="card")


def _qr(page: Page, intent_id: str) -> Response:
    buffer = BytesIO()
    segno.make(f"{page.backend.public_url}/c/wechat/{intent_id}/phone", error="m").save(
        buffer, kind="svg", scale=6, border=2, dark="#111", light="#fff", xmldecl=True
    )
    return Response(buffer.getvalue(), content_type="image/svg+xml")


_ROUTES: dict[tuple[str, str], Callable[[Page, str], Response]] = {
    ("GET", "/c/pay/<object_id>"): _pay,
    ("POST", "/c/pay/<object_id>/card"): _pay_by_card,
    ("POST", "/c/pay/<object_id>/alipay"): _pay_by_wallet("alipay"),
    ("POST", "/c/pay/<object_id>/wechat_pay"): _pay_by_wallet("wechat_pay"),
    ("GET", "/c/alipay/<object_id>"): _wallet_page("alipay.html"),
    ("POST", "/c/alipay/<object_id>/authorise"): _authorise,
    ("POST", "/c/alipay/<object_id>/refuse"): _give_up,
    ("GET", "/c/wechat/<object_id>"): _wallet_page("wechat.html"),
    ("GET", "/c/wechat/<object_id>/phone"): _wallet_page("phone.html"),
    ("GET", "/c/wechat/<object_id>/qr.svg"): _qr,
    ("POST", "/c/wechat/<object_id>/confirm"): _authorise,
    ("POST", "/c/wechat/<object_id>/refuse"): _give_up,
}
_URLS = Map([Rule(path, methods=[method], endpoint=handler) for (method, path), handler in _ROUTES.items()])


def answer(backend: Backend, request: Request) -> Response:
    """One request to the cashier."""
    if request.path == "/c/static/cashier.css":
        return Response(_STYLE, content_type="text/css; charset=utf-8")
    if request.path == "/favicon.ico":
        return Response(status=204)
    with backend.store.transaction():
        sweep(backend)
        try:
            handler, values = _URLS.bind("").match(request.path, request.method)
        except NotFound:
            return Page(backend, request, None).notice("missing", 404)
        except MethodNotAllowed as error:
            return Response("", 405, headers={"Allow": ", ".join(error.valid_methods or ())})
        backend.request_id = backend.request_key = None
        session = _session_of(backend, values["object_id"])
        return handler(Page(backend, request, session), values["object_id"])  # type: ignore[no-any-return]


def _session_of(backend: Backend, object_id: str) -> Json | None:
    if object_id.startswith("pi_"):
        found = backend.store.every("checkout.session", payment_intent=object_id)
        return found[0] if found else None
    return backend.store.find(object_id, "checkout.session")
