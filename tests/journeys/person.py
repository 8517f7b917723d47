"""A person with a browser that has no JavaScript: reads pages, fills in the forms that are on them, presses buttons."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag

PATIENCE_SECONDS = 120


class Person:
    """One signed-in person on a running product; `page` is what the person looks at now."""

    def __init__(self, url: str, name: str = "visitor") -> None:
        self.url = url
        self.name = name
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Accept-Language"] = "en"
        self.response: requests.Response = None  # type: ignore[assignment]
        self._read: tuple[requests.Response, BeautifulSoup] | None = None

    # --- looking

    def open(self, path: str, status: int = 200) -> BeautifulSoup:
        return self._see(self.http.get(urljoin(self.url, path), timeout=30), status)

    def _see(self, response: requests.Response, status: int = 200) -> BeautifulSoup:
        self.response = response
        assert response.status_code == status, (
            f"{self.name}: {response.request.method} {response.url} -> {response.status_code}\n{self.text[:3000]}"
        )
        return self.page

    @property
    def page(self) -> BeautifulSoup:
        """What is seen now, read once."""
        if self._read is None or self._read[0] is not self.response:
            self._read = (self.response, BeautifulSoup(self.response.text, "html.parser"))
        return self._read[1]

    @property
    def text(self) -> str:
        return " ".join(self.page.get_text(" ").split())

    @property
    def path(self) -> str:
        return self.response.url.removeprefix(self.url)

    def has(self, words: str) -> bool:
        """Tell whether the page says `words`, also where marks stand between them."""
        return words in self.text or words in self.page.get_text("")

    def sees(self, words: str) -> None:
        assert self.has(words), f"{self.name} does not see {words!r} on {self.path}:\n{self.text[:3000]}"

    def sees_not(self, words: str) -> None:
        assert not self.has(words), f"{self.name} sees {words!r} on {self.path}"

    def follow(self, words: str) -> BeautifulSoup:
        """Click the first link whose text contains `words`."""
        link = next((a for a in self.page.find_all("a", href=True) if words in " ".join(a.get_text(" ").split())), None)
        assert link is not None, f"{self.name}: no link {words!r} on {self.path}:\n{self.text[:3000]}"
        return self.open(urljoin(self.response.url, str(link["href"])).removeprefix(self.url))

    # --- doing

    def press(self, words: str, files: dict[str, Any] | None = None, status: int = 200, **values: Any) -> BeautifulSoup:
        """Fill in and send the form whose button says `words`; a link of that name is followed to its form first."""
        form = self._form(words)
        if form is None:
            self.follow(words)
            form = self._form(words) or self._first_form()
        assert form is not None, f"{self.name}: no button {words!r} on {self.path}:\n{self.text[:3000]}"
        return self.send(form, files, status, **values)

    def send(self, form: Tag, files: dict[str, Any] | None = None, status: int = 200, **values: Any) -> BeautifulSoup:
        data = self._typed(form)
        for name, value in values.items():
            data[name] = value
        target = urljoin(self.response.url, str(form.get("action") or self.response.url))
        if str(form.get("method", "get")).lower() == "get":
            return self._see(self.http.get(target, params=data, timeout=30), status)
        headers = {"Origin": self.url, "Referer": self.response.url}
        if form.get("enctype") == "multipart/form-data" and not files:
            files = {}
        return self._see(self.http.post(target, data=data, files=files, headers=headers, timeout=60), status)

    def _form(self, words: str) -> Tag | None:
        for form in self.page.find_all("form"):
            for button in form.find_all("button"):
                if words in " ".join(button.get_text(" ").split()):
                    return form
        return None

    def _first_form(self) -> Tag | None:
        main = self.page.find("main")
        found = main.find("form", method=lambda m: str(m).lower() == "post") if isinstance(main, Tag) else None
        return found if isinstance(found, Tag) else None

    @staticmethod
    def _typed(form: Tag) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for field in form.find_all(["input", "textarea", "select"]):
            name = field.get("name")
            if not name or field.get("type") in {"file", "submit", "button"}:
                continue
            if field.get("type") in {"checkbox", "radio"} and not field.has_attr("checked"):
                continue
            if field.name == "select":
                chosen = field.find("option", selected=True)
                data[str(name)] = str(chosen["value"]) if isinstance(chosen, Tag) else ""
            elif field.name == "textarea":
                data[str(name)] = field.get_text()
            else:
                data[str(name)] = str(field.get("value", ""))
        return data

    # --- waiting for the worker

    def until(self, path: str, condition: Callable[["Person"], bool], what: str) -> BeautifulSoup:
        """Look at the page again until `condition` holds; the worker needs its second."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.open(path)
            if condition(self):
                return self.page
            time.sleep(0.3)  # polling a real process over HTTP; there is no event to wait for
        raise AssertionError(f"{self.name} waited for {what} on {path}:\n{self.text[:3000]}")

    def until_seen(self, path: str, words: str) -> BeautifulSoup:
        return self.until(path, lambda person: person.has(words), words)

    # --- the API

    def api(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        headers = {"Accept": "application/json", "Origin": self.url, **kwargs.pop("headers", {})}
        if method != "GET" and "X-CSRFToken" not in headers:
            headers["X-CSRFToken"] = self.csrf()
        answer = self.http.request(method, urljoin(self.url, path), headers=headers, timeout=60, **kwargs)
        assert answer.status_code == status, (
            f"{self.name}: {method} {path} -> {answer.status_code}\n{answer.text[:2000]}"
        )
        return answer.json() if answer.content else None

    def csrf(self) -> str:
        page = BeautifulSoup(self.http.get(f"{self.url}/workbench", timeout=30).text, "html.parser")
        field = page.find("input", attrs={"name": "csrf_token"})
        return str(field["value"]) if isinstance(field, Tag) else ""
