"""A page of search results: what the index found, filled with what the database shows. At most one statement per kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from marketplace.queries import agencies, catalogue, home, listings
from marketplace.search import Hit, Kind, SearchPage, SearchQuery
from marketplace.services import search


@dataclass(frozen=True)
class Found:
    """One result: the index's hit and the object behind it (a card, row or item view)."""

    hit: Hit
    object: Any


@dataclass(frozen=True)
class Results:
    """The index's page and its objects. `total` is exact; an object that has just gone is left out of `found`."""

    page: SearchPage
    found: tuple[Found, ...]


_READERS: Final[Mapping[Kind, Callable[[list[UUID]], Mapping[UUID, Any]]]] = {
    Kind.LISTING: listings.cards_by_ids,
    Kind.AGENCY: agencies.agencies_by_ids,
    Kind.ITEM: catalogue.items_by_ids,
    Kind.NOTICE: home.notices_by_ids,
}


@dataclass(frozen=True)
class WayOut:
    """A wider question for somebody who found nothing: the filter to take away, and how many results that would give."""

    facet: str
    total: int


_LOOSER: Final[Mapping[str, dict[str, Any]]] = {
    "category": {"categories": ()},
    "city": {"regions": ()},
    "limit": {"max_limit_wd": None},
    "price": {"min_price_fen": None, "max_price_fen": None},
    "price_mode": {"price_modes": ()},
    "rating": {"min_rating": None},
    "grade": {"grades": ()},
    "on_time": {"min_on_time": None},
}


def ways_out(query: SearchQuery) -> tuple[WayOut, ...]:
    """For a question without results: what each of its filters costs, the most fruitful first. No statement."""
    found = []
    for facet, looser in _LOOSER.items():
        filters = replace(query.filters, **looser)
        if filters != query.filters:
            page = search.find(replace(query, filters=filters, facets=(), offset=0, limit=1))
            if page.total:
                found.append(WayOut(facet, page.total))
    return tuple(sorted(found, key=lambda way: -way.total))


def results(query: SearchQuery) -> Results:
    """Answer a query with objects, in the order of the index."""
    page = search.find(query)
    objects: dict[tuple[Kind, UUID], Any] = {}
    for kind, read in _READERS.items():
        ids = [hit.id for hit in page.hits if hit.kind is kind]
        if ids:
            present = read(ids)
            objects |= {(kind, i): value for i, value in present.items()}
    found = tuple(Found(h, objects[h.kind, h.id]) for h in page.hits if (h.kind, h.id) in objects)
    return Results(page, found)
