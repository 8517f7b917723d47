"""Transfers to connected accounts, and their reversals."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.charging import available, new_movement
from payments.simulator.errors import invalid
from payments.simulator.routing import Route, fetch, lister, reader
from payments.simulator.words import Json, new_id


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/transfers``; only money that is available can be sent."""
    fetch(backend, "account", values["destination"], param="destination")
    amount, currency = values.get("amount", 0), values["currency"].lower()
    if amount < 1:
        raise invalid("Invalid positive integer", param="amount", code="parameter_invalid_integer")
    if available(backend, currency) < amount:
        raise invalid(
            "You have insufficient available funds in your Stripe account.", code="balance_insufficient", kept=True
        )
    transfer_id = new_id("transfer")
    movement = new_movement(
        backend,
        kind="transfer",
        category="transfer",
        amount=-amount,
        fee=0,
        currency=currency,
        source=transfer_id,
        description=values.get("description"),
    )
    transfer = backend.store.add(
        {
            "id": transfer_id,
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": movement["id"],
            "created": backend.now(),
            "currency": currency,
            "description": values.get("description"),
            "destination": values["destination"],
            "destination_payment": None,
            "livemode": False,
            "metadata": values.get("metadata") or {},
            "reversed": False,
            "reversals": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/transfers/{transfer_id}/reversals",
            },
            "source_transaction": values.get("source_transaction"),
            "source_type": "card",
            "transfer_group": values.get("transfer_group"),
        }
    )
    backend.emit("transfer.created", transfer)
    return transfer


def reverse(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/transfers/<id>/reversals``."""
    transfer = fetch(backend, "transfer", object_id)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = values.get("amount", left)
    if not 1 <= amount <= left:
        raise invalid(
            f"Reversal amount ({amount}) is greater than unreversed amount ({left})", param="amount", kept=True
        )
    reversal_id = new_id("transfer_reversal")
    movement = new_movement(
        backend,
        kind="transfer_refund",
        category="transfer_reversal",
        amount=amount,
        fee=0,
        currency=transfer["currency"],
        source=reversal_id,
        description=None,
    )
    reversal = backend.store.add(
        {
            "id": reversal_id,
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": movement["id"],
            "created": backend.now(),
            "currency": transfer["currency"],
            "destination_payment_refund": None,
            "metadata": values.get("metadata") or {},
            "source_refund": None,
            "transfer": transfer["id"],
        }
    )
    transfer["reversals"]["data"].append(reversal)
    before = backend.change(transfer, amount_reversed=transfer["amount_reversed"] + amount, reversed=amount == left)
    backend.emit("transfer.reversed", transfer, before)
    return reversal


_PATH = "/v1/transfers"
ROUTES = (
    Route("POST", _PATH, create, "TransferCreateParams", "transfer"),
    Route("GET", _PATH, lister("transfer", _PATH, "destination", "transfer_group"), "TransferListParams", "transfer"),
    Route("GET", f"{_PATH}/<object_id>", reader("transfer"), "TransferRetrieveParams", "transfer"),
    Route("POST", f"{_PATH}/<object_id>/reversals", reverse, "TransferCreateReversalParams", "transfer_reversal"),
)
