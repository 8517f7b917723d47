"""Search results with facets that live in the address, and suggestions while typing."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import get_locale, gettext

from app.kernel.paging import Page
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public
from marketplace.rules.categories import CATEGORY_LABELS, Category
from marketplace.rules.regions import full_name
from marketplace.search import Facet, Kind, SearchPage, Sort
from marketplace.services import results as answers
from marketplace.services import search as index
from marketplace.states.listing import PriceMode
from marketplace.web.schemas.listings import (
    MOST_COMPARED,
    PAGE_SIZE,
    PRICE_MODE_LABELS,
    SearchIn,
    SuggestIn,
    search_query,
)

bp = Blueprint("marketplace_search", __name__, template_folder="../../templates")

KIND_LABELS: Final = {
    Kind.LISTING: N_("Services"),
    Kind.AGENCY: N_("Agencies"),
    Kind.ITEM: N_("Service list"),
    Kind.NOTICE: N_("Notices"),
}
SORT_LABELS: Final = {
    Sort.RELEVANCE: N_("Relevance"),
    Sort.LIMIT: N_("Shortest time limit"),
    Sort.PRICE: N_("Lowest price"),
    Sort.RATING: N_("Best rating"),
    Sort.ON_TIME: N_("Most often on time"),
    Sort.NEWEST: N_("Newest"),
}
# Which facets and orders make sense for what is looked for.
FACETS: Final = {
    Kind.LISTING: (
        Facet.CATEGORY,
        Facet.CITY,
        Facet.LIMIT,
        Facet.PRICE,
        Facet.PRICE_MODE,
        Facet.RATING,
        Facet.GRADE,
    ),
    Kind.AGENCY: (Facet.CITY, Facet.RATING, Facet.GRADE),
    Kind.ITEM: (Facet.CATEGORY, Facet.LIMIT),
    Kind.NOTICE: (Facet.CATEGORY, Facet.CITY, Facet.LIMIT, Facet.PRICE),
}
SORTS: Final = {
    Kind.LISTING: tuple(SORT_LABELS),
    Kind.AGENCY: (Sort.RELEVANCE, Sort.RATING, Sort.ON_TIME, Sort.NEWEST),
    Kind.ITEM: (Sort.RELEVANCE, Sort.LIMIT),
    Kind.NOTICE: (Sort.RELEVANCE, Sort.NEWEST, Sort.PRICE),
}
FACET_TITLES: Final = {
    Facet.CATEGORY: N_("Category"),
    Facet.CITY: N_("Region"),
    Facet.LIMIT: N_("Promised time limit"),
    Facet.PRICE: N_("Price"),
    Facet.PRICE_MODE: N_("How the price is stated"),
    Facet.RATING: N_("Rating"),
    Facet.GRADE: N_("Credit grade"),
}
FILTER_TITLES: Final = {str(facet): title for facet, title in FACET_TITLES.items()} | {
    "on_time": N_("Most often on time")
}


@bp.get("/search")
@public
def search() -> str:
    """One page of results."""
    asked = parsing.query(SearchIn)
    kind = Kind(asked["kind"])
    query = search_query(asked, (Facet.KIND, *FACETS[kind]))
    found = answers.results(query)
    is_empty = not found.page.total
    return render_template(
        "marketplace/search.html",
        asked=asked,
        kind=kind,
        results=found,
        page=Page(found.found, asked["page"], PAGE_SIZE, found.page.total),
        tabs=_tabs(found.page, kind),
        facets=[_facet(f, found.page, asked) for f in FACETS[kind]],
        sorts=[(str(s), SORT_LABELS[s]) for s in SORTS[kind]],
        marked=found.page.marked,
        ways_out=[(FILTER_TITLES[w.facet], w.facet, w.total) for w in answers.ways_out(query)] if is_empty else (),
        nearest=index.suggest(asked["q"], 5) if is_empty else (),
        chooser=Chooser(kind, tuple(asked["compare"])),
        keep_query=urlencode(asked_again(asked), doseq=True),
    )


@bp.get("/search/suggest")
@public
def suggest() -> str:
    """The list below the search box; empty when nothing fits."""
    asked = parsing.query(SuggestIn)
    return render_template("marketplace/_suggestions.html", suggestions=index.suggest(asked["q"], asked["limit"]))


class Chooser:
    """The offers or agencies chosen for comparison, kept in the address: links, so that it needs no script."""

    def __init__(self, kind: Kind, chosen: tuple[UUID, ...]) -> None:
        self.chosen = tuple(dict.fromkeys(chosen))
        self.is_offered = kind in {Kind.LISTING, Kind.AGENCY}
        self.is_full = len(self.chosen) >= MOST_COMPARED
        self.most = MOST_COMPARED
        self.href = f"/compare?{urlencode([('kind', str(kind)), *(('id', str(i)) for i in self.chosen)])}"

    def holds(self, object_id: UUID) -> bool:
        """Whether this one is chosen."""
        return object_id in self.chosen

    def toggled(self, object_id: UUID) -> str:
        """The present address with this one chosen, or no longer."""
        left = [i for i in self.chosen if i != object_id]
        return self._with(left if self.holds(object_id) else [*self.chosen, object_id])

    @property
    def cleared(self) -> str:
        """The present address with none chosen."""
        return self._with([])

    @staticmethod
    def _with(chosen: Sequence[UUID]) -> str:
        kept = [(name, value) for name, value in request.args.items(multi=True) if name != "compare"]
        return f"{request.path}?{urlencode([*kept, *(('compare', str(i)) for i in chosen)])}"


def asked_again(asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a search without order, page and comparison."""
    left_out = {"page", "compare", "sort"}
    return {name: value for name, value in asked.items() if value not in (None, "", []) and name not in left_out}


