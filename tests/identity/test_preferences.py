"""How notices are mailed: at once, once a day, never; the digest, the mail log, the calendar feed."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select

from app.identity import handlers
from app.identity.models import MailDelivery, MailMessage, Notice, User
from app.identity.notices import notify
from app.identity.services import notices
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, transaction
from app.kernel.worklist import Turn, WorkItem
from app.manifest import Domain
from app.web.calendar_feed import Deadline, feed
from tests.identity.builders import a_person, enter, mails_to

AsRole = Callable[..., FlaskClient]
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


def tell(person: User, kind: str = "procurement.award", subject: str = "Award letter issued") -> None:
    with transaction():
        notify(to_user=person.id, kind=kind, subject=subject, text="The winner confirms or gives up.", link="/x")


def prefer(person: User, mail_delivery: str, **by_topic: str) -> None:
    actor = Actor(person.id, None, frozenset(), person.name)
    notices.change_preferences(actor, notices.ChangePreferences(mail_delivery, by_topic))


def test_a_topic_overrides_the_account(app: Flask) -> None:
    person = a_person()
    prefer(person, MailDelivery.NEVER, procurement=MailDelivery.AT_ONCE)
    tell(person)
    tell(person, "contract.signed")
    (mail,) = mails_to("li@example.test")
    assert {(n.kind, n.mail_id) for n in db.session.scalars(select(Notice))} == {
        ("procurement.award", mail.id),
        ("contract.signed", None),
    }


def test_an_undeclared_topic_is_a_programming_error(app: Flask) -> None:
    person = a_person()
    with pytest.raises(ValueError, match="no manifest declares"):
        tell(person, "weather.rain")
    assert db.session.scalars(select(Notice)).all() == []


def test_the_digest_lists_what_is_unread_once(app: Flask) -> None:
    person = a_person()
    prefer(person, MailDelivery.DAILY)
    tell(person, subject="Award letter issued")
    tell(person, subject="Result published")
    tell(person, subject="Registration closed")
    read = db.session.scalars(select(Notice).where(Notice.subject == "Result published")).one()
    notices.mark_read(Actor(person.id, None, frozenset(), person.name), read.id)
    assert mails_to("li@example.test") == []
    assert notices.send_digests() == 1
    (mail,) = mails_to("li@example.test")
    text = handlers.compose(mail, app.extensions["chaoshi_settings"]).get_content()
    assert "* 已发中选通知书" in text
    assert "* 报名截止" in text
    assert "结果已公布" not in text
    assert text.count("\n* ") == 2
    assert "/account/preferences" in text
    assert notices.send_digests() == 0
    assert len(mails_to("li@example.test")) == 1


def test_a_digest_of_read_notices_is_not_sent(app: Flask) -> None:
    person = a_person()
    prefer(person, MailDelivery.DAILY)
    tell(person)
    notices.mark_all_read(Actor(person.id, None, frozenset(), person.name))
    assert notices.send_digests() == 0
    assert mails_to("li@example.test") == []
    assert not db.session.scalars(select(Notice)).one().awaits_digest


def test_preferences_over_http(client: FlaskClient) -> None:
    person = a_person()
    enter(client)
    assert "采购与选取" in client.get("/account/preferences").get_data(as_text=True)
    wrong = client.post("/account/preferences", data={"mail_delivery": "hourly"})
    assert wrong.status_code == 422
    saved = client.post("/account/preferences", data={"mail_delivery": "daily", "topic_contract": "never"})
    assert saved.status_code == 303
    tell(person)
    tell(person, "contract.signed")
    states = {n.kind: n.awaits_digest for n in db.session.scalars(select(Notice))}
    assert states == {"procurement.award": True, "contract.signed": False}
    page = client.get("/account/notices?topic=contract").get_data(as_text=True)
    assert page.count("line-title") == 1
    assert client.get("/api/account/notices?topic=procurement").get_json()["total"] == 1


def test_the_mail_log_is_for_administrators(client: FlaskClient, as_role: AsRole) -> None:
    person = a_person()
    tell(person)
    (mail,) = mails_to("li@example.test")
    with transaction():
        row = db.session.get_one(MailMessage, mail.id)
        row.tries, row.last_error = 1, "SMTPServerDisconnected: gone"
    enter(client)
    assert client.get("/admin/mails").status_code == 403
    administrator = as_role("administrator")
    page = administrator.get("/admin/mails?state=failing").get_data(as_text=True)
    assert "SMTPServerDisconnected" in page
    assert "The winner confirms" not in page
    assert administrator.get("/admin/mails?state=sent&address=li@example.test").get_data(as_text=True).count("<tr") == 0
    assert administrator.post(f"/admin/mails/{mail.id}/send-again").status_code == 303
    assert client.post(f"/admin/mails/{mail.id}/send-again").status_code == 403


def test_the_feed_answers_its_secret_address_only(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    a_person()
    enter(client)
    waiting = WorkItem(
        Turn.MINE, "Procurement", "CG-1", "环评报告编制", "Awarded", "The winner confirms or gives up.", "/p/1", NOON
    )
    other = WorkItem(Turn.WAITING, "Procurement", "CG-2", "别人的事", "Awarded", "Sign", "/p/2", NOON)
    domains = client.application.extensions["chaoshi_domains"]
    monkeypatch.setitem(
        client.application.extensions,
        "chaoshi_domains",
        (*domains, Domain("x", worklist=lambda _actor: [waiting, other])),
    )
    page = client.post("/account/calendar-feed").get_data(as_text=True)
    address = page.partition('class="secret-line">')[2].partition("<")[0]
    path = "/calendar/" + address.rpartition("/")[2]
    stranger = client.application.test_client()
    answer = stranger.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    (event,) = Calendar.from_ical(answer.get_data()).walk("VEVENT")
    assert event.decoded("dtstart") == NOON
    assert "环评报告编制" in event["summary"]
    assert stranger.get("/calendar/not-the-address.ics").status_code == 404
    client.post("/account/calendar-feed")
    assert stranger.get(path).status_code == 404, "a new address ends the old one"


def test_ending_the_feed(client: FlaskClient) -> None:
    a_person()
    enter(client)
    page = client.post("/account/calendar-feed").get_data(as_text=True)
    path = "/calendar/" + page.partition('class="secret-line">')[2].partition("<")[0].rpartition("/")[2]
    assert client.get(path).status_code == 200
    client.post("/account/calendar-feed/end")
    assert client.get(path).status_code == 404


def test_a_moved_deadline_keeps_its_entry() -> None:
    def one(due_at: datetime) -> tuple[str, datetime]:
        document = feed("x", [Deadline(due_at, "s", "d", "https://x.example/p/1")], made_at=clock.now())
        (event,) = Calendar.from_ical(document).walk("VEVENT")
        return str(event["uid"]), event.decoded("dtstart")

    later = NOON.replace(day=25)
    assert one(NOON)[0] == one(later)[0]
    assert (one(NOON)[1], one(later)[1]) == (NOON, later)
