"""When the simulator must not start: beside live keys, in production, or where others could reach it."""

from __future__ import annotations

from collections.abc import Mapping

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
KEY_VARIABLES = ("STRIPE_SECRET_KEY", "STRIPE_API_KEY", "STRIPE_RESTRICTED_KEY", "CHAOSHI_STRIPE_SECRET_KEY")
DEMONSTRATION = "yes-demo"


class StartRefused(Exception):
    """The surroundings look like real money."""


def check_surroundings(environ: Mapping[str, str], host: str) -> None:
    """Raise :class:`StartRefused` unless this is plainly a development machine.

    A simulated success that reaches production books would be money that does not exist; a reachable simulator would
    let anybody pay a bill for nothing.
    """
    if host not in LOOPBACK:
        raise StartRefused(f"The payment simulator listens on loopback only, not on {host!r}.")
    if environ.get("CHAOSHI_ENV") == "production" and environ.get("CHAOSHI_SIMULATORS_IN_PRODUCTION") != DEMONSTRATION:
        raise StartRefused("CHAOSHI_ENV is production: the payment simulator does not run there.")
    for name in KEY_VARIABLES:
        if environ.get(name, "").startswith(("sk_live_", "rk_live_")):
            raise StartRefused(f"{name} holds a live key: the payment simulator does not run beside it.")
