"""Setting up and joining organisations, deciding on members, other tenants."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.identity.models import Membership, Notice, Organisation, OrganisationKind
from app.identity.queries import organisation_by_uscc
from app.kernel.access import Role
from app.kernel.db import db
from tests.builders import an_organisation
from tests.identity.builders import a_person, enter

USCC = "91440101MA0000001Q"
AsRole = Callable[..., FlaskClient]
FORM = {"kind": "agency", "name": "测试勘察设计有限公司", "uscc": USCC, "region_code": "440106"}


def membership_of(client: FlaskClient) -> dict[str, object]:
    found = client.get("/api/account").get_json()["memberships"]
    assert len(found) == 1
    return dict(found[0])


def test_a_person_sets_up_an_agency_and_acts_for_it(client: FlaskClient) -> None:
    a_person()
    enter(client)
    assert client.post("/account/organisations/new", data=FORM).status_code == 303
    me = client.get("/api/account").get_json()
    assert me["roles"] == ["agency"]
    assert membership_of(client) | {"administers": True, "state": "active", "role": "agency"} == membership_of(client)
    found = organisation_by_uscc(USCC, "agency")
    assert found is not None
    assert (found.name, found.region_code, str(found.id)) == ("测试勘察设计有限公司", "440106", me["organisation_id"])


def test_the_same_by_the_api(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    answer = client.post("/api/organisations", json={**FORM, "kind": "owner"})
    assert answer.status_code == 201
    assert answer.get_json()["role"] == "owner"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"uscc": "91440101MA0000001X"}, "uscc"),
        ({"uscc": "12345"}, "uscc"),
        ({"kind": "operator"}, "kind"),
        ({"region_code": "999999"}, "region_code"),
        ({"name": " "}, "name"),
        ({"state": "admitted"}, "state"),
    ],
)
def test_bad_input_names_the_field_and_stores_nothing(client: FlaskClient, change: dict[str, str], field: str) -> None:
    a_person()
    enter(client)
    answer = client.post("/api/organisations", json={**FORM, **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [f"/{field}"]
    assert db.session.scalar(select(func.count()).select_from(Organisation)) == 0


def test_a_code_registers_once_in_a_kind_and_again_in_the_other(client: FlaskClient) -> None:
    a_person()
    enter(client)
    assert client.post("/api/organisations", json=FORM).status_code == 201
    again = client.post("/api/organisations", json=FORM)
    assert (again.status_code, again.get_json()["code"]) == (409, "organisation-registered")
    assert client.post("/api/organisations", json={**FORM, "kind": "owner"}).status_code == 201


def joined(app: Flask, administrator: FlaskClient) -> tuple[FlaskClient, str]:
    """A second person asks to join; returns their client and the membership."""
    a_person("wang@example.test", name="王芳")
    person = app.test_client()
    enter(person, "wang@example.test")
    answer = person.post("/api/organisations/join", json={"kind": "agency", "uscc": USCC, "role": "practitioner"})
    assert answer.status_code == 201
    return person, answer.get_json()["id"]


def test_joining_waits_for_an_administrator_who_is_told(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    client.post("/account/organisations/new", data=FORM)
    person, membership_id = joined(app, client)
    assert person.post("/account/act-as", data={"membership_id": membership_id}).status_code == 404
    notice = db.session.scalars(select(Notice)).one()
    assert notice.kind == "identity.membership-requested"
    assert "王芳" in client.get("/account/notices").get_data(as_text=True)
    assert client.post(f"/api/members/{membership_id}/actions/approve").status_code == 200
    assert person.post("/account/act-as", data={"membership_id": membership_id}).status_code == 303
    assert person.get("/api/account").get_json()["roles"] == ["practitioner"]
    assert "测试勘察设计有限公司" in person.get("/account/notices").get_data(as_text=True)


def test_a_refusal_needs_a_reason_that_the_person_reads(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    client.post("/account/organisations/new", data=FORM)
    person, membership_id = joined(app, client)
    assert client.post(f"/members/{membership_id}/actions/refuse", data={}).status_code == 422
    assert client.post(f"/members/{membership_id}/actions/refuse", data={"reason": "不是本公司职工"}).status_code == 303
    assert "不是本公司职工" in person.get("/account/notices").get_data(as_text=True)
    assert person.post("/account/act-as", data={"membership_id": membership_id}).status_code == 404


def test_a_member_cannot_admit_and_a_stranger_sees_nothing(app: Flask, client: FlaskClient, as_role: AsRole) -> None:
    a_person()
    enter(client)
    client.post("/account/organisations/new", data=FORM)
    person, membership_id = joined(app, client)
    assert person.post(f"/api/members/{membership_id}/actions/approve").status_code == 403
    stranger = as_role("agency")
    assert stranger.post(f"/api/members/{membership_id}/actions/approve").status_code == 404
    assert stranger.get(f"/account/members/{membership_id}").status_code == 404
    assert db.session.get_one(Membership, UUID(membership_id)).state == "requested"


def test_ending_a_membership_ends_what_it_allowed(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    client.post("/account/organisations/new", data=FORM)
    person, membership_id = joined(app, client)
    client.post(f"/api/members/{membership_id}/actions/approve")
    person.post("/account/act-as", data={"membership_id": membership_id})
    token = person.post("/api/account/tokens", json={"name": "x", "membership_id": membership_id}).get_json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/account", headers=bearer).get_json()["roles"] == ["practitioner"]
    assert client.post(f"/api/members/{membership_id}/actions/end", json={"reason": "left"}).status_code == 200
    assert person.get("/api/account").get_json()["roles"] == ["applicant"]
    assert app.test_client().get("/api/account", headers=bearer).status_code == 401


def test_the_last_administrator_stays(client: FlaskClient) -> None:
    a_person()
    enter(client)
    client.post("/account/organisations/new", data=FORM)
    mine = membership_of(client)["id"]
    refused = client.post(f"/api/members/{mine}/actions/end", json={"reason": "bored"})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "last-administrator")


def test_asking_twice_is_refused(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    client.post("/account/organisations/new", data=FORM)
    person, _membership_id = joined(app, client)
    again = person.post("/api/organisations/join", json={"kind": "agency", "uscc": USCC, "role": "practitioner"})
    assert (again.status_code, again.get_json()["code"]) == (409, "already-member")


def test_a_role_that_the_kind_does_not_have_is_refused(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    client.post("/account/organisations/new", data=FORM)
    a_person("wang@example.test")
    person = app.test_client()
    enter(person, "wang@example.test")
    answer = person.post("/api/organisations/join", json={"kind": "agency", "uscc": USCC, "role": "operator"})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "organisation-unknown")


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMINISTRATOR, Role.AUDITOR)])
def test_only_administrators_and_auditors_read_accounts(as_role: AsRole, role: Role) -> None:
    client = as_role(role)
    for path in ("/admin/users", "/admin/organisations", "/api/admin/users"):
        assert client.get(path).status_code == 403


def test_an_auditor_reads_but_does_not_change(as_role: AsRole) -> None:
    user = a_person()
    auditor = as_role("auditor")
    assert auditor.get(f"/admin/users/{user.id}").status_code == 200
    assert auditor.post(f"/users/{user.id}/actions/suspend", data={"reason": "x"}).status_code == 403
    assert auditor.post(f"/admin/users/{user.id}/end-sessions").status_code == 403


def test_an_administrator_gives_a_role(as_role: AsRole, client: FlaskClient) -> None:
    a_person()
    hall = an_organisation(OrganisationKind.HALL, "政务服务中心")
    administrator = as_role("administrator")
    form = {"email": "li@example.test", "role": "window_clerk"}
    assert administrator.post(f"/admin/organisations/{hall}/members", data=form).status_code == 303
    assert administrator.post(f"/admin/organisations/{hall}/members", data=form).status_code == 409
    wrong = {"email": "li@example.test", "role": "regulator"}
    assert administrator.post(f"/admin/organisations/{hall}/members", data=wrong).status_code == 422
    unknown = {"email": "nobody@example.test", "role": "window_clerk"}
    assert administrator.post(f"/admin/organisations/{hall}/members", data=unknown).status_code == 422
    enter(client)
    assert client.get("/api/account").get_json()["roles"] == ["window_clerk"]


def test_an_administrator_cannot_suspend_themselves(as_role: AsRole) -> None:
    administrator = as_role("administrator")
    own = administrator.actor.user_id  # type: ignore[attr-defined]
    answer = administrator.post(f"/api/users/{own}/actions/suspend", json={"reason": "x"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "own-account")


def test_administration_pages_list_and_filter(as_role: AsRole) -> None:
    a_person("li@example.test", name="李明")
    a_person("wang@example.test", name="王芳")
    administrator = as_role("administrator")
    found = administrator.get("/api/admin/users?q=王").get_json()
    assert [one["name"] for one in found["items"]] == ["王芳"]
    assert administrator.get("/api/admin/users?q=%25").get_json()["items"] == []
    assert administrator.get("/admin/users?role=administrator").status_code == 200
    assert administrator.get("/admin/users?role=king").status_code == 422
    assert administrator.get(f"/admin/organisations/{uuid4()}").status_code == 404
