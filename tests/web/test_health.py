"""Health and readiness."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.kernel.jobs import beat
from app.web import health
from tests.identity.builders import MONDAY, a_person

ClockAt = Callable[[datetime], None]


def test_health_needs_nothing(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    assert "Set-Cookie" not in answer.headers


def test_ready_with_a_living_worker(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    beat("one:1")
    clock_at(MONDAY + timedelta(seconds=59))
    answer = client.get("/readyz")
    body = answer.get_json()
    assert (answer.status_code, body["status"]) == (200, "ready")
    assert set(body["checks"]) == {"database", "sqlite", "worker", "audit", "disk", "calendar"}
    assert all(check["ok"] for check in body["checks"].values())


def test_not_ready_without_a_worker(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]["worker"]["ok"]) == (503, False)
    beat("one:1")
    clock_at(MONDAY + timedelta(seconds=60))
    assert client.get("/readyz").status_code == 503


def test_not_ready_when_the_audit_log_lags(client: FlaskClient, clock_at: ClockAt) -> None:
    from app.identity.services import accounts
    from app.kernel.access import Actor

    clock_at(MONDAY)
    user = a_person()
    accounts.change_profile(Actor(user.id, None, frozenset(), user.name), accounts.ChangeProfile("李", None, "en"))
    clock_at(MONDAY + timedelta(seconds=61))
    beat("one:1")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["audit"] == {"ok": False, "note": "61 s"}


def test_a_year_without_its_notice_warns_and_does_not_stop(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    beat("one:1")
    calendar = client.get("/readyz").get_json()["checks"]["calendar"]
    assert calendar == {"ok": True, "note": "2027 is not official yet", "warning": True}


def test_a_failing_check_is_named_and_tells_nothing_else(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> health.Finding:
        raise OSError("/secret/path is gone")

    monkeypatch.setitem(health.CHECKS, "disk", broken)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["disk"] == {"ok": False, "note": "OSError"}
    assert "secret" not in answer.get_data(as_text=True)
