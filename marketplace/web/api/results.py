"""Result notices as JSON."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify
from flask_babel import gettext

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public
from app.web.listing import page_answer
from app.web.operations import operation
from marketplace.queries import results
from marketplace.queries.results import ResultRow
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, ProcurementState
from marketplace.web.schemas.results import ResultQuery

bp = Blueprint("marketplace_results_api", __name__, url_prefix="/api")


@bp.get("/results")
@public
@operation(N_("List result notices and notices of failed selections"), query=ResultQuery, tag="procurements")
def index() -> Response:
    """A page of the filtered list, the newest first. Amounts are fen, instants UTC."""
    page = results.results(parsing.query(ResultQuery))
    return page_answer(page, [result_json(row) for row in page.items])


@bp.get("/procurements/<uuid:object_id>/result")
@public
@operation(N_("Read the result notice of a procurement"), tag="procurements")
def read(object_id: UUID) -> Response:
    """Every published field."""
    return jsonify(result_json(results.result_notice(object_id)))


def result_json(row: ResultRow) -> dict[str, Any]:
    """Every published field of one result."""
    fields = {key: _plain(value) for key, value in asdict(row).items()}
    failed = row.failure_code if not row.winner_name else None
    return {
        **fields,
        "outcome": row.outcome,
        "state_label": gettext(PROCUREMENT.labels[ProcurementState(row.state)]),
        "failure_code": failed,
        "failure": gettext(FAILURE_TEXTS[failed]) if failed else None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value
