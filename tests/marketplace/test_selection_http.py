"""Pages and API of selections: the result with its reasons, the comparison sheet, the small list, the direct request, the form of a notice."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from app.kernel.access import Actor, Role
from app.kernel.db import db
from marketplace.models.procurements import Procurement
from marketplace.models.selection import Comparison, DirectRequest
from marketplace.rules.selection.terms import MethodTerms
from marketplace.states.procurement import ProcurementState as P
from tests.builders import a_member, sign_in
from tests.marketplace.procurement_builders import Clock, a_story, frozen, ranked
from tests.marketplace.test_selection_services import bid, plan_story, small_list


def as_(app: Flask, actor: Actor | None) -> FlaskClient:
    client = app.test_client()
    if actor is not None:
        sign_in(client, actor)
    return client


def post(client: FlaskClient, path: str, page: str, **data: Any) -> Any:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert found, page
    return client.post(path, data={"csrf_token": found[1], **data})


def test_everybody_reads_the_result_and_the_bytes_behind_it(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "170000.00", "150000.00", "160000.00")
    client = as_(app, None)
    page = client.get(f"/procurements/{story.id}/selection", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "150,000.00 yuan: the lowest valid quote." in page.text
    assert "20,000.00 yuan above the lowest valid quote" in page.text
    assert "Decide again now" not in page.text
    answer = client.get(f"/api/procurements/{story.id}/selection").get_json()
    for part in ("inputs", "outcome"):
        file = client.get(f"/procurements/{story.id}/selection/{part}.json")
        assert hashlib.sha256(file.data).hexdigest() == answer[f"{part}_sha256"] == file.headers["X-Content-SHA256"]
    assert [row["place"] for row in answer["participants"]] == [1, 2, 3]


def test_only_those_who_watch_replay(app: Flask, clock_at: Clock) -> None:
    story = ranked(a_story(clock_at, 3))
    path = f"/procurements/{story.id}/selection"
    auditor = as_(app, a_member(Role.AUDITOR))
    assert post(auditor, f"{path}/replay", path).status_code == 303
    assert "result_same" not in auditor.get(path).text
    assert as_(app, story.owner).get(path).status_code == 200
    assert post(as_(app, story.owner), f"{path}/replay", f"/procurements/{story.id}").status_code == 403


def test_there_is_no_result_before_the_decision(app: Flask, clock_at: Clock) -> None:
    story = frozen(a_story(clock_at, 3))
    assert as_(app, story.owner).get(f"/procurements/{story.id}/selection").status_code == 404


def test_the_owner_fills_the_sheet_and_nobody_else_sees_it(app: Flask, clock_at: Clock) -> None:
    story = plan_story(clock_at)
    path = f"/procurements/{story.id}/compare"
    owner = as_(app, story.owner)
    assert "服务方案" in owner.get(path).text
    assert f'href="{path}"' in owner.get(f"/procurements/{story.id}").text
    for other in (a_member(Role.OWNER), story.agencies[0].actor, story.operator):
        assert as_(app, other).get(path).status_code in {403, 404}
    first, second = (str(story.registration(agency).id) for agency in story.agencies)
    values = {f"points-{first}-0": "95", f"reason-{first}-0": "针对性强", f"points-{second}-0": "很好"}
    refused = post(owner, path, path, **values)
    assert refused.status_code == 422
    assert "针对性强" in refused.text
    assert db.session.query(Comparison).count() == 0
    values |= {f"points-{second}-0": "60", f"reason-{second}-0": "较笼统"}
    assert post(owner, path, path, **values).status_code == 303
    assert story.state == P.RESULT_PUBLICITY
    assert "较笼统" in as_(app, None).get(f"/procurements/{story.id}/selection").text


def test_the_plan_is_read_by_the_owner_and_not_by_a_rival(app: Flask, clock_at: Clock) -> None:
    story = plan_story(clock_at)
    path = f"/procurements/{story.id}/plans/{story.registration(story.agencies[0]).id}"
    assert as_(app, story.owner).get(path).data == "方案正文".encode()
    assert as_(app, story.agencies[1].actor).get(path).status_code == 404


def test_the_owner_chooses_from_the_small_list_on_its_page(app: Flask, clock_at: Clock) -> None:
    story = small_list(clock_at)
    path = f"/procurements/{story.id}/compare"
    owner = as_(app, story.owner)
    chosen = re.findall(r'name="registration_id" value="([^"]+)"', owner.get(path).text)
    assert len(chosen) == 2
    assert post(owner, path, path, registration_id=chosen[0]).status_code == 422
    assert story.state == P.COMPARING
    assert post(owner, path, path, registration_id=chosen[0], reason="承担过同类项目").status_code == 303
    assert str(story.procurement.winner_registration_id) == chosen[0]


def test_a_direct_selection_is_asked_for_and_decided_on_the_page(app: Flask, clock_at: Clock) -> None:
    story = a_story(clock_at, 2, method="direct", fund_source="social")
    path = f"/procurements/{story.id}"
    owner, operator = as_(app, story.owner), as_(app, story.operator)
    form = f"{path}/actions/request_direct"
    assert "own_choice" in owner.get(form).text
    assert f"{path}/actions/submit" not in owner.get(path).text
    sent = post(owner, form, form, uscc=story.agencies[0].uscc, ground="own_choice", reason="长期合作，质量可靠")
    assert sent.status_code == 303
    assert db.session.query(DirectRequest).count() == 1
    assert "长期合作" in operator.get(path).text
    decide = f"{path}/actions/approve_direct"
    assert post(operator, decide, decide).status_code == 303
    assert story.winner.uscc == story.agencies[0].uscc


def test_a_notice_keeps_only_what_its_method_uses(app: Flask, clock_at: Clock) -> None:
    story = a_story(clock_at, 1)
    client = as_(app, story.owner)
    body = {
        "item_version_id": str(story.item),
        "title": "城东水厂扩建地形测量",
        "project_name": "城东水厂扩建",
        "region_code": "320102",
        "content": "1:500 地形测量",
        "limit_wd": 10,
        "fund_source": "fiscal",
        "budget_fen": "200000.00",
        "ceiling_fen": "190000.00",
        "method": "merit_plan",
        "criteria": "价格 40\n服务方案 60",
        "big_list": 9,
        "registration_ends_at": "2026-12-04T17:00",
        "contact_name": "周敏",
        "contact_phone": "025-83210001",
        "complaint_phone": "025-12345",
    }
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
    assert found
    made = client.post("/api/procurements", json=body, headers={"X-CSRF-Token": found[1]})
    assert made.status_code == 201, made.text
    row = db.session.get_one(Procurement, UUID(made.get_json()["id"]))
    terms = MethodTerms.from_json(row.method_terms)
    assert [(c.name, c.weight, c.is_price) for c in terms.criteria] == [("价格", 40, True), ("服务方案", 60, False)]
    assert (terms.big_list, row.price_fen) == (None, 190_000_00)
    wrong = client.post(
        "/api/procurements", json=body | {"criteria": "服务方案 90"}, headers={"X-CSRF-Token": found[1]}
    )
    assert wrong.status_code == 422
    assert "weights-not-100" in wrong.text
