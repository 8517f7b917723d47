"""Cases over HTTP: pages and API for every role, the public progress, nothing for strangers."""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import Refused
from approvals.models import Case
from approvals.services import demands
from approvals.services.commands import Demand
from marketplace.services.case_links import linked
from marketplace.services.commands import NoticeDraft
from tests.approvals.builders import BY_COURIER, ELECTRONIC, Clock, Story, approved, handled, made, submitted
from tests.builders import a_member, sign_in
from tests.marketplace.procurement_builders import a_draft, an_item

Client = Callable[[Actor], FlaskClient]
COURIER = {
    "mode": "courier",
    "receiver_name": "周敏",
    "receiver_mobile": "13800138000",
    "region_code": "320102",
    "address": "北京东路41号2幢301室",
    "who_may_sign": "agent",
    "mandate_accepted": True,
}


@pytest.fixture
def client_of(app: Flask) -> Client:
    def make(actor: Actor) -> FlaskClient:
        client = app.test_client()
        sign_in(client, actor)
        return client

    return make


def act(client: FlaskClient, story: Story, action: str, **body: Any) -> Any:
    return client.post(f"/api/cases/{story.id}/actions/{action}", json=body, headers={"Accept-Language": "en"})


def token_of(page: str) -> str:
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def application(story: Story, **changes: Any) -> dict[str, Any]:
    row = story.row
    asked = {
        "item_id": str(row.item_id),
        "hall_organisation_id": str(row.hall_organisation_id),
        "project_name": "滨江新城二期",
    }
    return {**asked, **COURIER, **changes}


def test_applying_through_the_api_once_per_key(clock_at: Clock, client_of: Client) -> None:
    story = submitted(clock_at)
    client = client_of(story.applicant)
    key = {"Idempotency-Key": "one-application"}
    first = client.post("/api/cases", json=application(story), headers=key)
    again = client.post("/api/cases", json=application(story), headers=key)
    assert (first.status_code, first.json["state"], first.json["national_code"]) == (201, "submitted", None)
    assert again.json["id"] == first.json["id"]
    assert first.json["service"]["place"] == "江苏省 南京市 玄武区"
    assert db.session.query(Case).count() == 2


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"receiver_mobile": "12345"}, ["/receiver_mobile"]),
        ({"region_code": "320100"}, ["/region_code"]),
        ({"mandate_accepted": False, "address": ""}, ["/address", "/mandate_accepted"]),
        ({"mode": "pigeon"}, ["/mode"]),
        ({"item_id": "x"}, ["/item_id"]),
        ({"surprise": 1}, ["/surprise"]),
    ],
)
def test_wrong_input_names_its_fields_and_makes_no_case(
    clock_at: Clock, client_of: Client, changes: dict[str, Any], pointers: list[str]
) -> None:
    story = submitted(clock_at)
    answer = client_of(story.applicant).post("/api/cases", json=application(story, **changes))
    assert answer.status_code == 422
    assert sorted(e["pointer"] for e in answer.json["errors"]) == pointers
    assert db.session.query(Case).count() == 1


def test_the_form_keeps_what_was_typed_and_then_applies(clock_at: Clock, client_of: Client) -> None:
    story = submitted(clock_at)
    client = client_of(story.applicant)
    form = client.get("/cases/new").text
    data = application(
        story, mandate_accepted="true", csrf_token=token_of(form), materials=(io.BytesIO(b"plan"), "plan.txt")
    )
    wrong = client.post(
        "/cases", data={**data, "receiver_mobile": "12", "materials": (io.BytesIO(b"plan"), "plan.txt")}
    )
    assert (wrong.status_code, "滨江新城二期" in wrong.text) == (422, True)
    sent = client.post("/cases", data=data)
    assert sent.status_code == 303
    page = client.get(sent.headers["Location"])
    assert (page.status_code, "plan.txt" in page.text) == (200, True)


def test_a_pasted_address_fills_the_first_form_and_keeps_what_was_typed(clock_at: Clock, client_of: Client) -> None:
    story = submitted(clock_at)
    client = client_of(story.applicant)
    typed = {"project_name": "滨江新城三期", "mode": "courier", "csrf_token": token_of(client.get("/cases/new").text)}
    line = "李晓燕 139-1234-5678 浙江宁波海曙区中山西路2号1幢301室"
    filled = client.post("/cases/new/paste", data={**typed, "pasted": line}).text
    for value in ("滨江新城三期", "李晓燕", "13912345678", "330203", "中山西路2号1幢301室"):
        assert f'value="{value}"' in filled
    nothing = client.post("/cases/new/paste", data={**typed, "pasted": "。"}).text
    assert 'id="field-pasted-error"' in nothing
    assert 'value="滨江新城三期"' in nothing
    before = db.session.query(Case).count()
    applied = client.post(
        "/cases/new/paste", data={**application(story), **typed, "pasted": "", "mandate_accepted": "true"}
    )
    assert applied.status_code == 303, "Enter in a field presses the first button of the form"
    assert db.session.query(Case).count() == before + 1


