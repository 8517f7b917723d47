"""The way of an agency through the pages and through the JSON interface: file, check, admission, shelf, search."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.kernel import clock
from app.kernel.access import Role
from app.kernel.db import db
from marketplace.models.agencies import Agency, AgencyChange
from marketplace.models.listings import Listing
from marketplace.services import agencies, search
from tests.builders import sign_in
from tests.marketplace.market import PNG, a_credit_code, an_admitted_agency, an_id_number, an_offer, settle, the_items

Clients = Callable[..., FlaskClient]
FRIDAY = datetime(2026, 11, 20, 2, tzinfo=UTC)
LATER = datetime(2026, 12, 4, 2, tzinfo=UTC)


def _particulars(**changes: str) -> dict[str, str]:
    return {
        "name": "苏诚测绘有限公司",
        "uscc": a_credit_code(),
        "kind": "enterprise",
        "region_code": "320102",
        "address": "南京市玄武区珠江路1号",
        "legal_representative": "沈知远",
        "contact_name": "陆青禾",
        "contact_mobile": "13900000001",
        "contact_email": "office@example.com",
    } | changes


def _upload(**fields: str) -> dict[str, object]:
    return {**fields, "file": (io.BytesIO(PNG), "扫描件.png")}


def _post(client: FlaskClient, path: str, data: dict[str, object]) -> TestResponse:
    return client.post(path, data={"idempotency_key": uuid4().hex, **data}, content_type="multipart/form-data")


def _only(model: type[Agency] | type[Listing]) -> Agency | Listing:
    db.session.expire_all()
    return db.session.scalars(select(model)).one()


def test_from_sign_up_to_a_found_offer_through_the_pages(app: Flask, as_role: Clients, client: FlaskClient) -> None:
    items = the_items()
    agency, operator = as_role("agency"), as_role("operator")
    with clock.at(FRIDAY):
        assert agency.get("/agency").headers["Location"] == "/agency/particulars"
        assert agency.get("/agency/particulars").status_code == 200
        assert _post(agency, "/agency/particulars", dict(_particulars())).status_code == 303
        agency_id = _only(Agency).id
        person = {"name": "沈知远", "id_number": an_id_number()}
        assert _post(agency, "/agency/representative", dict(person)).status_code == 303
        for kind in ("licence", "representative_id", "commitment"):
            assert _post(agency, "/agency/documents", _upload(kind=kind)).status_code == 303
        certificate = _upload(kind="mapping", grade="B", number="乙测资字320001", expires_on="2030-06-30")
        assert _post(agency, "/agency/qualifications", certificate).status_code == 303
        assert _post(agency, "/agency/commitment", {}).status_code == 303
        page = agency.get(f"/admission/{agency_id}")
        assert "提交形式核验" in page.text
        assert _post(agency, f"/admission/{agency_id}/actions/submit", {}).status_code == 303
        inbox = operator.get("/admission")
        assert "苏诚测绘有限公司" in inbox.text
        assert "还剩 2 个工作日" in inbox.text
        assert operator.get(f"/admission/{agency_id}/actions/pass").status_code == 200
        passed = _post(operator, f"/admission/{agency_id}/actions/pass", {"accept_certificates": "true"})
        assert passed.status_code == 303
        assert "苏诚测绘有限公司" in client.get("/agencies?state=publicity").text
    with clock.at(LATER):
        sign_in(agency, agency.actor)  # type: ignore[attr-defined]  # the session of two weeks ago is over
        assert agencies.admit_due() == 1
        offer = {
            "item_id": str(items["ZJ-020"]),
            "promised_limit_wd": "5",
            "price_mode": "fixed",
            "price": "12,000.50",
            "region_code": "320100",
            "description": "含外业测量与成果审查。",
        }
        assert agency.get("/shelf/new").status_code == 200
        created = _post(agency, "/shelf/new", dict(offer))
        assert created.status_code == 303
        listing = _only(Listing)
        assert isinstance(listing, Listing)
        assert (listing.price_fen, listing.state) == (1_200_050, "draft")
        assert _post(agency, f"/listings/{listing.id}/actions/publish", {"version": "1"}).status_code == 303
        settle()
        search.apply_changes()
        found = client.get("/search?q=kancedingjie")
        assert "12,000.50" in found.text
        assert "<mark>勘测定界</mark>" in found.text
        assert "苏诚测绘有限公司" in client.get("/agencies").text
        profile = client.get(f"/agencies/{agency_id}")
        assert "乙测资字320001" in profile.text
        assert "13900000001" not in profile.text


def test_the_same_way_as_json(app: Flask, as_role: Clients, client: FlaskClient) -> None:
    items = the_items()
    agency, operator = as_role("agency"), as_role("operator")
    with clock.at(FRIDAY):
        opened = agency.post("/api/agency", json=_particulars())
        assert opened.status_code == 201
        identifier = opened.get_json()["id"]
        person = {"name": "沈知远", "id_number": an_id_number()}
        assert agency.put("/api/agency/representative", json=person).status_code == 200
        for kind in ("licence", "representative_id", "commitment"):
            answer = agency.post("/api/agency/documents", data=_upload(kind=kind), content_type="multipart/form-data")
            assert answer.status_code == 201
        certificate = {"kind": "mapping", "grade": "B", "number": "A-1", "expires_on": "2030-06-30"}
        assert agency.post("/api/agency/qualifications", json=certificate).status_code == 201
        incomplete = agency.post(f"/api/admission/{identifier}/actions/submit", json={})
        assert (incomplete.status_code, incomplete.get_json()["missing"]) == (422, ["promise"])
        assert agency.post("/api/agency/commitment", json={}).status_code == 200
        submitted = agency.post(f"/api/admission/{identifier}/actions/submit", json={})
        assert (submitted.status_code, submitted.get_json()["state"]) == (200, "submitted")
        again = agency.post(f"/api/admission/{identifier}/actions/submit", json={})
        assert again.status_code == 409
        passed = operator.post(f"/api/admission/{identifier}/actions/pass", json={})
        assert passed.get_json()["state"] == "publicity"
    with clock.at(LATER):
        sign_in(agency, agency.actor)  # type: ignore[attr-defined]
        agencies.admit_due()
        offer = {
            "item_id": str(items["ZJ-020"]),
            "promised_limit_wd": 5,
            "price_mode": "fixed",
            "price": "12000",
            "region_code": "320100",
            "description": "含外业。",
        }
        key = {"Idempotency-Key": "one"}
        first = agency.post("/api/listings", json=offer, headers=key)
        second = agency.post("/api/listings", json=offer, headers=key)
        assert (first.status_code, second.get_json()["id"]) == (201, first.get_json()["id"])
        assert db.session.query(Listing).count() == 1
        listing_id = first.get_json()["id"]
        published = agency.post(f"/api/listings/{listing_id}/actions/publish", json={"version": 1})
        assert published.get_json()["state"] == "published"
        assert [a["name"] for a in published.get_json()["actions"]] == ["take_off"]
        stale = agency.post(f"/api/listings/{listing_id}/actions/take_off", json={"version": 1})
        assert stale.status_code == 409
        changed = agency.put(f"/api/listings/{listing_id}", json={**offer, "promised_limit_wd": 11})
        assert (changed.status_code, changed.get_json()["errors"][0]["pointer"]) == (422, "/promised_limit_wd")
        assert [i["id"] for i in client.get("/api/listings").get_json()["items"]] == [listing_id]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"uscc": "123"}, "统一社会信用代码无效"),
        ({"contact_mobile": "12"}, "手机号为 11 位数字"),
        ({"contact_email": "nobody"}, "不是有效的邮箱地址"),
        ({"kind": "nonsense"}, "请从选项中选择"),
    ],
)
def test_a_wrong_form_comes_back_with_what_was_typed(
    app: Flask, as_role: Clients, changes: dict[str, str], words: str
) -> None:
    agency = as_role("agency")
    answer = _post(agency, "/agency/particulars", dict(_particulars(**changes)))
    assert answer.status_code == 422
    assert words in answer.text
    assert "南京市玄武区珠江路1号" in answer.text
    assert db.session.query(Agency).count() == 0


@pytest.mark.parametrize("role", ["owner", "applicant", "postal_staff", "auditor", None])
def test_doors_that_stay_closed(app: Flask, as_role: Clients, client: FlaskClient, role: str | None) -> None:
    _actor, agency_id = an_admitted_agency()
    visitor = as_role(role) if role else client
    refused = 403 if role else 401
    for path in ("/admission", "/shelf", "/agency", "/catalogue/versions", "/catalogue/items/new"):
        status = visitor.get(path).status_code
        assert status == refused or (role is None and status in {302, 401}), path
    file = visitor.get(f"/admission/{agency_id}").status_code
    assert file == (200 if role == "auditor" else 404 if role else 302) or (role is None and file == 401)
    answer = visitor.post(f"/api/admission/{agency_id}/actions/suspend", json={"reason": "x"})
    assert answer.status_code in {401, 403, 404}
    assert _state(agency_id) == "active"


def _state(agency_id: UUID) -> str:
    db.session.expire_all()
    agency = db.session.get(Agency, agency_id)
    assert agency is not None
    return agency.state


def test_papers_are_for_the_agency_and_the_operator_only(app: Flask, as_role: Clients) -> None:
    actor, agency_id = an_admitted_agency()
    from marketplace.queries.admission import admission_file

    file_id = admission_file(actor, agency_id).papers[0].file_id
    path = f"/admission/{agency_id}/files/{file_id}"
    assert as_role("operator").get(path).headers["Content-Disposition"].startswith("attachment")
    assert as_role("agency").get(path).status_code == 404
    other_file = f"/admission/{agency_id}/files/{uuid4()}"
    assert as_role("operator").get(other_file).status_code == 404


def test_lists_continue_by_key(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    actor, _agency_id = an_admitted_agency()
    made = [an_offer(actor, items["ZJ-020"]) for _ in range(23)]
    first = client.get("/api/listings").get_json()
    second = client.get(f"/api/listings?after={first['next']}").get_json()
    seen = [i["id"] for i in first["items"] + second["items"]]
    assert seen == [str(i) for i in reversed(made)]
    assert (len(first["items"]), second["next"]) == (20, None)
    assert client.get("/api/listings?after=nonsense").get_json()["items"][0]["id"] == seen[0]


def test_what_the_directory_shows_in_english(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    client.post("/language", data={"language": "en", "next": "/"})
    page = client.get(f"/services/{items['ZJ-020']}")
    assert "Survey and demarcation of construction land" in page.text
    assert "10 working days" in page.text


def test_roles(app: Flask) -> None:
    assert Role.AGENCY in app.extensions["chaoshi_grants"]
    assert "marketplace:listing:manage" in app.extensions["chaoshi_grants"][Role.AGENCY]
    assert "marketplace:admission:check" not in app.extensions["chaoshi_grants"][Role.REGULATOR]


def test_a_step_with_errors_keeps_what_was_typed(app: Flask, as_role: Clients) -> None:
    agency = as_role("agency")
    typed = _particulars(uscc="91320100MA0000001X", address="珠江路1号五楼")
    refused = _post(agency, "/agency/particulars", dict(typed))
    assert refused.status_code == 422
    assert "91320100MA0000001X" in refused.text
    assert "珠江路1号五楼" in refused.text
    assert db.session.scalars(select(Agency)).all() == []
    assert _post(agency, "/agency/particulars", dict(_particulars())).headers["Location"] == "/agency/services"
    wrong = _post(agency, "/agency/representative", {"name": "沈知远", "id_number": "320102198001010000"})
    assert wrong.status_code == 422
    assert "沈知远" in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    person = _post(agency, "/agency/practitioners", {"name": "顾明远", "id_number": "1", "employed_from": "2020-01-01"})
    assert (person.status_code, "顾明远" in person.text) == (422, True)
    for step in ("services", "representative", "people", "documents", "qualifications", "practitioners", "commitment"):
        assert agency.get(f"/agency/{step}").status_code == 200, step
    letter = agency.get("/agency/commitment.pdf")
    assert (letter.status_code, letter.mimetype, letter.data[:5]) == (200, "application/pdf", b"%PDF-")


def test_the_checklist_follows_from_the_chosen_services(app: Flask, as_role: Clients) -> None:
    items = the_items()
    agency = as_role("agency")
    _post(agency, "/agency/particulars", dict(_particulars()))
    chosen = _post(agency, "/agency/services", {"items": str(items["ZJ-020"])})
    assert chosen.headers["Location"] == "/agency/representative"
    missing = agency.get("/api/agency").get_json()["checklist"]
    assert {"key": "demands", "done": False, "required": True} in [
        {name: line[name] for name in ("key", "done", "required")} for line in missing
    ]
    certificate = _upload(kind="mapping", grade="A", number="甲测资字1", expires_on="2030-06-30")
    assert _post(agency, "/agency/qualifications", certificate).status_code == 303
    done = {line["key"]: line["done"] for line in agency.get("/api/agency").get_json()["checklist"]}
    assert done["demands"]
    assert "rule-tree" in agency.get("/agency/qualifications").text


def test_the_desk_lists_exports_and_reminds(app: Flask, as_role: Clients) -> None:
    with clock.at(FRIDAY):
        actor, agency_id = an_admitted_agency(certificates=())
        operator = as_role("operator")
        held = agencies.AddQualification("cma", "CMA-77", expires_on=date(2026, 12, 31))
        certificate = agencies.add_qualification(actor, agency_id, held)
        listed = operator.get("/agency-changes")
        assert "苏诚测绘有限公司" in listed.text
        change = db.session.scalars(select(AgencyChange)).one()
        assert "CMA-77" in operator.get(f"/agency-changes/{change.id}").text
        accepted = _post(operator, f"/agency-changes/{change.id}/actions/accept", {"version": str(change.version)})
        assert accepted.status_code == 303
        assert "CMA-77" in operator.get("/expiring-certificates").text
        assert "CMA-77" in operator.get("/expiring-certificates.csv").text
        assert "苏诚测绘有限公司" in operator.get("/admission.csv?state=active").text
        told = _post(operator, "/expiring-certificates?days=90", {"certificates": str(certificate)})
        assert (told.status_code, told.headers["Location"]) == (303, "/expiring-certificates?days=90")
        assert as_role("agency").get("/agency-changes").status_code == 403
