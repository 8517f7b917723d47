"""The service item list as JSON."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import catalogue as queries
from marketplace.services import catalogue
from marketplace.web.creation import create_once
from marketplace.web.market_actions import item_json, version_json
from marketplace.web.schemas.catalogue import ComparisonQuery, ItemContentIn, ItemPageQuery, ItemQuery

bp = Blueprint("marketplace_catalogue_api", __name__, url_prefix="/api")


@bp.get("/service-items")
@public
@operation(N_("List the service items in force"), query=ItemQuery, tag="service-items")
def items() -> Response:
    """The whole list; it is short."""
    asked = parsing.query(ItemQuery)
    return jsonify(items=[item_json(view) for view in queries.items_in_force(asked["category"])])


@bp.get("/service-items/<uuid:item_id>")
@public
@operation(N_("Read a service item with its versions"), query=ItemPageQuery, tag="service-items")
def item(item_id: UUID) -> Response:
    """One item; `version` picks an earlier one."""
    history = queries.item_history(item_id, parsing.query(ItemPageQuery)["version"])
    versions = [
        {"version": v.version_number, "state": v.state, "effective_from": _day(v.effective_from), "id": str(v.id)}
        for v in history.versions
    ]
    return jsonify(**item_json(history.shown), versions=versions, offers=history.offers)


@bp.get("/service-items/<uuid:item_id>/comparison")
@public
@operation(N_("Compare two versions of an item field by field"), query=ComparisonQuery, tag="service-items")
def compare(item_id: UUID) -> Response:
    """Every field in which two versions differ; the newest and the one before it unless given."""
    asked = parsing.query(ComparisonQuery)
    found = queries.comparison(current_actor(), item_id, asked["before"], asked["after"])
    return jsonify(
        before=found.before.version_number,
        after=found.after.version_number,
        changes=[{"field": c.field, "before": c.before, "after": c.after} for c in found.changes],
    )


@bp.post("/service-items")
@requires(Permission.CATALOGUE_MANAGE)
@operation(N_("Draft a new service item"), body=ItemContentIn, status=201, tag="service-items", idempotent=True)
def create() -> tuple[Response, int]:
    """A new entry of the list, as a draft."""
    actor = current_actor()
    content = parsing.body(ItemContentIn)
    made = _once("service-item", lambda: catalogue.draft_item(actor, content))
    return jsonify(version_json(queries.version_view(actor, made))), 201


@bp.post("/service-items/<uuid:item_id>/versions")
@requires(Permission.CATALOGUE_MANAGE)
@operation(
    N_("Draft the next version of an item"), body=ItemContentIn, status=201, tag="service-items", idempotent=True
)
def revise(item_id: UUID) -> tuple[Response, int]:
    """The next version, as a draft; the one in force stays."""
    actor = current_actor()
    content = parsing.body(ItemContentIn)
    made = _once(f"service-item:{item_id}", lambda: catalogue.draft_version(actor, item_id, content))
    return jsonify(version_json(queries.version_view(actor, made))), 201


@bp.get("/catalogue/versions/<uuid:object_id>")
@public
@operation(N_("Read one version of an item"), tag="service-items")
def version(object_id: UUID) -> Response:
    """One version with the steps its keeper may take."""
    return jsonify(version_json(queries.version_view(current_actor(), object_id)))


@bp.put("/catalogue/versions/<uuid:object_id>")
@requires(Permission.CATALOGUE_MANAGE)
@operation(N_("Change a draft of an item"), body=ItemContentIn, tag="service-items")
def change(object_id: UUID) -> Response:
    """Change a draft; a published version never changes."""
    actor = current_actor()
    catalogue.change_draft(actor, object_id, parsing.body(ItemContentIn))
    return jsonify(version_json(queries.version_view(actor, object_id)))


def _once(endpoint: str, make: Any) -> UUID:
    key, raw = request.headers.get("Idempotency-Key"), request.get_json(silent=True)
    return create_once(current_actor(), endpoint, key, raw, make)


def _day(value: Any) -> str | None:
    return value.isoformat() if value else None
