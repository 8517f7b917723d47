"""What happens to money: a payment intent succeeds or is declined, a refund leaves, a sum becomes available."""

from __future__ import annotations

from typing import Any

from payments.simulator.backend import Backend, fee_of, visible
from payments.simulator.errors import ApiError, invalid
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

FINAL = frozenset({"succeeded", "canceled"})


def new_movement(
    backend: Backend,
    *,
    kind: str,
    category: str,
    amount: int,
    fee: int,
    currency: str,
    source: str,
    description: str | None,
    delay: int = 0,
) -> Json:
    """A balance transaction: one immutable movement of the account's balance."""
    now = backend.now()
    fees = (
        [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ]
        if fee
        else []
    )
    return backend.store.add(
        {
            "id": new_id("balance_transaction"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now + delay,
            "balance_type": "payments",
            "created": now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": fees,
            "net": amount - fee,
            "reporting_category": category,
            "source": source,
            "status": "pending" if delay else "available",
            "type": kind,
        }
    )


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


def available(backend: Backend, currency: str) -> int:
    """Money of that currency that can be sent on, in its minor unit."""
    return sum(m["net"] for m in backend.store.every("balance_transaction", currency=currency, status="available"))


def finish_refund(backend: Backend, refund: Json) -> None:
    """A refund reaches the payer."""
    backend.change(refund, status="succeeded", pending_reason=None)
    backend.emit("refund.updated", refund, {"status": "pending"})


def sweep(backend: Backend) -> None:
    """Everything that happens by the mere passing of time. Cheap; runs before each request and on every tick."""
    now = backend.now()
    for movement in backend.store.every("balance_transaction", status="pending"):
        if movement["available_on"] <= now:
            backend.change(movement, status="available")
    for refund in backend.store.every("refund", status="pending"):
        if refund["_due"] <= now:
            finish_refund(backend, refund)
    for session in backend.store.every("checkout.session", status="open"):
        if session["expires_at"] <= now:
            expire_session(backend, session)


def expire_session(backend: Backend, session: Json) -> None:
    """The payer can no longer pay through this session; an unfinished intent is canceled with it."""
    backend.change(session, status="expired", url=None)
    if session["payment_intent"]:
        intent = backend.store.find(session["payment_intent"])
        if intent is not None and intent["status"] not in FINAL:
            cancel_intent(backend, intent, "expired")
    backend.emit("checkout.session.expired", session)


def cancel_intent(backend: Backend, intent: Json, reason: str | None) -> None:
    """Nothing more can be paid on this intent."""
    backend.change(intent, status="canceled", cancellation_reason=reason, canceled_at=backend.now(), next_action=None)
    backend.emit("payment_intent.canceled", intent)
