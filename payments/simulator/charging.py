"""What a payment comes to: the intent succeeds, is declined or is canceled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from payments.simulator.backend import Backend, fee_of, visible
from payments.simulator.errors import ApiError, invalid
from payments.simulator.movements import new_movement
from payments.simulator.words import Json, new_id

DECLINES = {
    "4000000000000002": ("card_declined", "generic_decline", "Your card was declined."),
    "4000000000009995": ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "4000000000000069": ("expired_card", None, "Your card has expired."),
    "4000000000000127": ("incorrect_cvc", None, "Your card's security code is incorrect."),
    "4000000000000119": (
        "processing_error",
        None,
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}
"""Test card numbers that are declined, as in Stripe's own documentation."""

DISPUTED_CARDS = {
    "4000000000000259": "fraudulent",
    "4000000000002685": "product_not_received",
}
"""Test card numbers whose charge succeeds and is then disputed, with the reason, as in Stripe's own documentation."""

LATE_REFUNDS = {
    "4000000000007726": "waits",
    "4000000000005126": "comes back",
}
"""Test card numbers whose refunds wait before they succeed, or fail after that, as in Stripe's own documentation."""

Watcher = Callable[[Backend, Json, str], None]
_watchers: list[Watcher] = []


def when_charged(watcher: Watcher) -> Watcher:
    """Call a function with every new charge and the card number that made it ("" for a wallet)."""
    _watchers.append(watcher)
    return watcher


FINAL = frozenset({"succeeded", "canceled"})


def method_details(method: Json) -> Json:
    """``payment_method_details`` of a charge."""
    kind = method["type"]
    if kind == "card":
        return {
            "type": "card",
            "card": {
                k: method["card"].get(k)
                for k in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
            },
        }
    return {"type": kind, kind: {"fingerprint": None, "transaction_id": method["id"]}}


def _charge(backend: Backend, intent: Json, method: Json, status: str, **fields: Any) -> Json:
    return {
        "id": new_id("charge"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if status == "succeeded" else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": None,
        "captured": status == "succeeded",
        "created": backend.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": status == "succeeded",
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": method_details(method),
        "receipt_email": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "status": status,
        "transfer": None,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
        **fields,
    }


def succeed(backend: Backend, intent: Json, method: Json) -> Json:
    """Take the money: charge, movement, intent succeeded, and its Checkout session complete."""
    if intent["status"] in FINAL:
        raise unexpected_state(intent)
    charge = _charge(
        backend,
        intent,
        method,
        "succeeded",
        outcome={
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "type": "authorized",
            "seller_message": "Payment complete.",
        },
    )
    movement = new_movement(
        backend,
        kind="charge",
        category="charge",
        amount=intent["amount"],
        fee=fee_of(method["type"], intent["amount"]),
        currency=intent["currency"],
        source=charge["id"],
        description=intent["description"],
        delay=backend.behaviour("settlement_delay"),
    )
    charge["balance_transaction"] = movement["id"]
    backend.store.add(charge)
    backend.change(
        intent,
        status="succeeded",
        latest_charge=charge["id"],
        amount_received=intent["amount"],
        payment_method=method["id"],
        next_action=None,
        last_payment_error=None,
    )
    backend.emit("charge.succeeded", charge)
    backend.emit("payment_intent.succeeded", intent)
    for session in backend.store.every("checkout.session", payment_intent=intent["id"]):
        backend.change(session, status="complete", payment_status="paid", url=None)
        backend.emit("checkout.session.completed", session)
    for watcher in _watchers:
        watcher(backend, charge, method.get("_number", ""))
    return charge


def decline(backend: Backend, intent: Json, method: Json, number: str) -> ApiError:
    """Record a declined attempt; the error to answer with. The intent can be tried again."""
    code, reason, message = DECLINES[number]
    charge = backend.store.add(_charge(backend, intent, method, "failed", failure_code=code, failure_message=message))
    error = ApiError(
        402,
        "card_error",
        message,
        code=code,
        param="number" if code != "incorrect_cvc" else "cvc",
        kept=True,
        charge=charge["id"],
        **({"decline_code": reason} if reason else {}),
    )
    backend.change(
        intent,
        status="requires_payment_method",
        latest_charge=charge["id"],
        next_action=None,
        payment_method=None,
        last_payment_error=dict(error.error),
    )
    backend.emit("charge.failed", charge)
    backend.emit("payment_intent.payment_failed", intent)
    error.error["payment_intent"] = visible(intent)
    return error


def unexpected_state(intent: Json) -> ApiError:
    """400: the intent is already finished."""
    return invalid(
        f"This PaymentIntent's status is {intent['status']} and cannot be changed.",
        code="payment_intent_unexpected_state",
        kept=True,
        payment_intent=visible(intent),
    )


def cancel_intent(backend: Backend, intent: Json, reason: str | None) -> None:
    """Nothing more can be paid on this intent."""
    backend.change(intent, status="canceled", cancellation_reason=reason, canceled_at=backend.now(), next_action=None)
    backend.emit("payment_intent.canceled", intent)
