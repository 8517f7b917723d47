"""Search results with facets that live in the address, and suggestions while typing."""

from typing import Any, Final

from flask import Blueprint, render_template
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
from marketplace.web.schemas.listings import PAGE_SIZE, SearchIn, SuggestIn, search_query

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
    Kind.LISTING: (Facet.CATEGORY, Facet.CITY, Facet.LIMIT, Facet.PRICE, Facet.RATING),
    Kind.AGENCY: (Facet.CITY, Facet.RATING),
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
    Facet.RATING: N_("Rating"),
}


@bp.get("/search")
@public
def search() -> str:
    """One page of results."""
    asked = parsing.query(SearchIn)
    kind = Kind(asked["kind"])
    found = answers.results(search_query(asked, (Facet.KIND, *FACETS[kind])))
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
    )


@bp.get("/search/suggest")
@public
def suggest() -> str:
    """The list below the search box; empty when nothing fits."""
    asked = parsing.query(SuggestIn)
    return render_template("marketplace/_suggestions.html", suggestions=index.suggest(asked["q"], asked["limit"]))


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
