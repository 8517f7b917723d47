"""Statistics as JSON."""

from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web.guard import public
from app.web.operations import operation
from marketplace.queries import statistics

bp = Blueprint("marketplace_statistics_api", __name__, url_prefix="/api")


@bp.get("/statistics")
@public
@operation(N_("Read the statistics of the last twelve months"), tag="statistics")
def overview() -> Response:
    """Amounts in fen, shares in per mille."""
    found = statistics.statistics()
    document = asdict(found)
    document["since"] = found.since.isoformat()
    document["months"] = [
        {"month": m.first.strftime("%Y-%m"), "notices": m.notices, "results": m.results} for m in found.months
    ]
    document["success"] = found.success
    return jsonify(document)
