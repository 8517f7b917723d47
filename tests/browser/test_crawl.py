"""Every page that any role can reach by links: it answers, and nothing in it is inline."""

import pytest

from app.kernel.access import Role
from tests.browser.crawl import crawl, inline_parts
from tests.browser.story import Played
from tests.journeys.person import Person
from tests.processes import Product

pytestmark = [pytest.mark.browser]

VISITOR = "visitor"


def enter(product: Product, role: str) -> Person:
    person = Person(product.url, role)
    if role != VISITOR:
        page = person.open("/dev/sign-in")
        tile = page.select_one(f"[data-role='{role}']")
        assert tile is not None, f"no demonstration account of {role}"
        form = tile.find_parent("form")
        assert form is not None
        person.send(form)
    return person


@pytest.mark.parametrize("role", [VISITOR, *(role.value for role in Role)])
def test_every_page_answers_and_has_nothing_inline(played: Played, role: str) -> None:
    person = enter(played.product, role)
    faults: list[str] = []
    visited = 0
    for seen in crawl(person):
        visited += 1
        if seen.status >= 400:
            faults.append(f"{seen.path} answers {seen.status}")
        if seen.text:
            faults += [f"{seen.path}: {part}" for part in inline_parts(seen.page)]
    assert faults == []
    assert visited > 10
