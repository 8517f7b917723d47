"""Conformance steps against any Stripe address: does it do what our adapter relies on (PAYMENTS 0.4, 6.1)?

Run before an installation is switched to a new key or a new version of the package. It makes small objects of its own
(1 yuan), cancels or refunds what it can, and never touches existing ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import stripe

from payments.gateways.stripe import API_VERSION, CURRENCY, DirectHttp

FEN = 10_000
"""What each test payment is over: 100 yuan, above every method's minimum."""
_SECONDS = (3.05, 20.0)
_WHOLE = ["latest_charge.balance_transaction"]


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
    """One run. `made` holds what earlier steps made, for the later ones."""

    key: str
    base_url: str
    http: stripe.HTTPClient | None = None
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


def run(probe: Probe) -> Iterator[Result]:
    """Every step in order, each with its result; a failed one does not stop the others. Stops where nobody answers."""
    for name, step, advice in STEPS:
        try:
            yield Result(name, passed=True, found=step(probe), advice="")
        except stripe.APIConnectionError as failure:
            yield Result(name, passed=False, found=type(failure).__name__, advice="nobody answers at this address")
            return
        except Failed as failure:
            yield Result(name, passed=False, found=str(failure), advice=advice)
        except (stripe.StripeError, AttributeError, KeyError, TypeError, IndexError) as failure:
            yield Result(name, passed=False, found=f"{type(failure).__name__}: {failure}"[:160], advice=advice)


def _must(condition: object, told: str) -> None:
    if not condition:
        raise Failed(told)


def _refused(call: Callable[[], Any], kind: type[stripe.StripeError], code: str | None = None) -> str:
    """The refusal of a call that must be refused."""
    try:
        call()
    except kind as refusal:
        _must(code is None or refusal.code == code, f"code {refusal.code} instead of {code}")
        return f"{type(refusal).__name__} {refusal.code or ''}".strip()
    raise Failed("was accepted")


def _header(answer: Any, name: str) -> str | None:
    """A header of an answer, however its name is spelt."""
    return {key.lower(): value for key, value in (answer.last_response.headers or {}).items()}.get(name)


def _key(_probe: Probe) -> dict[str, Any]:
    return {"idempotency_key": f"probe-{uuid4()}"}


def _authentication(probe: Probe) -> str:
    wrong = probe.client("sk_unheard_of")
    return _refused(wrong.v1.balance.retrieve, stripe.AuthenticationError)


def _balance(probe: Probe) -> str:
    balance = probe.v1.balance.retrieve()
    _must(
        isinstance(balance.available, list) and isinstance(balance.pending, list), "available and pending are no lists"
    )
    return f"{sum(part.amount for part in [*balance.available, *balance.pending] if part.currency == CURRENCY)} fen"


def _confirmed(probe: Probe, method: str, options: dict[str, Any]) -> Any:
    return probe.v1.payment_intents.create(
        {
            "amount": FEN, "currency": CURRENCY, "confirm": True, "payment_method": method,
            "metadata": {"probe": "1"}, "expand": _WHOLE, **options,
        },
        _key(probe),
    )  # fmt: skip


def _card(probe: Probe) -> str:
    intent = _confirmed(probe, "pm_card_visa", {"allowed_payment_method_types": ["card"]})
    _must(intent.status == "succeeded", f"status {intent.status}")
    _must(intent.amount_received == FEN, f"amount_received {intent.amount_received}")
    _must(intent.metadata["probe"] == "1", "metadata lost")
    probe.made["intent"] = intent
    return str(intent.id)


def _movement(probe: Probe) -> str:
    moved = probe.made["intent"].latest_charge.balance_transaction
    _must(moved.amount - moved.fee == moved.net, "net is not amount less fee")
    probe.made["movement"] = moved.id
    return f"{moved.id}: {moved.amount} - {moved.fee} = {moved.net}"


def _removed_parameter(probe: Probe) -> str:
    wanted = {"amount": FEN, "currency": CURRENCY, "payment_method_types": ["card"]}
    return _refused(lambda: probe.v1.payment_intents.create(wanted), stripe.InvalidRequestError)


