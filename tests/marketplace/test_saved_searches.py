"""Kept searches: each new result is told once, at most one message a day, and the mail's link ends it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.identity.models import MailMessage, Notice
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import Conflict, NotFound, Refused
from marketplace.models.saved_searches import SavedSearch, SavedSearchMatch
from marketplace.queries.saved_searches import saved_searches as kept_by
from marketplace.services import listings, saved_searches, search
from marketplace.services.saved_searches import KeepSearch
from tests.builders import a_member
from tests.marketplace.market import an_admitted_agency, an_offer, settle, the_items

START = datetime(2026, 11, 20, 4, tzinfo=UTC)
MAPPING = {"q": "勘测", "category": ["mapping"]}


def _index() -> None:
    settle()
    search.apply_changes()
    search.index().refresh()


def _told() -> list[tuple[str, int]]:
    rows = db.session.scalars(sa.select(Notice).where(Notice.kind == "search.alert").order_by(Notice.created_at))
    return [(row.link, row.params["count"]) for row in rows]


def test_each_new_result_is_told_once_and_at_most_one_message_a_day(app: Flask) -> None:
    with clock.at(START):
        items = the_items()
        agency, _ = an_admitted_agency()
        reader = a_member(Role.OWNER)
        an_offer(agency, items["ZJ-020"])  # before the search was kept: known already
        search.rebuild()
    with clock.at(START + timedelta(minutes=1)):
        saved_searches.keep(reader, KeepSearch("勘测", MAPPING))
        assert (saved_searches.tell_due(), _told()) == (0, [])
    with clock.at(START + timedelta(minutes=2)):
        first = an_offer(agency, items["ZJ-020"], limit=6)
        an_offer(agency, items["ZJ-003"], limit=9)  # another category
        _index()
        assert (saved_searches.tell_due(), saved_searches.tell_due()) == (1, 0)
        assert _told() == [("/saved-searches", 1)]
    with clock.at(START + timedelta(hours=2)):
        an_offer(agency, items["ZJ-020"], limit=7)
        _index()
        assert (saved_searches.tell_due(), len(_told())) == (0, 1)  # no second message today
    with clock.at(START + timedelta(days=1)):
        listings.take_off(agency, first, Plain())
        listings.publish(agency, first, Plain())  # shown anew, but told of before
        _index()
        assert saved_searches.tell_due() == 1
        assert [count for _, count in _told()] == [1, 1]
        assert db.session.scalar(sa.select(sa.func.count()).select_from(SavedSearchMatch)) == 2
        assert (kept_by(reader)[0].told, kept_by(reader)[0].told_on) == (2, clock.today())
    with clock.at(START + timedelta(days=2)):
        assert saved_searches.tell_due() == 0
    mails = db.session.scalars(sa.select(MailMessage).where(MailMessage.user_id == reader.user_id)).all()
    assert all("/saved-searches/stop/" in mail.params["stop"] for mail in mails if mail.params)


def test_the_link_of_the_mail_ends_the_alerts_without_signing_in(app: Flask, client: FlaskClient) -> None:
    with clock.at(START):
        items = the_items()
        agency, _ = an_admitted_agency()
        reader = a_member(Role.OWNER)
        search.rebuild()
        saved_searches.keep(reader, KeepSearch("勘测", MAPPING))
        token = db.session.scalars(sa.select(SavedSearch.stop_token)).one()
        assert client.get(f"/saved-searches/stop/{token}").status_code == 200
        assert kept_by(reader)[0].is_told  # a mail program that follows the link changes nothing
        assert saved_searches.stop(token) == 1
        assert not kept_by(reader)[0].is_told
        with pytest.raises(NotFound):
            saved_searches.stop("x" * 43)
        assert client.get("/saved-searches/stop/nonsense").status_code == 404
    with clock.at(START + timedelta(minutes=5)):
        an_offer(agency, items["ZJ-020"])
        _index()
        assert (saved_searches.tell_due(), _told()) == (0, [])


def test_without_an_index_nothing_is_told_and_nothing_missed(app: Flask) -> None:
    with clock.at(START):
        items = the_items()
        agency, _ = an_admitted_agency()
        saved_searches.keep(a_member(Role.OWNER), KeepSearch("勘测", MAPPING))
    with clock.at(START + timedelta(minutes=5)):
        an_offer(agency, items["ZJ-020"])
        assert saved_searches.tell_due() == 0
        search.rebuild()
        assert saved_searches.tell_due() == 1


def test_they_belong_to_one_person_and_are_few(app: Flask) -> None:
    mine, other = a_member(Role.OWNER), a_member(Role.OWNER)
    made = saved_searches.keep(mine, KeepSearch("一", MAPPING))
    with pytest.raises(Conflict):
        saved_searches.keep(mine, KeepSearch("一", {}))
    for step in (lambda: saved_searches.drop(other, made), lambda: saved_searches.tell(other, made, is_told=False)):
        with pytest.raises(NotFound):
            step()
    assert [(s.name, s.is_told) for s in kept_by(mine)] == [("一", True)]
    assert kept_by(other) == ()
    for number in range(19):
        saved_searches.keep(mine, KeepSearch(f"第{number}", {}))
    with pytest.raises(Refused) as full:
        saved_searches.keep(mine, KeepSearch("太多", {}))
    assert (full.value.code, len(kept_by(mine))) == ("saved-searches-full", 20)
    saved_searches.drop(mine, made)
    assert len(kept_by(mine)) == 19


def test_over_the_web(app: Flask, as_role: object) -> None:
    owner = as_role("owner")  # type: ignore[operator]
    form = owner.get("/saved-searches/new?q=勘测&category=mapping&page=3&sort=price")
    hidden = next(line for line in form.text.splitlines() if 'name="asked"' in line)
    assert "category=mapping" in hidden
    assert "page=" not in hidden
    assert "sort=" not in hidden
    asked = {"name": "我的勘测", "asked": "q=勘测&category=mapping&price_mode=fixed"}
    assert owner.post("/saved-searches/new", data=asked).status_code == 303
    listed = owner.get("/saved-searches")
    assert "我的勘测" in listed.text
    assert "price_mode=fixed" in listed.text
    wrong = owner.post("/api/saved-searches", json={"name": "x", "asked": "kind=secret"})
    assert wrong.status_code == 422
    one = owner.get("/api/saved-searches").get_json()["items"][0]
    assert one["asked"] == {"q": "勘测", "kind": "listing", "category": ["mapping"], "price_mode": ["fixed"]}
    assert owner.post(f"/saved-searches/{one['id']}/off").status_code == 303
    assert owner.delete(f"/api/saved-searches/{one['id']}").status_code == 204
    assert "还没有保存的搜索" in owner.get("/saved-searches").text
