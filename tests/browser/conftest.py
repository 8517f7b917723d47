"""The whole product as real processes, and a real Chromium to look at it.

They run in one process (`make test-browser`), so that they share one product.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from app.kernel import clock
from app.kernel.access import Actor
from tests.browser.chromium import ChromiumMissing, Window, launch, window
from tests.browser.story import Played, play
from tests.builders import sign_in
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
def album(tmp_path: Path) -> Path:
    """Where a test puts its pictures: CHAOSHI_PICTURES when somebody wants to keep them (`make screenshots`)."""
    kept = os.environ.get("CHAOSHI_PICTURES")
    return Path(kept) if kept else tmp_path


@pytest.fixture
def look(browser: Browser, product: Product) -> Iterator[Callable[..., Window]]:
    """`look(width=390, theme="dark")`: a new window on the product."""
    with ExitStack() as stack:

        def made(**kind: object) -> Window:
            return stack.enter_context(window(browser, product.url, **kind))

        yield made


@pytest.fixture
def url(app: Flask, clock_at: Callable[..., None]) -> Iterator[str]:
    """The application behind a socket, living at the test's moment."""
    moved = clock._source.get()

    def living(environ: Any, start_response: Any) -> Any:
        with clock.at(moved):
            return app(environ, start_response)

    # Chromium opens connections that it may use later: a server of one thread would wait for their first byte
    server = make_server("127.0.0.1", 0, living, threaded=True)
    server.log = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.fixture
def as_person(app: Flask, browser: Browser, url: str) -> Iterator[Callable[..., Window]]:
    """`as_person(actor, path, width=390)`: this person, or a visitor (None), in front of a page of the application at `url`."""
    with ExitStack() as stack:

        def made(actor: Actor | None, path: str, **kind: Any) -> Window:
            found = stack.enter_context(window(browser, url, **kind))
            if actor is not None:
                client = app.test_client()
                sign_in(client, actor)
                cookie = client.get_cookie("session")
                assert cookie is not None
                found.page.context.add_cookies([{"name": "session", "value": cookie.value, "url": url}])
            return found.open(path)

        yield made
