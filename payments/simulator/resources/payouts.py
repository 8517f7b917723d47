"""Payouts: money from the balance to a bank account. It arrives, or the bank sends it back."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.errors import invalid
from payments.simulator.movements import available, insufficient, new_movement, positive
from payments.simulator.resources.bank_accounts import REFUSALS, default_bank_account
from payments.simulator.routing import Route, fetch, lister, merged, reader
from payments.simulator.timers import schedule, timed
from payments.simulator.words import Json, new_id, token


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/payouts``; only money that is available can leave."""
    amount, currency = positive(values), values["currency"].lower()
    if "destination" in values:
        bank_account = fetch(backend, "bank_account", values["destination"], param="destination")
    else:
        bank_account = default_bank_account(backend, currency)
    if bank_account["currency"] != currency:
        raise invalid(f"The external account's currency is {bank_account['currency']}.", param="destination")
    if available(backend, currency) < amount:
        raise insufficient()
    payout_id = new_id("payout")
    delay = backend.behaviour("payout_delay")
    arrival = backend.now() + delay
    movement = new_movement(
        backend, kind="payout", category="payout", amount=-amount, fee=0, currency=currency, source=payout_id,
        description="STRIPE PAYOUT",
    )  # fmt: skip
    payout = backend.store.add(
        {
            "id": payout_id,
            "object": "payout",
            "amount": amount,
            "application_fee": None,
            "application_fee_amount": None,
            "arrival_date": arrival,
            "automatic": False,
            "balance_transaction": movement["id"],
            "created": backend.now(),
            "currency": currency,
            "description": values.get("description"),
            "destination": bank_account["id"],
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": values.get("metadata") or {},
            "method": values.get("method", "standard"),
            "original_payout": None,
            "payout_method": None,
            "reconciliation_status": "not_applicable",
            "reversed_by": None,
            "source_type": values.get("source_type", "card"),
            "statement_descriptor": values.get("statement_descriptor"),
            "status": "pending",
            "trace_id": None,
            "type": "bank_account",
        }
    )
    backend.emit("payout.created", payout)
    schedule(backend, arrival - delay // 2, leave, payout_id)
    schedule(backend, arrival, arrive, payout_id)
    return payout


@timed
def leave(backend: Backend, payout: Json) -> None:
    """The payout is on its way and can no longer be canceled."""
    if payout["status"] == "pending":
        backend.update("payout.updated", payout, status="in_transit")


@timed
def arrive(backend: Backend, payout: Json) -> None:
    """The bank takes the money, or sends it back when the account is one of the test accounts for that."""
    if payout["status"] not in ("pending", "in_transit"):
        return
    bank_account = fetch(backend, "bank_account", payout["destination"])
    refusal = REFUSALS.get(bank_account["_number"])
    if refusal is not None:
        send_back(backend, payout, *refusal)
        return
    trace: Json = {"status": "supported", "value": token(12)}
    backend.update("payout.paid", payout, status="paid", trace_id=trace)


def send_back(backend: Backend, payout: Json, code: str, message: str) -> Json:
    """The bank returns the money, up to days after it had seemed to arrive."""
    if payout["status"] in ("failed", "canceled"):
        return payout
    movement = new_movement(
        backend, kind="payout_failure", category="payout_reversal", amount=payout["amount"], fee=0,
        currency=payout["currency"], source=payout["id"], description="PAYOUT FAILURE",
    )  # fmt: skip
    return backend.update(
        "payout.failed", payout, status="failed", failure_code=code, failure_message=message,
        failure_balance_transaction=movement["id"],
    )  # fmt: skip


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/payouts/<id>``: metadata."""
    payout = fetch(backend, "payout", object_id)
    metadata = merged(payout, values)
    return backend.update("payout.updated", payout, metadata=metadata)


def cancel(backend: Backend, _values: Json, object_id: str) -> Json:
    """``POST /v1/payouts/<id>/cancel``, as long as it has not left."""
    payout = fetch(backend, "payout", object_id)
    if payout["status"] != "pending":
        raise invalid(
            f"Payouts can only be canceled while they are pending; this one is {payout['status']}.", kept=True
        )
    movement = new_movement(
        backend, kind="payout_cancel", category="payout_reversal", amount=payout["amount"], fee=0,
        currency=payout["currency"], source=payout["id"], description="PAYOUT CANCELED",
    )  # fmt: skip
    return backend.update(
        "payout.canceled", payout, status="canceled", failure_balance_transaction=movement["id"]
    )  # fmt: skip


_PATH = "/v1/payouts"
_ONE = f"{_PATH}/<object_id>"
ROUTES = (
    Route("POST", _PATH, create, "PayoutCreateParams", "payout"),
    Route("GET", _PATH, lister("payout", _PATH, "status", "destination"), "PayoutListParams", "payout"),
    Route("GET", _ONE, reader("payout"), "PayoutRetrieveParams", "payout"),
    Route("POST", _ONE, update, "PayoutUpdateParams", "payout"),
    Route("POST", f"{_ONE}/cancel", cancel, "PayoutCancelParams", "payout"),
)
