"""Draws as JSON."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import draws
from marketplace.queries.draws import DrawView
from marketplace.services import selection as services
from marketplace.web.schemas.procurements import EnterValueIn

bp = Blueprint("marketplace_draws_api", __name__, url_prefix="/api")


@bp.get("/draws/<uuid:object_id>")
@public
@operation(N_("Read a verifiable draw"), tag="draws")
def read(object_id: UUID) -> Response:
    """Both public files, the seed and the complete order."""
    return jsonify(draw_json(draws.draw_view(current_actor(), object_id)))


@bp.post("/draws/<uuid:object_id>/values")
@requires(Permission.DRAW_BEACON)
@operation(N_("Enter an announced public value (two persons)"), body=EnterValueIn, tag="draws")
def enter_value(object_id: UUID) -> Response:
    """One person's reading; the list is ranked when two persons read the same for every source."""
    actor = current_actor()
    services.enter_value(actor, object_id, parsing.body(EnterValueIn))
    return jsonify(draw_json(draws.draw_view(actor, object_id)))


def draw_json(view: DrawView) -> dict[str, Any]:
    """The draw as the API answers it; the files are the exact bytes, as text."""
    return {
        "id": str(view.id),
        "code": view.code,
        "protocol": "GMDRAW/1",
        "procurement_id": str(view.procurement_id),
        "demonstration": view.is_demonstration,
        "seats": view.seats,
        "draw_txt": view.draw_file.decode("ascii"),
        "sha256": view.sha256,
        "beacon_txt": view.beacon_file.decode("ascii") if view.beacon_file else None,
        "seed": view.seed,
        "frozen_at": view.frozen_at.isoformat(),
        "challenge_ends_at": view.challenge_ends_at.isoformat(),
        "beacon_due_at": view.beacon_due_at.isoformat(),
        "ranked_at": view.ranked_at.isoformat() if view.ranked_at else None,
        "sources": [
            {
                "name": source.name,
                "round": source.round,
                "published_at": source.published_at.isoformat() if source.published_at else None,
                "address": source.address,
                "value": source.value,
                "readings": len(source.readers),
            }
            for source in view.sources
        ],
        "ranking": [
            {"place": row.place, "uscc": row.uscc, "name": row.name, "score": row.score, "state": row.state}
            for row in view.places
        ],
    }
