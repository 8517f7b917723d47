"""Payment intents: one intended payment and its attempts."""

from __future__ import annotations

from payments.simulator.backend import Backend, secret_of
from payments.simulator.charging import DECLINES, FINAL, cancel_intent, decline, succeed, unexpected_state
from payments.simulator.errors import invalid
from payments.simulator.resources.payment_methods import new_method
from payments.simulator.routing import Route, fetch, lister, merged, reader
from payments.simulator.words import Json, new_id

CURRENCIES = frozenset({"cny", "hkd", "usd", "eur"})
LARGEST = 99_999_999


def new_intent(
    backend: Backend,
    *,
    amount: int,
    currency: str,
    methods: list[str],
    metadata: dict[str, str],
    description: str | None,
    transfer_group: str | None = None,
    customer: str | None = None,
) -> Json:
    """Store a new intent and tell the endpoints."""
    intent_id = new_id("payment_intent")
    intent = backend.store.add(
        {
            "id": intent_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": secret_of(intent_id),
            "confirmation_method": "automatic",
            "created": backend.now(),
            "currency": currency,
            "customer": customer,
            "description": description,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": metadata,
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_options": {},
            "payment_method_types": methods,
            "payment_record": None,
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": None,
            "shipping": None,
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": transfer_group,
            "_return_url": None,
        }
    )
    backend.emit("payment_intent.created", intent)
    return intent


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/payment_intents``, confirming at once when asked."""
    amount, currency = values["amount"], values["currency"].lower()
    if currency not in CURRENCIES:
        raise invalid(f"Invalid currency: {currency}.", param="currency")
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", param="amount", code="parameter_invalid_integer"
        )
    if amount > LARGEST:
        raise invalid("Amount must be no more than 999,999.99", param="amount", code="amount_too_large")
    methods = [
        m
        for m in ("card", "alipay", "wechat_pay")
        if m in (values.get("allowed_payment_method_types") or ("card", "alipay", "wechat_pay"))
    ]
    intent = new_intent(
        backend,
        amount=amount,
        currency=currency,
        methods=methods,
        metadata=values.get("metadata") or {},
        description=values.get("description"),
        transfer_group=values.get("transfer_group"),
        customer=values.get("customer"),
    )
    if values.get("confirm"):
        return _confirm(backend, intent, values)
    return intent


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/payment_intents/<id>``: description and metadata."""
    intent = fetch(backend, "payment_intent", object_id)
    if intent["status"] in FINAL and set(values) - {"metadata", "description", "expand"}:
        raise unexpected_state(intent)
    changed: Json = {}
    if "description" in values:
        changed["description"] = values["description"]
    if "metadata" in values:
        changed["metadata"] = merged(intent, values)
    if "amount" in values:
        changed["amount"] = values["amount"]
    backend.change(intent, **changed)
    return intent


def confirm(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/payment_intents/<id>/confirm``."""
    return _confirm(backend, fetch(backend, "payment_intent", object_id), values)


def _confirm(backend: Backend, intent: Json, values: Json) -> Json:
    if intent["status"] in FINAL:
        raise unexpected_state(intent)
    method = _method(backend, intent, values)
    if method["type"] not in intent["payment_method_types"]:
        raise invalid(
            f'The payment method type "{method["type"]}" is not allowed for this PaymentIntent.', param="payment_method"
        )
    attempt(backend, intent, method, values.get("return_url"))
    return intent


def _method(backend: Backend, intent: Json, values: Json) -> Json:
    if "payment_method_data" in values:
        return new_method(backend, values["payment_method_data"])
    reference = values.get("payment_method") or intent["payment_method"]
    if reference is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if reference.startswith("pm_card_"):
        return new_method(
            backend,
            {
                "type": "card",
                "card": {"number": _NAMED.get(reference, ""), "exp_month": 12, "exp_year": 2034, "cvc": "123"},
            },
        )
    return fetch(backend, "payment_method", reference, param="payment_method")


_NAMED = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_bypassPending": "4000000000000077",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
}


def attempt(backend: Backend, intent: Json, method: Json, return_url: str | None) -> None:
    """Try to pay with the method: a card answers at once, a wallet needs the payer first.

    Raises the card error of a declined card; the attempt is stored before.
    """
    if method["type"] == "card":
        number = method.get("_number", "")
        if number in DECLINES:
            raise decline(backend, intent, method, number)
        succeed(backend, intent, method)
        return
    if return_url is None and method["type"] == "alipay":
        raise invalid(
            "A `return_url` must be specified because this payment method redirects the payer.",
            param="return_url",
            code="parameter_missing",
        )
    backend.change(
        intent,
        status="requires_action",
        payment_method=method["id"],
        _return_url=return_url,
        last_payment_error=None,
        next_action=_next_action(backend, intent, method["type"], return_url),
    )
    backend.emit("payment_intent.requires_action", intent)


def _next_action(backend: Backend, intent: Json, kind: str, return_url: str | None) -> Json:
    page = f"{backend.public_url}/c/{'alipay' if kind == 'alipay' else 'wechat'}/{intent['id']}"
    if kind == "alipay":
        return {
            "type": "alipay_handle_redirect",
            "alipay_handle_redirect": {"native_data": None, "native_url": None, "return_url": return_url, "url": page},
        }
    return {
        "type": "wechat_pay_display_qr_code",
        "wechat_pay_display_qr_code": {
            "data": page,
            "hosted_instructions_url": page,
            "image_data_url": "",
            "image_url_png": f"{page}/qr.png",
            "image_url_svg": f"{page}/qr.svg",
        },
    }


def cancel(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/payment_intents/<id>/cancel``."""
    intent = fetch(backend, "payment_intent", object_id)
    if intent["status"] in FINAL:
        raise unexpected_state(intent)
    cancel_intent(backend, intent, values.get("cancellation_reason"))
    return intent


_PATH = "/v1/payment_intents"
_ONE = f"{_PATH}/<object_id>"
ROUTES = (
    Route("POST", _PATH, create, "PaymentIntentCreateParams", "payment_intent"),
    Route("GET", _PATH, lister("payment_intent", _PATH, "customer"), "PaymentIntentListParams", "payment_intent"),
    Route("GET", _ONE, reader("payment_intent"), "PaymentIntentRetrieveParams", "payment_intent"),
    Route("POST", _ONE, update, "PaymentIntentUpdateParams", "payment_intent"),
    Route("POST", f"{_ONE}/confirm", confirm, "PaymentIntentConfirmParams", "payment_intent"),
    Route("POST", f"{_ONE}/cancel", cancel, "PaymentIntentCancelParams", "payment_intent"),
)
