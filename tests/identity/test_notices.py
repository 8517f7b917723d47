"""Notices in the platform and by mail."""

import smtplib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import refresh
from sqlalchemy import select

from app.identity import handlers
from app.identity.models import MailDelivery, MailMessage, Notice, OrganisationKind, User
from app.identity.notices import notify
from app.kernel import outbox
from app.kernel.access import Role
from app.kernel.db import db, transaction
from tests.builders import a_member, an_organisation
from tests.identity.builders import a_person, enter, mails_to

AsRole = Callable[..., FlaskClient]
TOLD = {
    "kind": "procurement.award",
    "subject": "You were admitted to %(organisation)s",
    "text": "",
    "link": "/account/organisations",
    "params": {"organisation": "云港市测绘院"},
}


def tell(**whom: Any) -> int:
    with transaction():
        return notify(**whom, **TOLD)


def receivers() -> set[object]:
    return {row.user_id for row in db.session.scalars(select(Notice))}


def test_to_a_person_an_organisation_and_a_role(app: Flask) -> None:
    home = an_organisation(OrganisationKind.AGENCY)
    one, two = a_member(Role.AGENCY, home), a_member(Role.PRACTITIONER, home)
    other, operator = a_member(Role.AGENCY), a_member(Role.OPERATOR)
    assert tell(to_user=other.user_id) == 1
    assert receivers() == {other.user_id}
    assert tell(to_organisation=home) == 2
    assert receivers() == {other.user_id, one.user_id, two.user_id}
    assert tell(to_role="operator") == 1
    assert operator.user_id in receivers()
    assert tell() == 0


def test_nobody_is_told_when_the_use_case_fails(app: Flask) -> None:
    person = a_person()
    with pytest.raises(ZeroDivisionError), transaction():
        notify(to_user=person.id, **TOLD)
        raise ZeroDivisionError
    assert receivers() == set()
    assert mails_to("li@example.test") == []


def test_outside_a_transaction_it_refuses(app: Flask) -> None:
    person = a_person()
    with pytest.raises(AssertionError):
        notify(to_user=person.id, **TOLD)


def test_the_reader_chooses_the_language(client: FlaskClient) -> None:
    person = a_person()
    tell(to_user=person.id)
    enter(client)
    assert "您已加入云港市测绘院" in client.get("/account/notices").get_data(as_text=True)
    client.set_cookie("language", "en")
    refresh()  # requests of a test share one application context, which remembers the language
    page = client.get("/account/notices").get_data(as_text=True)
    assert "You were admitted to 云港市测绘院" in page
    assert "Project-Id-Version" not in page, "an empty text is not the header of a catalogue"


def test_text_of_people_with_percent_signs_passes_through(client: FlaskClient) -> None:
    person = a_person()
    with transaction():
        notify(
            to_user=person.id,
            kind="identity.x",
            subject="S",
            text="%(reason)s",
            params={"reason": "下浮 5% 太低 %(x)s"},
            link="",
        )
    enter(client)
    assert "下浮 5% 太低 %(x)s" in client.get("/account/notices").get_data(as_text=True)


def test_count_read_one_read_all(client: FlaskClient) -> None:
    person = a_person()
    for _ in range(3):
        tell(to_user=person.id)
    enter(client)
    assert "3 条未读" in client.get("/account").get_data(as_text=True)
    first = db.session.scalars(select(Notice)).first()
    assert first is not None
    opened = client.post(f"/account/notices/{first.id}/open")
    assert opened.headers["Location"] == "/account/organisations"
    assert client.get("/api/account/notices?unread=true").get_json()["total"] == 2
    client.post("/account/notices/read-all")
    assert client.get("/api/account/notices?unread=true").get_json()["items"] == []