def _tabs(page: SearchPage, kind: Kind) -> list[dict[str, Any]]:
    counts = {value.value: value.count for value in page.facets.get(Facet.KIND, ())}
    return [
        {"value": str(k), "label": label, "count": counts.get(str(k), 0), "selected": k is kind}
        for k, label in KIND_LABELS.items()
    ]


def _facet(facet: Facet, page: SearchPage, asked: dict[str, Any]) -> dict[str, Any]:
    chosen = {str(v) for v in (asked[facet] if isinstance(asked[facet], list) else [asked[facet]]) if v is not None}
    values = [v for v in page.facets.get(facet, ()) if v.count or v.value in chosen]
    if facet in {Facet.CATEGORY, Facet.CITY}:
        values.sort(key=lambda v: -v.count)
    options = [
        {"value": v.value, "label": _value_label(facet, v.value), "count": v.count, "selected": v.value in chosen}
        for v in values
    ]
    return {"name": str(facet), "title": FACET_TITLES[facet], "options": options, "open": True}


def _value_label(facet: Facet, value: str) -> str:
    if facet is Facet.CATEGORY:
        return str(gettext(CATEGORY_LABELS[Category(value)]))
    if facet is Facet.CITY:
        return full_name(value, english=str(get_locale()) == "en")
    if facet is Facet.PRICE_MODE:
        return str(gettext(PRICE_MODE_LABELS[PriceMode(value)]))
    if facet is Facet.GRADE:
        return str(gettext("Grade %(grade)s", grade=value))
    if facet is Facet.LIMIT:
        return str(gettext("Up to %(days)s working days", days=value))
    if facet is Facet.RATING:
        return str(gettext("%(stars)s and better", stars=f"{int(value) / 100:.1f}"))
    return _price_label(value)


def _price_label(value: str) -> str:
    low, _, high = value.partition("-")
    if not high:
        return str(gettext("From ¥%(low)s", low=f"{int(low) // 100:,}"))
    if low == "0":
        return str(gettext("Below ¥%(high)s", high=f"{(int(high) + 1) // 100:,}"))
    return str(gettext("¥%(low)s to ¥%(high)s", low=f"{int(low) // 100:,}", high=f"{(int(high) + 1) // 100:,}"))
