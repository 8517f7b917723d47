"""Procurements and registrations as JSON."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask_babel import gettext

from app.kernel.errors import NotAllowed
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import api_actions
from app.web.guard import public, requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries.procurements import ProcurementRow, ProcurementView, RegistrationView
from marketplace.rules.eligibility import Verdict
from marketplace.rules.selection.gates import Finding
from marketplace.services import procurements as notices
from marketplace.services import registrations
from marketplace.services.case_links import linked
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, ProcurementState
from marketplace.web.creation import create_once
from marketplace.web.procurement_actions import actions_for, registration_actions
from marketplace.web.procurement_preview import Preview, preview_of
from marketplace.web.schemas.procurements import MineQuery, NoticeIn, NoticeQuery, RegisterIn, WorkListQuery

bp = Blueprint("marketplace_procurements_api", __name__, url_prefix="/api")


@bp.get("/procurements")
@public
@operation(N_("List published notices and results"), query=NoticeQuery, tag="procurements")
def list_notices() -> Response:
    """A page of the public list."""
    page = procurements.notices(parsing.query(NoticeQuery))
    return page_answer(page, [row_json(row) for row in page.items])


@bp.post("/procurements")
@requires(Permission.PROCUREMENT_CREATE)
@operation(N_("Draft a purchase notice"), body=NoticeIn, status=201, tag="procurements", idempotent=True)
def create() -> tuple[Response, int]:
    """A new draft of my organisation."""
    actor = current_actor()
    command = linked(actor, parsing.body(NoticeIn), request.args.get("case"))
    key, raw = request.headers.get("Idempotency-Key"), request.get_json(silent=True)
    made = create_once(actor, "procurement:draft", key, raw, lambda: notices.draft_notice(actor, command))
    return jsonify(procurement_json(procurements.procurement_view(actor, made))), 201


@bp.post("/procurements/preview")
@requires(Permission.PROCUREMENT_CREATE)
@operation(
    N_("Preview a notice: what must be changed, and how many agencies qualify"), body=NoticeIn, tag="procurements"
)
def preview() -> Response:
    """Findings and reach of a notice; nothing is written."""
    return jsonify(preview_json(preview_of(current_actor(), parsing.body(NoticeIn))))


@bp.get("/procurements/mine")
@signed_in
@operation(N_("List my organisation's procurements"), query=WorkListQuery, tag="procurements")
def mine() -> Response:
    """An owner's procurements, drafts included."""
    actor = current_actor()
    if actor.organisation_id is None:
        raise NotAllowed
    page = procurements.procurements_of_owner(actor.organisation_id, parsing.query(WorkListQuery))
    return page_answer(page, [row_json(row) for row in page.items])


@bp.get("/procurements/opportunities")
@requires(Permission.REGISTRATION_CREATE)
@operation(N_("List open notices that my agency qualifies for"), tag="procurements")
def opportunities() -> Response:
    """Open notices whose every condition my agency meets today."""
    actor = current_actor()
    rows = procurements.opportunities(actor.organisation_id) if actor.organisation_id else ()
    return jsonify(items=[row_json(row) for row in rows])


@bp.get("/procurements/<uuid:object_id>")
@public
@operation(N_("Read a procurement"), tag="procurements")
def read(object_id: UUID) -> Response:
    """One procurement with its standing and what I may do now."""
    return jsonify(procurement_json(procurements.procurement_view(current_actor(), object_id)))


@bp.put("/procurements/<uuid:object_id>")
@requires(Permission.PROCUREMENT_CREATE)
@operation(N_("Replace a draft or returned notice"), body=NoticeIn, tag="procurements")
def update(object_id: UUID) -> Response:
    """The whole notice again."""
    actor = current_actor()
    notices.update_notice(actor, object_id, parsing.body(NoticeIn))
    return jsonify(procurement_json(procurements.procurement_view(actor, object_id)))


@bp.get("/procurements/<uuid:object_id>/notice")
@public
@operation(N_("Read the frozen notice with its digest"), tag="procurements")
def notice(object_id: UUID) -> Response:
    """The canonical JSON whose SHA-256 is published; `X-Content-SHA256` repeats the digest."""
    content, digest = procurements.notice_text(current_actor(), object_id)
    response = Response(notices.canonical(content), mimetype="application/json")
    response.headers["X-Content-SHA256"] = digest
    return response


@bp.get("/procurements/<uuid:object_id>/timeline")
@public
@operation(N_("Read the timeline of a procurement"), tag="procurements")
def timeline(object_id: UUID) -> Response:
    """Every step of the journey that I may see, oldest first."""
    actor = current_actor()
    view = procurements.procurement_view(actor, object_id)
    return jsonify(
        items=[{**asdict(entry), "title": gettext(entry.title)} for entry in thread_entries(view.thread_id, actor)]
    )


