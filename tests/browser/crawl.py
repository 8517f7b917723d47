"""Everything that a person can reach by links, at most a few pages of each kind."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from tests.journeys.person import Person

_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=/)[A-Z]{2,4}-\d{4}-\d+|(?<=/)\d{2,}"
)
SAME_KIND = 2
TABLES = frozenset({"data-table", "bar-chart", "year-month"})
"""Classes of the tables that components draw."""


@dataclass(frozen=True)
class Seen:
    path: str
    status: int
    kind: str
    text: str

    @cached_property
    def page(self) -> BeautifulSoup:
        return BeautifulSoup(self.text, "html.parser")


def kind_of(path: str) -> str:
    """Paths that differ only by ids and by the values of their query arguments are of one kind."""
    parts = urlsplit(path)
    names = sorted({pair.split("=")[0] for pair in parts.query.split("&") if pair})
    return _ID.sub("*", parts.path) + ("?" + "&".join(names) if names else "")


def crawl(person: Person, start: tuple[str, ...] = ("/", "/workbench"), most: int = 60) -> Iterator[Seen]:
    """Walk from `start` over all links within the product."""
    waiting = deque(start)
    known = set(start)
    kinds: Counter[str] = Counter()
    while waiting and most:
        path = waiting.popleft()
        kind = kind_of(path)
        if kinds[kind] >= SAME_KIND:
            continue
        kinds[kind] += 1
        most -= 1
        answer = person.http.get(urljoin(person.url, path), timeout=30)
        content = answer.headers.get("Content-Type", "")
        seen = Seen(path, answer.status_code, content, answer.text if "html" in content else "")
        yield seen
        for link in seen.page.find_all("a", href=True) if seen.text else ():
            assert isinstance(link, Tag)
            target = urldefrag(urljoin(answer.url, str(link["href"])))[0]
            if target.startswith(person.url) and target not in known:
                known.add(target)
                waiting.append(target.removeprefix(person.url) or "/")


def inline_parts(page: BeautifulSoup) -> list[str]:
    """What the content security policy would block, and what a page of components never has."""
    found = [f"style attribute: {str(tag)[:120]}" for tag in page.find_all(style=True)]
    found += [f"style element: {str(tag)[:120]}" for tag in page.find_all("style")]
    found += [f"inline script: {str(tag)[:120]}" for tag in page.find_all("script", src=False)]
    found += [
        f"handler {name}: {str(tag)[:120]}"
        for tag in page.find_all(True)
        for name in tag.attrs
        if name.startswith("on")
    ]
    found += [f"form without token: {str(tag)[:160]}" for tag in page.find_all("form", method="post") if not tag.find("input", attrs={"name": "csrf_token"})]  # fmt: skip
    found += [f"raw table: {str(tag)[:120]}" for tag in page.find_all("table") if not TABLES.intersection(tag.get("class", []))]  # fmt: skip
    ids = Counter(str(tag["id"]) for tag in page.find_all(id=True))
    found += [f"id {name} is given {count} times" for name, count in ids.items() if count > 1]
    return found
