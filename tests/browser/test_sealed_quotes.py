"""A bidding in a real Chromium: codes are made, prices sealed, all quotes opened and checked; no price leaves the browser readable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page

from app.kernel.commands import Plain
from app.kernel.db import db
from marketplace.jobs import procurements as jobs
from marketplace.models.quotes import Quote
from marketplace.services import procurements, quotes
from tests.browser.chromium import DESK, PHONE, Window
from tests.marketplace.procurement_builders import DEADLINE, a_story
from tests.marketplace.quotes.builders import Bidding, an_opening_code, sealed_for

pytestmark = [pytest.mark.browser]
PRICE = "177431.29"


def is_clean(found: Window, picture: Path) -> None:
    found.picture(picture, full_page=True)
    assert found.faults() == []


def make_code(found: Window, picture: Path) -> str:
    found.page.locator("[data-make]").click()
    code = found.page.locator("[data-code]").inner_text()
    is_clean(found, picture)
    found.page.locator("[name=typed]").fill(code[-4:])
    found.page.locator("[data-after] button[type=submit]").click()
    found.page.wait_for_load_state("networkidle")
    return code


def seal(page: Page, price: str) -> str:
    page.locator("[name=price]").fill(price)
    page.locator("[data-seal]").click()
    page.locator("[data-after]").wait_for()
    return page.locator("[data-commitment]").inner_text()


def test_sealed_opened_and_checked(
    app: Flask, as_person: Callable[..., Window], clock_at: Callable[..., None], tmp_path: Path
) -> None:
    story = a_story(clock_at, 3, method="bid_low", fund_source="social", price_fen=19_000_000, ceiling_fen=19_000_000)
    bidding = Bidding(story)
    code = make_code(as_person(story.owner, "/opening-code"), tmp_path / "code-1280.png")
    bidding.codes = {"owner": code, "supervision": an_opening_code(story.second)}
    procurements.submit_notice(story.owner, story.id, Plain())
    procurements.publish_notice(story.operator, story.id, Plain())
    place = f"/procurements/{story.id}"
    sent: list[bytes] = []
    for number, (width, price) in enumerate(((DESK, PRICE), (PHONE, "178000.5"))):
        found = as_person(story.agencies[number].actor, f"{place}/quote", width=width)
        page = found.page
        page.on("request", lambda request: sent.append((request.post_data_buffer or b"") + request.url.encode()))
        for bad, remark in (("0", "零"), ("190000.01", "限价"), ("1.234", "两位"), ("１２８", "两位")):
            page.locator("[name=price]").fill(bad)
            page.locator("[data-seal]").click()
            page.locator("[data-say]", has_text=remark).wait_for()
        is_clean(found, tmp_path / f"quote-{width}.png")
        promised = seal(page, price)
        with page.expect_download() as saved:
            page.locator("[data-save]").click()
        assert promised in Path(saved.value.path()).read_text()
        is_clean(found, tmp_path / f"sealed-{width}.png")
        page.locator("[data-after] button[type=submit]").click()
        page.locator("text=已密封提交").first.wait_for()
        is_clean(found, tmp_path / f"in-{width}.png")
        db.session.expire_all()
        assert promised in {row.commitment for row in db.session.query(Quote)}
    assert [b for b in sent if b"177431" in b or b"178000" in b] == []
    assert {row.sealed_in for row in db.session.query(Quote)} == {"browser"}
    third = story.agencies[2]
    quotes.hand_in(third.actor, story.id, sealed_for(bidding, third, "0.00"))
    clock_at(DEADLINE + timedelta(seconds=1))
    jobs.close_due()
    jobs.freeze_due()
    owner = as_person(story.owner, f"{place}/opening")
    owner.page.locator("[name=code]").fill(bidding.codes["supervision"])
    owner.page.locator("[data-give-share] button[type=submit]").click()
    owner.page.locator("[data-say]", has_text="无法打开").wait_for()
    is_clean(owner, tmp_path / "share-1280.png")
    owner.page.locator("[name=code]").fill(code.lower())
    owner.page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    owner.page.locator("[data-give-share] button[type=submit]").click()
    owner.page.locator("[data-give-share]").wait_for(state="detached")
    assert not any(code[:9].encode() in one.upper() for one in sent)  # the code stays where it is
    operator = as_person(story.operator, f"{place}/opening", width=PHONE)
    operator.page.locator("main form button[type=submit]").click()
    operator.page.locator("[data-verify]").wait_for()
    for width in (DESK, PHONE):
        found = as_person(story.agencies[0].actor, f"{place}/opening", width=width)
        found.page.locator("[data-verify]").click()
        found.page.locator("[data-verdict][data-outcome=good]").wait_for()
        assert "177,431.29" in found.page.content()
        is_clean(found, tmp_path / f"opened-{width}.png")
    found.page.locator("[data-quote][data-counts=yes]").first.evaluate("cell => { cell.dataset.price = '1.00'; }")
    found.page.locator("[data-verify]").click()
    found.page.locator("[data-verdict][data-outcome=bad]").wait_for()
