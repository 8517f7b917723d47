"""Refunds: money back to the payer. Cards answer at once, wallets stay pending for a while."""

from __future__ import annotations

from payments.simulator.backend import Backend, drawn
from payments.simulator.charging import LATE_REFUNDS, when_charged
from payments.simulator.errors import ApiError, invalid
from payments.simulator.movements import new_movement
from payments.simulator.routing import Route, fetch, lister, merged, reader
from payments.simulator.timers import schedule, timed
from payments.simulator.words import Json, new_id


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/refunds``; the sum of a charge's refunds never exceeds what was captured.

    A balance may become negative: Stripe then draws on the account holder's bank, it does not refuse the payer.
    """
    charge = _charge(backend, values)
    if charge["disputed"]:
        raise ApiError(
            400,
            "invalid_request_error",
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            kept=True,
        )
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = values.get("amount", left)
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", kept=True)
    if amount < 1:
        raise invalid("Invalid positive integer", param="amount", code="parameter_invalid_integer")
    if amount > left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount", kept=True
        )
    course = charge.get("_refunds")
    at_once = charge["payment_method_details"]["type"] == "card" and course != "waits"
    refund: Json = {
        "id": new_id("refund"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": backend.now(),
        "currency": charge["currency"],
        "customer": None,
        "destination_details": {"type": charge["payment_method_details"]["type"]},
        "failure_balance_transaction": None,
        "metadata": values.get("metadata") or {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": None if at_once else "processing",
        "reason": values.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded" if at_once else "pending",
        "transfer_reversal": None,
    }
    movement = new_movement(
        backend,
        kind="refund",
        category="refund",
        amount=-amount,
        fee=0,
        currency=charge["currency"],
        source=refund["id"],
        description="REFUND FOR CHARGE",
    )
    refund["balance_transaction"] = movement["id"]
    backend.store.add(refund)
    before = backend.change(charge, amount_refunded=charge["amount_refunded"] + amount, refunded=amount == left)
    backend.emit("refund.created", refund)
    backend.emit("charge.refunded", charge, before)
    if not at_once:
        schedule(backend, backend.now() + backend.behaviour("refund_delay"), finish, refund["id"])
    elif course == "comes back":
        schedule(backend, backend.now() + backend.behaviour("refund_delay"), come_back, refund["id"])
    return refund


@when_charged
def expect(backend: Backend, charge: Json, number: str) -> None:
    """The refunds of some test cards are late, or come back."""
    if number in LATE_REFUNDS:
        backend.change(charge, _refunds=LATE_REFUNDS[number])


@timed
def finish(backend: Backend, refund: Json) -> None:
    """A wallet refund reaches the payer; it may still come back later."""
    if refund["status"] != "pending":
        return
    backend.update("refund.updated", refund, status="succeeded", pending_reason=None)
    if drawn(backend, "refund_failures"):
        schedule(backend, backend.now() + backend.behaviour("refund_delay"), come_back, refund["id"])


@timed
def come_back(backend: Backend, refund: Json) -> None:
    """The payer's bank or wallet sends the money back."""
    fail(backend, refund["id"])


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/refunds/<id>``: metadata."""
    refund = fetch(backend, "refund", object_id)
    metadata = merged(refund, values)
    return backend.update("refund.updated", refund, metadata=metadata)


def cancel(backend: Backend, _values: Json, object_id: str) -> Json:
    """``POST /v1/refunds/<id>/cancel``; only refunds that wait for the payer can be canceled, and none here does."""
    refund = fetch(backend, "refund", object_id)
    raise invalid(f"Refund {refund['id']} has a status of {refund['status']} and cannot be canceled.", kept=True)


def _charge(backend: Backend, values: Json) -> Json:
    if "charge" in values:
        return fetch(backend, "charge", values["charge"], param="charge")
    if "payment_intent" not in values:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    intent = fetch(backend, "payment_intent", values["payment_intent"], param="payment_intent")
    if intent["status"] != "succeeded":
        raise invalid(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
            kept=True,
        )
    return fetch(backend, "charge", intent["latest_charge"])


def fail(backend: Backend, object_id: str) -> Json:
    """Control only: the payer's bank sends a refund back, even one that had succeeded."""
    refund = fetch(backend, "refund", object_id)
    if refund["status"] == "failed":
        return refund
    movement = new_movement(
        backend,
        kind="refund_failure",
        category="refund_failure",
        amount=refund["amount"],
        fee=0,
        currency=refund["currency"],
        source=refund["id"],
        description="REFUND FAILURE",
    )
    before = backend.change(
        refund,
        status="failed",
        failure_reason="unknown",
        failure_balance_transaction=movement["id"],
        pending_reason=None,
    )
    charge = fetch(backend, "charge", refund["charge"])
    backend.change(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    backend.emit("refund.failed", refund, before)
    return refund


_PATH = "/v1/refunds"
ROUTES = (
    Route("POST", _PATH, create, "RefundCreateParams", "refund"),
    Route("GET", _PATH, lister("refund", _PATH, "payment_intent", "charge"), "RefundListParams", "refund"),
    Route("GET", f"{_PATH}/<object_id>", reader("refund"), "RefundRetrieveParams", "refund"),
    Route("POST", f"{_PATH}/<object_id>", update, "RefundUpdateParams", "refund"),
    Route("POST", f"{_PATH}/<object_id>/cancel", cancel, "RefundCancelParams", "refund"),
)
