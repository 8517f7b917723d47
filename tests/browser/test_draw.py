"""A member of the public repeats a draw in the browser; one changed byte, and the page says that it does not agree."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Route

from tests.browser.chromium import DESK, PHONE, Window
from tests.browser.story import Played

pytestmark = [pytest.mark.browser]

Look = Callable[..., Window]
SCRIPT = Path(__file__).parents[2] / "docs" / "verify_draw.py"


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_step_agrees_in_the_browser(look: Look, played: Played, width: int) -> None:
    window = look(width=width)
    window.open(played.story.at["draw"])
    window.page.locator("[data-verify]").click()
    window.page.locator("[data-verdict][data-outcome=good]").wait_for()
    outcomes = window.page.locator("[data-step]").evaluate_all("rows => rows.map(row => row.dataset.outcome)")
    assert outcomes == ["good"] * 5
    assert window.axe() == []
    assert window.violations() == []
    assert window.complaints == []


def test_a_changed_file_and_a_foreign_receipt_are_found(look: Look, played: Played) -> None:
    window = look()
    window.open(played.story.at["draw"])

    def change(route: Route) -> None:
        body = route.fetch().body()
        route.fulfill(body=re.sub(rb"select: 1", b"select: 2", body), content_type="text/plain")

    window.page.route("**/draw.txt", change)
    window.page.locator("[data-verify]").click()
    window.page.locator("[data-verdict][data-outcome=bad]").wait_for()
    assert window.page.locator("[data-step=hash]").get_attribute("data-outcome") == "bad"
    window.page.unroute("**/draw.txt")
    window.page.locator("[data-receipt]").fill("0" * 64)
    window.page.locator("[data-verify]").click()
    window.page.locator("[data-step=order][data-outcome=good]").wait_for()
    assert window.page.locator("[data-step=hash]").get_attribute("data-outcome") == "bad"
    assert window.page.locator("[data-verdict]").get_attribute("data-outcome") == "bad"


def test_the_script_repeats_the_order_of_the_page(look: Look, played: Played, tmp_path: Path) -> None:
    window = look()
    address = played.story.at["draw"]
    window.open(address)
    for name in ("draw.txt", "beacon.txt"):
        (tmp_path / name).write_bytes(window.page.request.get(f"{window.url}{address}/{name}").body())
    listed = sha256((tmp_path / "draw.txt").read_bytes()).hexdigest()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--demo", "draw.txt", "beacon.txt", listed],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    shown = window.page.locator("[data-rank]").evaluate_all(
        "cells => cells.map(cell => [cell.dataset.code, cell.dataset.score])"
    )
    assert [line.split()[1:3] for line in done.stdout.splitlines()[3:]] == shown
