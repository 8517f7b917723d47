"""The whole product as real processes, and a real Chromium to look at it.

They run in one process (`make test-browser`), so that they share one product.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ChromiumMissing, Window, launch, window
from tests.browser.story import Played, play
from tests.processes import Product, running_product


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            chromium = launch(playwright)
        except ChromiumMissing as missing:
            pytest.fail(str(missing), pytrace=False)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Web, worker and both simulators on free ports, over a SQLite database of their own."""
    with running_product(tmp_path_factory.mktemp("product")) as running:
        yield running


@pytest.fixture(scope="session")
def played(browser: Browser, product: Product) -> Played:
    """The product after the ten steps have been played in it, in the browser."""
    return play(browser, product)


@pytest.fixture
def look(browser: Browser, product: Product) -> Iterator[Callable[..., Window]]:
    """`look(width=390, theme="dark")`: a new window on the product."""
    with ExitStack() as stack:

        def made(**kind: object) -> Window:
            return stack.enter_context(window(browser, product.url, **kind))

        yield made