@bp.post("/procurements/<uuid:object_id>/registrations")
@requires(Permission.REGISTRATION_CREATE)
@operation(N_("Register my agency"), body=RegisterIn, status=201, tag="procurements", idempotent=True)
def register(object_id: UUID) -> tuple[Response, int]:
    """409 when late or repeated, 422 with every failed test when not eligible."""
    actor = current_actor()
    command = parsing.body(RegisterIn)
    key, raw = request.headers.get("Idempotency-Key"), request.get_json(silent=True)
    endpoint = f"procurement:{object_id}:register"
    made = create_once(actor, endpoint, key, raw, lambda: registrations.register(actor, object_id, command))
    return jsonify(registration_json(procurements.registration_view(actor, made))), 201


@bp.get("/registrations")
@requires(Permission.REGISTRATION_CREATE)
@operation(N_("List my agency's registrations"), query=MineQuery, tag="procurements")
def my_registrations() -> Response:
    """The newest first."""
    page = procurements.registrations_of(current_actor(), number=parsing.query(MineQuery)["page"])
    return page_answer(page, [registration_json(row) for row in page.items])


@bp.get("/registrations/<uuid:object_id>")
@signed_in
@operation(N_("Read a registration with the reasons of its tests"), tag="procurements")
def read_registration(object_id: UUID) -> Response:
    """Only for its agency and for those who run and watch the supermarket."""
    return jsonify(registration_json(procurements.registration_view(current_actor(), object_id)))


# --- shapes -----------------------------------------------------------------------------------------------------


def row_json(row: ProcurementRow) -> dict[str, Any]:
    """One line of a list. Amounts are fen, instants UTC."""
    fields = {key: _plain(value) for key, value in asdict(row).items()}
    return {
        **fields,
        "state_label": gettext(PROCUREMENT.labels[ProcurementState(row.state)]),
        "href": f"/api/procurements/{row.id}",
    }


def procurement_json(view: ProcurementView) -> dict[str, Any]:
    """The procurement as the API answers it, with the actions that the asker may take."""
    actor = current_actor()
    hidden = {
        "parts",
        "own_registration",
        "own_verdict",
        "draw",
        "turn",
        "turn_name",
        "succession_proposed_by",
        "avoided",
    }
    fields = {key: _plain(getattr(view, key)) for key in view.__dataclass_fields__ if key not in hidden}
    return {
        **fields,
        "state_label": gettext(PROCUREMENT.labels[ProcurementState(view.state)]),
        "next_step": gettext(PROCUREMENT.next_step.get(ProcurementState(view.state), "")),
        "failure": gettext(FAILURE_TEXTS[view.failure_code]) if view.failure_code else None,
        "turn": str(view.turn) if view.turn else None,
        "avoided": [{"uscc": uscc, "name": name, "reason": reason} for uscc, name, reason in view.avoided],
        "draw": {**{k: _plain(v) for k, v in asdict(view.draw).items()}, "href": f"/api/draws/{view.draw.id}"}
        if view.draw
        else None,
        "own_registration": registration_json(view.own_registration) if view.own_registration else None,
        "own_eligibility": verdict_json(view.own_verdict) if view.own_verdict else None,
        "actions": api_actions(actions_for(view, actor)),
    }


def registration_json(view: RegistrationView) -> dict[str, Any]:
    """A registration with its reasons."""
    hidden = {"verdict", "final_verdict", "parts"}
    fields = {key: _plain(getattr(view, key)) for key in view.__dataclass_fields__ if key not in hidden}
    return {
        **fields,
        "eligibility": verdict_json(view.verdict),
        "final_eligibility": verdict_json(view.final_verdict) if view.final_verdict else None,
        "actions": api_actions(registration_actions(view)),
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Every test with its reason in words."""
    checks = [
        {
            "test": check.test,
            "label": gettext(check.label),
            "passed": check.passed,
            "reason": check.reason,
            "detail": gettext(check.text, **check.params),
            "params": dict(check.params),
        }
        for check in verdict.checks
    ]
    return {"eligible": verdict.is_eligible, "checks": checks}


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding of the preview."""
    return {
        "code": finding.code,
        "pointer": f"/{notices.FORM_FIELDS.get(finding.field, finding.field)}",
        "blocks": finding.blocks,
        "detail": gettext(finding.text, **finding.params),
    }


def preview_json(preview: Preview) -> dict[str, Any]:
    """What the preview says."""
    return {
        "findings": [finding_json(finding) for finding in preview.findings],
        "offering": preview.reach.offering,
        "eligible": preview.reach.eligible,
        "minimum": preview.reach.minimum,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
