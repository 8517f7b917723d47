"""Offers and agencies side by side, chosen in the address; the record of engagements; help when nothing is found."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.kernel.commands import Plain
from app.kernel.db import db, transaction
from marketplace.models.agencies import Agency
from marketplace.models.contracts import Contract
from marketplace.services import listings, search
from marketplace.services.records import fold_record
from tests.marketplace.contract_builders import signed
from tests.marketplace.market import an_admitted_agency, an_offer, the_items

Clock = Callable[[datetime], None]


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


def test_up_to_four_offers_stand_side_by_side(app: Flask, client: FlaskClient, statements: list[str]) -> None:
    items = the_items()
    one, _ = an_admitted_agency("苏诚测绘有限公司")
    two, _ = an_admitted_agency("宁信测绘有限公司")
    offers = [an_offer(one, items["ZJ-020"], limit=5, price_fen=900_000), an_offer(two, items["ZJ-020"], limit=4)]
    page = client.get("/compare?" + "&".join(f"id={i}" for i in offers))
    assert page.status_code == 200
    text = page.text
    assert text.index("苏诚测绘有限公司") < text.index("宁信测绘有限公司")
    assert "9,000.00" in text
    assert text.count("最低") == 1
    assert text.count("最短") == 1
    more = [an_offer(one, items["ZJ-020"], limit=n) for n in (6, 7)]
    four = "&".join(f"id={i}" for i in [*offers, *more])
    statements.clear()
    assert client.get(f"/compare?{four}").status_code == 200
    few = len(statements)
    statements.clear()
    client.get(f"/compare?id={offers[0]}")
    assert len(statements) == few <= 10
    assert client.get(f"/compare?{four}&id={uuid4()}").status_code == 422
    assert client.get("/compare").status_code == 422
    listings.take_off(one, offers[0], Plain())
    gone = client.get("/compare?" + "&".join(f"id={i}" for i in offers))
    assert "其中 1 项已不再展示" in gone.text
    assert "苏诚" not in gone.text.split("<main", 1)[1]


def test_the_choice_lives_in_the_address_and_ends_at_four(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    actor, agency_id = an_admitted_agency()
    offers = [an_offer(actor, items["ZJ-020"], limit=n) for n in range(3, 8)]
    search.rebuild()
    page = client.get("/search?q=勘测")
    assert page.text.count(">对比</a>") == 5
    chosen = "&".join(f"compare={i}" for i in offers[:4])
    full = client.get(f"/search?q=勘测&{chosen}")
    assert "已选 4/4 项对比" in full.text
    assert full.text.count("已选满四项") == 1
    assert full.text.count("is-chosen") == 4
    assert "/compare?kind=listing&amp;id=" in full.text
    assert client.get(f"/search?q=勘测&{chosen}&compare={offers[4]}").status_code in {400, 422}
    kept = client.get(f"/search?q=勘测&compare={offers[0]}&limit=5").text
    assert (
        f"compare={offers[0]}" in kept.split("facet-column", 1)[1].split("</aside>", 1)[0]
    )  # narrowing keeps the choice
    agencies = client.get(f"/compare?kind=agency&id={agency_id}")
    assert "苏诚测绘有限公司" in agencies.text


def test_facets_of_price_mode_and_grade_are_counted(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    an_offer(actor, items["ZJ-020"], price_fen=300_000)
    an_offer(actor, items["ZJ-020"], price_fen=None)
    an_offer(actor, items["ZJ-003"], limit=9, price_fen=None)
    search.rebuild()
    found = client.get("/api/search?kind=listing").get_json()
    counts = {name: {v["value"]: v["count"] for v in values} for name, values in found["facets"].items()}
    assert found["total"] == 3
    assert counts["price_mode"] == {"fixed": 1, "negotiable": 2}
    assert counts["category"] == {"mapping": 2, "consulting": 1}
    assert counts["city"] == {"320100": 3}
    assert counts["limit"] == {"5": 2, "10": 3, "15": 3, "20": 3, "30": 3}
    assert sum(counts["grade"].values()) == 3
    narrowed = client.get("/api/search?kind=listing&price_mode=negotiable&category=mapping").get_json()
    assert narrowed["total"] == 1
    assert {v["value"]: v["count"] for v in narrowed["facets"]["price_mode"]} == {"fixed": 1, "negotiable": 1}
    assert client.get("/api/search?price_mode=free").status_code == 422
    assert client.get("/api/search?grade=E").status_code == 422


@pytest.mark.parametrize("typed", ["勘測定界", "kancedingjie", "kcdj", "勘侧定界", "ＫＣＤＪ", "勘测"])
def test_every_way_of_typing_finds_it(app: Flask, client: FlaskClient, typed: str) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    an_offer(actor, items["ZJ-020"])
    search.rebuild()
    assert client.get("/api/search", query_string={"q": typed}).get_json()["total"] == 1
    options = client.get("/search/suggest", query_string={"q": typed}).text
    assert 'role="option"' in options
    assert "建设用地勘测定界" in options


def test_when_nothing_is_found_the_page_says_what_would_help(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    an_offer(actor, items["ZJ-020"], limit=9, price_fen=2_000_000)
    search.rebuild()
    page = client.get("/search?q=勘测&limit=5&city=320100&price_mode=fixed")
    assert "去掉“承诺时限”" in page.text
    assert "去掉“地区”" not in page.text  # would not help
    assert "您是否要找" in page.text
    assert "建设用地勘测定界" in page.text
    elsewhere = client.get("/search?kind=notice&q=勘测")
    assert "在其他类别中找到" in elsewhere.text


def test_the_record_counts_real_engagements_only(app: Flask, client: FlaskClient, clock_at: Clock) -> None:
    stories = [signed(clock_at), signed(clock_at), signed(clock_at)]
    _, agency_id = an_admitted_agency()
    organisation = db.session.scalars(sa.select(Agency.organisation_id)).one()
    with transaction() as session:  # the three were served by this agency
        session.execute(sa.update(Contract).values(agency_organisation_id=organisation))
    db.session.expunge_all()
    before = client.get(f"/api/agencies/{agency_id}/record").get_json()
    assert (before["delivered"], before["items"]) == (0, [])  # a signed contract is a promise, no record
    with transaction() as session:
        for story, day in zip(stories[:2], (date(2026, 6, 15), date(2026, 6, 16)), strict=True):
            row = session.get_one(Contract, story.id)
            row.deadline_on, row.delivered_on = date(2026, 6, 15), day
            row.accepted_at = datetime(2026, 6, 17, tzinfo=UTC)
    fold_record(organisation)
    after = client.get(f"/api/agencies/{agency_id}/record").get_json()
    assert (after["delivered"], after["delivered_on_time"], after["total"]) == (2, 1, 2)
    assert sorted((e["delivered_on"], e["on_time"], e["days_late"]) for e in after["items"]) == [
        ("2026-06-15", True, 0),
        ("2026-06-16", False, 1),
    ]
    page = client.get(f"/agencies/{agency_id}/record")
    assert page.status_code == 200
    assert "逾期 1 天" in page.text
    assert client.get(f"/agencies/{uuid4()}/record").status_code == 404
