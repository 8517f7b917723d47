"""Every request that changes something proves that it comes from our own pages."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf

from app.web.guard import policy_of
from tests.addresses import address
from tests.identity.builders import PASSWORD, a_person

AsRole = Callable[..., FlaskClient]
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def guarded(app: Flask) -> Iterator[Flask]:
    """The application with the check that production has (most tests run without it)."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


def form_token(client: FlaskClient, page: str = "/sign-in") -> str:
    html = client.get(page).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found
    return found[1]


@pytest.mark.asvs("3.5.1")
def test_every_unsafe_route_refuses_a_request_without_token(guarded: Flask, as_role: AsRole) -> None:
    client = as_role("administrator")
    answers = {}
    for rule in guarded.url_map.iter_rules():
        if getattr(guarded.view_functions[rule.endpoint], "csrf_exempt", False):
            continue
        for method in set(rule.methods or ()) & set(UNSAFE):
            answer = client.open(address(rule.rule), method=method, headers={"Accept": "application/json"})
            answers[f"{method} {rule.rule}"] = (answer.status_code, (answer.get_json(silent=True) or {}).get("code"))
    assert len(answers) > 20
    assert {key: got for key, got in answers.items() if got != (403, "not-from-our-page")} == {}


@pytest.mark.asvs("3.5.1")
def test_exempt_views_are_known_and_few(app: Flask) -> None:
    """Those that take a signed notice, or all secrets in the body without a session."""
    exempt = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "csrf_exempt", False)
    }
    assert exempt == {
        "/api/register",
        "/api/tokens",
        "/api/track",
        "/delivery/notice/<any(ems, kuaidi100):source>/<segment>",
        "/pay/notice/<any(alipay, wechat_pay):source>",
        "/pay/notice/stripe",
    }
    assert all(policy_of(app, rule.endpoint) is not None for rule in app.url_map.iter_rules())


def test_a_form_of_our_page_is_accepted(guarded: Flask, client: FlaskClient) -> None:
    a_person()
    form = {"email": "li@example.test", "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 403
    token = form_token(client)
    assert client.post("/sign-in", data={**form, "csrf_token": token}).status_code == 303


def test_the_token_of_another_session_is_refused(guarded: Flask, client: FlaskClient) -> None:
    a_person()
    foreign = form_token(guarded.test_client())
    form_token(client)
    answer = client.post("/sign-in", data={"email": "li@example.test", "password": PASSWORD, "csrf_token": foreign})
    assert answer.status_code == 403


def test_the_token_changes_with_the_session(guarded: Flask, client: FlaskClient) -> None:
    a_person()
    before = form_token(client)
    client.post("/sign-in", data={"email": "li@example.test", "password": PASSWORD, "csrf_token": before})
    assert client.post("/account", data={"name": "x", "csrf_token": before}).status_code == 403
    after = form_token(client, "/account")
    assert client.post("/account", data={"name": "李", "locale": "en", "csrf_token": after}).status_code == 303


@pytest.mark.asvs("3.5.3")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "null"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
    ],
)
def test_where_the_browser_says_the_request_comes_from(
    guarded: Flask, client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    a_person()
    form = {"email": "li@example.test", "password": PASSWORD, "csrf_token": form_token(client)}
    assert client.post("/sign-in", data=form, headers=headers).status_code == status


def test_json_with_a_session_needs_the_header_and_with_a_bearer_token_does_not(
    guarded: Flask, client: FlaskClient
) -> None:
    a_person()
    token = client.post(
        "/api/tokens", json={"email": "li@example.test", "password": PASSWORD, "name": "till"}
    ).get_json()["token"]
    body = {"name": "another"}
    assert (
        client.post("/api/account/tokens", json=body, headers={"Authorization": f"Bearer {token}"}).status_code == 201
    )
    form = {"email": "li@example.test", "password": PASSWORD, "csrf_token": form_token(client)}
    client.post("/sign-in", data=form)
    assert client.post("/api/account/tokens", json=body).status_code == 403
    header = {"X-CSRFToken": form_token(client, "/account")}
    assert client.post("/api/account/tokens", json=body, headers=header).status_code == 201


def test_an_ended_session_is_sent_to_sign_in_not_to_an_error(guarded: Flask, client: FlaskClient) -> None:
    answer = client.post("/account", data={"name": "x"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/")
    assert client.post("/api/account/tokens", json={}).status_code == 401


def test_the_check_is_on_outside_tests(app: Flask) -> None:
    from dataclasses import replace

    from app.factory import create_app
    from app.settings import Mode

    working = create_app(replace(app.extensions["chaoshi_settings"], mode=Mode.DEVELOPMENT))
    assert working.config["WTF_CSRF_ENABLED"] is True
    with working.test_request_context():
        assert generate_csrf()
