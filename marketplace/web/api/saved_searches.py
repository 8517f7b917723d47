"""Kept searches as JSON."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import signed_in
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.queries import saved_searches as queries
from marketplace.services import saved_searches
from marketplace.web.schemas.listings import KeepSearchIn

bp = Blueprint("marketplace_saved_searches_api", __name__, url_prefix="/api")


@bp.get("/saved-searches")
@signed_in
@operation(N_("List my saved searches"), tag="search")
def mine() -> Response:
    """My kept searches by name."""
    return jsonify(items=[_json(view) for view in queries.saved_searches(current_actor())])


@bp.post("/saved-searches")
@signed_in
@operation(N_("Keep a search"), body=KeepSearchIn, status=201, tag="search")
def keep() -> tuple[Response, int]:
    """Keep the search of an address; `asked` is its query string."""
    actor = current_actor()
    made = saved_searches.keep(actor, parsing.body(KeepSearchIn))
    return jsonify(next(_json(view) for view in queries.saved_searches(actor) if view.id == made)), 201


@bp.delete("/saved-searches/<uuid:object_id>")
@signed_in
@operation(N_("Delete a saved search"), status=204, tag="search")
def delete(object_id: UUID) -> tuple[str, int]:
    """Delete one of mine."""
    saved_searches.drop(current_actor(), object_id)
    return "", 204


def _json(view: queries.SavedSearchView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "name": view.name,
        "asked": view.asked,
        "href": view.href,
        "told": view.is_told,
        "results_told": view.told,
    }
