"""Disputes: the payer's bank takes the money back until it is decided whose it is.

Opened by a test card (`DISPUTED_CARDS`) or through ``/_sim/disputes``. Evidence text decides, as in Stripe's own test
mode: `winning_evidence` and `losing_evidence`; other evidence waits for a decision through ``/_sim/dispute-decisions``.
"""

from __future__ import annotations

from typing import Literal

from payments.simulator.backend import DISPUTE_FEE, Backend
from payments.simulator.charging import DISPUTED_CARDS, when_charged
from payments.simulator.errors import invalid
from payments.simulator.movements import new_movement
from payments.simulator.routing import Route, fetch, lister, merged, reader
from payments.simulator.timers import schedule, timed
from payments.simulator.words import Json, new_id

OPEN = ("needs_response", "under_review")
Outcome = Literal["won", "lost"]
_TEXTS = (
    "access_activity_log", "appeal", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


@timed
def open_by_card(backend: Backend, charge: Json) -> None:
    """The test card says that its holder disputes the charge."""
    open_dispute(backend, charge, charge["amount"], charge["_dispute"])


@when_charged
def expect(backend: Backend, charge: Json, number: str) -> None:
    """A charge of one of the test cards is disputed as soon as it is made."""
    if number in DISPUTED_CARDS:
        backend.change(charge, _dispute=DISPUTED_CARDS[number])
        schedule(backend, backend.now(), open_by_card, charge["id"])


def open_dispute(backend: Backend, charge: Json, amount: int, reason: str) -> Json:
    """The bank takes the amount and the dispute fee from the balance, which may become negative."""
    if charge["disputed"] or not charge["paid"]:
        raise invalid(f"Charge {charge['id']} cannot be disputed.", param="charge")
    if not 1 <= amount <= charge["amount"] - charge["amount_refunded"]:
        raise invalid("The disputed amount must be within what was captured and not refunded.", param="amount")
    dispute_id = new_id("dispute")
    due_by = backend.now() + backend.behaviour("dispute_days") * 86_400
    taken = new_movement(
        backend, kind="adjustment", category="dispute", amount=-amount, fee=DISPUTE_FEE, currency=charge["currency"],
        source=dispute_id, description=f"Chargeback withdrawal for {charge['id']}",
    )  # fmt: skip
    dispute = backend.store.add(
        {
            "id": dispute_id,
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [taken],
            "charge": charge["id"],
            "created": backend.now(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(_TEXTS), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": due_by,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "intended_submission_method": None,
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "network_reason_code": _network_code(reason),
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {"type": "card", "card": _card_of(charge, reason)},
            "reason": reason,
            "status": "needs_response",
        }
    )
    backend.change(charge, disputed=True)
    backend.emit("charge.dispute.created", dispute)
    backend.emit("charge.dispute.funds_withdrawn", dispute)
    schedule(backend, due_by, run_out, dispute_id)
    return dispute


def _network_code(reason: str) -> str:
    return "10.4" if reason == "fraudulent" else "13.1"


def _card_of(charge: Json, reason: str) -> Json:
    brand = (charge["payment_method_details"].get("card") or {}).get("brand", "unknown")
    return {"brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": _network_code(reason)}


@timed
def run_out(backend: Backend, dispute: Json) -> None:
    """Who does not answer in time has lost."""
    if dispute["status"] == "needs_response":
        details = {**dispute["evidence_details"], "past_due": True}
        backend.change(dispute, evidence_details=details)
        decide(backend, dispute, "lost")


def decide(backend: Backend, dispute: Json, outcome: Outcome) -> Json:
    """The bank's decision. The amount comes back with a win, the fee does not."""
    if dispute["status"] not in OPEN:
        return dispute
    if outcome == "won":
        back = new_movement(
            backend, kind="adjustment", category="dispute_reversal", amount=dispute["amount"], fee=0,
            currency=dispute["currency"], source=dispute["id"],
            description=f"Chargeback reversal for {dispute['charge']}",
        )  # fmt: skip
        dispute["balance_transactions"].append(back)
    backend.update("charge.dispute.closed", dispute, status=outcome)
    if outcome == "won":
        backend.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/disputes/<id>``: stage evidence, and submit it unless `submit` is false."""
    dispute = fetch(backend, "dispute", object_id)
    if dispute["status"] != "needs_response" and "evidence" in values:
        raise invalid("This dispute can no longer be answered.", param="evidence", kept=True)
    changed: Json = {}
    if values.get("metadata"):
        changed["metadata"] = merged(dispute, values)
    if "evidence" in values:
        given = {k: v or None for k, v in values["evidence"].items()}
        details = {**dispute["evidence_details"], "has_evidence": True}
        changed |= {"evidence": {**dispute["evidence"], **given}, "evidence_details": details}
    if dispute["status"] == "needs_response" and values.get("submit", "evidence" in values):
        details = {**dispute["evidence_details"], **changed.get("evidence_details", {})}
        changed["evidence_details"] = {
            **details,
            "submission_count": details["submission_count"] + 1,
            "submission_method": "manual",
        }
        changed["status"] = "under_review"
        schedule(backend, backend.now() + backend.behaviour("review_delay"), review, object_id)
    return backend.update("charge.dispute.updated", dispute, **changed)


@timed
def review(backend: Backend, dispute: Json) -> None:
    """The bank reads the evidence."""
    outcomes: dict[str, Outcome] = {"winning_evidence": "won", "losing_evidence": "lost"}
    outcome = outcomes.get(dispute["evidence"]["uncategorized_text"] or "")
    if outcome is not None:
        decide(backend, dispute, outcome)


def close(backend: Backend, _values: Json, object_id: str) -> Json:
    """``POST /v1/disputes/<id>/close``: give in; the dispute is lost."""
    dispute = fetch(backend, "dispute", object_id)
    if dispute["status"] != "needs_response":
        raise invalid("This dispute is already closed or under review.", kept=True)
    return decide(backend, dispute, "lost")


_PATH = "/v1/disputes"
_ONE = f"{_PATH}/<object_id>"
ROUTES = (
    Route("GET", _PATH, lister("dispute", _PATH, "charge", "payment_intent"), "DisputeListParams", "dispute"),
    Route("GET", _ONE, reader("dispute"), "DisputeRetrieveParams", "dispute"),
    Route("POST", _ONE, update, "DisputeUpdateParams", "dispute"),
    Route("POST", f"{_ONE}/close", close, "DisputeCloseParams", "dispute"),
)
