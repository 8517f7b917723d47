"""Server-side sessions: stored hashed, idle and absolute ends, rotation, listing, revocation."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.identity.models import User, UserSession
from app.identity.services.demonstration import demo_entries, ensure_demo_accounts
from app.identity.tokens import digest
from app.kernel.access import Role
from app.kernel.db import db, transaction
from tests.identity.builders import MONDAY, PASSWORD, a_person, enter

ClockAt = Callable[[datetime], None]


def token_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


@pytest.mark.asvs("7.2.3")
def test_the_cookie_holds_256_bits_and_the_row_only_their_hash(client: FlaskClient) -> None:
    a_person()
    assert enter(client).status_code == 303
    token = token_of(client).removeprefix("s.")
    row = db.session.scalars(select(UserSession)).one()
    assert row.token_hash == digest(token)
    assert len(token) == 43
    assert token not in (row.data, row.token_hash)


@pytest.mark.asvs("3.3.1")
def test_cookie_attributes(client: FlaskClient) -> None:
    a_person()
    header = enter(client).headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header
    assert "Domain" not in header


@pytest.mark.asvs("7.2.4")
def test_the_token_changes_at_sign_in_and_the_planted_one_is_worth_nothing(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    planted = token_of(client)
    enter(client)
    assert token_of(client) != planted
    thief = app.test_client()
    thief.set_cookie("session", planted)
    assert not is_in(thief)
    assert is_in(client)


@pytest.mark.asvs("7.3.1")
def test_a_public_session_ends_after_thirty_idle_minutes(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    clock_at(MONDAY + timedelta(minutes=29, seconds=59))
    assert is_in(client)
    clock_at(MONDAY + timedelta(minutes=59, seconds=58))
    assert is_in(client)
    clock_at(MONDAY + timedelta(minutes=90))
    assert not is_in(client)


def test_a_staff_session_ends_after_fifteen_idle_minutes(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    operator = ensure_demo_accounts()[Role.OPERATOR]
    client.post(f"/dev/sign-in/{operator.user_id}")
    clock_at(MONDAY + timedelta(minutes=14, seconds=59))
    assert is_in(client)
    clock_at(MONDAY + timedelta(minutes=30))
    assert not is_in(client)


@pytest.mark.asvs("7.3.2")
def test_every_session_ends_after_twelve_hours(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    for quarter in range(1, 48):
        clock_at(MONDAY + timedelta(minutes=15 * quarter))
        assert is_in(client)
    clock_at(MONDAY + timedelta(hours=12))
    assert not is_in(client)


@pytest.mark.asvs("7.4.1")
def test_signing_out_ends_the_session_on_the_server(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    old = token_of(client)
    assert client.post("/sign-out").status_code == 303
    replay = app.test_client()
    replay.set_cookie("session", old)
    assert not is_in(replay)


@pytest.mark.asvs("7.5.2")
def test_sessions_are_listed_and_one_can_be_ended_from_another(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    other = app.test_client()
    other.post(
        "/sign-in",
        data={"email": "li@example.test", "password": PASSWORD},
        headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU) AppleWebKit Safari/605"},
    )
    page = client.get("/account/security").get_data(as_text=True)
    assert "Safari · iPhone" in page
    rows = list(db.session.scalars(select(UserSession).order_by(UserSession.created_at)))
    assert len(rows) == 2
    assert client.post(f"/account/sessions/{rows[1].id}/end").status_code == 303
    assert not is_in(other)
    assert is_in(client)


def test_nobody_ends_the_session_of_another_person(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    a_person("wang@example.test")
    stranger = app.test_client()
    enter(stranger, "wang@example.test")
    victim = db.session.scalars(select(UserSession).order_by(UserSession.created_at)).first()
    assert victim is not None
    assert stranger.post(f"/account/sessions/{victim.id}/end").status_code == 404
    assert is_in(client)


@pytest.mark.asvs("7.4.3")
def test_a_changed_password_ends_all_other_sessions(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    other = app.test_client()
    enter(other)
    answer = client.post("/account/password", data={"present": PASSWORD, "new": "another good sentence"})
    assert answer.status_code == 303
    assert is_in(client)
    assert not is_in(other)
    assert enter(app.test_client()).status_code == 422
    assert enter(app.test_client(), password="another good sentence").status_code == 303


@pytest.mark.asvs("7.4.2")
def test_a_suspended_person_is_out_at_once(client: FlaskClient, as_role: Callable[..., FlaskClient]) -> None:
    user = a_person()
    enter(client)
    administrator = as_role("administrator")
    answer = administrator.post(f"/users/{user.id}/actions/suspend", data={"reason": "left the company"})
    assert answer.status_code == 303
    assert not is_in(client)
    assert enter(client).status_code == 422


def test_a_visitor_gets_no_row(app: Flask, client: FlaskClient) -> None:
    assert client.get("/sign-in").status_code == 200
    assert token_of(client).startswith("v.")
    assert list(db.session.scalars(select(UserSession))) == []


def test_a_forged_visitor_cookie_is_ignored(client: FlaskClient) -> None:
    client.get("/sign-in")
    forged = token_of(client)[:-4] + "AAAA"
    client.set_cookie("session", forged)
    assert client.get("/sign-in").status_code == 200


def test_pages_of_a_person_are_not_cached(client: FlaskClient) -> None:
    a_person()
    enter(client)
    assert client.get("/account").headers["Cache-Control"] == "no-store"


def test_a_page_with_a_visitors_form_token_stays_with_the_visitor(client: FlaskClient) -> None:
    answer = client.get("/sign-in")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in answer.headers["Vary"]


def test_switching_the_part_changes_token_and_actor(app: Flask, client: FlaskClient) -> None:
    accounts = ensure_demo_accounts()
    owner = accounts[Role.OWNER]
    client.post(f"/dev/sign-in/{owner.user_id}")
    before = token_of(client)
    assert client.get("/api/account").get_json()["roles"] == ["owner"]
    assert client.post("/account/act-as", data={"membership_id": ""}).status_code == 303
    assert client.get("/api/account").get_json()["roles"] == ["applicant"]
    assert client.get("/api/account").get_json()["organisation_id"] is None
    thief = app.test_client()
    thief.set_cookie("session", before)
    assert thief.get("/api/account").status_code == 401


def test_nobody_acts_as_a_part_of_another_person(client: FlaskClient) -> None:
    from app.identity.models import Membership

    accounts = ensure_demo_accounts()
    client.post(f"/dev/sign-in/{accounts[Role.APPLICANT].user_id}")
    foreign = db.session.scalars(select(Membership)).first()
    assert foreign is not None
    assert client.post("/account/act-as", data={"membership_id": str(foreign.id)}).status_code == 404
    assert client.get("/api/account").get_json()["roles"] == ["applicant"]


def test_demo_accounts_cover_every_role_and_repeat_nothing(app: Flask) -> None:
    first = ensure_demo_accounts()
    again = ensure_demo_accounts()
    assert set(first) == set(Role)
    assert {role: one.user_id for role, one in first.items()} == {role: one.user_id for role, one in again.items()}
    assert {entry.role for entry in demo_entries()} == set(Role)


def test_only_demonstration_accounts_can_be_entered_by_the_panel(client: FlaskClient) -> None:
    user = a_person()
    assert client.post(f"/dev/sign-in/{user.id}").status_code == 404
    with transaction() as session:
        session.get_one(User, user.id).demo = True
    assert client.post(f"/dev/sign-in/{user.id}").status_code == 303
