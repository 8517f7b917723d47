"""Search and suggestions as JSON."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public
from app.web.operations import operation
from marketplace.queries.agencies import AgencyRow
from marketplace.queries.catalogue import ItemView
from marketplace.queries.home import NoticeRow
from marketplace.queries.listings import OfferCard
from marketplace.search import Facet
from marketplace.services import results as answers
from marketplace.services import search as index
from marketplace.web.market_actions import item_json, offer_json
from marketplace.web.schemas.listings import PAGE_SIZE, SearchIn, SuggestIn, search_query

bp = Blueprint("marketplace_search_api", __name__, url_prefix="/api")


@bp.get("/search")
@public
@operation(N_("Search services, agencies, items and notices"), query=SearchIn, tag="search")
def search() -> Response:
    """One page of results with the counts of every facet, each with its own filter taken away."""
    asked = parsing.query(SearchIn)
    found = answers.results(search_query(asked, tuple(Facet)))
    return jsonify(
        total=found.page.total,
        page=asked["page"],
        pages=max(1, -(-found.page.total // PAGE_SIZE)),
        corrected=found.page.corrected,
        is_fallback=found.page.is_fallback,
        generation=found.page.generation,
        facets={f: [asdict(value) for value in values] for f, values in found.page.facets.items()},
        items=[_found_json(one) for one in found.found],
    )


@bp.get("/suggest")
@public
@operation(N_("Suggest names while typing"), query=SuggestIn, tag="search")
def suggest() -> Response:
    """Names by Chinese characters, pinyin, initials, or with a typing error."""
    asked = parsing.query(SuggestIn)
    found = index.suggest(asked["q"], asked["limit"])
    return jsonify(items=[{"text": s.text, "kind": s.kind, "id": str(s.id)} for s in found])


def _found_json(found: answers.Found) -> dict[str, Any]:
    why = {"text_score": found.hit.text_score, "quality": found.hit.quality / 1000}
    return {"kind": found.hit.kind, "why": why, **_object_json(found.object)}


def _object_json(value: Any) -> dict[str, Any]:
    if isinstance(value, OfferCard):
        return {"listing": offer_json(value)}
    if isinstance(value, ItemView):
        return {"item": item_json(value)}
    if isinstance(value, AgencyRow):
        return {"agency": {"id": str(value.id), "name": value.name, "region_code": value.region_code}}
    assert isinstance(value, NoticeRow)
    ends = value.registration_ends_at
    return {
        "notice": {
            "id": str(value.id),
            "number": value.number,
            "title": value.title,
            "region_code": value.region_code,
            "price_fen": value.price_fen,
            "limit_wd": value.limit_wd,
            "state": value.state,
            "registration_ends_at": ends.isoformat() if ends else None,
        }
    }
