"""The ten steps played in Chromium once, and the places that they leave behind, for pictures and for axe."""

from collections.abc import Mapping
from dataclasses import dataclass

from playwright.sync_api import Browser

from tests.browser.person import BrowserPerson
from tests.journeys import test_notice_to_doorstep as journey
from tests.journeys.person import Person
from tests.processes import Product


@dataclass(frozen=True)
class Place:
    """A page worth looking at: its name, where it is, and whose page it is (None: everybody's)."""

    name: str
    path: str
    role: str | None = None


PUBLIC = (Place("home", "/"), Place("search", "/search?q=测绘"), Place("services", "/services"))


@dataclass
class Played:
    """The story after its end: the places, what the browser complained of, and the cookies of each person."""

    product: Product
    places: tuple[Place, ...]
    complaints: tuple[str, ...]
    story: journey.Story

    def state_of(self, role: str | None) -> Mapping[str, object] | None:
        if role is None:
            return None
        person = self.story.person(role)
        assert isinstance(person, BrowserPerson)
        return dict(person.window.page.context.storage_state())


def play(browser: Browser, product: Product) -> Played:
    """Play the journey in the browser. Every person gets a window of their own."""
    people: list[BrowserPerson] = []

    def make(url: str, name: str) -> Person:
        person = BrowserPerson(browser, url, name)
        people.append(person)
        return person

    story = journey.Story(product, make=make)
    journey.play(story)
    at = story.at
    places = (
        *PUBLIC,
        Place("procurement", at["procurement"]),
        Place("draw", at["draw"]),
        Place("pay", at["bill"], "owner"),
        Place("contract", at["contract"], "owner"),
        Place("timeline", at["case"], "owner"),
        Place("workbench", "/workbench?turn=done", "owner"),
        Place("post-workbench", "/delivery?tab=transit", "postal_staff"),
        Place("parcel", at["parcel"], "postal_staff"),
    )
    complaints = tuple(complaint for person in people for complaint in person.complaints)
    return Played(product, places, complaints, story)
