"""A merit selection in a real Chromium: the plans are scored or an agency of the small list is chosen, and everybody reads why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page

from app.kernel.db import db
from marketplace.models.procurements import Procurement
from marketplace.models.selection import Comparison
from marketplace.states.procurement import ProcurementState as P
from tests.browser.chromium import DESK, PHONE, Window
from tests.marketplace.procurement_builders import AgencyMade, Clock, Story
from tests.marketplace.test_selection_services import plan_story, small_list

pytestmark = [pytest.mark.browser]
AsPerson = Callable[..., Window]
STRONG, WEAK = "方案针对性强，人员配置合理。", "进度安排较笼统。"


class Sheet:
    """The comparison sheet in front of the owner."""

    def __init__(self, story: Story, page: Page) -> None:
        self.story, self.page = story, page

    def field(self, kind: str, agency: AgencyMade) -> str:
        return f"[name='{kind}-{self.story.registration(agency).id}-0']"

    def score(self, agency: AgencyMade, points: str, reason: str) -> None:
        self.page.locator(self.field("points", agency)).fill(points)
        self.page.locator(self.field("reason", agency)).fill(reason)

    def typed(self, agency: AgencyMade) -> tuple[str, str]:
        points, reason = (self.page.locator(self.field(kind, agency)).input_value() for kind in ("points", "reason"))
        return points, reason

    def hand_in(self) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="提交比选").click()


def refused(found: Window) -> list[str]:
    """The fields that are marked as wrong on the refused page, whose summary has the focus and names each of them."""
    assert found.complaints.pop().endswith("422 (UNPROCESSABLE ENTITY)")  # how the browser notes the refused form
    page = found.page
    assert page.evaluate("document.activeElement.className") == "error-summary"
    marked = [str(field.get_attribute("name")) for field in page.locator("[aria-invalid=true]").all()]
    assert page.locator(".error-summary li").count() == len(marked)
    assert page.locator(".error-summary a").first.get_attribute("href") == f"#field-{marked[0]}"
    assert found.faults() == []
    return marked


def as_it_is(story: Story) -> Procurement:
    """The procurement as the served application left it: read anew, outside what this test has read before."""
    db.session.rollback()
    return story.procurement


def the_result(as_person: AsPerson, story: Story, picture: Path) -> str:
    """What a visitor reads on the public result, at both widths."""
    words = ""
    for width in (DESK, PHONE):
        visitor = as_person(None, f"/procurements/{story.id}/selection", width=width)
        assert visitor.faults() == []
        visitor.picture(picture.with_name(f"{picture.name}-{width}.png"), full_page=True)
        words = visitor.page.locator("main").inner_text()
    return words


def test_plans_are_scored_and_everybody_reads_the_reasons(
    app: Flask, as_person: AsPerson, clock_at: Clock, tmp_path: Path
) -> None:
    story = plan_story(clock_at)
    first, second = story.agencies
    path = f"/procurements/{story.id}/compare"
    desk = as_person(story.owner, path)
    assert desk.faults() == []
    sheet = Sheet(story, desk.page)
    sheet.score(first, "95", STRONG)
    sheet.hand_in()
    assert refused(desk) == [f"{kind}-{story.registration(second).id}-0" for kind in ("points", "reason")]
    desk.picture(tmp_path / "sheet-1280.png", full_page=True)
    assert (sheet.typed(first), sheet.typed(second)) == (("95", STRONG), ("", ""))

    phone = as_person(story.owner, path, width=PHONE)
    assert phone.faults() == []
    sheet = Sheet(story, phone.page)
    sheet.score(first, "95", STRONG)
    sheet.score(second, "101", WEAK)
    sheet.hand_in()
    assert refused(phone) == [f"points-{story.registration(second).id}-0"]
    phone.picture(tmp_path / "sheet-390.png", full_page=True)
    assert (sheet.typed(first), sheet.typed(second)) == (("95", STRONG), ("101", WEAK))
    assert as_it_is(story).state == P.COMPARING
    assert db.session.query(Comparison).count() == 0
    sheet.score(second, "60", WEAK)
    sheet.hand_in()
    assert phone.page.url.endswith(f"/procurements/{story.id}")
    assert phone.faults() == []
    assert as_it_is(story).state == P.RESULT_PUBLICITY
    assert story.winner == first
    words = the_result(as_person, story, tmp_path / "result")
    # 40 % x 80 + 60 % x 95 and 40 % x 100 + 60 % x 60
    for shown in (first.uscc, "比选得 89 分（满分 100）。", STRONG, second.uscc, "比选得 76 分（满分 100）。", WEAK):
        assert shown in words


def test_an_agency_of_the_small_list_is_chosen_on_a_phone(
    app: Flask, as_person: AsPerson, clock_at: Clock, tmp_path: Path
) -> None:
    story = small_list(clock_at)
    phone = as_person(story.owner, f"/procurements/{story.id}/compare", width=PHONE)
    assert phone.faults() == []
    page = phone.page
    picked = page.locator("[name=registration_id]").nth(1)
    chosen = picked.input_value()
    picked.check()
    choose = page.get_by_role("button", name="选定该机构")
    with page.expect_navigation():
        choose.click()
    assert refused(phone) == ["reason"]
    phone.picture(tmp_path / "choice-390.png", full_page=True)
    assert page.locator("[name=registration_id]:checked").input_value() == chosen
    assert as_it_is(story).state == P.COMPARING
    page.locator("[name=reason]").fill("承担过同类项目。")
    with page.expect_navigation():
        choose.click()
    assert phone.faults() == []
    assert str(as_it_is(story).winner_registration_id) == chosen
    words = the_result(as_person, story, tmp_path / "chosen")
    assert "承担过同类项目。" in words
    assert words.count("入小名单；业主选定了另一家。") == 1
    assert words.count("小名单共 2 家。") == 2
    assert all(agency.uscc in words for agency in story.agencies)
