"""Cases and certificates as JSON."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from app.identity.rate_limits import attempt, network_of
from app.kernel.inbox import once
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import api_actions
from app.web.guard import public, requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from approvals.policy import Permission
from approvals.queries import cases as queries
from approvals.queries.cases import CaseRow, CaseView, CertificateView, ItemView, ProgressView
from approvals.services import cases
from approvals.web.case_actions import agency_links, case_actions, certificate_actions
from approvals.web.limits import PROGRESS_QUERIES
from approvals.web.schemas import ApplyIn, CaseQuery, ProgressQuery, QueueQuery
from marketplace.web.clocks import clock_json, iso

bp = Blueprint("approvals_api", __name__, url_prefix="/api")


@bp.get("/approval-items")
@public
@operation(N_("List the approval items"), tag="cases")
def list_items() -> Response:
    """The public list of approval items with their limits."""
    return jsonify(items=[item_json(item) for item in queries.approval_items()])


@bp.get("/progress")
@public
@operation(N_("Read the progress of a case by number and query code"), query=ProgressQuery, tag="cases")
def read_progress() -> Response:
    """Where a case stands, without naming anybody."""
    wanted = parsing.query(ProgressQuery)
    attempt(PROGRESS_QUERIES, network_of(request.remote_addr))
    return jsonify(progress_json(queries.progress(wanted["number"], wanted["code"])))


@bp.get("/cases")
@signed_in
@operation(N_("List the cases I take part in"), query=CaseQuery, tag="cases")
def list_cases() -> Response:
    """A page of my cases: as applicant, window, department or certificate centre."""
    wanted = parsing.query(CaseQuery)
    page = queries.cases_of(current_actor(), state=wanted["state"], number=wanted["page"])
    return page_answer(page, [row_json(row) for row in page.items])


@bp.post("/cases")
@requires(Permission.CASE_APPLY)
@operation(N_("Apply for an approval"), body=ApplyIn, status=201, tag="cases", idempotent=True)
def create_case() -> tuple[Response, int]:
    """Apply; the answer is the case. With an Idempotency-Key a repeat answers the same case."""
    command = parsing.body(ApplyIn)
    actor = current_actor()
    key = request.headers.get("Idempotency-Key")
    raw = request.get_json(silent=True) or request.form.to_dict(flat=False)

    def run() -> dict[str, Any]:
        return {"id": str(cases.apply(actor, command))}

    answer = once(actor, "approvals:apply", key, raw, run) if key else run()
    assert answer is not None
    response = jsonify(case_json(queries.case_view(actor, UUID(answer["id"]))))
    response.headers["Location"] = f"/api/cases/{answer['id']}"
    return response, 201


@bp.get("/cases/<uuid:object_id>")
@signed_in
@operation(N_("Read a case with its clock"), tag="cases")
def read_case(object_id: UUID) -> Response:
    """One case with clock, demands, certificates, service and what I may do now."""
    return jsonify(case_json(queries.case_view(current_actor(), object_id)))


@bp.get("/certificates")
@requires(Permission.CERTIFICATE_MAKE)
@operation(N_("List the certificates to be made"), query=QueueQuery, tag="certificates")
def list_certificates() -> Response:
    """The print queue of my hall."""
    wanted = parsing.query(QueueQuery)
    page = queries.print_queue(current_actor(), state=wanted["state"], number=wanted["page"])
    return page_answer(page, [certificate_json(row) for row in page.items])


@bp.get("/certificates/<uuid:object_id>")
@signed_in
@operation(N_("Read a certificate"), tag="certificates")
def read_certificate(object_id: UUID) -> Response:
    """One certificate."""
    return jsonify(certificate_json(queries.certificate_view(current_actor(), object_id)))


def case_json(view: CaseView) -> dict[str, Any]:
    """The case as the API answers it. Limits are working days, instants UTC, days Beijing dates."""
    links = agency_links(view)
    return {
        "id": str(view.id),
        "number": view.number,
        "query_code": view.query_code if "applicant" in view.parts else None,
        "thread_id": str(view.thread_id),
        "subject": view.subject,
        "state": view.state,
        "national_code": view.national_code,
        "version": view.version,
        "item": item_json(view.item),
        "applicant_name": view.applicant_name,
        "department": view.department_name,
        "hall": view.hall_name,
        "project_name": view.project_name,
        "description": view.description,
        "whose_turn": view.turn,
        "due": iso(view.due_at),
        "created_at": iso(view.created_at),
        "accepted_at": iso(view.accepted_at),
        "limit_on": iso(view.limit_on),
        "promised_on": iso(view.promised_on),
        "limit_provisional": view.limit_provisional,
        "decided_at": iso(view.decided_at),
        "decision_text": view.decision_text,
        "serve_by": iso(view.serve_by),
        "served_at": iso(view.served_at),
        "clock": clock_json(view.clock) if view.clock else None,
        "statutory_clock": clock_json(view.statutory) if view.statutory else None,
        "demands": [
            {
                "id": str(one.id),
                "item_version_id": str(one.item_version_id),
                "item_name": one.item_name,
                "reason": one.reason,
                "met_at": iso(one.met_at),
                "procurement_id": str(one.procurement.id) if one.procurement else None,
                "contract_id": str(one.contract_id) if one.contract_id else None,
                "file_title": one.file_title,
                "procure_href": f"/api/procurements?{links[one.id]}" if one.id in links else None,
            }
            for one in view.demands
        ],
        "materials": [{"name": one.name, "sha256": one.sha256} for one in view.materials],
        "certificates": [certificate_json(one) for one in view.certificates],
        "service": {
            "mode": view.service.mode,
            "state": view.service.state,
            "receiver_name": view.service.receiver_name,
            "place": view.service.place,
            "address": view.service.address,
            "who_may_sign": view.service.who_may_sign,
            "parcel_id": str(view.service.parcel_id) if view.service.parcel_id else None,
            "served_at": iso(view.service.served_at),
            "signer_name": view.service.signer_name,
            "signer_class": view.service.signer_class,
        },
        "actions": api_actions(case_actions(view)),
    }


def certificate_json(view: CertificateView) -> dict[str, Any]:
    """One certificate or print task."""
    return {
        "id": str(view.id),
        "case_id": str(view.case_id),
        "case_number": view.case_number,
        "title": view.title,
        "serial": view.serial,
        "state": view.state,
        "version": view.version,
        "mode": view.mode,
        "serve_by": iso(view.serve_by),
        "printed_at": iso(view.printed_at),
        "actions": api_actions(certificate_actions(view)),
    }


def item_json(item: ItemView) -> dict[str, Any]:
    """One approval item."""
    return {
        "id": str(item.id),
        "code": item.code,
        "name": item.name,
        "name_en": item.name_en,
        "department": item.department_name,
        "legal_basis": item.legal_basis,
        "statutory_limit_wd": item.statutory_limit_wd,
        "promised_limit_wd": item.promised_limit_wd,
        "certificate_title": item.certificate_title,
    }


def row_json(row: CaseRow) -> dict[str, Any]:
    """One line of the list."""
    return {
        "id": str(row.id),
        "number": row.number,
        "project_name": row.project_name,
        "item_name": row.item_name,
        "applicant_name": row.applicant_name,
        "state": row.state,
        "whose_turn": row.turn,
        "due": iso(row.due_at),
        "is_late": row.is_late,
    }


def progress_json(view: ProgressView) -> dict[str, Any]:
    """The public progress."""
    return {
        "number": view.number,
        "item_name": view.item_name,
        "department": view.department_name,
        "state": view.state,
        "national_code": view.national_code,
        "submitted_at": iso(view.submitted_at),
        "accepted_at": iso(view.accepted_at),
        "promised_on": iso(view.promised_on),
        "decided_at": iso(view.decided_at),
        "serve_by": iso(view.serve_by),
        "served_at": iso(view.served_at),
    }
