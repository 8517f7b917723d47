"""Signing in: one answer for every refusal, limits, one-time codes that are good once, recovery codes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.identity import rate_limits, security
from app.identity.models import LoginAttempt, User
from app.kernel.db import db, transaction
from app.kernel.errors import TooManyRequests
from tests.identity.builders import MONDAY, PASSWORD, a_code, a_person, enter

ClockAt = Callable[[datetime], None]
REFUSAL = "地址或密码"


def turn_codes_on(app: Flask, client: FlaskClient, moment: datetime) -> str:
    """Set one-time codes up as a person does; returns the seed."""
    client.get("/account/codes")
    with client.session_transaction() as session:
        seed = str(session["totp_seed"])
    answer = client.post("/account/codes", data={"code": a_code(app, seed, moment)})
    assert answer.status_code == 200
    return seed


def reason(html: str) -> str:
    """The error summary of a page."""
    start = html.index('class="error-summary"')
    return html[start : html.index("</div>", start)]


@pytest.mark.asvs("6.3.8")
def test_unknown_wrong_unconfirmed_and_suspended_get_the_same_answer(app: Flask, client: FlaskClient) -> None:
    a_person()
    a_person("new@example.test")
    a_person("gone@example.test")
    with transaction() as session:
        session.scalars(select(User).where(User.email == "new@example.test")).one().email_confirmed_at = None
        session.scalars(select(User).where(User.email == "gone@example.test")).one().state = "suspended"
    answers = [
        enter(client, "nobody@example.test"),
        enter(client, password="a wrong password here"),
        enter(client, "new@example.test"),
        enter(client, "gone@example.test"),
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert len({reason(answer.get_data(as_text=True)) for answer in answers}) == 1
    assert client.get("/account").status_code == 302


@pytest.mark.asvs("6.3.8")
def test_an_unknown_account_costs_a_hash_too(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = security.verify_password
    monkeypatch.setattr(security, "verify_password", lambda p, h: calls.append(h) or real(p, h))
    enter(client, "nobody@example.test")
    assert len(calls) == 1
    assert calls[0].startswith("$argon2id$")


@pytest.mark.asvs("11.4.2")
def test_the_stored_hash_is_argon2id_with_the_agreed_cost(settings: object, app: Flask) -> None:
    from dataclasses import replace

    from app.factory import create_app
    from app.settings import Mode, Settings

    assert isinstance(settings, Settings)
    working = create_app(replace(settings, mode=Mode.DEVELOPMENT))
    with working.app_context():
        assert security.hashed(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_password_is_not_written_back_into_the_page(client: FlaskClient) -> None:
    page = enter(client, "nobody@example.test", "a wrong password here").get_data(as_text=True)
    assert "a wrong password here" not in page
    assert "nobody@example.test" in page


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_site(client: FlaskClient, target: str) -> None:
    a_person()
    answer = client.post("/sign-in", data={"email": "li@example.test", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/workbench"


def test_signing_in_leads_back_to_the_page_that_asked(client: FlaskClient) -> None:
    a_person()
    asked = client.get("/account/security?x=1")
    assert asked.headers["Location"] == "/sign-in?next=/account/security?x%3D1"
    answer = client.post(
        "/sign-in", data={"email": "li@example.test", "password": PASSWORD, "next": "/account/security?x=1"}
    )
    assert answer.headers["Location"] == "/account/security?x=1"


@pytest.mark.asvs("6.3.1")
def test_the_eleventh_attempt_is_refused_even_with_the_right_password(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    for _ in range(10):
        assert enter(client, password="a wrong password here").status_code == 422
    refused = enter(client)
    assert refused.status_code == 429
    assert client.get("/account").status_code == 302
    clock_at(MONDAY + timedelta(minutes=15))
    assert enter(client).status_code == 303


def test_a_success_forgets_the_failures_before_it(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    for _ in range(3):
        for _ in range(9):
            enter(client, password="a wrong password here")
        assert enter(client).status_code == 303


def test_another_network_is_not_locked_out_by_a_stranger(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    stranger = app.test_client()
    for _ in range(12):
        stranger.post(
            "/sign-in",
            data={"email": "li@example.test", "password": "a wrong password"},
            environ_base={"REMOTE_ADDR": "203.0.113.9"},
        )
    assert enter(client).status_code == 303


@pytest.mark.asvs("6.3.1")
def test_sixty_attempts_from_many_networks_close_the_account_for_a_while(app: Flask, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    statuses = [
        app.test_client()
        .post(
            "/sign-in",
            data={"email": "LI@example.test ", "password": "a wrong password"},
            environ_base={"REMOTE_ADDR": f"198.51.{n}.1"},
        )
        .status_code
        for n in range(61)
    ]
    assert statuses == [422] * 60 + [429]


def test_counters_hold_no_address(client: FlaskClient) -> None:
    enter(client, "nobody@example.test")
    kept = [f"{row.scope} {row.key_hash}" for row in db.session.scalars(select(LoginAttempt))]
    assert len(kept) == 3
    assert not any("example" in text or "127.0" in text for text in kept)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("no address", "unknown"),
    ],
)
def test_network_of(address: str | None, network: str) -> None:
    assert rate_limits.network_of(address) == network


def test_a_limit_counts_in_windows(app: Flask, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    limit = rate_limits.Limit("test", 2, timedelta(minutes=10))
    rate_limits.attempt(limit, "a")
    rate_limits.attempt(limit, "a")
    rate_limits.attempt(limit, "b")
    clock_at(MONDAY + timedelta(minutes=4))
    with pytest.raises(TooManyRequests) as refusal:
        rate_limits.attempt(limit, "a")
    assert refusal.value.retry_after_seconds == 360
    clock_at(MONDAY + timedelta(minutes=10))
    rate_limits.attempt(limit, "a")
    clock_at(MONDAY + timedelta(days=2))
    assert rate_limits.forget_old() == 3


@pytest.mark.asvs("6.5.1")
def test_a_one_time_code_is_good_once(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    seed = turn_codes_on(app, client, MONDAY)
    later = MONDAY + timedelta(minutes=2)
    clock_at(later)
    browser = app.test_client()
    first = enter(browser)
    assert first.headers["Location"] == "/sign-in/code"
    assert browser.get("/account").status_code == 302, "the password alone opens nothing"
    code = a_code(app, seed, later)
    assert browser.post("/sign-in/code", data={"code": code}).status_code == 303
    assert browser.get("/account").status_code == 200
    thief = app.test_client()
    enter(thief)
    assert thief.post("/sign-in/code", data={"code": code}).status_code == 422
    assert thief.get("/account").status_code == 302
    clock_at(later + timedelta(seconds=30))
    assert thief.post("/sign-in/code", data={"code": a_code(app, seed, later)}).status_code == 422
    after = later + timedelta(seconds=60)
    clock_at(after)
    assert thief.post("/sign-in/code", data={"code": a_code(app, seed, after)}).status_code == 303


def test_the_code_that_turned_codes_on_does_not_sign_in(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    seed = turn_codes_on(app, client, MONDAY)
    browser = app.test_client()
    enter(browser)
    assert browser.post("/sign-in/code", data={"code": a_code(app, seed, MONDAY)}).status_code == 422


def test_of_two_requests_with_one_code_only_one_is_accepted(app: Flask, clock_at: ClockAt) -> None:
    """The second reader saw the step before the first one stored it: the statement itself refuses."""
    clock_at(MONDAY)
    user = a_person()
    seed = security.new_totp_secret()
    code = a_code(app, seed, MONDAY)
    with transaction():
        assert security.code_matches(user, code, seed)
        user_id = user.id
        db.session.flush()
        stale = db.session.get_one(User, user_id)
        object.__setattr__(stale, "_ignored", None)
        stale.__dict__["totp_last_step"] = None
        assert not security.code_matches(stale, code, seed)


@pytest.mark.asvs("6.3.1")
def test_five_wrong_codes_stop_the_guessing(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    seed = turn_codes_on(app, client, MONDAY)
    browser = app.test_client()
    enter(browser)
    later = MONDAY + timedelta(minutes=1)
    clock_at(later)
    assert [browser.post("/sign-in/code", data={"code": "000000"}).status_code for _ in range(5)] == [422] * 5
    assert browser.post("/sign-in/code", data={"code": a_code(app, seed, later)}).status_code == 429


def test_the_first_step_is_forgotten_after_five_minutes(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    seed = turn_codes_on(app, client, MONDAY)
    browser = app.test_client()
    enter(browser)
    late = MONDAY + timedelta(minutes=5, seconds=1)
    clock_at(late)
    answer = browser.post("/sign-in/code", data={"code": a_code(app, seed, late)})
    assert answer.headers["Location"] == "/sign-in"
    assert browser.get("/account").status_code == 302


@pytest.mark.asvs("6.5.1")
def test_a_recovery_code_is_good_once_and_stored_encrypted(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    user = a_person()
    enter(client)
    turn_codes_on(app, client, MONDAY)
    answer = client.post("/account/codes/recovery", data={"present": PASSWORD})
    page = answer.get_data(as_text=True)
    start = page.index('class="code-columns"')
    listed = page[start : page.index("</ul>", start)]
    codes = [part.split("</li>")[0] for part in listed.split("<li>")[1:]]
    assert len(codes) == len(set(codes)) == 10
    stored = db.session.get_one(User, user.id).mf_recovery_codes
    assert not set(stored).intersection(codes)
    browser = app.test_client()
    enter(browser)
    assert browser.post("/sign-in/code", data={"code": codes[3].upper()}).status_code == 303
    again = app.test_client()
    enter(again)
    assert again.post("/sign-in/code", data={"code": codes[3]}).status_code == 422
    assert len(db.session.get_one(User, user.id).mf_recovery_codes) == 9


@pytest.mark.asvs("7.4.3")
def test_turning_codes_on_ends_the_other_sessions(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    enter(client)
    other = app.test_client()
    enter(other)
    turn_codes_on(app, client, MONDAY)
    assert other.get("/account").status_code == 302
    assert client.get("/account").status_code == 200


def test_codes_are_turned_off_only_with_password_and_code(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    user = a_person()
    enter(client)
    seed = turn_codes_on(app, client, MONDAY)
    later = MONDAY + timedelta(minutes=1)
    clock_at(later)
    code = a_code(app, seed, later)
    assert client.post("/account/codes/off", data={"present": "wrong password here", "code": code}).status_code == 422
    assert client.post("/account/codes/off", data={"present": PASSWORD, "code": "000000"}).status_code == 422
    assert db.session.get_one(User, user.id).totp_enabled_at is not None
    assert client.post("/account/codes/off", data={"present": PASSWORD, "code": code}).status_code == 303
    kept = db.session.get_one(User, user.id)
    assert (kept.totp_enabled_at, kept.tf_totp_secret, kept.mf_recovery_codes) == (None, None, [])


def test_the_seed_is_stored_encrypted_and_shown_as_qr(app: Flask, client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    user = a_person()
    enter(client)
    page = client.get("/account/codes").get_data(as_text=True)
    assert "<svg" in page
    seed = turn_codes_on(app, client, MONDAY)
    plain = app.extensions["security"].totp_factory.get_totp_b32_key(seed)
    assert plain not in (db.session.get_one(User, user.id).tf_totp_secret or "")