def _decline(probe: Probe) -> str:
    options = {"allowed_payment_method_types": ["card"]}
    return _refused(lambda: _confirmed(probe, "pm_card_chargeDeclined", options), stripe.CardError, "card_declined")


def _bad_currency(probe: Probe) -> str:
    return _refused(
        lambda: probe.v1.payment_intents.create({"amount": FEN, "currency": "zzz"}), stripe.InvalidRequestError
    )


def _bad_amount(probe: Probe) -> str:
    return _refused(
        lambda: probe.v1.payment_intents.create({"amount": -5, "currency": CURRENCY}), stripe.InvalidRequestError
    )


def _session_request() -> dict[str, Any]:
    return {
        "mode": "payment", "ui_mode": "hosted_page", "client_reference_id": "probe",
        "allowed_payment_method_types": ["alipay", "wechat_pay", "card"],
        "payment_method_options": {"wechat_pay": {"client": "web"}},
        "line_items": [{"quantity": 1, "price_data": {"currency": CURRENCY, "unit_amount": FEN,
                                                      "product_data": {"name": "探测"}}}],
        "success_url": "https://example.com/back", "cancel_url": "https://example.com/back", "locale": "zh",
    }  # fmt: skip


def _session(probe: Probe) -> str:
    session = probe.v1.checkout.sessions.create(_session_request(), _key(probe))
    _must(session.status == "open" and session.url, f"status {session.status}")
    _must(session.amount_total == FEN, f"amount_total {session.amount_total}")
    probe.made["session"] = session.id
    return str(session.id)


def _methods(probe: Probe) -> str:
    session = probe.v1.checkout.sessions.retrieve(probe.made["session"])
    missing = {"alipay", "wechat_pay", "card"} - set(session.payment_method_types)
    _must(not missing, f"dropped silently: {', '.join(sorted(missing))}")
    return ", ".join(session.payment_method_types)


def _expire(probe: Probe) -> str:
    probe.v1.checkout.sessions.expire(probe.made["session"])
    session = probe.v1.checkout.sessions.retrieve(probe.made["session"])
    _must(session.status == "expired", f"status {session.status}")
    return "expired"


def _listed_session(probe: Probe) -> str:
    listed = probe.v1.checkout.sessions.list({"limit": 10})
    _must(any(one.id == probe.made["session"] for one in listed.data), "the session is not in the list")
    return f"{len(listed.data)} listed"


def _same_key(probe: Probe) -> str:
    key = _key(probe)
    wanted = {"amount": FEN, "currency": CURRENCY}
    first, again = (probe.v1.payment_intents.create(wanted, key) for _ in range(2))
    _must(first.id == again.id, "the same key made two objects")
    _must(_header(again, "idempotent-replayed") == "true", "no Idempotent-Replayed header")
    probe.made["key"] = key
    return str(first.id)


def _other_body(probe: Probe) -> str:
    wanted = {"amount": FEN + 1, "currency": CURRENCY}
    return _refused(lambda: probe.v1.payment_intents.create(wanted, probe.made["key"]), stripe.IdempotencyError)


def _refund(probe: Probe) -> str:
    wanted = {"payment_intent": probe.made["intent"].id, "amount": 100, "reason": "requested_by_customer",
              "metadata": {"probe": "1"}}  # fmt: skip
    key = _key(probe)
    first, again = (probe.v1.refunds.create(wanted, key) for _ in range(2))
    _must(first.id == again.id, "the same key refunded twice")
    _must(first.status in ("succeeded", "pending"), f"status {first.status}")
    return f"{first.id} {first.status}"


def _too_much(probe: Probe) -> str:
    wanted = {"payment_intent": probe.made["intent"].id, "amount": FEN}
    return _refused(lambda: probe.v1.refunds.create(wanted), stripe.InvalidRequestError)


def _missing(probe: Probe) -> str:
    return _refused(
        lambda: probe.v1.payment_intents.retrieve("pi_unheard_of"), stripe.InvalidRequestError, "resource_missing"
    )


