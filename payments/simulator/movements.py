"""Balance transactions: the immutable movements that the account's balance is the sum of."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.errors import ApiError, invalid
from payments.simulator.timers import schedule, timed
from payments.simulator.words import Json, new_id


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
    """Move money: `amount` in the minor unit, signed from the account's side, available after `delay` seconds."""
    now = backend.now()
    movement = backend.store.add(
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
            "fee_details": _fee_details(fee, currency, kind),
            "net": amount - fee,
            "reporting_category": category,
            "source": source,
            "status": "pending" if delay else "available",
            "type": kind,
        }
    )
    if delay:
        schedule(backend, movement["available_on"], become_available, movement["id"])
    return movement


def _fee_details(fee: int, currency: str, kind: str) -> list[Json]:
    if not fee:
        return []
    what = "Dispute fee" if kind == "adjustment" else "Stripe processing fees"
    return [{"amount": fee, "application": None, "currency": currency, "description": what, "type": "stripe_fee"}]


@timed
def become_available(backend: Backend, movement: Json) -> None:
    """Money that had settled can be sent on."""
    backend.change(movement, status="available")


def available(backend: Backend, currency: str) -> int:
    """Money of that currency that can be sent on, in its minor unit."""
    return sum(total for status, unit, total in backend.store.nets() if (status, unit) == ("available", currency))


def insufficient(message: str = "You have insufficient available funds in your Stripe account.") -> ApiError:
    """400 `balance_insufficient`. An idempotency key remembers it: trying again needs another key."""
    return invalid(message, code="balance_insufficient", kept=True)


def positive(values: Json, name: str = "amount") -> int:
    """The amount in the request; raises Stripe's refusal of zero and less."""
    amount: int = values.get(name, 0)
    if amount < 1:
        raise invalid("Invalid positive integer", param=name, code="parameter_invalid_integer")
    return amount
