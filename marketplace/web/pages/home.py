"""The public home page: search first, then categories, today's numbers and what closes soon."""

from typing import Final

from flask import Blueprint, render_template
from flask_babel import get_locale
from markupsafe import Markup

from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web.guard import public
from marketplace.queries import home as queries
from marketplace.rules.categories import CATEGORY_ICONS, CATEGORY_LABELS, Category
from marketplace.rules.regions import full_name
from marketplace.search import Facet, Filters, Kind, SearchQuery
from marketplace.search.analysis import highlight
from marketplace.services import search
from marketplace.web.phrases import phrases

bp = Blueprint("marketplace_home", __name__, template_folder="../../templates")
NAVIGATION = (NavigationItem(N_("Home"), "marketplace_home.home", "home", order=0),)

EXAMPLES: Final = ("环境影响报告书", "测绘", "可行性研究", "水土保持", "造价咨询", "huanjing")
_BROWSE: Final = SearchQuery(filters=Filters(kinds=(Kind.LISTING,)), facets=(Facet.CATEGORY,), limit=0)


bp.add_app_template_global(phrases, "market_phrases")


@bp.app_template_global("mark_in")
def mark_in(words: tuple[str, ...] | None, text: str) -> str | Markup:
    """A text with the words that were looked for marked; plain without any."""
    if not words:
        return text
    spans = highlight(text, words)
    if len(spans) == 1 and not spans[0].is_match:
        return text
    return Markup().join(Markup("<mark>{}</mark>").format(s.text) if s.is_match else s.text for s in spans)


@bp.app_template_filter("region")
def region_label(code: str) -> str:
    """A division code in words of the reader's language."""
    return full_name(code, english=str(get_locale()) == "en")


@bp.app_template_filter("category")
def category_label(code: str) -> str:
    """A category code as its message id."""
    return CATEGORY_LABELS[Category(code)]


@bp.get("/")
@public
def home() -> str:
    """The first page."""
    counts = {value.value: value.count for value in search.find(_BROWSE).facets.get(Facet.CATEGORY, ())}
    tiles = [(str(c), CATEGORY_LABELS[c], CATEGORY_ICONS[c], counts.get(str(c), 0)) for c in Category]
    return render_template(
        "marketplace/home.html",
        tiles=tiles,
        numbers=queries.numbers(),
        closing=queries.closing_soon(),
        examples=EXAMPLES,
    )
