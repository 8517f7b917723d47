"""The item list as tables, in and out, as JSON and files."""

from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import requires
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import item_imports as queries
from marketplace.services import item_imports
from marketplace.web.market_actions import import_json
from marketplace.web.schemas.catalogue import HandInIn

bp = Blueprint("marketplace_item_imports_api", __name__, url_prefix="/api")


@bp.post("/catalogue/imports")
@requires(Permission.CATALOGUE_MANAGE)
@operation(N_("Check a table of items; nothing changes"), body=HandInIn, status=201, tag="service-items")
def check() -> tuple[Response, int]:
    """The dry run of a table."""
    actor = current_actor()
    made = item_imports.check(actor, parsing.body(HandInIn))
    return jsonify(import_json(queries.import_view(actor, made))), 201


@bp.get("/catalogue/imports/<uuid:object_id>")
@requires(Permission.CATALOGUE_MANAGE)
@operation(N_("Read what a table of items would do"), tag="service-items")
def read(object_id: UUID) -> Response:
    """One table with every problem by row and column."""
    return jsonify(import_json(queries.import_view(current_actor(), object_id)))
