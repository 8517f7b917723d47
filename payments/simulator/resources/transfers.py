"""Transfers to connected accounts, and their reversals. Both sides have their own movement."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.errors import ApiError, invalid
from payments.simulator.movements import available, insufficient, new_movement, positive
from payments.simulator.routing import Route, fetch, lister, merged, reader
from payments.simulator.words import Json, new_id


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/transfers``; only money that is available can be sent on."""
    destination = fetch(backend, "account", values["destination"], param="destination")["id"]
    amount, currency = positive(values), values["currency"].lower()
    source = values.get("source_transaction")
    if source is not None:
        fetch(backend, "charge", source, param="source_transaction")
    if available(backend, currency) < amount:
        raise insufficient()
    transfer_id = new_id("transfer")
    movement = new_movement(
        backend, kind="transfer", category="transfer", amount=-amount, fee=0, currency=currency, source=transfer_id,
        description=values.get("description"),
    )  # fmt: skip
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
            "destination": destination,
            "destination_payment": _arrive(backend, destination, amount, currency),
            "livemode": False,
            "metadata": values.get("metadata") or {},
            "reversed": False,
            "reversals": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/transfers/{transfer_id}/reversals",
            },
            "source_transaction": source,
            "source_type": "card",
            "transfer_group": values.get("transfer_group") or f"group_{transfer_id}",
        }
    )
    backend.emit("transfer.created", transfer)
    return transfer


def _arrive(backend: Backend, destination: str, amount: int, currency: str) -> str:
    """The payment that the connected account sees, in its own balance."""
    payment_id = new_id("payment")
    with backend.store.acting_for(destination):
        new_movement(
            backend, kind="payment", category="charge", amount=amount, fee=0, currency=currency, source=payment_id,
            description=None,
        )  # fmt: skip
    return payment_id


def reverse(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/transfers/<id>/reversals``; refused when the connected account has paid the money out meanwhile."""
    transfer = fetch(backend, "transfer", object_id)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = values.get("amount", left)
    if left == 0:
        raise invalid(f"Transfer {object_id} is already fully reversed.", code="transfer_already_reversed", kept=True)
    if not 1 <= amount <= left:
        raise invalid(
            f"Reversal amount ({amount}) is greater than unreversed amount ({left})", param="amount", kept=True
        )
    _take_back(backend, transfer, amount)
    reversal_id = new_id("transfer_reversal")
    movement = new_movement(
        backend, kind="transfer_refund", category="transfer_reversal", amount=amount, fee=0,
        currency=transfer["currency"], source=reversal_id, description=values.get("description"),
    )  # fmt: skip
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
    reversals = {**transfer["reversals"], "data": [reversal, *transfer["reversals"]["data"]]}
    backend.update(
        "transfer.reversed", transfer, amount_reversed=transfer["amount_reversed"] + amount, reversed=amount == left,
        reversals=reversals,
    )  # fmt: skip
    return reversal


def _take_back(backend: Backend, transfer: Json, amount: int) -> None:
    with backend.store.acting_for(transfer["destination"]):
        if available(backend, transfer["currency"]) < amount:
            raise insufficient(
                "The connected account has insufficient available funds to reverse this transfer; it may have paid "
                "them out already."
            )
        new_movement(
            backend, kind="payment_refund", category="refund", amount=-amount, fee=0, currency=transfer["currency"],
            source=transfer["destination_payment"] or transfer["id"], description="REFUND FOR PAYMENT",
        )  # fmt: skip


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/transfers/<id>``: description and metadata."""
    transfer = fetch(backend, "transfer", object_id)
    metadata = merged(transfer, values)
    description = values.get("description", transfer["description"])
    return backend.update("transfer.updated", transfer, metadata=metadata, description=description)


def reversals(backend: Backend, _values: Json, object_id: str) -> Json:
    """``GET /v1/transfers/<id>/reversals``."""
    found: Json = fetch(backend, "transfer", object_id)["reversals"]
    return found


def reversal(backend: Backend, _values: Json, object_id: str, reversal_id: str) -> Json:
    """``GET /v1/transfers/<id>/reversals/<reversal>``."""
    found = fetch(backend, "transfer_reversal", reversal_id)
    if found["transfer"] != object_id:
        raise ApiError(404, "invalid_request_error", f"No such transfer reversal: '{reversal_id}'", param="id")
    return found


_PATH = "/v1/transfers"
_ONE = f"{_PATH}/<object_id>"
ROUTES = (
    Route("POST", _PATH, create, "TransferCreateParams", "transfer"),
    Route("GET", _PATH, lister("transfer", _PATH, "destination", "transfer_group"), "TransferListParams", "transfer"),
    Route("GET", _ONE, reader("transfer"), "TransferRetrieveParams", "transfer"),
    Route("POST", _ONE, update, "TransferUpdateParams", "transfer"),
    Route("POST", f"{_ONE}/reversals", reverse, "TransferReversalCreateParams", "transfer_reversal"),
    Route("GET", f"{_ONE}/reversals", reversals, "TransferReversalListParams", "transfer_reversal"),
    Route("GET", f"{_ONE}/reversals/<reversal_id>", reversal, "TransferReversalRetrieveParams", "transfer_reversal"),
)
