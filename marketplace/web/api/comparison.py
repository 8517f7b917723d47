"""Offers side by side and the record of an agency, as JSON."""

from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.queries import agencies, track_records
from marketplace.web.schemas.listings import RecordQuery

bp = Blueprint("marketplace_comparison_api", __name__, url_prefix="/api")


@bp.get("/agencies/<uuid:agency_id>/record")
@public
@operation(N_("Read the engagements behind an agency's on-time record"), query=RecordQuery, tag="agencies")
def record(agency_id: UUID) -> Response:
    """Every engagement that counts, the latest first."""
    agency = agencies.agency_profile(current_actor(), agency_id)
    page = page_of(track_records.engagements(agency_id), number=parsing.query(RecordQuery)["page"], scalars=False)
    rows = [track_records.engagement_of(row) for row in page.items]
    return jsonify(
        delivered=agency.record.delivered,
        delivered_on_time=agency.record.delivered_on_time,
        total=page.total,
        items=[
            {
                "procurement_id": str(row.procurement_id),
                "number": row.number,
                "title": row.title,
                "deadline_on": row.deadline_on.isoformat() if row.deadline_on else None,
                "delivered_on": row.delivered_on.isoformat(),
                "on_time": row.is_on_time,
                "days_late": row.days_late,
            }
            for row in rows
        ],
    )
