"""What conformance steps share: one run against one Stripe address, its results, and ways to say what was expected."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import stripe

from payments.gateways.stripe import API_VERSION, CURRENCY, DirectHttp

FEN = 10_000
"""What each test payment is over: 100 yuan, above every method's minimum."""
_SECONDS = (3.05, 20.0)
WHOLE = ["latest_charge.balance_transaction"]
MOST_LOOKS = 45
"""So often a step looks whether what takes a while has happened."""


class Failed(Exception):
    """A step did not come out as it must; the text says how."""


@dataclass(frozen=True)
class Result:
    """How one step came out. `advice` says what to do where it failed."""

    step: str
    passed: bool
    found: str
    advice: str


@dataclass
class Probe:
    """One run. `made` holds what earlier steps made, for the later ones; `wait` lets a little time pass there."""

    key: str
    base_url: str
    http: stripe.HTTPClient | None = None
    wait: Callable[[], object] = field(default=lambda: time.sleep(1))
    made: dict[str, Any] = field(default_factory=dict)

    def client(self, key: str | None = None) -> stripe.StripeClient:
        """A client of this run; another key for the refusals."""
        return stripe.StripeClient(
            key or self.key, stripe_version=cast("Any", API_VERSION), base_addresses={"api": self.base_url},
            max_network_retries=0, http_client=self.http or DirectHttp(timeout=cast("Any", _SECONDS)),
        )  # fmt: skip

    @property
    def v1(self) -> Any:
        return self.client().v1


Step = tuple[str, Callable[[Probe], str], str]
"""What is expected, the check that tells what it found, and what to do where it fails."""


def must(condition: object, told: str) -> None:
    if not condition:
        raise Failed(told)


def refused(call: Callable[[], Any], kind: type[stripe.StripeError], code: str | None = None) -> str:
    """The refusal of a call that must be refused."""
    try:
        call()
    except kind as refusal:
        must(code is None or refusal.code == code, f"code {refusal.code} instead of {code}")
        return f"{type(refusal).__name__} {refusal.code or ''}".strip()
    raise Failed("was accepted")


def header(answer: Any, name: str) -> str | None:
    """A header of an answer, however its name is spelt."""
    return {key.lower(): value for key, value in (answer.last_response.headers or {}).items()}.get(name)


def key_of(_probe: Probe) -> dict[str, Any]:
    """The option with a fresh idempotency key."""
    return {"idempotency_key": f"probe-{uuid4()}"}


def confirmed(probe: Probe, method: str, options: dict[str, Any] | None = None) -> Any:
    """A payment over `FEN` that one of the test cards makes at once."""
    wanted = {
        "amount": FEN, "currency": CURRENCY, "confirm": True, "payment_method": method,
        "metadata": {"probe": "1"}, "expand": WHOLE, "allowed_payment_method_types": ["card"],
    }  # fmt: skip
    return probe.v1.payment_intents.create(wanted | (options or {}), key_of(probe))


def until(probe: Probe, what: str, look: Callable[[], str], wanted: str) -> str:
    """Look again and again until it stands as wanted. Raises Failed with where it stood last."""
    found = look()
    for _ in range(MOST_LOOKS):
        if found == wanted:
            return found
        probe.wait()
        found = look()
    raise Failed(f"{what} stays {found}, expected {wanted}")
