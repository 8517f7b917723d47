"""Idempotency-Key: missing, ill-formed, at work, with another body, replayed, and what may be sent again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, transaction
from app.kernel.inbox import IdempotencyKey, forget_keys
from app.web.idempotency import MalformedKey, key_of
from payments.gateways.stripe import StripeGateway
from payments.models.payments import Payment
from tests.builders import a_member, sign_in

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)
ASKED_BUT_CHANGES_NOTHING = {"payments_api.sync_payment"}


@pytest.fixture
def client(app: Flask, owner: Actor) -> FlaskClient:
    made = app.test_client()
    sign_in(made, owner)
    return made


def pay(client: FlaskClient, bill_id: UUID, key: str | None, body: dict[str, Any] | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(f"/api/bills/{bill_id}/payments", json=body or {"method": "alipay"}, headers=headers)


def attempts() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Payment)) or 0


def test_every_money_request_needs_a_key(app: Flask) -> None:
    free = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("payments_") and rule.rule.startswith("/api/") and "POST" in (rule.methods or ())
        and not getattr(app.view_functions[rule.endpoint], "needs_idempotency_key", False)
    }  # fmt: skip
    assert free == ASKED_BUT_CHANGES_NOTHING


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (None, None), ("", None), ("  ", None), ('"8e03978e-40d5"', "8e03978e-40d5"), ("8e03978e-40d5", "8e03978e-40d5"),
        (r'"a\"b\\c"', 'a"b\\c'), ("x" * 255, "x" * 255),
    ],
)  # fmt: skip
def test_keys_that_are_read(header: str | None, key: str | None) -> None:
    assert key_of(header) == key


@pytest.mark.parametrize("header", ['"', '""', '"open', 'a"b', "a b", "钥匙", "x" * 256, '"a\tb"', "a,b", '"a";p=1'])
def test_keys_that_are_refused(header: str) -> None:
    with pytest.raises(MalformedKey):
        key_of(header)


def test_without_a_key_nothing_happens(
    gateway: StripeGateway, client: FlaskClient, a_bill: Callable[..., UUID]
) -> None:
    bill_id = a_bill()
    for key, code in ((None, "idempotency-key-missing"), ('"', "idempotency-key-malformed")):
        answer = pay(client, bill_id, key)
        assert (answer.status_code, answer.get_json()["code"]) == (400, code)
    assert attempts() == 0


def test_a_repeat_is_answered_alike_and_another_body_is_refused(
    gateway: StripeGateway, client: FlaskClient, a_bill: Callable[..., UUID]
) -> None:
    bill_id, key = a_bill(), str(uuid4())
    first = pay(client, bill_id, key)
    again = pay(client, bill_id, f'"{key}"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    other = pay(client, bill_id, key, {"method": "card"})
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency-key-reused")
    assert attempts() == 1


def test_the_key_is_its_callers_own(
    app: Flask, gateway: StripeGateway, client: FlaskClient, owner: Actor, a_bill: Callable[..., UUID]
) -> None:
    bill_id, key = a_bill(), "k1"
    assert pay(client, bill_id, key).status_code == 201
    colleague = app.test_client()
    sign_in(colleague, a_member(Role.OWNER, owner.organisation_id))
    answer = pay(colleague, bill_id, key, {"method": "card"})
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers


def test_a_second_request_while_the_first_is_at_work(
    gateway: StripeGateway, client: FlaskClient, a_bill: Callable[..., UUID], clock_at: Callable[[datetime], None]
) -> None:
    clock_at(NOON)
    bill_id, key = a_bill(), "k2"
    assert pay(client, bill_id, key).status_code == 201
    with transaction() as session:  # as a process leaves it that has died after the effect, before its answer
        session.execute(sa.update(IdempotencyKey).where(IdempotencyKey.key == key).values(
            response=sa.null(), locked_until=clock.now() + timedelta(seconds=60)))  # fmt: skip
    busy = pay(client, bill_id, key)
    assert (busy.status_code, busy.get_json()["code"]) == (409, "idempotency-key-in-flight")
    clock_at(NOON + timedelta(seconds=61))
    assert pay(client, bill_id, key).status_code == 201
    assert attempts() == 1


def test_a_refused_request_may_be_corrected_under_its_key(
    gateway: StripeGateway, client: FlaskClient, a_bill: Callable[..., UUID]
) -> None:
    bill_id, key = a_bill(), "k3"
    assert pay(client, bill_id, key, {"method": "cash"}).status_code == 422
    assert pay(client, bill_id, key).status_code == 201


def test_steps_need_a_key_too(app: Flask, operator: Actor, a_bill: Callable[..., UUID]) -> None:
    bill_id = a_bill()
    client = app.test_client()
    sign_in(client, operator)
    address = f"/api/bills/{bill_id}/actions/void"
    assert client.post(address, json={"reason": "重复"}).status_code == 400
    first = client.post(address, json={"reason": "重复"}, headers={"Idempotency-Key": "v"})
    again = client.post(address, json={"reason": "重复"}, headers={"Idempotency-Key": "v"})
    assert (first.status_code, again.status_code, again.get_json()["state"]) == (200, 200, "void")
    assert again.headers["Idempotent-Replayed"] == "true"


def test_keys_are_forgotten_after_two_days(
    gateway: StripeGateway, client: FlaskClient, a_bill: Callable[..., UUID], clock_at: Callable[[datetime], None]
) -> None:
    clock_at(NOON)
    pay(client, a_bill(), "k4")
    clock_at(NOON + timedelta(hours=24))
    assert forget_keys() == 0
    clock_at(NOON + timedelta(hours=49))
    assert forget_keys() == 1