def test_the_whole_way_through_the_api(clock_at: Clock, client_of: Client) -> None:
    story = submitted(clock_at)
    clerk, official, printer = (client_of(a) for a in (story.clerk, story.official, story.printer))
    assert [a["name"] for a in clerk.get(f"/api/cases/{story.id}").json["actions"]] == ["receive"]
    assert act(clerk, story, "receive").json["national_code"] == 1
    assert act(clerk, story, "accept").json["promised_on"] == "2026-06-15"
    assert act(clerk, story, "start_handling").status_code == 403
    assert act(official, story, "start_handling").json["state"] == "handling"
    decided = act(official, story, "approve")
    assert (decided.status_code, decided.json["national_code"]) == (200, 11)
    again = act(official, story, "approve")
    assert (again.status_code, again.json["code"]) == (409, "illegal-transition")
    (task,) = printer.get("/api/certificates").json["items"]
    done = printer.post(f"/api/certificates/{task['id']}/actions/print", json={"version": task["version"]})
    assert (done.status_code, done.json["serial"]) == (200, "ZS-2026-000001")
    assert printer.get("/api/certificates").json["items"] == []
    handed = act(clerk, story, "hand_over", signer_name="周敏")
    assert handed.json["service"]["signer_name"] == "周敏"


def test_an_outdated_page_cannot_decide(clock_at: Clock, client_of: Client) -> None:
    story = handled(clock_at)
    answer = act(client_of(story.official), story, "approve", version=1)
    assert (answer.status_code, answer.json["code"], story.state) == (409, "outdated", "handling")


def test_every_role_has_its_pages(clock_at: Clock, client_of: Client) -> None:
    story = made(clock_at, BY_COURIER)
    watcher = a_member(Role.AUDITOR)
    for actor in (story.applicant, story.clerk, story.official, story.printer, watcher):
        client = client_of(actor)
        for path in ("/cases", f"/cases/{story.id}", f"/certificates/{story.certificate_id}"):
            assert client.get(path).status_code == 200, (actor, path)
        assert client.get(f"/certificates/{story.certificate_id}/document").mimetype == "application/pdf"
    assert client_of(story.printer).get("/certificates").status_code == 200
    assert client_of(story.clerk).get("/certificates").status_code == 403
    assert client_of(story.clerk).get("/cases/new").status_code == 403


def test_strangers_meet_a_404(clock_at: Clock, client_of: Client) -> None:
    story = made(clock_at)
    stranger = client_of(a_member(Role.OWNER))
    for path in (
        f"/cases/{story.id}",
        f"/cases/{story.id}/actions/withdraw",
        f"/certificates/{story.certificate_id}",
        f"/certificates/{story.certificate_id}/document",
        f"/api/cases/{story.id}",
        f"/api/certificates/{story.certificate_id}",
    ):
        assert stranger.get(path).status_code == 404, path
    assert act(stranger, story, "revoke", reason="x").status_code == 404
    assert story.state == "approved"


def test_visitors_see_the_list_and_the_progress_only(clock_at: Clock, app: Flask) -> None:
    story = approved(clock_at, ELECTRONIC)
    client = app.test_client()
    assert "建设工程规划许可" in client.get("/approval-items").text
    assert client.get(f"/cases/{story.id}").status_code == 302
    assert client.get(f"/api/cases/{story.id}").status_code == 401
    row = story.row
    page = client.get("/progress", query_string={"number": row.number, "code": row.query_code})
    assert (page.status_code, row.number in page.text, "周敏" in page.text) == (200, True, False)
    assert client.get("/progress", query_string={"number": row.number, "code": "AAAAAAAA"}).status_code == 404
    assert client.get("/progress", query_string={"number": row.number}).status_code == 422
    found = client.get("/api/progress", query_string={"number": row.number, "code": row.query_code})
    assert (found.status_code, found.json["state"]) == (200, "approved")
    assert "周敏" not in found.text


def test_guessing_query_codes_is_slowed_down(clock_at: Clock, app: Flask) -> None:
    story = submitted(clock_at)
    client = app.test_client()
    number = story.row.number
    answers = [
        client.get("/api/progress", query_string={"number": number, "code": f"AAAA{n:04d}"}).status_code
        for n in range(61)
    ]
    assert (set(answers[:60]), answers[60]) == ({404}, 429)


def test_choosing_an_agency_links_only_the_own_case(clock_at: Clock, client_of: Client) -> None:
    story = handled(clock_at)
    item = an_item(name="地形测量")
    demands.demand(story.official, story.id, Demand(item, "审批需要测量成果"))
    (demand,) = client_of(story.applicant).get(f"/api/cases/{story.id}").json["demands"]
    token = parse_qs(urlsplit(demand["procure_href"]).query)["case"][0]
    draft: NoticeDraft = a_draft(item)
    linked_draft = linked(story.applicant, draft, token)
    assert (linked_draft.case_subject, linked_draft.thread_id) == (story.row.subject, story.row.thread_id)
    assert linked(story.applicant, draft, None) is draft
    stranger = a_member(Role.OWNER)
    assert client_of(story.official).get(f"/api/cases/{story.id}").json["demands"][0]["procure_href"] is None
    for actor, wrong in ((stranger, token), (story.applicant, token[:-2] + "AA"), (story.applicant, "nonsense")):
        with pytest.raises(Refused):
            linked(actor, draft, wrong)
