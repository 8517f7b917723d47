"""Conformance steps of money that comes in: payments, cashier sessions, keys, refunds, lists and notices."""

from typing import Any
from uuid import uuid4

import stripe

from payments.gateways.probing import FEN, Probe, Step, confirmed, header, key_of, must, refused
from payments.gateways.stripe import CURRENCY


def _authentication(probe: Probe) -> str:
    wrong = probe.client("sk_unheard_of")
    return refused(wrong.v1.balance.retrieve, stripe.AuthenticationError)


def _balance(probe: Probe) -> str:
    balance = probe.v1.balance.retrieve()
    must(
        isinstance(balance.available, list) and isinstance(balance.pending, list), "available and pending are no lists"
    )
    return f"{sum(part.amount for part in [*balance.available, *balance.pending] if part.currency == CURRENCY)} fen"


def _card(probe: Probe) -> str:
    intent = confirmed(probe, "pm_card_visa")
    must(intent.status == "succeeded", f"status {intent.status}, expected succeeded")
    must(intent.amount_received == FEN, f"amount_received {intent.amount_received}, expected {FEN}")
    must(intent.metadata["probe"] == "1", "metadata lost")
    probe.made["intent"] = intent
    return str(intent.id)


def _movement(probe: Probe) -> str:
    moved = probe.made["intent"].latest_charge.balance_transaction
    must(moved.amount - moved.fee == moved.net, "net is not amount less fee")
    probe.made["movement"] = moved.id
    return f"{moved.id}: {moved.amount} - {moved.fee} = {moved.net}"


def _removed_parameter(probe: Probe) -> str:
    wanted = {"amount": FEN, "currency": CURRENCY, "payment_method_types": ["card"]}
    return refused(lambda: probe.v1.payment_intents.create(wanted), stripe.InvalidRequestError)


def _decline(probe: Probe) -> str:
    return refused(lambda: confirmed(probe, "pm_card_chargeDeclined"), stripe.CardError, "card_declined")


def _bad_currency(probe: Probe) -> str:
    return refused(
        lambda: probe.v1.payment_intents.create({"amount": FEN, "currency": "zzz"}), stripe.InvalidRequestError
    )


def _bad_amount(probe: Probe) -> str:
    return refused(
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
    session = probe.v1.checkout.sessions.create(_session_request(), key_of(probe))
    must(session.status == "open" and session.url, f"status {session.status}, expected open with an address")
    must(session.amount_total == FEN, f"amount_total {session.amount_total}, expected {FEN}")
    probe.made["session"] = session.id
    return str(session.id)


def _methods(probe: Probe) -> str:
    session = probe.v1.checkout.sessions.retrieve(probe.made["session"])
    missing = {"alipay", "wechat_pay", "card"} - set(session.payment_method_types)
    must(not missing, f"dropped silently: {', '.join(sorted(missing))}")
    return ", ".join(session.payment_method_types)


def _expire(probe: Probe) -> str:
    probe.v1.checkout.sessions.expire(probe.made["session"])
    session = probe.v1.checkout.sessions.retrieve(probe.made["session"])
    must(session.status == "expired", f"status {session.status}, expected expired")
    return "expired"


def _listed_session(probe: Probe) -> str:
    listed = probe.v1.checkout.sessions.list({"limit": 10})
    must(any(one.id == probe.made["session"] for one in listed.data), "the session is not in the list")
    return f"{len(listed.data)} listed"


def _same_key(probe: Probe) -> str:
    key = key_of(probe)
    wanted = {"amount": FEN, "currency": CURRENCY}
    first, again = (probe.v1.payment_intents.create(wanted, key) for _ in range(2))
    must(first.id == again.id, "the same key made two objects")
    must(header(again, "idempotent-replayed") == "true", "no Idempotent-Replayed header")
    probe.made["key"] = key
    return str(first.id)


def _other_body(probe: Probe) -> str:
    wanted = {"amount": FEN + 1, "currency": CURRENCY}
    return refused(lambda: probe.v1.payment_intents.create(wanted, probe.made["key"]), stripe.IdempotencyError)


def _refund(probe: Probe) -> str:
    wanted = {"payment_intent": probe.made["intent"].id, "amount": 100, "reason": "requested_by_customer",
              "metadata": {"probe": "1"}}  # fmt: skip
    key = key_of(probe)
    first, again = (probe.v1.refunds.create(wanted, key) for _ in range(2))
    must(first.id == again.id, "the same key refunded twice")
    must(first.status in ("succeeded", "pending"), f"status {first.status}, expected succeeded or pending")
    return f"{first.id} {first.status}"


def _too_much(probe: Probe) -> str:
    wanted = {"payment_intent": probe.made["intent"].id, "amount": FEN}
    return refused(lambda: probe.v1.refunds.create(wanted), stripe.InvalidRequestError)


def _missing(probe: Probe) -> str:
    return refused(
        lambda: probe.v1.payment_intents.retrieve("pi_unheard_of"), stripe.InvalidRequestError, "resource_missing"
    )


def _movements(probe: Probe) -> str:
    listed = probe.v1.balance_transactions.list({"limit": 100})
    must(
        any(one.id == probe.made["movement"] for one in listed.auto_paging_iter()),
        "the charge's movement is not listed",
    )
    return f"{len(listed.data)} on the first page"


def _events(probe: Probe) -> str:
    listed = probe.v1.events.list({"limit": 100})
    kinds = {event.type for event in listed.data}
    must("payment_intent.succeeded" in kinds, "payment_intent.succeeded is not listed")
    return f"{len(listed.data)} events"


def _endpoint(probe: Probe) -> str:
    wanted = {"url": f"https://example.com/probe/{uuid4().hex}", "enabled_events": ["payment_intent.succeeded"]}
    made = probe.v1.webhook_endpoints.create(wanted)
    try:
        must((made.secret or "").startswith("whsec_"), "no secret was told")
        listed = probe.v1.webhook_endpoints.list({"limit": 100})
        must(any(one.id == made.id for one in listed.auto_paging_iter()), "the endpoint is not listed")
    finally:
        probe.v1.webhook_endpoints.delete(made.id)
    return "made, listed and removed"


def _request_id(probe: Probe) -> str:
    told = header(probe.v1.balance.retrieve(), "request-id")
    must(told, "no Request-Id header")
    return str(told)


INCOMING: tuple[Step, ...] = (
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
)  # fmt: skip