def test_nobody_reads_the_notices_of_another(client: FlaskClient, as_role: AsRole) -> None:
    person = a_person()
    tell(to_user=person.id)
    notice = db.session.scalars(select(Notice)).one()
    stranger = as_role("owner")
    assert stranger.post(f"/account/notices/{notice.id}/open").status_code == 404
    assert stranger.post(f"/api/account/notices/{notice.id}/read").status_code == 404
    assert stranger.get("/api/account/notices").get_json()["items"] == []
    assert notice.read_at is None


def test_mail_only_to_those_who_want_it(app: Flask) -> None:
    person = a_person()
    with transaction() as session:
        session.get_one(User, person.id).mail_delivery = MailDelivery.NEVER
    tell(to_user=person.id)
    assert mails_to("li@example.test") == []


def test_without_a_mail_server_mails_stay_on_the_page(client: FlaskClient) -> None:
    person = a_person()
    tell(to_user=person.id)
    (mail,) = mails_to("li@example.test")
    assert mail.sent_at is None
    assert "您已加入云港市测绘院" in client.get("/dev/mail").get_data(as_text=True)
    assert "/account/organisations" in client.get(f"/dev/mail/{mail.id}").get_data(as_text=True)


class Server:
    """A mail server that writes down what it gets."""

    sent: ClassVar[list[Any]] = []
    fail = False

    def __init__(self, host: str, port: int, **_: Any) -> None:
        self.host, self.port = host, port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def has_extn(self, _name: str) -> bool:
        return False

    def login(self, user: str, password: str) -> None:
        assert (user, password) == ("user", "pass word")

    def send_message(self, mail: Any) -> None:
        if Server.fail:
            raise smtplib.SMTPServerDisconnected
        Server.sent.append(mail)


@pytest.fixture
def server(app: Flask, monkeypatch: pytest.MonkeyPatch) -> type[Server]:
    Server.sent, Server.fail = [], False
    monkeypatch.setattr(smtplib, "SMTP", Server)
    settings = app.extensions["chaoshi_settings"]
    monkeypatch.setitem(
        app.extensions, "chaoshi_settings", replace(settings, smtp_url="smtp://user:pass%20word@mail.example.test:587")
    )
    return Server


def test_a_mail_server_gets_each_mail_once_and_the_link_is_erased(app: Flask, server: type[Server]) -> None:
    person = a_person()
    tell(to_user=person.id)
    outbox.drain_all()
    (mail,) = server.sent
    assert mail["To"] == "li@example.test"
    assert mail["Subject"] == "您已加入云港市测绘院"
    row = db.session.scalars(select(MailMessage)).one()
    assert mail["Message-ID"].startswith(f"<{row.id}@")
    assert "http://127.0.0.1:8000/account/organisations" in mail.get_content()
    assert (row.sent_at is not None, row.params, row.link) == (True, {}, "")
    handlers.send_mail(handlers.MailQueued(mail_id=row.id))
    assert len(server.sent) == 1


def test_a_mail_server_that_is_down_is_tried_again(app: Flask, server: type[Server]) -> None:
    person = a_person()
    server.fail = True
    tell(to_user=person.id)
    outbox.drain_all()
    row = db.session.scalars(select(MailMessage)).one()
    assert (server.sent, row.sent_at) == ([], None)
    assert row.link == "/account/organisations"
    message = db.session.scalars(select(outbox.OutboxMessage)).one()
    assert message.done_at is None
    assert message.tries == 1
    server.fail = False
    outbox.revive(message.id)
    outbox.drain_all()
    assert len(server.sent) == 1


def test_line_breaks_in_a_subject_do_not_make_headers(app: Flask, server: type[Server]) -> None:
    person = a_person()
    with transaction():
        notify(
            to_user=person.id, kind="identity.x", subject="%(name)s asks to join %(organisation)s", text="", link="",
            params={"name": "李\r\nBcc: evil@example.test", "organisation": "x"},
        )  # fmt: skip
    outbox.drain_all()
    (mail,) = server.sent
    assert mail["Bcc"] is None
