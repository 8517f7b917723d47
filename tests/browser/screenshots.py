"""python -m tests.browser.screenshots: write the pictures of docs/screenshots/.

The public pages show a product filled with demonstration data, the others what the ten steps leave behind.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import DESK, PHONE, launch, window
from tests.browser.story import PUBLIC, Place, Played, play
from tests.processes import ROOT, running_product

FOLDER = ROOT / "docs" / "screenshots"
LARGEST = 250_000
LONGEST = {DESK: 1600, PHONE: 1400}


def main() -> int:
    """Return 0 when every picture was written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        with tempfile.TemporaryDirectory() as data, running_product(Path(data), seed_scale="0.2", worker=False) as full:
            for place in PUBLIC:
                take(browser, full.url, place)
        with tempfile.TemporaryDirectory() as data, running_product(Path(data)) as product:
            played = play(browser, product)
            for place in played.places:
                if place not in PUBLIC:
                    take(browser, product.url, place, in_chinese(played, place.role))
        browser.close()
    return 0


def take(browser: Browser, url: str, place: Place, state: object = None) -> None:
    """Write a place at a desk and on a phone in light, and at a desk in dark."""
    for width, theme in ((DESK, "light"), (PHONE, "light"), (DESK, "dark")):
        with window(browser, url, width=width, theme=theme, state=state) as seen:
            path = FOLDER / f"{place.name}-{width}-{theme}.png"
            seen.open(place.path).picture(path, full_page=True)
            shrink(path, LONGEST[width])
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
