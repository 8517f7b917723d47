"""Payment methods: a card, an Alipay or a WeChat Pay wallet. Card numbers are kept only to know the test cards."""

from __future__ import annotations

from stdnum import luhn

from payments.simulator.backend import Backend
from payments.simulator.errors import ApiError, invalid
from payments.simulator.routing import Route, reader
from payments.simulator.words import Json, new_id, token

BRANDS = {"4": "visa", "5": "mastercard", "3": "amex", "6": "unionpay"}


def card_error(code: str, message: str, param: str) -> ApiError:
    """402: the card's data cannot be right."""
    return ApiError(402, "card_error", message, code=code, param=param, kept=True)


def new_method(backend: Backend, data: Json) -> Json:
    """Store a payment method of a known type."""
    kind = data.get("type")
    method: Json = {
        "id": new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "created": backend.now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
    if kind == "card":
        method["card"], method["_number"] = _card(data.get("card") or {}, backend.now())
    elif kind in ("alipay", "wechat_pay"):
        method[kind] = {}
    else:
        raise invalid(f"The simulator does not know the payment method type {kind!r}.", param="type")
    return backend.store.add(method)


def _card(data: Json, now: int) -> tuple[Json, str]:
    number = "".join(str(data.get("number", "")).split())
    if not number.isdigit() or not 12 <= len(number) <= 19 or not luhn.is_valid(number):
        raise card_error("incorrect_number", "Your card number is incorrect.", "number")
    month, year = int(data.get("exp_month") or 0), int(data.get("exp_year") or 0)
    if not 1 <= month <= 12:
        raise card_error("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    if year < 1970 + now // 31_556_952:
        raise card_error("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
    return {
        "brand": BRANDS.get(number[0], "unknown"),
        "country": "CN",
        "exp_month": month,
        "exp_year": year,
        "fingerprint": token(16),
        "funding": "debit",
        "last4": number[-4:],
    }, number


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/payment_methods``."""
    return new_method(backend, values)


_PATH = "/v1/payment_methods"
ROUTES = (
    Route("POST", _PATH, create, "PaymentMethodCreateParams", "payment_method"),
    Route("GET", f"{_PATH}/<object_id>", reader("payment_method"), "PaymentMethodRetrieveParams", "payment_method"),
)