def _movements(probe: Probe) -> str:
    listed = probe.v1.balance_transactions.list({"limit": 100})
    _must(
        any(one.id == probe.made["movement"] for one in listed.auto_paging_iter()),
        "the charge's movement is not listed",
    )
    return f"{len(listed.data)} on the first page"


def _events(probe: Probe) -> str:
    listed = probe.v1.events.list({"limit": 100})
    kinds = {event.type for event in listed.data}
    _must("payment_intent.succeeded" in kinds, "payment_intent.succeeded is not listed")
    return f"{len(listed.data)} events"


def _endpoint(probe: Probe) -> str:
    wanted = {"url": f"https://example.com/probe/{uuid4().hex}", "enabled_events": ["payment_intent.succeeded"]}
    made = probe.v1.webhook_endpoints.create(wanted)
    try:
        _must((made.secret or "").startswith("whsec_"), "no secret was told")
        listed = probe.v1.webhook_endpoints.list({"limit": 100})
        _must(any(one.id == made.id for one in listed.auto_paging_iter()), "the endpoint is not listed")
    finally:
        probe.v1.webhook_endpoints.delete(made.id)
    return "made, listed and removed"


def _payouts(probe: Probe) -> str:
    return f"{len(probe.v1.payouts.list({'limit': 1}).data)} listed"


def _disputes(probe: Probe) -> str:
    return f"{len(probe.v1.disputes.list({'limit': 1}).data)} listed"


def _transfers(probe: Probe) -> str:
    return f"{len(probe.v1.transfers.list({'limit': 1}).data)} listed"


def _request_id(probe: Probe) -> str:
    told = _header(probe.v1.balance.retrieve(), "request-id")
    _must(told, "no Request-Id header")
    return str(told)


STEPS: tuple[Step, ...] = (
    ("a wrong key is refused", _authentication, "the address is no Stripe: it lets everybody in"),
    ("the balance is told", _balance, "the key may not read the balance: reconciliation needs it"),
    ("every answer has a Request-Id", _request_id, "support cannot find requests without it"),
    ("a card payment settles at once", _card, "switch card payments on in the dashboard"),
    ("its movement names the fee", _movement, "expand latest_charge.balance_transaction does not work"),
    ("the removed payment_method_types is refused", _removed_parameter, "an older API version answers: pin the present one"),
    ("a declined card is a CardError", _decline, "declines would be taken for our own mistakes"),
    ("an unknown currency is refused", _bad_currency, "amounts in wrong currencies would be accepted"),
    ("a negative amount is refused", _bad_amount, "wrong amounts would be accepted"),
    ("a cashier session opens", _session, "Checkout is not switched on for this account"),
    ("it offers Alipay, WeChat Pay and cards", _methods, "switch the missing methods on in the dashboard, or take them from the adapter's list"),
    ("it can be found in the list", _listed_session, "lost references could not be found again"),
    ("it can be closed", _expire, "a bill could be paid in two ways at once"),
    ("the same key makes one object", _same_key, "a repeated request would charge twice: do not use this address"),
    ("the same key with another body is refused", _other_body, "mistakes of ours would go unnoticed"),
    ("a part is refunded once for its key", _refund, "a repeated request would refund twice: do not use this address"),
    ("more than was paid is not refunded", _too_much, "refunds are not limited by the payment"),
    ("an unknown object is resource_missing", _missing, "lost objects could not be told from failures"),
    ("movements of the balance are listed", _movements, "the books cannot be compared: the key may not read them"),
    ("events are listed", _events, "lost notices could not be fetched again"),
    ("a notice address is made and removed", _endpoint, "the key may not register webhooks: configure the address and its secret by hand"),
    ("transfers are listed", _transfers, "Connect is not switched on: agencies cannot be paid through it"),
    ("payouts are listed", _payouts, "the key may not read payouts"),
    ("disputes are listed", _disputes, "the key may not read disputes"),
)  # fmt: skip
