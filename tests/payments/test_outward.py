"""What partners' systems are told of money: every type once, to whom, and nothing about persons."""

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import outbox
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from app.webhooks import services as webhooks
from app.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.models.refunds import Refund
from payments.outward import WEBHOOK_EVENTS
from payments.services import DecideRefund, StartPayment, cancel_payment, sync_refund
from payments.services.disputes import sync_dispute
from payments.services.payouts import sync_payout
from payments.simulator.application import Simulator
from tests.payments.test_outgoing import approved, disputed, pass_time
from tests.payments.test_payment_services import control

NOWHERE = "http://127.0.0.1:1999/in"
KINDS = tuple(event.kind for event in WEBHOOK_EVENTS)


@pytest.fixture
def told(app: Flask, owner: Actor, agency: Actor, operator: Actor) -> Callable[[], dict[str, list[Any]]]:
    """All three subscribe to everything; what was put on its way since the last call: type and data by listener."""
    names = {}
    for name, actor in (("owner", owner), ("agency", agency), ("operator", operator)):
        names[webhooks.subscribe(actor, webhooks.Subscribe(NOWHERE, name, KINDS))[0]] = name
    seen: set[UUID] = set()

    def read() -> dict[str, list[Any]]:
        outbox.drain_all()
        rows = db.session.execute(
            sa.select(WebhookDelivery.id, WebhookDelivery.endpoint_id, WebhookMessage.type, WebhookMessage.body)
            .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
            .order_by(WebhookDelivery.id)
        ).all()
        found = defaultdict(list)
        for delivery_id, endpoint_id, kind, body in rows:
            if delivery_id not in seen:
                found[names[endpoint_id]].append((kind, json.loads(body)["data"]))
        seen.update(row.id for row in rows)
        db.session.rollback()
        return found

    return read


def kinds(messages: list[Any]) -> list[str]:
    return sorted(kind for kind, _data in messages)


def test_payments_and_refunds(
    gateway: StripeGateway, told: Callable[[], dict[str, list[Any]]], paid: Callable[..., UUID],
    a_bill: Callable[..., UUID], owner: Actor, operator: Actor, second: Actor, simulator: Simulator,
) -> None:  # fmt: skip
    bill_id = paid(100_000)
    first = told()
    assert kinds(first["owner"]) == ["bill.opened", "bill.paid", "payment.succeeded", "receipt.issued"]
    assert kinds(first["agency"]) == ["bill.opened", "bill.paid", "receipt.issued"]
    assert kinds(first["operator"]) == kinds(first["owner"])
    data = dict(first["owner"])
    assert data["payment.succeeded"]["bill_ids"] == [str(bill_id)]
    assert data["payment.succeeded"]["amount_fen"] == 100_000
    assert data["receipt.issued"]["receipt_number"].startswith("SJ-")
    assert owner.name not in json.dumps(first["operator"], ensure_ascii=False)

    attempt = services.start_payment(owner, a_bill(5_000), StartPayment("card"))
    services.send_payment(attempt)
    cancel_payment(owner, attempt)
    given_up = told()
    assert kinds(given_up["owner"]) == ["bill.opened", "payment.failed"]
    assert dict(given_up["owner"])["payment.failed"]["state"] == "canceled"
    assert kinds(given_up["agency"]) == ["bill.opened"]

    services.reject_refund(second, services.refund(operator, bill_id, "误申请", 1_000), DecideRefund("无依据"))
    refund_id = services.refund(operator, bill_id, "减少点位", 2_000)
    services.approve_refund(second, refund_id, DecideRefund())
    gone = told()
    assert kinds(gone["owner"]) == ["refund.rejected", "refund.requested", "refund.requested", "refund.succeeded"]
    assert kinds(gone["agency"]) == kinds(gone["owner"])
    assert dict(gone["owner"])["refund.succeeded"]["refund_id"] == str(refund_id)
    control(simulator, "/refund-failures", refund=db.session.get_one(Refund, refund_id).gateway_ref)
    db.session.rollback()
    sync_refund(refund_id)
    assert kinds(told()["owner"]) == ["refund.failed"]


def test_payouts_and_disputes(
    gateway: StripeGateway, told: Callable[[], dict[str, list[Any]]], balance: Callable[[int], UUID],
    account: Callable[..., UUID], paid: Callable[..., UUID], agency: Actor, operator: Actor, simulator: Simulator,
) -> None:  # fmt: skip
    account("000111111113")  # Stripe's test number of a closed account
    balance(100_000)
    told()
    payout_id = approved(agency, operator)
    outbox.drain_all()
    pass_time(simulator)
    assert sync_payout(payout_id) == "failed"
    failed = told()
    assert kinds(failed["agency"]) == ["payout.failed"]
    assert dict(failed["agency"])["payout.failed"]["amount_fen"] == 100_000
    assert failed["owner"] == []

    dispute_id = disputed(gateway, simulator, paid(70_000), 40_000).id
    db.session.rollback()
    opened = told()
    assert "dispute.opened" in kinds(opened["agency"])
    assert "dispute.opened" not in kinds(opened["owner"])  # the payer deals with the own bank
    from payments.models.disputes import PaymentDispute

    ref = db.session.get_one(PaymentDispute, dispute_id).gateway_ref
    db.session.rollback()
    control(simulator, "/dispute-decisions", dispute=ref, outcome="won")
    sync_dispute(dispute_id)
    ((kind, data),) = told()["agency"]
    assert (kind, data["state"], data["amount_fen"]) == ("dispute.closed", "won", 40_000)


def test_a_payout_that_arrives(
    gateway: StripeGateway, told: Callable[[], dict[str, list[Any]]], balance: Callable[[int], UUID],
    account: Callable[..., UUID], agency: Actor, operator: Actor, simulator: Simulator,
) -> None:  # fmt: skip
    account()
    balance(100_000)
    told()
    payout_id = approved(agency, operator, 60_000)
    outbox.drain_all()
    pass_time(simulator)
    assert sync_payout(payout_id) == "paid"
    ((kind, data),) = told()["agency"]
    assert (kind, data["payout_id"], data["state"]) == ("payout.paid", str(payout_id), "paid")


def test_nobody_subscribed_makes_no_messages(gateway: StripeGateway, paid: Callable[..., UUID]) -> None:
    services.release_held(SYSTEM, paid(10_000), "验收合格")
    outbox.drain_all()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WebhookMessage)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WebhookEndpoint)) == 0
