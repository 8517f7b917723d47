"""Credit, sanctions and repairs as JSON."""

from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel import clock
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.queries import credit, sanctions
from marketplace.queries.owners import owner_record
from marketplace.web.credit_actions import repair_json, sanction_json, sanction_row_json
from marketplace.web.schemas.credit import DayQuery, SanctionQuery

bp = Blueprint("marketplace_credit_api", __name__, url_prefix="/api")


@bp.get("/agencies/<uuid:agency_id>/credit")
@public
@operation(N_("Read the credit of an agency with every fact behind it"), query=DayQuery, tag="credit")
def agency(agency_id: UUID) -> Response:
    """The score of a day in hundredths of a point."""
    day = parsing.query(DayQuery)["day"]
    found = credit.agency_credit(agency_id, day or clock.today())
    return jsonify(
        agency=found.name,
        day=found.score.on.isoformat(),
        formula=found.score.formula,
        hundredths=found.points,
        grade=found.stored.grade if found.stored else found.score.grade,
        provisional=found.score.is_provisional,
        stored=found.stored is not None,
        reproduced=found.is_reproduced,
        parts=credit.parts_json(found.score),
    )


@bp.get("/owners/<uuid:organisation_id>/credit")
@public
@operation(N_("Read the record of an owner"), tag="credit")
def owner(organisation_id: UUID) -> Response:
    """How an owner accepts and pays, and what agencies say."""
    found = owner_record(organisation_id)
    return jsonify(
        name=found.name,
        notices=found.notices,
        contracts=found.contracts,
        accepted=found.accepted,
        accepted_by_silence=found.accepted_by_silence,
        unpaid_over_30_days=found.unpaid,
        ratings=found.ratings,
        mean_hundredths=found.stars,
    )


@bp.get("/sanctions")
@public
@operation(N_("List measures"), query=SanctionQuery, tag="credit")
def list_sanctions() -> Response:
    """The published measures; for those who decide also what waits."""
    asked = parsing.query(SanctionQuery)
    page = sanctions.sanctions(current_actor(), state=asked["state"], side=asked["side"], number=asked["page"])
    items = [sanction_row_json(row) for row in page.items]
    return page_answer(page, items)


@bp.get("/sanctions/<uuid:object_id>")
@public
@operation(N_("Read a measure"), tag="credit")
def sanction(object_id: UUID) -> Response:
    """One measure."""
    return jsonify(sanction_json(sanctions.sanction_view(current_actor(), object_id)))


@bp.get("/repairs/<uuid:object_id>")
@public
@operation(N_("Read an application for the repair of credit"), tag="credit")
def repair(object_id: UUID) -> Response:
    """One application, public from its publicity on."""
    return jsonify(repair_json(sanctions.repair_view(current_actor(), object_id)))
