"""Results and comparisons as JSON."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.commands import Plain
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries import selection as queries
from marketplace.queries.selection import ResultView
from marketplace.services import selection as services
from marketplace.web.api.procurements import procurement_json
from marketplace.web.reasons import reason_text
from marketplace.web.schemas.selection import ChooseIn, ComparisonIn

bp = Blueprint("marketplace_selection_api", __name__, url_prefix="/api")


@bp.get("/procurements/<uuid:object_id>/selection")
@public
@operation(N_("Read a result with everybody's reason"), tag="procurements")
def read(object_id: UUID) -> Response:
    """The latest result: inputs, outcome, their digests, and the reasons in words."""
    return jsonify(result_json(queries.result_view(current_actor(), object_id)))


@bp.post("/procurements/<uuid:object_id>/selection/replay")
@requires(Permission.PROCUREMENT_SUPERVISE)
@operation(N_("Decide a result again from its stored inputs"), tag="procurements")
def replay(object_id: UUID) -> Response:
    """Whether the same result was found; a difference raises the alarm."""
    actor = current_actor()
    is_same = services.replay_result(actor, queries.result_view(actor, object_id).id, Plain())
    return jsonify(is_same=is_same)


@bp.post("/procurements/<uuid:object_id>/comparison")
@requires(Permission.PROCUREMENT_CREATE)
@operation(N_("Hand in a comparison sheet"), body=ComparisonIn, tag="procurements")
def compare(object_id: UUID) -> Response:
    """Scores with reasons for every plan; the highest weighted total wins."""
    actor = current_actor()
    services.hand_in_comparison(actor, object_id, parsing.body(ComparisonIn))
    return jsonify(procurement_json(procurements.procurement_view(actor, object_id)))


@bp.post("/procurements/<uuid:object_id>/choice")
@requires(Permission.PROCUREMENT_CREATE)
@operation(N_("Choose an agency of the small list"), body=ChooseIn, tag="procurements")
def choose(object_id: UUID) -> Response:
    """The owner's choice with its reason."""
    actor = current_actor()
    services.choose_agency(actor, object_id, parsing.body(ChooseIn))
    return jsonify(procurement_json(procurements.procurement_view(actor, object_id)))


def result_json(view: ResultView) -> dict[str, Any]:
    """The result as the API answers it."""
    last = view.last_replay
    return {
        "id": str(view.id),
        "procurement_id": str(view.procurement_id),
        "method": view.method,
        "rule_book": view.rule_book_version,
        "decided_at": view.decided_at.isoformat(),
        "inputs": view.inputs,
        "inputs_sha256": view.inputs_sha256,
        "outcome": view.outcome,
        "outcome_sha256": view.outcome_sha256,
        "draw_id": str(view.draw_id) if view.draw_id else None,
        "participants": [
            {
                "registration_id": str(row.registration_id),
                "name": row.name,
                "uscc": row.uscc,
                "place": row.place,
                "price_fen": row.price_fen,
                "reason": row.reason.code,
                "text": reason_text(row.reason),
                "state": row.state,
            }
            for row in view.placings
        ],
        "last_replay": {"at": last.checked_at.isoformat(), "is_same": last.is_same} if last else None,
    }
