"""Contracts over HTTP: the pages and the API say and do the same, and nothing for strangers."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel import outbox
from app.kernel.access import Actor, Role
from marketplace.services import contracts
from marketplace.services.contracts import AcceptDeliverable
from tests.builders import a_member, sign_in
from tests.marketplace.contract_builders import Clock, Engagement, at, delivered, drawn_up, signed

Client = Callable[[Actor], FlaskClient]
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def client_of(app: Flask) -> Client:
    def make(actor: Actor) -> FlaskClient:
        client = app.test_client()
        sign_in(client, actor)
        return client

    return make


def call(client: FlaskClient, made: Engagement, action: str, **body: Any) -> Any:
    token = client.get("/api/contracts/" + str(made.id)).headers.get("X-CSRF-Token", "")
    return client.post(
        f"/api/contracts/{made.id}/actions/{action}", json=body, headers={"X-CSRF-Token": token, **ENGLISH}
    )


def test_the_sign_page_shows_the_text_and_its_hash(clock_at: Clock, client_of: Client) -> None:
    made = drawn_up(clock_at)
    page = client_of(made.agency).get(f"/contracts/{made.id}/actions/sign")
    assert page.status_code == 200
    assert made.row.document_sha256 in page.text
    assert "服务时限为10个工作日" in page.text


def test_both_sides_sign_through_the_api(clock_at: Clock, client_of: Client) -> None:
    made = drawn_up(clock_at)
    agency, owner = client_of(made.agency), client_of(made.owner)
    seen = agency.get(f"/api/contracts/{made.id}").json
    assert [a["name"] for a in seen["actions"]] == ["ask_changes", "sign"]
    assert owner.get(f"/api/contracts/{made.id}").json["actions"][0]["name"] == "redraft"
    digest = seen["document"]["sha256"]
    first = call(agency, made, "sign", document_sha256=digest, agreed=True, version=seen["version"])
    assert (first.status_code, first.json["state"], first.json["whose_turn"]) == (200, "to_sign_owner", "owner")
    second = call(owner, made, "sign", document_sha256=digest, agreed=True)
    assert second.status_code == 200
    assert second.json["clock"] == {
        "limit_wd": 10,
        "used_wd": 0,
        "paused_wd": 0,
        "remaining_wd": 10,
        "starts_on": "2026-06-01",
        "planned_finish": "2026-06-15",
        "is_paused": False,
        "is_stopped": False,
        "light": "green",
    }
    again = call(owner, made, "sign", document_sha256=digest, agreed=True)
    assert (again.status_code, again.json["code"]) == (409, "illegal-transition")


def test_wrong_input_names_its_field_and_changes_nothing(clock_at: Clock, client_of: Client) -> None:
    made = signed(clock_at)
    client = client_of(made.agency)
    for body, pointer in (
        ({"pause_reason": "holiday", "explanation": "x"}, "/pause_reason"),
        ({"pause_reason": "hearing"}, "/explanation"),
        ({"pause_reason": "hearing", "explanation": "x", "days": 3}, "/days"),
    ):
        answer = call(client, made, "ask_pause", **body)
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json["errors"]] == [pointer]
    assert made.state == "running"


def test_the_agency_uploads_and_the_owner_downloads(clock_at: Clock, client_of: Client) -> None:
    made = signed(clock_at)
    client = client_of(made.agency)
    form = client.get(f"/contracts/{made.id}/actions/deliver")
    assert 'enctype="multipart/form-data"' in form.text
    sent = client.post(
        f"/contracts/{made.id}/actions/deliver",
        data={
            "title": "地形测量成果报告",
            "practitioner_name": "陈立",
            "checked": "true",
            "file": (io.BytesIO("成果".encode()), "成果.txt"),
            "csrf_token": token_of(form.text),
        },
    )
    assert (sent.status_code, made.state) == (303, "delivered")
    file = client_of(made.owner).get(f"/contracts/{made.id}/deliverables/1")
    assert (file.status_code, file.get_data(as_text=True)) == (200, "成果")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert client_of(made.owner).get(f"/contracts/{made.id}/deliverables/2").status_code == 404


def test_a_form_keeps_what_was_typed(clock_at: Clock, client_of: Client) -> None:
    made = signed(clock_at)
    client = client_of(made.agency)
    form = client.get(f"/contracts/{made.id}/actions/ask_pause")
    answer = client.post(
        f"/contracts/{made.id}/actions/ask_pause",
        data={"explanation": "施工围挡未拆除", "csrf_token": token_of(form.text)},
    )
    assert answer.status_code == 422
    assert "施工围挡未拆除" in answer.text
    assert made.state == "running"


@pytest.mark.parametrize(
    "path", ["", "/document", "/deliverables/1", "/actions/sign", "/actions/accept", "/actions/nonsense"]
)
def test_strangers_meet_a_404(clock_at: Clock, client_of: Client, path: str) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    stranger = client_of(a_member(Role.OWNER))
    assert stranger.get(f"/contracts/{made.id}{path}").status_code == 404
    assert call(stranger, made, "accept").status_code == 404
    assert made.state == "delivered"


def test_visitors_are_asked_to_sign_in(clock_at: Clock, app: Flask) -> None:
    made = drawn_up(clock_at)
    client = app.test_client()
    assert client.get(f"/contracts/{made.id}").status_code == 302
    assert client.get(f"/api/contracts/{made.id}").status_code == 401
    assert client.get("/api/contracts").status_code == 401


def test_every_state_has_its_page_for_every_reader(clock_at: Clock, client_of: Client) -> None:
    made = signed(clock_at)
    outbox.drain_all()
    delivered(made, at(6, 16))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    readers = [client_of(actor) for actor in (made.owner, made.agency, made.operator, a_member(Role.AUDITOR))]
    for reader in readers:
        page = reader.get(f"/contracts/{made.id}")
        assert page.status_code == 200
        assert made.row.number in page.text
        assert reader.get("/contracts").status_code == 200
        assert reader.get(f"/contracts/{made.id}/document").mimetype == "application/pdf"
    assert date(2026, 6, 15) == made.row.deadline_on


def token_of(page: str) -> str:
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
