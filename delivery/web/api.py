"""The JSON of delivery."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, url_for
from flask_babel import gettext

from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import actions_of, api_actions
from app.web.csrf import no_session_used
from app.web.guard import public, requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from delivery import policy, queries, services
from delivery.queries import BatchView, ParcelView, ReportView
from delivery.services import lookup
from delivery.states import BATCH, PARCEL
from delivery.web.recipient_tables import WISHES
from delivery.web.schemas import PageQuery, ParcelQuery, TrackIn
from delivery.web.tables import BATCH_ACTIONS, PARCEL_ACTIONS

api = Blueprint("delivery_api", __name__, url_prefix="/api")
TAG = "delivery"


def parcel_json(view: ParcelView) -> dict[str, Any]:
    """A parcel as its reader may see it, with what they may do."""
    href = f"/parcels/{view.id}"
    edges = actions_of(PARCEL, view.state, view.parts, href=href, table=PARCEL_ACTIONS, version=view.version)
    actions = [each for each in edges if each.name not in WISHES]
    receiver = view.receiver
    return {
        "id": str(view.id),
        "number": view.number,
        "subject": view.subject,
        "thread_id": str(view.thread_id),
        "state": view.state,
        "state_label": gettext(view.state_label),
        "next_step": gettext(view.next_step),
        "turn": gettext(view.turn) if view.turn else "",
        "version": view.version,
        "contents": view.contents,
        "serve_by": view.serve_by.isoformat(),
        "who_may_sign": view.who_may_sign,
        "receiver": {
            "name": receiver.name, "mobile": receiver.mobile, "province": receiver.prov, "city": receiver.city,
            "county": receiver.county, "address": receiver.address, "masked": receiver.masked,
        },
        "order_no": view.order_no,
        "waybill_no": view.waybill_no,
        "booking_problem": view.booking_problem,
        "label_ready": view.label_ready,
        "handed_over_at": _time(view.handed_over_at),
        "carrier": {
            "status": view.status, "status_label": gettext(view.status_label), "since": _time(view.status_since),
            "last_report_at": _time(view.last_report_at), "last_checked_at": _time(view.last_checked_at),
            "problem": view.check_problem, "failed_attempts": view.failed_attempts,
        },
        "delivered_at": _time(view.delivered_at),
        "signer_class": view.signer_class,
        "signer_name": view.signer_name,
        "actions": api_actions(actions),
        "links": {"self": f"/api/parcels/{view.id}", "page": url_for("delivery.parcel", object_id=view.id)},
    }  # fmt: skip


def batch_json(view: BatchView) -> dict[str, Any]:
    """A hand-over list with its lines."""
    href = f"/handover-batches/{view.id}"
    actions = actions_of(BATCH, view.state, view.parts, href=href, table=BATCH_ACTIONS, version=view.version)
    return {
        "id": str(view.id), "number": view.number, "state": view.state, "state_label": gettext(view.state_label),
        "version": view.version, "created_at": _time(view.created_at),
        "hall": {"name": view.offered_name, "at": _time(view.offered_at), "count": view.offered_count},
        "courier": {
            "name": view.courier_name, "staff_no": view.courier_staff_no, "entered_by": view.taken_name,
            "at": _time(view.taken_at), "count": view.taken_count,
        },
        "lines": [
            {"parcel_id": str(line.parcel_id), "number": line.number, "waybill_no": line.waybill_no,
             "receiver": line.receiver, "place": line.place, "contents": line.contents, "outcome": line.outcome}
            for line in view.lines
        ],
        "actions": api_actions(actions),
    }  # fmt: skip


def _time(moment: Any) -> str | None:
    return moment.isoformat() if moment else None


def _report_json(report: ReportView) -> dict[str, Any]:
    return {
        "at": report.at.isoformat(), "code": report.code, "title": report.title, "text": report.text,
        "office": report.office, "status": report.status, "reversed": report.reversed,
    }  # fmt: skip


@api.get("/parcels")
@signed_in
@operation(N_("List parcels"), query=ParcelQuery, tag=TAG)
def parcels() -> Response:
    """One's own, the hall's, or for oversight all of them, masked."""
    actor = current_actor()
    wanted, number = parsing.query(ParcelQuery)
    page = page_of(queries.parcels_statement(actor, wanted), number=number)
    views = queries.views_of(page.items, actor)
    return page_answer(page, [parcel_json(view) for view in views])


@api.get("/parcels/<uuid:object_id>")
@signed_in
@operation(N_("Show a parcel"), tag=TAG)
def parcel(object_id: UUID) -> Response:
    view = queries.parcel_view(object_id, current_actor())
    reports = queries.reports_of(view.id, view.waybill_no, internal=view.is_staff)
    return jsonify(parcel_json(view) | {"reports": [_report_json(report) for report in reports]})


@api.get("/handover-batches")
@requires(policy.READ)
@operation(N_("List hand-over lists"), query=PageQuery, tag=TAG)
def batch_list() -> Response:
    page = page_of(queries.batches_statement(current_actor()), number=parsing.query(PageQuery)["page"], scalars=False)
    rows = [
        {
            "id": str(row.id),
            "number": row.number,
            "state": row.state,
            "lines": row.lines,
            "created_at": _time(row.created_at),
        }
        for row in queries.batch_rows(page.items)
    ]
    return page_answer(page, rows)


@api.post("/handover-batches")
@requires(policy.WORK)
@operation(N_("Begin a hand-over list"), tag=TAG, status=201)
def new_batch() -> tuple[Response, int]:
    actor = current_actor()
    return jsonify(batch_json(queries.batch_view(services.open_batch(actor), actor))), 201


@api.get("/handover-batches/<uuid:object_id>")
@signed_in
@operation(N_("Show a hand-over list"), tag=TAG)
def batch(object_id: UUID) -> Response:
    return jsonify(batch_json(queries.batch_view(object_id, current_actor())))


@api.post("/track")
@public
@no_session_used
@operation(N_("Where is my parcel?"), body=TrackIn, tag=TAG)
def track() -> Response:
    """The public view by number and the secret half of it."""
    found = queries.public_track(lookup.track(parsing.body(TrackIn)))
    return jsonify(
        number=found.number,
        waybill_no=found.waybill_no,
        state=gettext(found.state_label),
        status=found.status,
        status_label=gettext(found.status_label),
        receiver=found.receiver,
        place=found.place,
        last_checked_at=_time(found.last_checked_at),
        delivered_at=_time(found.delivered_at),
        reports=[_report_json(report) for report in found.reports],
    )
