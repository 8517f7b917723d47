"""The market in the index: what is findable, how changes arrive, and what happens without an index."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.kernel import clock
from app.kernel.access import Role
from app.kernel.db import db
from app.web.schemas import Plain
from marketplace.models.listings import SearchChange
from marketplace.rulebook import DEFAULT_RULE_BOOK
from marketplace.search import Kind, SearchQuery
from marketplace.services import agencies, listings, search
from tests.builders import a_member
from tests.marketplace.market import an_admitted_agency, an_offer, settle, the_items


def _refresh() -> None:
    settle()
    search.apply_changes()
    search.index().refresh()


def _total(text: str, kind: Kind | None = None) -> int:
    page = search.find(SearchQuery(text))
    return page.total if kind is None else sum(hit.kind is kind for hit in page.hits)


def test_an_offer_is_found_after_publication_and_gone_after_it_is_taken_off(app: Flask) -> None:
    items = the_items()
    actor, _agency_id = an_admitted_agency("苏诚测绘有限公司")
    _refresh()
    assert (_total("勘测定界", Kind.ITEM), _total("勘测定界", Kind.LISTING)) == (1, 0)
    listing_id = an_offer(actor, items["ZJ-020"])
    _refresh()
    assert _total("勘测定界", Kind.LISTING) == 1
    assert _total("苏诚", Kind.AGENCY) == 1
    listings.take_off(actor, listing_id, Plain())
    _refresh()
    assert _total("勘测定界", Kind.LISTING) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SearchChange)) == 0


def test_a_suspended_agency_is_not_found_with_its_offers(app: Flask) -> None:
    items = the_items()
    actor, agency_id = an_admitted_agency("苏诚测绘有限公司")
    an_offer(actor, items["ZJ-020"])
    _refresh()
    assert _total("苏诚") == 2
    agencies.suspend(a_member(Role.OPERATOR), agency_id, agencies.Measure("核查"))
    _refresh()
    assert search.find(SearchQuery("苏诚")).total == 0


def test_drafts_are_never_found(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency("苏诚测绘有限公司")
    listings.create(
        actor,
        listings.Offer(items["ZJ-020"], 5, "negotiable", "320100", "秘密草稿内容"),
    )
    search.rebuild()
    assert _total("秘密草稿") == 0


def test_without_an_index_the_database_answers_and_the_worker_builds_one(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    actor, _ = an_admitted_agency("苏诚测绘有限公司")
    listing_id = an_offer(actor, items["ZJ-020"])
    page = search.find(SearchQuery("勘测定界"))
    assert (page.is_fallback, page.total, [h.id for h in page.hits]) == (True, 1, [listing_id])
    assert search.find(SearchQuery("100%")).total == 0
    assert search.suggest("勘测") == ()
    shown = client.get("/search?q=勘测定界")
    assert shown.status_code == 200
    assert "搜索索引正在建立" in shown.text
    assert client.get("/").status_code == 200
    assert search.apply_changes() > 0
    assert search.find(SearchQuery("勘测定界")).is_fallback is False
    assert client.get("/api/search?q=kancedingjie").get_json()["total"] == 1


def test_a_damaged_index_is_rebuilt_by_the_check(app: Flask) -> None:
    the_items()
    search.rebuild()
    assert search.check() == 0
    snapshot = next((app.config["DATA_DIR"] / "search").glob("build-*/snapshot/*.bin"))
    snapshot.write_bytes(snapshot.read_bytes()[:-64])
    assert search.check() == 1
    assert _total("勘测定界") == 1


def test_a_crash_between_index_and_notes_only_repeats_the_batch(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    items = the_items()
    actor, _ = an_admitted_agency("苏诚测绘有限公司")
    search.rebuild()
    an_offer(actor, items["ZJ-020"])
    settle()

    def die(_until: int) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(search, "_forget", die)
        with pytest.raises(SystemExit):
            search.apply_changes()
    before = search.index().generation()
    assert search.apply_changes() > 0
    search.index().refresh()
    assert search.index().generation().documents == before.documents
    assert search.apply_changes() == 0


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 2),
        ("/search?q=勘测", 1),
        ("/search?kind=agency", 1),
        ("/search?kind=item&q=测绘", 1),
        ("/api/suggest?q=kance", 0),
        ("/agencies", 1),
        ("/services", 1),
        ("/api/listings", 1),
    ],
)
def test_public_pages_send_a_fixed_handful_of_statements(
    app: Flask, client: FlaskClient, statements: list[str], path: str, most: int
) -> None:
    items = the_items()
    actor, _ = an_admitted_agency("苏诚测绘有限公司")
    other, _ = an_admitted_agency("宁信测绘有限公司")
    search.rebuild()
    client.get(path)
    statements.clear()
    assert client.get(path).status_code == 200
    few = len(statements)
    for owner in (actor, other) * 4:
        an_offer(owner, items["ZJ-020"])
    search.rebuild()
    statements.clear()
    assert client.get(path).status_code == 200
    assert len(statements) <= max(few, most) <= most


def test_facets_in_the_address_narrow_and_keep_the_words(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    actor, _ = an_admitted_agency("苏诚测绘有限公司")
    an_offer(actor, items["ZJ-020"], limit=4, price_fen=300_000)
    an_offer(actor, items["ZJ-020"], limit=9, price_fen=1_500_000, region="320500")
    search.rebuild()
    narrow = client.get("/api/search?q=勘测&limit=5&price=0-499999&city=320100").get_json()
    assert narrow["total"] == 1
    assert {f["value"]: f["count"] for f in narrow["facets"]["limit"]} == {"5": 1, "10": 1, "15": 1, "20": 1, "30": 1}
    assert client.get("/api/search?q=勘测&sort=price").get_json()["items"][0]["listing"]["price_fen"] == 300_000
    for wrong in ("sort=best", "price=1", "city=南京", "page=0", "page=x", "kind=secret", "limit=-1", "nonsense=1"):
        assert client.get(f"/api/search?{wrong}").status_code == 422, wrong
        assert client.get(f"/search?{wrong}").status_code in {400, 422}, wrong
    assert client.get("/api/search?page=400").get_json()["items"] == []


def test_the_published_factor_of_the_ranking() -> None:
    now = clock.now()
    book = DEFAULT_RULE_BOOK
    assert search.quality(book, 1000, 500, now, "A") == 1450
    assert search.quality(book, 0, 100, now - timedelta(days=400), "D") == 1000
    assert search.quality(book, None, None, now) == 1250
    assert search.quality(book, 900, 460, now) > search.quality(book, 800, 460, now)
