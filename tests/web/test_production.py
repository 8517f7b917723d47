"""Production refuses development aids, simulators and missing secrets."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, request

from app.factory import create_app
from app.settings import MissingSetting, Mode, Settings

GOOD = {
    "CHAOSHI_ENV": "production",
    "CHAOSHI_SECRET_KEY": "k" * 48,
    "CHAOSHI_PASSWORD_SALT": "s" * 48,
    "CHAOSHI_SMTP_URL": "smtps://u:p@mail.example.gov",
    "CHAOSHI_PUBLIC_URL": "https://chaoshi.example.gov",
    "STRIPE_SECRET_KEY": "sk_live_x",
    "STRIPE_WEBHOOK_SECRETS": "whsec_x",
    "EMS_BASE_URL": "https://api.ems.example/amp-prod-api/f/amp/api/open",
    "EMS_SENDER_NO": "1100000000009",
    "EMS_AUTHORIZATION": "REALAUTH00000009",
    "EMS_SIGN_KEY": "UkVBTC1LRVktMDAwMDAwMQ==",
    "EMS_NOTICE_SEGMENT": "n" * 32,
}


def production(tmp_path: Path, **changes: str) -> Settings:
    environ = {**GOOD, "CHAOSHI_DATA": str(tmp_path), **changes}
    return Settings.from_env({name: value for name, value in environ.items() if value})


def test_complete_settings_start(tmp_path: Path) -> None:
    app = create_app(production(tmp_path))
    assert app.session_interface.cookie_name == "__Host-session"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    [
        "CHAOSHI_SECRET_KEY",
        "CHAOSHI_PASSWORD_SALT",
        "CHAOSHI_SMTP_URL",
        "EMS_NOTICE_SEGMENT",
        "STRIPE_SECRET_KEY",
        "EMS_AUTHORIZATION",
        "EMS_BASE_URL",
    ],
)
def test_a_missing_secret_stops_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingSetting):
        production(tmp_path, **{name: ""})


@pytest.mark.parametrize(
    "changes",
    [
        {"CHAOSHI_PUBLIC_URL": "http://chaoshi.example.gov"},
        {"STRIPE_BASE_URL": "http://127.0.0.1:8421"},
        {"EMS_BASE_URL": "http://127.0.0.1:8422/sim/ems"},
    ],
)
def test_simulators_and_plain_http_stop_the_start(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(MissingSetting):
        production(tmp_path, **changes)


def test_a_live_key_is_never_used_beside_the_simulator(tmp_path: Path) -> None:
    with pytest.raises(MissingSetting):
        Settings.from_env(
            {
                "CHAOSHI_DATA": str(tmp_path),
                "STRIPE_SECRET_KEY": "sk_live_x",
                "STRIPE_BASE_URL": "http://127.0.0.1:8421",
            }
        )


@pytest.fixture
def live(tmp_path: Path) -> Flask:
    return create_app(production(tmp_path))


def test_the_development_pages_do_not_exist(live: Flask) -> None:
    addresses = {rule.rule for rule in live.url_map.iter_rules()}
    assert not [address for address in addresses if address.startswith(("/dev/", "/styleguide"))]
    client = live.test_client()
    for path in ("/dev/sign-in", "/dev/mail", "/styleguide"):
        assert client.get(path, base_url="https://chaoshi.example.gov").status_code == 404


def test_registering_the_development_pages_by_mistake_stops_the_start(live: Flask) -> None:
    from app.web.identity.development import pages

    with pytest.raises(RuntimeError, match="do not exist in production"):
        live.register_blueprint(pages)


def test_the_sign_in_page_has_no_panel_and_a_host_cookie(live: Flask) -> None:
    from app.kernel.db import Base, db

    with live.app_context():
        Base.metadata.create_all(db.engine)
    answer = live.test_client().get("/sign-in", base_url="https://chaoshi.example.gov")
    assert answer.status_code == 200
    assert "/dev/" not in answer.get_data(as_text=True)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    shown = repr(production(tmp_path))
    for value in ("k" * 48, "s" * 48, "sk_live_x", "REALAUTH00000009", "smtps://"):
        assert value not in shown


def test_development_keeps_its_secret_private(tmp_path: Path) -> None:
    settings = Settings.from_env({"CHAOSHI_DATA": str(tmp_path)})
    again = Settings.from_env({"CHAOSHI_DATA": str(tmp_path)})
    assert settings.secret_key == again.secret_key
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert replace(settings, mode=Mode.TESTING).is_production is False


def test_the_address_of_a_visitor_comes_from_our_proxies_only(tmp_path: Path) -> None:
    behind = create_app(production(tmp_path, CHAOSHI_PROXIES="1"))
    direct = create_app(production(tmp_path))
    forwarded = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    seen = []

    for app in (behind, direct):
        app.before_request_funcs[None].insert(0, lambda: seen.append(request.remote_addr))
        app.test_client().get("/healthz", headers=forwarded)
    assert seen == ["203.0.113.9", "127.0.0.1"]
