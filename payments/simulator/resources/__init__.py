"""One module per API resource; ``ROUTES`` lists what the simulator answers."""

from __future__ import annotations

from payments.simulator.resources import (
    accounts,
    balance,
    charges,
    checkout_sessions,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    transfers,
    webhook_endpoints,
)
from payments.simulator.routing import Route

ROUTES: tuple[Route, ...] = (
    *checkout_sessions.ROUTES,
    *payment_intents.ROUTES,
    *charges.ROUTES,
    *refunds.ROUTES,
    *balance.ROUTES,
    *events.ROUTES,
    *webhook_endpoints.ROUTES,
    *customers.ROUTES,
    *payment_methods.ROUTES,
    *transfers.ROUTES,
    *accounts.ROUTES,
    *payouts.ROUTES,
    *disputes.ROUTES,
)
