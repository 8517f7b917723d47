"""python -m tests.browser.screenshots: write the pictures of docs/screenshots/.

The public pages and the desks show a product filled with demonstration data, the others what the ten steps leave behind,
and what the tests of the counter, the hall and the handset see on their way.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import DESK, PHONE, launch, window
from tests.browser.story import PUBLIC, Place, Played, play
from tests.processes import ROOT, running_product

FOLDER = ROOT / "docs" / "screenshots"
LARGEST = 250_000
LONGEST = {DESK: 1600, PHONE: 1400}
DESKS = (
    Place("bills", "/bills", "owner"),
    Place("books", "/books", "operator"),
    Place("day-closes", "/books/days", "operator"),
    Place("mismatches", "/books/mismatches", "operator"),
    Place("payouts", "/payouts", "operator"),
    Place("exceptions", "/delivery/exceptions", "postal_staff"),
    Place("returns", "/delivery/returns", "postal_staff"),
    Place("rounds", "/courier-rounds", "postal_staff"),
    Place("delivery-statistics", "/delivery/statistics", "operator"),
)
JOURNEYS = ("test_counter.py", "test_hall_day.py", "test_handset.py")


def main() -> int:
    """Return 0 when every picture was written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        with tempfile.TemporaryDirectory() as data, running_product(Path(data), seed_scale="0.2", worker=False) as full:
            for place in (*PUBLIC, *DESKS):
                take(browser, full.url, place, signed_in(browser, full.url, place.role))
        with tempfile.TemporaryDirectory() as data, running_product(Path(data)) as product:
            played = play(browser, product)
            for place in played.places:
                if place not in PUBLIC:
                    take(browser, product.url, place, in_chinese(played, place.role))
        browser.close()
    return on_the_way()


def on_the_way() -> int:
    """Let the tests of three journeys keep their pictures; return pytest's status."""
    with tempfile.TemporaryDirectory() as taken:
        os.environ["CHAOSHI_PICTURES"] = taken
        status = pytest.main(["-q", *(str(ROOT / "tests" / "browser" / name) for name in JOURNEYS)])
        for path in sorted(Path(taken).glob("*.png")):
            keep(Path(shutil.move(path, FOLDER / path.name)), LONGEST[PHONE])
    return int(status)


def signed_in(browser: Browser, url: str, role: str | None) -> object:
    """The cookies of the demonstration's person in this role."""
    if role is None:
        return None
    with window(browser, url) as seen:
        return seen.sign_in(role).page.context.storage_state()


def take(browser: Browser, url: str, place: Place, state: object = None) -> None:
    """Write a place at a desk and on a phone in light, and at a desk in dark."""
    for width, theme in ((DESK, "light"), (PHONE, "light"), (DESK, "dark")):
        with window(browser, url, width=width, theme=theme, state=state) as seen:
            path = FOLDER / f"{place.name}-{width}-{theme}.png"
            seen.open(place.path).picture(path, full_page=True)
            keep(path, LONGEST[width])


def keep(path: Path, longest: int) -> None:
    """Make a picture small enough to be kept, and say so."""
    shrink(path, longest)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB\n")


def in_chinese(played: Played, role: str | None) -> object:
    """The person's cookies, without a language that was chosen."""
    state = played.state_of(role)
    if state is None:
        return None
    cookies = state["cookies"]
    assert isinstance(cookies, list)
    return {**state, "cookies": [cookie for cookie in cookies if cookie["name"] != "language"]}


def shrink(path: Path, longest: int) -> None:
    """Cut a long page and spare colours until the file is small enough to be kept."""
    with Image.open(path) as picture:
        cut = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, longest)))
    for colours in (256, 128, 64):
        cut.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < LARGEST:
            return


if __name__ == "__main__":
    raise SystemExit(main())
