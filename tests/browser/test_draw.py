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
from tests.processes import Product

Look = Callable[..., Window]
SCRIPT = Path(__file__).parents[2] / "docs" / "verify_draw.py"


def a_ranked_draw(window: Window) -> str:
    """The address of a draw that the demonstration data has ranked."""
    for stage in ("result", "service", "finished"):
        rows = window.page.request.get(f"{window.url}/api/procurements?stage={stage}").json()["items"]
        for row in rows:
            draw = window.page.request.get(f"{window.url}{row['href']}").json()["draw"]
            if draw and draw["is_ranked"]:
                return str(draw["href"]).removeprefix("/api")
    raise AssertionError("the demonstration data has no ranked draw")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_step_agrees_in_the_browser(look: Look, product: Product, width: int) -> None:
    window = look(width=width)
    window.open(a_ranked_draw(window))
    window.page.locator("[data-verify]").click()
    window.page.locator("[data-verdict][data-outcome=good]").wait_for()
    outcomes = window.page.locator("[data-step]").evaluate_all("rows => rows.map(row => row.dataset.outcome)")
    assert outcomes == ["good"] * 5
    assert window.axe() == []
    assert window.violations() == []
    assert window.complaints == []


def test_a_changed_file_and_a_foreign_receipt_are_found(look: Look, product: Product) -> None:
    window = look()
    window.open(a_ranked_draw(window))

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


def test_the_script_repeats_the_order_of_the_page(look: Look, product: Product, tmp_path: Path) -> None:
    window = look()
    address = a_ranked_draw(window)
    window.open(address)
    for name in ("draw.txt", "beacon.txt"):
        (tmp_path / name).write_bytes(window.page.request.get(f"{product.url}{address}/{name}").body())
    listed = sha256((tmp_path / "draw.txt").read_bytes()).hexdigest()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--demo", "draw.txt", "beacon.txt", listed],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    shown = window.page.locator("[data-rank]").evaluate_all(
        "cells => cells.map(cell => [cell.dataset.code, cell.dataset.score])"
    )
    assert [line.split()[1:3] for line in done.stdout.splitlines()[3:]] == shown
