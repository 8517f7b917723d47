"""Procurements over HTTP: pages and API, what each role sees, what strangers get, bad input, repeated requests."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.inbox import IdempotencyKey
from marketplace.models.notices import NoticeForm, NoticeTemplate
from marketplace.models.procurements import Draw, Procurement, Registration
from marketplace.rules import draw as gmdraw
from tests.builders import a_member, sign_in
from tests.marketplace.procurement_builders import (
    DEADLINE,
    Story,
    a_story,
    an_agency,
    awarded,
    frozen,
    published,
    ranked,
    registered,
)

As = Callable[[Actor], FlaskClient]


@pytest.fixture
def as_actor(app: Flask) -> As:
    def make(actor: Actor) -> FlaskClient:
        client = app.test_client()
        sign_in(client, actor)
        return client

    return make


def token(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


def post(client: FlaskClient, path: str, data: dict[str, Any] | None = None, page: str = "/") -> Any:
    return client.post(path, data={"csrf_token": token(client, page), **(data or {})})


def call(client: FlaskClient, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return client.post(path, json=body or {}, headers={"X-CSRF-Token": token(client, "/"), **headers})


def notice(story: Story, **changes: Any) -> dict[str, Any]:
    return {
        "item_version_id": str(story.item),
        "title": "城东水厂扩建地形测量",
        "project_name": "城东水厂扩建",
        "region_code": "320102",
        "content": "1:500 地形测量",
        "limit_wd": 10,
        "fund_source": "fiscal",
        "budget_fen": "200000",
        "price_fen": "180000.50",
        "method": "random",
        "registration_ends_at": "2026-11-20T17:00",
        "contact_name": "周敏",
        "contact_phone": "025-1",
        "complaint_phone": "025-2",
        **changes,
    }


# --- public pages -----------------------------------------------------------------------------------------------


def test_visitors_read_published_notices_and_nothing_else(app: Flask, client: FlaskClient, clock_at: Any) -> None:
    hidden = a_story(clock_at, title="未公告的项目")
    shown = published(a_story(clock_at, agencies=1, first=11, title="已公告的项目"))
    page = client.get("/procurements")
    assert page.status_code == 200
    assert "已公告的项目" in page.text
    assert "未公告的项目" not in page.text
    assert client.get(f"/procurements/{shown.id}").status_code == 200
    assert client.get(f"/procurements/{hidden.id}").status_code == 404
    assert client.get(f"/api/procurements/{hidden.id}").status_code == 404
    assert client.get(f"/api/procurements/{shown.id}").json["state"] == "published"


def test_filters_live_in_the_address_and_wrong_ones_are_told(client: FlaskClient, clock_at: Any) -> None:
    published(a_story(clock_at, agencies=1))
    titles = [
        row["title"] for row in client.get("/api/procurements?stage=open&category=mapping&region=320100").json["items"]
    ]
    assert titles == ["滨江新城一期地形测量服务"]
    assert client.get("/api/procurements?stage=finished").json["items"] == []
    assert client.get("/api/procurements?category=water").json["items"] == []
    assert client.get("/api/procurements?region=320200").json["items"] == []
    assert client.get("/api/procurements?q=%E6%BB%A8%E6%B1%9F").json["total"] == 1
    assert client.get("/api/procurements?q=%25").json["total"] == 0
    wrong = client.get("/api/procurements?stage=nowhere&page=0")
    assert wrong.status_code == 422
    assert {error["pointer"] for error in wrong.json["errors"]} == {"/stage", "/page"}
    assert client.get("/api/procurements?colour=red").status_code == 422


def test_closing_soon_is_three_days(client: FlaskClient, clock_at: Any) -> None:
    published(a_story(clock_at, agencies=1))
    clock_at(DEADLINE - timedelta(days=3, seconds=1))
    assert client.get("/api/procurements?closing_soon=true").json["total"] == 0
    clock_at(DEADLINE - timedelta(days=3))
    assert client.get("/api/procurements?closing_soon=true").json["total"] == 1


def test_the_export_is_the_filtered_list_and_runs_no_formula(client: FlaskClient, clock_at: Any) -> None:
    published(a_story(clock_at, agencies=1, title="=HYPERLINK(1)"))
    answer = client.get("/procurements.csv?stage=open")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 2
    assert rows[1][1] == "'=HYPERLINK(1)"
    assert rows[1][7:9] == ["180000.00", "10"]


def test_the_published_notice_is_the_text_that_was_hashed(client: FlaskClient, clock_at: Any) -> None:
    story = published(a_story(clock_at, agencies=1))
    digest = client.get(f"/api/procurements/{story.id}").json["notice_sha256"]
    answer = client.get(f"/api/procurements/{story.id}/notice")
    assert sha256(answer.data).hexdigest() == digest == answer.headers["X-Content-SHA256"]
    assert json.loads(answer.data)["title"] == "滨江新城一期地形测量服务"


# --- the owner --------------------------------------------------------------------------------------------------


def through_the_wizard(client: FlaskClient, values: dict[str, Any], **last: str) -> Any:
    """Send a notice step by step; returns the first answer that is no redirect, or the last one."""
    steps = {
        "what": "item_version_id title project_name project_code region_code place scale content limit_wd",
        "who": "demanded_grade demanded_region avoided",
        "how": "fund_source budget_fen price_fen ceiling_fen amount_note method has_witness",
        "dates": "registration_ends_at contact_name contact_phone complaint_phone",
        "review": "",
    }
    path = "/procurements/new"
    for step, names in steps.items():
        sent = {name: str(values[name]) for name in names.split() if name in values}
        answer = post(client, path, sent | (last if step == "review" else {}), page=path)
        if answer.status_code != 303:
            return answer
        path = answer.headers["Location"]
    return answer


def test_an_owner_writes_a_notice_step_by_step_and_submits_it(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at)
    client = as_actor(story.owner)
    assert client.get("/procurements/new").status_code == 200
    made = through_the_wizard(client, notice(story, title="城东水厂扩建地形测量 𠮷田 شركة 👷", limit_wd="１０"))
    assert made.status_code == 303, made.text
    path = made.headers["Location"]
    page = client.get(path)
    assert "城东水厂扩建地形测量 𠮷田 شركة 👷" in page.text
    assert f"{path}/actions/submit" in page.text
    assert post(client, f"{path}/actions/submit").status_code == 303
    row = db.session.query(Procurement).filter_by(project_name="城东水厂扩建").one()
    assert (row.state, row.price_fen, row.limit_wd) == ("submitted", 180_000_50, 10)
    assert db.session.query(NoticeForm).count() == 0


def test_the_last_step_may_submit_at_once(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at)
    made = through_the_wizard(as_actor(story.owner), notice(story), then="submit")
    assert made.status_code == 303
    assert db.session.query(Procurement).filter_by(title="城东水厂扩建地形测量").one().state == "submitted"


def test_a_faulty_step_comes_back_with_what_was_typed(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at)
    client = as_actor(story.owner)
    before = db.session.query(Procurement).count()
    for changes, field in (
        ({"price_fen": "300000"}, "price_fen"),
        ({"price_fen": "1.234"}, "price_fen"),
        ({"budget_fen": "0"}, "budget_fen"),
        ({"limit_wd": "0"}, "limit_wd"),
        ({"registration_ends_at": "2026-11-17T17:00"}, "registration_ends_at"),
        ({"registration_ends_at": "2028-11-17T17:00"}, "registration_ends_at"),
        ({"avoided": "not a code"}, "avoided"),
        ({"fund_source": "lottery"}, "fund_source"),
        ({"title": "价格\u202e001"}, "title"),
        ({"title": ""}, "title"),
        ({"item_version_id": "x"}, "item_version_id"),
    ):
        kept = {
            "content": "这段话必须留下",
            "amount_note": "这段话必须留下",
            "contact_name": "这段话必须留下",
            **changes,
        }
        answer = through_the_wizard(client, notice(story, **kept))
        assert answer.status_code == 422, changes
        assert f'id="field-{field}-error"' in answer.text, changes
        assert "这段话必须留下" in answer.text or field == "avoided", changes
    assert db.session.query(Procurement).count() == before


def test_an_unfinished_notice_waits_and_is_nobody_elses(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at)
    client, stranger = as_actor(story.owner), as_actor(a_member("owner"))
    left = post(client, "/procurements/new", {"title": "写了一半", "then": "leave"}, page="/procurements/new")
    assert (left.status_code, left.headers["Location"]) == (303, "/procurements/mine")
    form = db.session.query(NoticeForm).one()
    path = f"/procurements/forms/{form.id}/what"
    assert path in client.get("/procurements/mine").text
    assert 'value="写了一半"' in client.get(path).text
    assert stranger.get(path).status_code == 404
    assert client.get(f"/procurements/forms/{form.id}/nowhere").status_code == 404
    assert post(stranger, f"/procurements/forms/{form.id}/discard").status_code == 404
    assert post(client, f"/procurements/forms/{form.id}/discard").status_code == 303
    assert db.session.query(NoticeForm).count() == 0


def test_a_double_click_makes_one_form(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at)
    client = as_actor(story.owner)
    sent = notice(story, idempotency_key="k1")
    first = post(client, "/procurements/new", sent, page="/procurements/new")
    second = post(client, "/procurements/new", sent, page="/procurements/new")
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert db.session.query(NoticeForm).count() == 1
    assert db.session.query(IdempotencyKey).count() == 1


def test_a_template_and_a_copy_start_the_next_notice(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at, content="每年一次的控制点复测")
    client, stranger = as_actor(story.owner), as_actor(a_member("owner"))
    assert "每年一次的控制点复测" in client.get(f"/procurements/new?copy={story.id}").text
    assert stranger.get(f"/procurements/new?copy={story.id}").status_code == 404
    assert post(client, f"/procurements/{story.id}/template", {"name": "年度复测"}).status_code == 303
    template = db.session.query(NoticeTemplate).one()
    assert "年度复测" in client.get("/notice-templates").text
    assert "每年一次的控制点复测" in client.get(f"/procurements/new?template={template.id}").text
    assert stranger.get(f"/procurements/new?template={template.id}").status_code == 404


def test_the_owner_changes_a_public_notice_in_the_wizard_and_everybody_reads_the_difference(
    as_actor: As, client: FlaskClient, clock_at: Any
) -> None:
    story = published(a_story(clock_at))
    owner = as_actor(story.owner)
    path = f"/procurements/{story.id}/edit"
    assert owner.get(path).status_code == 200
    assert (
        post(
            owner,
            f"{path}/dates",
            {**notice(story), "contact_phone": "025-777", "registration_ends_at": "2026-11-19T17:00"},
        ).status_code
        == 303
    )
    review = owner.get(f"{path}/review")
    assert "更正" in review.text or "A correction" in review.text
    assert post(owner, f"{path}/review", {"why": ""}).status_code == 422
    assert post(owner, f"{path}/review", {"why": "电话更正"}).status_code == 303
    assert story.procurement.contact_phone == "025-777"
    page = client.get(f"/procurements/{story.id}/versions")
    assert "电话更正" in page.text
    assert "025-777" in page.text
    assert client.get(f"/procurements/{story.id}/notice.json?version=1").json["contacts"]["phone"] == "025-83210001"
    assert client.get(f"/procurements/{story.id}/notice.json?version=9").status_code == 404


def test_questions_are_public_and_their_askers_are_not(as_actor: As, client: FlaskClient, clock_at: Any) -> None:
    story = published(a_story(clock_at))
    agency, owner = as_actor(story.agencies[0].actor), as_actor(story.owner)
    asked = post(agency, f"/procurements/{story.id}/questions/new", {"text": "测区坐标系是什么?"})
    assert asked.status_code == 303
    for reader in (client, owner, as_actor(story.operator), as_actor(story.agencies[1].actor)):
        (found,) = reader.get(f"/api/procurements/{story.id}/questions").json["items"]
        assert (found["text"], found["asker"]) == ("测区坐标系是什么?", None)
        page = reader.get(f"/procurements/{story.id}").text
        assert "测区坐标系是什么?" in page
        assert "测绘机构1" not in page
    assert agency.get(f"/api/procurements/{story.id}/questions").json["items"][0]["asker"] == "测绘机构1"
    answered = call(owner, f"/api/questions/{found['id']}/actions/answer", {"answer": "CGCS2000"})
    assert (answered.status_code, answered.json["state"]) == (200, "answered")
    assert "CGCS2000" in client.get(f"/procurements/{story.id}").text
    assert client.get(f"/questions/{found['id']}").status_code == 302
    clock_at(DEADLINE)
    late = post(
        as_actor(story.agencies[0].actor), f"/procurements/{story.id}/questions/new", {"text": "迟到的话也要留下"}
    )
    assert late.status_code == 409
    assert "迟到的话也要留下" in late.text


def test_the_preview_counts_who_qualifies_while_the_form_is_filled_in(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at)
    an_agency(story.item, 70, region_code="320200")
    client = as_actor(story.owner)
    page = "/procurements/new"
    half = post(client, "/procurements/preview", {"item_version_id": str(story.item)}, page)
    assert ">5</strong>" in half.text
    narrow = post(
        client, "/procurements/preview", {"item_version_id": str(story.item), "demanded_region": "320200"}, page
    )
    assert ">1</strong>" in narrow.text
    avoided = {"item_version_id": str(story.item), "avoided": f"{story.agencies[0].uscc} 同一股东"}
    assert ">4</strong>" in post(client, "/procurements/preview", avoided, page).text
    whole = call(client, "/api/procurements/preview", notice(story, price_fen="250000"))
    assert whole.status_code == 200, whole.text
    assert (whole.json["eligible"], whole.json["minimum"]) == (5, 3)
    assert [(f["code"], f["pointer"]) for f in whole.json["findings"]] == [("price-above-budget", "/price_fen")]


def test_the_api_drafts_once_per_key_and_refuses_unknown_members(as_actor: As, clock_at: Any) -> None:
    story = a_story(clock_at)
    client = as_actor(story.owner)
    body = notice(story, avoided=[{"uscc": story.agencies[0].uscc, "reason": "同一股东"}])
    first = call(client, "/api/procurements", body, **{"Idempotency-Key": "a1"})
    again = call(client, "/api/procurements", body, **{"Idempotency-Key": "a1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert first.json["avoided"][0]["reason"] == "同一股东"
    assert [action["name"] for action in first.json["actions"]] == ["submit", "discard"]
    assert call(client, "/api/procurements", {**body, "title": "x"}, **{"Idempotency-Key": "a1"}).status_code == 422
    assert call(client, "/api/procurements", {**body, "state": "published"}).status_code == 422
    assert call(client, "/api/procurements", {}).status_code == 422


def test_a_stranger_gets_404_and_the_wrong_role_403(as_actor: As, client: FlaskClient, clock_at: Any) -> None:
    story = a_story(clock_at)
    stranger = as_actor(a_member("owner"))
    for path in (
        f"/procurements/{story.id}",
        f"/procurements/{story.id}/edit",
        f"/procurements/{story.id}/actions/discard",
    ):
        assert stranger.get(path).status_code == 404, path
    assert post(stranger, f"/procurements/{story.id}/actions/submit").status_code == 404
    assert call(stranger, f"/api/procurements/{story.id}/actions/submit").status_code == 404
    agency = as_actor(story.agencies[0].actor)
    assert agency.get("/procurements/new").status_code == 403
    assert call(agency, "/api/procurements", notice(story)).status_code == 403
    assert client.get("/procurements/new").status_code == 302
    assert client.post("/api/procurements", json={}).status_code in {400, 401, 403}
    assert story.state == "draft"


def test_edges_are_refused_to_other_roles_and_from_other_states(as_actor: As, clock_at: Any) -> None:
    story = published(a_story(clock_at))
    owner, operator = as_actor(story.owner), as_actor(story.operator)
    agency = as_actor(story.agencies[0].actor)
    assert call(owner, f"/api/procurements/{story.id}/actions/publish").status_code == 409
    assert call(agency, f"/api/procurements/{story.id}/actions/withdraw", {"reason": "x"}).status_code == 403
    assert call(operator, f"/api/procurements/{story.id}/actions/withdraw", {"reason": "x"}).status_code == 403
    assert call(owner, f"/api/procurements/{story.id}/actions/withdraw", {}).status_code == 422
    assert call(owner, f"/api/procurements/{story.id}/actions/close").status_code == 404
    assert (
        call(owner, f"/api/procurements/{story.id}/actions/withdraw", {"reason": "x", "version": 1}).status_code == 409
    )
    assert story.state == "published"
    done = call(owner, f"/api/procurements/{story.id}/actions/withdraw", {"reason": "项目取消"})
    assert (done.status_code, done.json["state"]) == (200, "withdrawn")


# --- the agency -------------------------------------------------------------------------------------------------


def test_an_agency_sees_its_reasons_and_registers_in_the_browser(as_actor: As, clock_at: Any) -> None:
    story = published(a_story(clock_at))
    client = as_actor(story.agencies[0].actor)
    assert "滨江新城一期地形测量服务" in client.get("/opportunities").text
    page = client.get(f"/procurements/{story.id}")
    assert f"/procurements/{story.id}/actions/register" in page.text
    form = client.get(f"/procurements/{story.id}/actions/register")
    assert "data-contribution" in form.text
    made = post(
        client,
        f"/procurements/{story.id}/actions/register",
        {"contribution": "ab" * 32},
        page=f"/procurements/{story.id}/actions/register",
    )
    assert made.status_code == 303, made.text
    row = db.session.query(Registration).one()
    assert (row.state, row.contribution) == ("registered", "ab" * 32)
    assert "滨江新城一期地形测量服务" not in client.get("/opportunities").text
    assert "滨江新城一期地形测量服务" in client.get("/registrations").text
    assert client.get(f"/registrations/{row.id}").status_code == 200
    other = as_actor(story.agencies[1].actor)
    assert other.get(f"/registrations/{row.id}").status_code == 404
    assert as_actor(story.owner).get(f"/registrations/{row.id}").status_code == 404
    assert as_actor(story.operator).get(f"/registrations/{row.id}").status_code == 200
    assert post(client, f"/registrations/{row.id}/actions/withdraw").status_code == 303
    db.session.expire_all()
    assert db.session.query(Registration).one().state == "withdrawn"


def test_registering_late_twice_or_without_right_answers_plainly(
    as_actor: As, client: FlaskClient, clock_at: Any
) -> None:
    story = published(a_story(clock_at))
    path = f"/api/procurements/{story.id}/registrations"
    first = as_actor(story.agencies[0].actor)
    assert call(first, path, {"contribution": "cd" * 32}).status_code == 201
    again = call(first, path)
    assert (again.status_code, again.json["code"]) == (409, "already-registered")
    bad = call(as_actor(story.agencies[1].actor), path, {"contribution": "CD" * 32})
    assert (bad.status_code, bad.json["errors"][0]["pointer"]) == (422, "/contribution")
    unfit = an_agency(story.item, 80, state="suspended")
    refused = call(as_actor(unfit.actor), path)
    assert (refused.status_code, refused.json["code"]) == (422, "not-eligible")
    assert [check["test"] for check in refused.json["checks"]] == ["standing"]
    assert call(as_actor(story.owner), path).status_code == 403
    assert client.post(path, json={}).status_code in {400, 401, 403}
    clock_at(DEADLINE + timedelta(milliseconds=1))
    late = call(as_actor(story.agencies[2].actor), path)
    assert (late.status_code, late.json["code"]) == (409, "registration-ended")
    assert "2026-11-19 17:00:00" in late.json["detail"]
    assert db.session.query(Registration).count() == 1


def test_the_number_of_registrations_is_public_and_the_names_are_not(
    client: FlaskClient, as_actor: As, clock_at: Any
) -> None:
    story = registered(a_story(clock_at))
    for reader in (client, as_actor(story.owner)):
        answer = reader.get(f"/api/procurements/{story.id}")
        assert answer.json["registrations"] == 4
        assert "测绘机构1" not in answer.text
        assert "测绘机构1" not in reader.get(f"/procurements/{story.id}").text


# --- the draw ---------------------------------------------------------------------------------------------------


def test_the_draw_page_offers_both_files_before_and_after(client: FlaskClient, clock_at: Any) -> None:
    story = frozen(a_story(clock_at))
    draw = db.session.query(Draw).one()
    page = client.get(f"/draws/{draw.id}")
    assert page.status_code == 200
    assert draw.sha256 in page.text
    assert "data-verify-draw" not in page.text
    assert client.get(f"/draws/{draw.id}/beacon.txt").status_code == 404
    listed = client.get(f"/draws/{draw.id}/draw.txt")
    assert sha256(listed.data).hexdigest() == draw.sha256
    from marketplace.jobs import procurements as jobs

    clock_at(draw.beacon_due_at)
    jobs.rank_due()
    beacon = client.get(f"/draws/{draw.id}/beacon.txt").data
    result = gmdraw.rank(listed.data, beacon, demonstration=True)
    after = client.get(f"/draws/{draw.id}").text
    assert "data-verify-draw" in after
    assert re.findall(r'data-code="(\w+)"', after) == [row.code for row in result.ranking]
    answer = client.get(f"/api/draws/{draw.id}").json
    assert (answer["seed"], answer["sha256"]) == (result.seed, result.list_hash)
    assert [row["place"] for row in answer["ranking"]] == [1, 2, 3, 4]
    assert story.winner.uscc == answer["ranking"][0]["uscc"]


def test_the_script_on_the_page_is_the_script_of_the_repository(client: FlaskClient) -> None:
    answer = client.get("/verify_draw.py")
    assert answer.status_code == 200
    assert b"GMDRAW/1" in answer.data
    assert "attachment" in answer.headers["Content-Disposition"]


def test_values_are_entered_by_two_persons_of_the_right_role(app: Flask, as_actor: As, clock_at: Any) -> None:
    from dataclasses import replace

    app.extensions["chaoshi_settings"] = replace(app.extensions["chaoshi_settings"], demonstration=False)
    story = frozen(a_story(clock_at))
    draw = db.session.query(Draw).one()
    clock_at(draw.beacon_due_at)
    value = {"source": "drand-quicknet", "value": "a1" * 48}
    assert call(as_actor(story.owner), f"/api/draws/{draw.id}/values", value).status_code == 403
    operator, second = as_actor(story.operator), as_actor(story.second)
    page = operator.get(f"/draws/{draw.id}").text
    assert f"/draws/{draw.id}/values" in page
    assert f'/public/{draw.sources[0][1]}"' in page
    wrong = post(operator, f"/draws/{draw.id}/values", {**value, "value": "A1" * 48}, page=f"/draws/{draw.id}")
    assert wrong.status_code == 422
    assert "A1A1" in wrong.text
    assert post(operator, f"/draws/{draw.id}/values", value, page=f"/draws/{draw.id}").status_code == 303
    answer = call(second, f"/api/draws/{draw.id}/values", value)
    assert answer.status_code == 200
    assert answer.json["ranked_at"] is not None
    assert story.state == "result_publicity"


# --- the award --------------------------------------------------------------------------------------------------


def test_only_winner_owner_and_watchers_fetch_the_award_letter(
    as_actor: As, client: FlaskClient, clock_at: Any
) -> None:
    story = awarded(a_story(clock_at))
    path = f"/procurements/{story.id}/award-letter"
    for actor in (story.winner.actor, story.owner, story.operator):
        answer = as_actor(actor).get(path)
        assert (answer.status_code, answer.data[:5]) == (200, b"%PDF-")
    loser = next(agency for agency in story.agencies if agency is not story.winner)
    assert as_actor(loser.actor).get(path).status_code == 404
    assert client.get(path).status_code == 302


def test_the_winner_confirms_with_one_click_and_a_second_click_does_nothing(as_actor: As, clock_at: Any) -> None:
    story = awarded(a_story(clock_at))
    client = as_actor(story.winner.actor)
    page = f"/procurements/{story.id}"
    assert f"{page}/actions/confirm" in client.get(page).text
    for _ in range(2):
        assert post(client, f"{page}/actions/confirm", {"idempotency_key": "once"}, page=page).status_code == 303
    assert story.state == "confirmed"
    answer = client.get(f"/api/procurements/{story.id}").json
    assert answer["contract_id"] is not None


def test_the_workbench_says_whose_turn_it_is(as_actor: As, clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    assert story.procurement.number in as_actor(story.owner).get("/workbench?turn=waiting").text
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    clock_at(ends_at + timedelta(seconds=1))
    from marketplace.jobs import procurements as jobs

    jobs.award_due()
    assert story.procurement.number in as_actor(story.winner.actor).get("/workbench").text
    loser = next(agency for agency in story.agencies if agency is not story.winner)
    assert story.procurement.number not in as_actor(loser.actor).get("/workbench").text


@pytest.mark.parametrize(
    "path",
    [
        "/procurements",
        "/procurements?stage=open&q=x",
        "/procurements/mine",
        "/procurements/all",
        "/opportunities",
        "/registrations",
    ],
)
def test_empty_lists_say_what_would_fill_them(as_role: Any, path: str) -> None:
    role = {"/procurements/mine": "owner", "/procurements/all": "operator"}.get(path, "agency")
    page = as_role(role).get(path)
    assert page.status_code == 200
    assert "empty-state" in page.text


def test_lists_take_the_same_number_of_statements_whatever_their_length(
    app: Flask, client: FlaskClient, clock_at: Any
) -> None:
    from sqlalchemy import event

    def statements() -> int:
        seen: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        assert client.get("/procurements").status_code == 200
        event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    published(a_story(clock_at, agencies=1))
    one = statements()
    for _ in range(4):
        published(a_story(clock_at, agencies=0, project_name="另一项目"))
    assert statements() == one
