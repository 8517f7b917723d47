"""An engagement over HTTP: every page of it answers, and one story from the open fields to the settled dispute."""

import io
import re
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.access import Actor, Role
from marketplace.services import contracts
from tests.builders import a_member, sign_in
from tests.marketplace.contract_builders import Clock, at, delivered, drawn_up, signed

THREE = "外业测量 | 30 | 外业观测数据齐全\n内业成图 | 30 | 地形图通过检查\n成果验收 | 40 | 成果报告审查通过"


def client_for(app: Flask, actor: Actor) -> FlaskClient:
    client = app.test_client()
    sign_in(client, actor)
    return client


def post(client: FlaskClient, address: str, form_page: str, **values: object) -> int:
    page = client.get(form_page).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None, form_page
    return client.post(address, data={**values, "csrf_token": token[1]}).status_code


def test_the_pages_of_a_contract_answer_for_each_side(app: Flask, clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    for actor in (made.owner, made.agency, made.operator, a_member(Role.REGULATOR)):
        client = client_for(app, actor)
        for path in ("", "/record"):
            page = client.get(f"/contracts/{made.id}{path}")
            assert (page.status_code, "18,000.00" in page.text) == (200, True), path
        assert client.get(f"/contracts?words={made.row.number}&state=delivered").status_code == 200
        saved = client.get("/contracts.csv?state=delivered")
        assert saved.status_code == 200
        (line,) = saved.get_data(as_text=True).splitlines()[1:]
        assert line.startswith(made.row.number)
        assert made.row.document_sha256 in line
    assert client_for(app, a_member(Role.OWNER)).get(f"/contracts/{made.id}/record").status_code == 404


def test_overdue_fees_are_public_after_thirty_days(app: Flask, clock_at: Clock) -> None:
    made = signed(clock_at)  # due on 1 July
    visitor = app.test_client()
    clock_at(at(7, 31))
    assert made.row.number not in visitor.get("/overdue-fees").text
    clock_at(at(8, 1))
    assert made.row.number in visitor.get("/overdue-fees").text
    (row,) = visitor.get("/api/overdue-fees").json["items"]
    assert (row["days"], row["interest_fen"], row["due_on"]) == (31, 27_900, "2026-07-01")


def test_the_regulator_keeps_templates_and_nobody_else(app: Flask, clock_at: Clock) -> None:
    clock_at(at(6, 1))
    regulator = client_for(app, a_member(Role.REGULATOR))
    page = regulator.get("/contract-templates/new").text
    body = re.search(r'<textarea[^>]*name="body"[^>]*>([^<]*)</textarea>', page)
    assert body is not None
    values = {
        "title": "测绘合同范本",
        "body": body[1],
        "open_fields": ["special_terms", "milestones"],
        "required_fields": ["special_terms"],
        "milestones": "全部成果 | 100 | 审查通过",
        "payment_moment": "on_acceptance",
        "pay_days": "45",
        "checklist": "签字盖章齐全",
    }
    assert post(regulator, "/contract-templates/new", "/contract-templates/new", **{**values, "pay_days": "61"}) == 422
    assert post(regulator, "/contract-templates/new", "/contract-templates/new", **values) == 303
    found = re.search(r"/contract-templates/[0-9a-f-]{36}", regulator.get("/contract-templates").text)
    assert found is not None
    assert post(regulator, found[0] + "/actions/publish", found[0] + "/actions/change") == 303
    assert "已发布，第1版" in regulator.get(found[0]).text
    assert client_for(app, a_member(Role.OPERATOR)).get("/contract-templates/new").status_code == 403
    assert client_for(app, a_member(Role.OWNER)).get(found[0]).status_code == 403

    made = drawn_up(clock_at)
    owner = client_for(app, made.owner)
    assert made.state == "to_draft"
    form = owner.get(f"/contracts/{made.id}/actions/put_forward")
    assert ("special_terms" in form.text, 'name="copies"' in form.text) == (True, False)
    here = f"/contracts/{made.id}/actions/put_forward"
    assert post(owner, here, here, special_terms="", milestones=THREE) == 422
    assert made.state == "to_draft"
    assert post(owner, here, here, special_terms="资料由委托方提供", milestones=THREE) == 303
    assert (made.state, made.row.pay_days, made.row.payment_moment) == ("to_sign_agency", 45, "on_acceptance")
    assert "资料由委托方提供" in made.row.document_text
    assert [one.amount_fen for one in made.seen.milestones] == [540_000, 540_000, 720_000]


def test_a_dispute_from_declaration_to_mediation(app: Flask, clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    owner, agency = (client_for(app, one) for one in (made.owner, made.agency))
    here = f"/contracts/{made.id}/actions/"
    assert (
        post(
            owner,
            here + "open_dispute",
            here + "open_dispute",
            reason="成果图件比例尺与约定不符。",
            file=(io.BytesIO("复核意见".encode()), "复核意见.txt"),
        )
        == 303
    )
    assert made.state == "dispute"
    assert "复核意见.txt" in agency.get(f"/contracts/{made.id}").text
    file = made.seen.disputes[0].evidence[0]
    kept = agency.get(f"/contracts/{made.id}/evidence/{file.id}")
    assert (kept.status_code, kept.data) == (200, "复核意见".encode())
    stranger = client_for(app, a_member(Role.AGENCY))
    assert stranger.get(f"/contracts/{made.id}/evidence/{file.id}").status_code == 404
    assert post(agency, here + "accept", here + "open_dispute") in {303, 403}
    assert made.state == "dispute"
    proposed = post(
        agency, here + "propose_settlement", here + "propose_settlement", settlement="accept", text="按现状验收"
    )
    assert proposed == 303
    clock_at(at(6, 12))
    operator = client_for(app, made.operator)
    text = "双方确认由机构补测两处并重新提交。"
    assert post(operator, here + "mediate", here + "mediate", settlement="continue", text=text) == 303
    row = made.row
    assert (row.state, row.rework_count) == ("running", 1)
    assert row.deadline_on == date(
        2026, 6, 22
    )  # the four working days of 9 to 12 June do not count; 19 June is a holiday
    assert text in client_for(app, made.owner).get(f"/contracts/{made.id}").text


@pytest.mark.parametrize(
    "action", ["ask_extension", "propose_termination", "open_dispute", "notify_breach", "ask_pause"]
)
def test_the_forms_of_the_side_steps_open(app: Flask, clock_at: Clock, action: str) -> None:
    made = signed(clock_at)
    page = client_for(app, made.agency).get(f"/contracts/{made.id}/actions/{action}")
    assert (page.status_code, 'enctype="multipart/form-data"' in page.text) == (200, True)


def test_the_other_steps_stand_beside_the_contract(app: Flask, clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.ask_extension(made.agency, made.id, contracts.AskExtension(3, "雨季外业受阻"))
    seen = client_for(app, made.owner).get(f"/api/contracts/{made.id}").json
    names = [one["name"] for one in seen["actions"]]
    assert names == ["approve_extension", "refuse_extension", "notify_breach"]
    assert seen["questions"][0]["days_wd"] == 3
