"""Registration, confirmation, reset and change of passwords."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.identity.models import User
from app.kernel import outbox
from app.kernel.audit import AuditEvent
from app.kernel.db import db
from tests.identity.builders import MONDAY, PASSWORD, a_person, enter, mails_to

ClockAt = Callable[[datetime], None]
NEW = "a second good sentence"


def page(html: str, email: str) -> str:
    """What a page says, without the address typed and without tokens that differ from request to request."""
    return re.sub(r'name="(csrf_token|idempotency_key)" value="[^"]*"', "", html).replace(email, "…")


def register(client: FlaskClient, email: str = "new@example.test", password: str = PASSWORD) -> tuple[int, str]:
    answer = client.post("/register", data={"name": "王芳", "email": email, "password": password})
    return answer.status_code, page(answer.get_data(as_text=True), email)


def users() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_register_confirm_and_sign_in(client: FlaskClient) -> None:
    assert register(client)[0] == 200
    assert enter(client, "new@example.test").status_code == 422, "the address is not confirmed yet"
    (mail,) = mails_to("new@example.test")
    assert mail.link.startswith("/confirm-address/")
    assert client.get(mail.link).status_code == 200
    assert enter(client, "new@example.test").status_code == 422, "reading the page confirms nothing"
    assert client.post(mail.link).status_code == 303
    assert client.post(mail.link).status_code == 303, "a repeat changes nothing"
    assert enter(client, "new@example.test").status_code == 303
    assert client.get("/api/account").get_json()["roles"] == ["applicant"]


@pytest.mark.asvs("6.3.8")
def test_a_known_address_gets_the_same_answer_and_its_holder_a_mail(client: FlaskClient) -> None:
    a_person("known@example.test")
    fresh = register(client)
    known = register(client, "KNOWN@example.test")
    assert known == (fresh[0], fresh[1].replace("new@", "…"))
    assert users() == 2
    (mail,) = mails_to("known@example.test")
    assert mail.subject == "You already have an account"
    assert enter(client, "known@example.test").status_code == 303, "the password is untouched"


def test_a_weak_password_is_refused_and_nothing_is_stored(client: FlaskClient) -> None:
    status, shown = register(client, password="passwordpassword")
    assert status == 422
    assert "passwordpassword" not in shown
    assert users() == 0


def test_a_wrong_or_old_confirmation_is_refused(client: FlaskClient, clock_at: ClockAt) -> None:
    register(client)
    (mail,) = mails_to("new@example.test")
    assert client.post(mail.link[:-3] + "AAA").status_code == 422
    assert client.post("/confirm-address/nonsense").status_code == 422
    assert db.session.scalars(select(User)).one().email_confirmed_at is None


def test_registration_is_limited_for_a_network(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    statuses = [register(client, "same@example.test")[0] for _ in range(31)]
    assert statuses == [200] * 30 + [429]


def ask(client: FlaskClient, email: str) -> tuple[int, str]:
    answer = client.post("/forgot-password", data={"email": email})
    return answer.status_code, page(answer.get_data(as_text=True), email)


@pytest.mark.asvs("6.3.8")
def test_asking_for_a_reset_tells_nothing(client: FlaskClient) -> None:
    a_person()
    assert ask(client, "li@example.test") == ask(client, "nobody@example.test")
    assert len(mails_to("li@example.test")) == 1
    assert mails_to("nobody@example.test") == []


@pytest.mark.asvs("6.4.3")
def test_a_reset_link_works_once_and_ends_all_sessions(app: Flask, client: FlaskClient) -> None:
    a_person()
    enter(client)
    visitor = app.test_client()
    ask(visitor, "li@example.test")
    (mail,) = mails_to("li@example.test")
    assert visitor.get(mail.link).status_code == 200
    assert visitor.post(mail.link, data={"new": "passwordpassword"}).status_code == 422
    assert visitor.post(mail.link, data={"new": NEW}).status_code == 303
    assert client.get("/account").status_code == 302
    assert visitor.post(mail.link, data={"new": "a third good sentence"}).status_code == 422
    assert enter(visitor, password=PASSWORD).status_code == 422
    assert enter(visitor, password=NEW).status_code == 303
    assert [mail.subject for mail in mails_to("li@example.test")][-1] == "Your password was changed"


def test_a_newer_link_and_a_change_make_older_links_worthless(app: Flask, client: FlaskClient) -> None:
    a_person()
    visitor = app.test_client()
    ask(visitor, "li@example.test")
    ask(visitor, "li@example.test")
    first, second = mails_to("li@example.test")
    assert visitor.post(second.link, data={"new": NEW}).status_code == 303
    assert visitor.post(first.link, data={"new": "a third good sentence"}).status_code == 422


def test_the_fourth_request_in_an_hour_mails_nothing_and_says_the_same(client: FlaskClient, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    a_person()
    answers = {ask(client, "li@example.test") for _ in range(5)}
    assert len(answers) == 1
    assert len(mails_to("li@example.test")) == 3
    clock_at(MONDAY + timedelta(hours=1))
    ask(client, "li@example.test")
    assert len(mails_to("li@example.test")) == 4


def test_a_suspended_account_gets_no_link(client: FlaskClient) -> None:
    from app.kernel.db import transaction

    user = a_person()
    with transaction() as session:
        session.get_one(User, user.id).state = "suspended"
    ask(client, "li@example.test")
    assert mails_to("li@example.test") == []


def test_no_personal_data_in_outbox_messages(client: FlaskClient) -> None:
    a_person()
    ask(client, "li@example.test")
    payloads = [str(row.payload) for row in db.session.scalars(select(outbox.OutboxMessage))]
    assert payloads
    assert not any("example.test" in text for text in payloads)


@pytest.mark.asvs("6.2.3")
def test_changing_the_password_needs_the_present_one(client: FlaskClient) -> None:
    a_person()
    enter(client)
    assert client.post("/account/password", data={"present": "not this one at all", "new": NEW}).status_code == 422
    assert client.post("/account/password", data={"present": PASSWORD, "new": "short"}).status_code == 422
    assert client.post("/account/password", data={"present": PASSWORD, "new": NEW}).status_code == 303


@pytest.mark.asvs("16.2.1")
def test_what_happens_to_an_account_is_in_the_audit_log(client: FlaskClient) -> None:
    register(client)
    (mail,) = mails_to("new@example.test")
    client.post(mail.link)
    enter(client, "new@example.test")
    client.post("/account", data={"name": "王芳芳", "locale": "en"})
    client.post("/sign-out")
    actions = [event.action for event in db.session.scalars(select(AuditEvent).order_by(AuditEvent.at, AuditEvent.id))]
    assert actions == [
        "user.registered",
        "user.address-confirmed",
        "user.signed-in",
        "user.profile-changed",
        "user.signed-out",
    ]


def test_profile_is_checked_and_kept_when_wrong(client: FlaskClient) -> None:
    a_person()
    enter(client)
    answer = client.post("/account", data={"name": "李明明", "mobile": "12345", "locale": "en"})
    assert answer.status_code == 422
    assert "李明明" in answer.get_data(as_text=True)
    db.session.expire_all()
    assert db.session.scalars(select(User)).one().name == "李明"
    assert client.post("/account", data={"name": "李明明", "mobile": "13800138000", "locale": "en"}).status_code == 303
    changed = db.session.scalars(select(User)).one()
    assert (changed.name, changed.mobile, changed.locale) == ("李明明", "13800138000", "en")
