"""The people of the journey in front of a real Chromium: they open, type, choose, press and wait as the others do."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Error, Locator, Response

from tests.browser.chromium import DESK, Window, opened
from tests.journeys.person import Person


@dataclass
class _Request:
    method: str


@dataclass
class Answer:
    """What the story asks of a `requests.Response`, of the page that Chromium shows."""

    url: str
    status_code: int
    text: str
    request: _Request


class BrowserPerson(Person):
    """One person with a window of their own. `complaints` collects what the browser found wrong on the way."""

    def __init__(self, browser: Browser, url: str, name: str, width: int = DESK) -> None:
        super().__init__(url, name)
        self.window: Window = opened(browser, url, width=width, language="en")
        self.complaints: list[str] = []

    # --- looking

    def open(self, path: str, status: int = 200) -> BeautifulSoup:
        return self._shown(self.window.page.goto(urljoin(self.url, path)), status)

    def _shown(self, answer: Response | None, status: int) -> BeautifulSoup:
        page = self.window.page
        code = answer.status if answer else 200
        self.response = Answer(page.url, code, page.content(), _Request("GET"))  # type: ignore[assignment]
        if page.url.startswith(self.url):
            self.complaints += [f"{self.name} at {self.path}: {v}" for v in self.window.violations()]
        for cookie in self.window.page.context.cookies():
            self.http.cookies.set(cookie["name"], cookie["value"], domain=cookie["domain"], path=cookie["path"])
        assert code == status, f"{self.name}: {page.url} -> {code}\n{self.text[:3000]}"
        return self.page

    # --- doing

    def press(self, words: str, files: dict[str, Any] | None = None, status: int = 200, **values: Any) -> BeautifulSoup:
        form = self._form(words)
        if form is None:
            self.follow(words)
            form = self._form(words) or self._first_form()
        assert form is not None, f"{self.name}: no button {words!r} on {self.path}:\n{self.text[:3000]}"
        return self.send(form, files, status, button=words, **values)

    def send(
        self, form: Tag, files: dict[str, Any] | None = None, status: int = 200, button: str = "", **values: Any
    ) -> BeautifulSoup:
        page = self.window.page
        place = page.locator("form").nth(self._index(form))
        for name, value in values.items():
            self._fill(place, name, str(value))
        for name, file in (files or {}).items():
            place.locator(f"[name='{name}']").set_input_files(_kept(file))
        buttons = place.locator("button:not([type=button])")
        pressed = (
            buttons.filter(has_text=button).first
            if button and buttons.filter(has_text=button).count()
            else buttons.first
        )
        if place.get_attribute("hx-boost") == "true":
            return self._swapped(pressed, status)
        asks = pressed.get_attribute("data-confirm")
        with page.expect_navigation(wait_until="load") as landing:
            if pressed.is_visible():
                pressed.click()
            else:
                place.evaluate("form => form.requestSubmit()")
            if asks:
                page.locator("dialog#ask [data-ask-yes]").click()
        return self._shown(landing.value, status)

    def _swapped(self, pressed: Locator, status: int) -> BeautifulSoup:
        """Press a button whose answer is put into the page in place: there is no navigation to wait for."""
        page = self.window.page
        page.evaluate("""() => {
          window.isSettled = false;
          document.addEventListener("htmx:afterSettle", () => { window.isSettled = true; }, { once: true });
        }""")
        pressed.click()
        page.wait_for_function("() => window.isSettled")
        return self._shown(None, status)

    def _index(self, form: Tag) -> int:
        """The place of the form among those of the page it was read from."""
        root = form
        while root.parent is not None:
            root = root.parent
        assert isinstance(root, Tag)
        return next(index for index, each in enumerate(root.find_all("form")) if each is form)

    @staticmethod
    def _fill(form: Locator, name: str, value: str) -> None:
        fields = form.locator(f"[name='{name}']")
        assert fields.count(), f"the form has no field {name}"
        kind = fields.first.evaluate("field => field.tagName === 'SELECT' ? 'select' : field.type")
        if kind == "select":
            fields.first.select_option(value)
        elif kind in {"radio", "checkbox"}:
            form.locator(f"[name='{name}'][value='{value}']").first.check()
        elif kind == "hidden":  # a region picker: its three selects write the code here
            fields.first.evaluate("(field, value) => { field.value = value; }", value)
        else:
            fields.first.fill(value)

    def close(self) -> None:
        try:
            self.window.page.context.close()
        except Error:
            return


def _kept(file: tuple[str, bytes, str]) -> dict[str, Any]:
    name, content, kind = file
    return {"name": name, "mimeType": kind, "buffer": content}
