"""Security headers of every answer."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from app.settings import Mode, Settings
from app.web.headers import checkout_origin, content_security_policy, security_headers

LIVE = Settings(
    mode=Mode.PRODUCTION,
    public_url="https://chaoshi.example.gov",
    stripe_secret_key="sk_live_x",
    stripe_base_url="https://api.stripe.com",
)


@pytest.mark.asvs("3.4.3")
@pytest.mark.parametrize("path", ["/sign-in", "/api/openapi.json", "/no/such/page", "/healthz", "/account"])
def test_every_answer_carries_them(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"


def test_no_policy_allows_anything_inline_or_foreign() -> None:
    for settings in (Settings(), LIVE):
        text = content_security_policy(settings)
        assert "unsafe" not in text
        assert "*" not in text


def test_forms_may_lead_to_the_payment_page_and_nowhere_else() -> None:
    assert "form-action 'self' https://checkout.stripe.com;" in content_security_policy(LIVE)
    assert checkout_origin(Settings()) == "http://127.0.0.1:8421"
    proxied = replace(Settings(), stripe_public_url="https://pay.example.gov/checkout/")
    assert checkout_origin(proxied) == "https://pay.example.gov"


@pytest.mark.asvs("3.4.1")
def test_transport_security_in_production_only() -> None:
    assert security_headers(LIVE)["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert "Strict-Transport-Security" not in security_headers(Settings())


@pytest.mark.parametrize("path", ["/sign-in", "/register", "/forgot-password", "/api/", "/dev/mail", "/dev/sign-in"])
def test_pages_have_nothing_inline(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    assert [tag for tag in page.find_all("script") if not tag.get("src")] == []
    assert page.find_all("style") == []
    for tag in page.find_all(True):
        assert not [name for name in tag.attrs if name == "style" or name.startswith("on")], tag


def test_request_ids_are_shared_and_checked(app: Flask, client: FlaskClient) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "0193a1b2-7c3d"})
    assert given.headers["X-Request-ID"] == "0193a1b2-7c3d"
    odd = client.get("/healthz", headers={"X-Request-ID": "<script>alert(1)</script>"})
    assert "<" not in odd.headers["X-Request-ID"]
    problem = client.get("/api/nothing-here")
    assert problem.get_json()["instance"] == problem.headers["X-Request-ID"]
