"""Outgoing messages: signed, repeated, paused, replayed; and never sent into a network that is not public."""

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.identity.models import Notice
from app.kernel import outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db, new_id
from app.kernel.errors import Conflict, NotFound, Refused
from app.webhooks import destination, queries, rules, services
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from app.webhooks.services import Replay, Subscribe
from app.webhooks.states import DeliveryState, EndpointState
from payments.services import BillKind, BillLine, OpenBill, open_bill
from tests.builders import a_member

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)


@dataclass
class Receiver:
    """A partner's system on this machine: what it got, and what it answers."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write("收到".encode())

        def log_message(self, *_args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/in?x=1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def owner(app: Flask) -> Actor:
    return a_member(Role.OWNER)


def subscribed(actor: Actor, url: str, *events: str) -> tuple[UUID, str]:
    return services.subscribe(actor, Subscribe(url, "财务系统", events or ("bill.opened",)))


def a_bill(payer: Actor) -> UUID:
    return open_bill(SYSTEM, OpenBill(new_id(), f"contract:{new_id()}", BillKind.COURIER_FEE, "寄递费", payer.organisation_id,
                                      None, None, (BillLine("寄递费", 1_200, "资费表"),), NOON + timedelta(days=30)))  # fmt: skip


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As the page for receivers tells it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    ours = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    theirs = [s.removeprefix("v1,") for s in headers["webhook-signature"].split() if s.startswith("v1,")]
    return any(hmac.compare_digest(ours, one) for one in theirs)


def endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    db.session.expire_all()
    return db.session.get_one(WebhookEndpoint, endpoint_id)


def deliveries() -> list[WebhookDelivery]:
    db.session.expire_all()
    return list(db.session.scalars(sa.select(WebhookDelivery).order_by(WebhookDelivery.id)))


def test_a_bill_is_told_to_its_payer_alone_and_signed(app: Flask, owner: Actor, receiver: Receiver) -> None:
    endpoint_id, secret = subscribed(owner, receiver.url)
    stranger = a_member(Role.AGENCY)
    subscribed(stranger, receiver.url)
    bill_id = a_bill(owner)
    outbox.drain_all()
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert (told["type"], told["data"]["bill_id"], told["data"]["amount_fen"]) == ("bill.opened", str(bill_id), 1_200)
    assert verified(secret, headers, body)
    assert not verified(secret, headers, body.replace(b"1200", b"1201"))
    message = db.session.scalars(sa.select(WebhookMessage)).one()
    assert headers["webhook-id"] == f"msg_{message.id.hex}"
    (delivery,) = deliveries()
    attempt = db.session.scalars(sa.select(WebhookAttempt)).one()
    assert (delivery.state, attempt.status, attempt.excerpt) == (DeliveryState.DELIVERED, 200, "收到")
    assert secret not in endpoint(endpoint_id).secret


def test_the_operator_is_told_of_everybodys(app: Flask, owner: Actor, receiver: Receiver) -> None:
    subscribed(a_member(Role.OPERATOR), receiver.url)
    a_bill(owner)
    outbox.drain_all()
    assert len(receiver.got) == 1


def test_types_that_are_not_wanted_are_not_sent(app: Flask, owner: Actor, receiver: Receiver) -> None:
    subscribed(owner, receiver.url, "bill.refunded")
    a_bill(owner)
    outbox.drain_all()
    assert (receiver.got, deliveries()) == ([], [])


def test_both_secrets_are_valid_for_a_day(
    app: Flask, owner: Actor, receiver: Receiver, clock_at: Callable[[datetime], None]
) -> None:
    clock_at(NOON)
    endpoint_id, old = subscribed(owner, receiver.url)
    new = services.rotate(owner, endpoint_id)
    a_bill(owner)
    outbox.drain_all()
    clock_at(NOON + timedelta(hours=24))
    a_bill(owner)
    outbox.drain_all()
    (first, second) = receiver.got
    assert [verified(secret, *first) for secret in (old, new)] == [True, True]
    assert [verified(secret, *second) for secret in (old, new)] == [False, True]


def test_failures_are_tried_again_then_given_up(
    app: Flask, owner: Actor, receiver: Receiver, clock_at: Callable[[datetime], None]
) -> None:
    clock_at(NOON)
    endpoint_id, _secret = subscribed(owner, receiver.url)
    receiver.status = 500
    a_bill(owner)
    moment = NOON
    outbox.drain_all()
    for pause in rules.TIMETABLE[:4]:
        clock_at(moment + pause - timedelta(seconds=1))
        outbox.drain_all()
        seen = len(receiver.got)
        moment += pause
        clock_at(moment)
        outbox.drain_all()
        assert len(receiver.got) == seen + 1
    ids = {headers["webhook-id"] for headers, _body in receiver.got}
    assert len(ids) == 1  # the same message in every try
    assert endpoint(endpoint_id).failing_since == NOON
    receiver.status = 302  # a redirect is not followed
    moment += rules.TIMETABLE[4]
    clock_at(moment)
    outbox.drain_all()
    assert [d.state for d in deliveries()] == [DeliveryState.WAITING]
    receiver.status = 200
    clock_at(moment + rules.TIMETABLE[5])
    outbox.drain_all()
    assert [d.state for d in deliveries()] == [DeliveryState.DELIVERED]
    assert endpoint(endpoint_id).failing_since is None


def test_days_of_failure_pause_the_address_and_its_members_are_told(
    app: Flask, owner: Actor, receiver: Receiver, clock_at: Callable[[datetime], None]
) -> None:
    clock_at(NOON)
    endpoint_id, _secret = subscribed(owner, receiver.url)
    receiver.status = 503
    a_bill(owner)
    outbox.drain_all()
    clock_at(NOON + timedelta(days=3))
    outbox.drain_all()
    row = endpoint(endpoint_id)
    assert (row.state, row.paused_reason) == (EndpointState.PAUSED, "HTTP 503")
    told = db.session.scalars(sa.select(Notice).where(Notice.kind == "webhooks.paused")).one()
    assert told.user_id == owner.user_id
    a_bill(owner)
    clock_at(NOON + timedelta(days=4))
    outbox.drain_all()
    assert sorted(d.state for d in deliveries()) == [DeliveryState.HELD, DeliveryState.HELD]
    assert len(receiver.got) == 2

    with pytest.raises(Conflict, match="paused"):
        services.replay(owner, endpoint_id, Replay(NOON, NOON + timedelta(days=9)))
    receiver.status = 204
    services.resume(owner, endpoint_id, Plain())
    assert services.replay(owner, endpoint_id, Replay(NOON, NOON + timedelta(days=9))) == 2
    outbox.drain_all()
    assert {h["webhook-id"] for h, _b in receiver.got[2:]} == {
        f"msg_{m}" for m in (i.hex for i in db.session.scalars(sa.select(WebhookMessage.id)))
    }
    assert services.replay(owner, endpoint_id, Replay(NOON, NOON + timedelta(days=9))) == 0  # nothing is missing now


def test_410_ends_it_at_once(app: Flask, owner: Actor, receiver: Receiver) -> None:
    endpoint_id, _secret = subscribed(owner, receiver.url)
    receiver.status = 410
    services.ping(owner, endpoint_id)
    outbox.drain_all()
    assert endpoint(endpoint_id).state == EndpointState.PAUSED
    assert json.loads(receiver.got[0][1])["type"] == "webhook.ping"


def test_strangers_know_nothing_of_it(app: Flask, owner: Actor, receiver: Receiver) -> None:
    endpoint_id, _secret = subscribed(owner, receiver.url)
    stranger = a_member(Role.OWNER)
    for act in (
        lambda: services.rotate(stranger, endpoint_id), lambda: services.ping(stranger, endpoint_id),
        lambda: services.pause(stranger, endpoint_id, Plain()), lambda: queries.endpoint_page(stranger, endpoint_id),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            act()
    other_id, _other = subscribed(stranger, receiver.url)
    delivery_id = services.ping(owner, endpoint_id)
    with pytest.raises(NotFound):
        services.replay_one(stranger, other_id, delivery_id)


# --- where messages may go --------------------------------------------------------------------------------------------

INSIDE = (
    "127.0.0.1", "10.0.0.8", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "198.18.0.1", "192.0.2.1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_a_network_are_not_told(address: str) -> None:
    assert not destination.may_be_told(ipaddress.ip_address(address), local=False)


def test_public_addresses_are_told_and_this_machine_only_outside_production() -> None:
    assert destination.may_be_told(ipaddress.ip_address("203.119.25.1"), local=False)
    assert destination.may_be_told(ipaddress.ip_address("2400:3200::1"), local=False)
    assert destination.may_be_told(ipaddress.ip_address("127.0.0.1"), local=True)
    assert not destination.may_be_told(ipaddress.ip_address("10.0.0.1"), local=True)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/in", "ftp://example.com", "https://", "https://user:pw@example.com/", "https://example.com/#x",
     "https://example.com:22/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "nonsense",
     "https://example.com:99999/"],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(Refused) as refusal:
        destination.read(url, local=False)
    assert refusal.value.field == "url"


def test_a_name_is_resolved_once_and_every_address_of_it_must_be_public(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", (ip, port)) for ip in ("203.119.25.1", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    answer = destination.send("https://rebinding.example/in", {}, "{}", local=False)
    assert (answer.status, answer.problem) == (None, "the host name leads into a network that is not public")
    assert asked == ["rebinding.example"]


# --- over the web -----------------------------------------------------------------------------------------------------


def test_the_pages(app: Flask, as_role: Callable[..., FlaskClient], receiver: Receiver) -> None:
    client = as_role("agency")
    form = {"idempotency_key": "k", "url": receiver.url, "description": "对账系统", "events": ["bill.paid"]}
    assert 'type="checkbox" name="events" value="bill.paid"' in client.get("/webhooks/new").get_data(as_text=True)
    first = client.post("/webhooks/new", data=form)
    assert first.status_code == 201
    assert "whsec_" in first.get_data(as_text=True)
    again = client.post("/webhooks/new", data=form)
    assert again.status_code == 303  # the secret is shown once, and no second address is made
    address = again.headers["Location"]
    assert "whsec_" not in client.get(address).get_data(as_text=True)
    assert client.post(f"{address}/ping", data={"idempotency_key": "p"}).status_code == 303
    outbox.drain_all()
    log = client.get(f"/api{address}/deliveries").get_json()
    assert [(one["type"], one["last_status"]) for one in log["items"]] == [("webhook.ping", 200)]
    delivery = f"{address}/deliveries/{log['items'][0]['id']}"
    assert "HTTP 200" in client.get(delivery).get_data(as_text=True)
    assert client.get("/webhooks/receivers").status_code == 200
    bad = client.post("/webhooks/new", data=form | {"idempotency_key": "k2", "url": "https://10.0.0.1/"})
    assert bad.status_code == 422
    assert as_role("applicant").get("/webhooks").status_code == 403


def test_a_second_click_does_nothing_twice(
    app: Flask, as_role: Callable[..., FlaskClient], owner: Actor, receiver: Receiver
) -> None:
    client = as_role("agency")
    form = {"idempotency_key": "k", "url": receiver.url, "description": "对账系统", "events": ["bill.paid"]}
    client.post("/webhooks/new", data=form)
    endpoint_id = db.session.scalars(sa.select(WebhookEndpoint.id)).one()
    address = f"/webhooks/{endpoint_id}"
    for _ in range(2):
        assert client.post(f"{address}/ping", data={"idempotency_key": "p"}).status_code == 303
    assert len(deliveries()) == 1
    outbox.drain_all()
    (sent,) = deliveries()
    for _ in range(2):
        again = client.post(f"{address}/deliveries/{sent.id}/replay", data={"idempotency_key": "r"})
        assert again.status_code == 303
    assert len(deliveries()) == 2
    outbox.drain_all()
    days = {"since": "2020-01-01", "until": "2099-01-01", "only_missed": "", "idempotency_key": "s"}
    for _ in range(2):
        assert client.post(f"{address}/replay", data=days).status_code == 303
    assert len(deliveries()) == 3
    before = endpoint(endpoint_id).secret
    first = client.post(f"{address}/rotate", data={"idempotency_key": "n"})
    made = endpoint(endpoint_id).secret
    repeated = client.post(f"{address}/rotate", data={"idempotency_key": "n"})
    assert (first.status_code, repeated.status_code) == (200, 303)
    assert before != made == endpoint(endpoint_id).secret
    assert "whsec_" not in client.get(repeated.headers["Location"]).get_data(as_text=True)


def test_the_log_is_filtered_by_state_type_and_day(
    app: Flask, owner: Actor, receiver: Receiver, clock_at: Callable[[datetime], None]
) -> None:
    clock_at(NOON)
    endpoint_id, _secret = subscribed(owner, receiver.url)
    a_bill(owner)
    outbox.drain_all()
    clock_at(NOON + timedelta(days=2))
    services.ping(owner, endpoint_id)

    def found(**wanted: Any) -> list[str]:
        return [one.kind for one in queries.deliveries_page(endpoint_id, queries.LogFilter(**wanted)).items]

    assert found() == ["webhook.ping", "bill.opened"]
    assert found(kind="bill.opened") == ["bill.opened"]
    assert found(state=DeliveryState.WAITING) == ["webhook.ping"]
    assert found(since=NOON + timedelta(seconds=1)) == ["webhook.ping"]
    assert found(until=NOON + timedelta(days=2)) == ["bill.opened"]
    assert found(kind="bill.opened", state=DeliveryState.WAITING) == []
