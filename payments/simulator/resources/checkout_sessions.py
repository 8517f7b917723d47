"""Checkout sessions: a hosted cashier page for one payment."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.charging import FINAL, cancel_intent
from payments.simulator.errors import invalid
from payments.simulator.resources.payment_intents import new_intent
from payments.simulator.routing import Route, fetch, lister, reader
from payments.simulator.timers import schedule, timed
from payments.simulator.words import Json, new_id

KNOWN_METHODS = ("card", "alipay", "wechat_pay")
SHORTEST, LONGEST = 30 * 60, 24 * 3600


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/checkout/sessions``; only ``mode=payment`` on the hosted page is simulated."""
    if values.get("mode", "payment") != "payment":
        raise invalid("The simulator knows mode=payment only.", param="mode")
    if values.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("The simulator knows ui_mode=hosted_page only.", param="ui_mode")
    if "success_url" not in values:
        raise invalid("Missing required param: success_url.", param="success_url", code="parameter_missing")
    lines, total, currency = _lines(values.get("line_items") or [])
    now = backend.now()
    expires = values.get("expires_at", now + LONGEST)
    if not now + SHORTEST - 60 <= expires <= now + LONGEST + 60:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    session_id = new_id("checkout.session")
    session = backend.store.add(
        {
            "id": session_id,
            "object": "checkout.session",
            "after_expiration": None,
            "allow_promotion_codes": None,
            "allowed_payment_method_types": values.get("allowed_payment_method_types"),
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "billing_address_collection": None,
            "cancel_url": values.get("cancel_url"),
            "client_reference_id": values.get("client_reference_id"),
            "client_secret": None,
            "consent": None,
            "created": now,
            "currency": currency,
            "custom_fields": [],
            "custom_text": {
                "after_submit": None,
                "shipping_address": None,
                "submit": None,
                "terms_of_service_acceptance": None,
            },
            "customer": values.get("customer"),
            "customer_creation": "if_required",
            "customer_details": None,
            "customer_email": values.get("customer_email"),
            "expires_at": expires,
            "invoice": None,
            "livemode": False,
            "locale": values.get("locale"),
            "metadata": values.get("metadata") or {},
            "mode": "payment",
            "origin_context": values.get("origin_context"),
            "payment_intent": None,
            "payment_link": None,
            "payment_method_collection": "if_required",
            "payment_method_types": compatible(values),
            "payment_status": "unpaid",
            "redirect_on_completion": None,
            "setup_intent": None,
            "shipping_options": [],
            "status": "open",
            "submit_type": values.get("submit_type"),
            "subscription": None,
            "success_url": values["success_url"],
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted_page",
            "url": f"{backend.public_url}/c/pay/{session_id}",
            "_lines": lines,
            "_intent": values.get("payment_intent_data") or {},
        }
    )
    schedule(backend, expires, run_out, session_id)
    return session


@timed
def run_out(backend: Backend, session: Json) -> None:
    """The payer's time is over; nothing happens when they have paid."""
    if session["status"] == "open":
        close(backend, session)


def close(backend: Backend, session: Json) -> None:
    """The payer can no longer pay through this session; an unfinished intent is canceled with it."""
    backend.change(session, status="expired", url=None)
    if session["payment_intent"]:
        intent = backend.store.find(session["payment_intent"])
        if intent is not None and intent["status"] not in FINAL:
            cancel_intent(backend, intent, "expired")
    backend.emit("checkout.session.expired", session)


def compatible(values: Json) -> list[str]:
    """The methods that will be offered. Unusable ones are dropped silently, as the real API does."""
    allowed = values.get("allowed_payment_method_types")
    excluded = values.get("excluded_payment_method_types") or []
    methods = [m for m in KNOWN_METHODS if (allowed is None or m in allowed) and m not in excluded]
    if not methods:
        raise invalid("No valid payment method types for this Checkout Session.", param="allowed_payment_method_types")
    return methods


def _lines(items: list[Json]) -> tuple[list[Json], int, str]:
    if not items:
        raise invalid("You must provide at least one line item.", param="line_items", code="parameter_missing")
    lines: list[Json] = []
    currencies: set[str] = set()
    for index, item in enumerate(items):
        where = f"line_items[{index}]"
        price = item.get("price_data")
        if price is None:
            raise invalid("The simulator knows line items with price_data only.", param=f"{where}[price]")
        amount = price.get("unit_amount")
        if amount is None or amount < 0:
            raise invalid(
                "Invalid non-negative integer",
                param=f"{where}[price_data][unit_amount]",
                code="parameter_invalid_integer",
            )
        quantity = item.get("quantity", 1)
        currencies.add(price["currency"].lower())
        lines.append(
            {
                "id": f"li_{index + 1}",
                "object": "item",
                "amount_discount": 0,
                "amount_tax": 0,
                "amount_subtotal": amount * quantity,
                "amount_total": amount * quantity,
                "currency": price["currency"].lower(),
                "quantity": quantity,
                "price": None,
                "description": price.get("product_data", {}).get("name", ""),
                "_detail": price.get("product_data", {}).get("description"),
            }
        )
    if len(currencies) != 1:
        raise invalid("All line items must use the same currency.", param="line_items")
    total = sum(line["amount_total"] for line in lines)
    if total < 1:
        raise invalid(
            "The Checkout Session's total amount must be at least one minor unit.",
            param="line_items",
            code="amount_too_small",
        )
    currency = currencies.pop()
    if currency not in {"cny", "hkd", "usd", "eur"}:
        raise invalid(f"Invalid currency: {currency}.", param="line_items[0][price_data][currency]")
    return lines, total, currency


def intent_of(backend: Backend, session: Json) -> Json:
    """The session's payment intent; made when the payer first tries to pay, as the real API does."""
    if session["payment_intent"]:
        return fetch(backend, "payment_intent", session["payment_intent"])
    data = session["_intent"]
    intent = new_intent(
        backend,
        amount=session["amount_total"],
        currency=session["currency"],
        methods=session["payment_method_types"],
        metadata=data.get("metadata") or {},
        description=data.get("description"),
        transfer_group=data.get("transfer_group"),
        customer=session["customer"],
    )
    backend.change(session, payment_intent=intent["id"])
    return intent


def expire(backend: Backend, _values: Json, object_id: str) -> Json:
    """``POST /v1/checkout/sessions/<id>/expire``."""
    session = fetch(backend, "checkout.session", object_id)
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
            f"status of `{session['status']}`.",
            kept=True,
        )
    close(backend, session)
    return session


def line_items(backend: Backend, _values: Json, object_id: str) -> Json:
    """``GET /v1/checkout/sessions/<id>/line_items``."""
    session = fetch(backend, "checkout.session", object_id)
    return {
        "object": "list",
        "data": session["_lines"],
        "has_more": False,
        "url": f"/v1/checkout/sessions/{object_id}/line_items",
    }


_PATH = "/v1/checkout/sessions"
ROUTES = (
    Route("POST", _PATH, create, "checkout.SessionCreateParams", "checkout.session"),
    Route(
        "GET",
        _PATH,
        lister("checkout.session", _PATH, "status", "payment_intent", "customer"),
        "checkout.SessionListParams",
        "checkout.session",
    ),
    Route(
        "GET", f"{_PATH}/<object_id>", reader("checkout.session"), "checkout.SessionRetrieveParams", "checkout.session"
    ),
    Route("POST", f"{_PATH}/<object_id>/expire", expire, "checkout.SessionExpireParams", "checkout.session"),
    Route("GET", f"{_PATH}/<object_id>/line_items", line_items, "checkout.SessionListLineItemsParams", "item"),
)
