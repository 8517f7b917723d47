"""Keys for programs."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.identity.models import ApiToken
from app.identity.tokens import digest
from app.kernel.db import db
from tests.identity.builders import MONDAY, PASSWORD, a_code, a_person, enter
from tests.identity.test_sign_in import turn_codes_on

ClockAt = Callable[[datetime], None]
SECRETS = {"email": "li@example.test", "password": PASSWORD, "name": "accounting"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_program_gets_a_token_and_uses_it(client: FlaskClient) -> None:
    a_person()
    answer = client.post("/api/tokens", json=SECRETS)
    assert answer.status_code == 201
    token = answer.get_json()["token"]
    assert token.startswith("csk_")
    assert answer.headers.get("Set-Cookie") is None, "no session is opened"
    me = client.get("/api/account", headers=bearer(token))
    assert me.get_json()["email"] == "li@example.test"
    row = db.session.scalars(select(ApiToken)).one()
    assert row.token_hash == digest(token)
    assert token not in client.get("/api/account/tokens", headers=bearer(token)).get_data(as_text=True)


def test_wrong_secrets_get_the_answer_of_signing_in(client: FlaskClient) -> None:
    a_person()
    wrong = client.post("/api/tokens", json={**SECRETS, "password": "not this one at all"})
    unknown = client.post("/api/tokens", json={**SECRETS, "email": "nobody@example.test"})
    for answer in (wrong, unknown):
        body = answer.get_json()
        body.pop("instance")
        assert (answer.status_code, body["code"]) == (422, "sign-in-refused")
        assert answer.content_type == "application/problem+json"
    assert {**wrong.get_json(), "instance": ""} == {**unknown.get_json(), "instance": ""}


def test_with_codes_turned_on_a_token_needs_one(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    seed = turn_codes_on(app, client, MONDAY)
    later = MONDAY + timedelta(minutes=1)
    clock_at(later)
    program = app.test_client()
    assert program.post("/api/tokens", json=SECRETS).get_json()["code"] == "code-refused"
    answer = program.post("/api/tokens", json={**SECRETS, "code": a_code(app, seed, later)})
    assert answer.status_code == 201


@pytest.mark.asvs("7.4.1")
def test_a_revoked_and_an_expired_token_are_refused(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    made = client.post("/api/tokens", json={**SECRETS, "days": 7}).get_json()
    other = client.post("/api/tokens", json={**SECRETS, "days": 7}).get_json()
    assert client.delete(f"/api/account/tokens/{made['id']}", headers=bearer(other["token"])).status_code == 204
    refused = app.test_client().get("/api/account", headers=bearer(made["token"]))
    assert (refused.status_code, refused.get_json()["code"]) == (401, "not-signed-in")
    clock_at(MONDAY + timedelta(days=7))
    assert app.test_client().get("/api/account", headers=bearer(other["token"])).status_code == 401


@pytest.mark.parametrize("token", ["", "csk_", "csk_" + "A" * 43, "x", "csk_é"])
def test_nonsense_is_not_served_as_a_visitor(client: FlaskClient, token: str) -> None:
    answer = client.get(
        "/api/openapi.json", headers={"Authorization": f"Bearer {token}".encode("latin-1", "ignore").decode("latin-1")}
    )
    assert answer.status_code == 401


def test_a_token_opens_no_pages(client: FlaskClient) -> None:
    a_person()
    token = client.post("/api/tokens", json=SECRETS).get_json()["token"]
    assert client.get("/account", headers=bearer(token)).status_code == 302


def test_nobody_revokes_or_sees_the_token_of_another(app: Flask, client: FlaskClient) -> None:
    a_person()
    made = client.post("/api/tokens", json=SECRETS).get_json()
    a_person("wang@example.test")
    stranger = app.test_client()
    enter(stranger, "wang@example.test")
    assert stranger.delete(f"/api/account/tokens/{made['id']}").status_code == 404
    assert stranger.get("/api/account/tokens").get_json()["items"] == []
    assert client.get("/api/account", headers=bearer(made["token"])).status_code == 200


def test_a_token_is_shown_once_on_the_page(client: FlaskClient) -> None:
    a_person()
    enter(client)
    page = client.post("/account/tokens", data={"name": "till", "days": "30"}).get_data(as_text=True)
    row = db.session.scalars(select(ApiToken)).one()
    assert "csk_" in page
    again = client.get("/account/tokens").get_data(as_text=True)
    assert "csk_" not in again
    assert f"…{row.tail}" in again
    assert client.post(f"/account/tokens/{row.id}/revoke").status_code == 303
    assert client.post(f"/account/tokens/{row.id}/revoke").status_code == 303


@pytest.mark.parametrize(
    "change", [{"days": 5000}, {"days": "x"}, {"name": ""}, {"membership_id": "x"}, {"colour": "red"}]
)
def test_bad_input_makes_no_token(client: FlaskClient, change: dict[str, object]) -> None:
    a_person()
    enter(client)
    answer = client.post("/api/account/tokens", json={"name": "till", **change})
    assert answer.status_code == 422
    assert list(db.session.scalars(select(ApiToken))) == []
