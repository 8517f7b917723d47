"""Pages of approvals: cases for every role, applying, the print queue, public progress and the item list."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.identity.rate_limits import attempt, network_of
from app.kernel import files
from app.kernel.access import Role
from app.kernel.errors import NotFound, Refused
from app.kernel.inbox import once
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, FormField, errors_of
from app.web.guard import public, requires, signed_in
from app.web.journey import journey
from app.web.session import current_actor
from approvals.policy import Permission
from approvals.queries import cases as queries
from approvals.queries.cases import CaseView, is_open_for_choice
from approvals.services import cases
from approvals.states import (
    CARRIED,
    CASE,
    CERTIFICATE,
    SERVICE,
    SERVICE_MODE_LABELS,
    SIGNATORY_LABELS,
    CaseState,
    CertificateState,
    Part,
    ServiceState,
)
from approvals.web.api import bp as api
from approvals.web.api import case_json, certificate_json
from approvals.web.case_actions import (
    CASE_ACTIONS,
    CERTIFICATE_ACTIONS,
    agency_links,
    case_actions,
    certificate_actions,
)
from approvals.web.limits import PROGRESS_QUERIES
from approvals.web.schemas import RECEIVER_FIELDS, ApplyIn, CaseQuery, ChooseServiceIn, ProgressQuery, QueueQuery
from delivery.queries.agreements import papers_of_subject
from delivery.services.addresses import read_pasted
from delivery.web.recipient_schemas import PasteIn
from marketplace.queries.listed_items import services_of_approvals
from marketplace.web.clocks import light_of, working_days_until

bp = Blueprint("approvals", __name__, template_folder="../templates")

TONES: Final[Mapping[str, str]] = {
    CaseState.SUBMITTED: "waiting",
    CaseState.RECEIVED: "waiting",
    CaseState.CORRECTION: "warning",
    CaseState.CORRECTED: "waiting",
    CaseState.ACCEPTED: "active",
    CaseState.HANDLING: "active",
    CaseState.SPECIAL_PROCEDURE: "warning",
    CaseState.SPECIAL_PROCEDURE_ENDED: "active",
    CaseState.APPROVED: "success",
    CaseState.APPROVED_WITH_TOLERANCE: "success",
    CaseState.REJECTED: "danger",
    CaseState.REFUSED: "danger",
    CaseState.REVOKED: "danger",
    CaseState.OUT_OF_REMIT: "neutral",
    CaseState.WITHDRAWN: "neutral",
    CaseState.RECALLED: "neutral",
}
SIGNER_CLASSES: Final[Mapping[str, str]] = {
    "self": N_("the receiver in person"),
    "agent": N_("an agent"),
    "family": N_("a family member"),
    "window": N_("at the window"),
    "electronic": N_("electronically"),
}
_STAFF = frozenset(
    {Role.WINDOW_CLERK, Role.APPROVING_DEPARTMENT, Role.CERTIFICATE_CENTRE, Role.REGULATOR, Role.AUDITOR}
)
_APPLICANTS = frozenset({Role.APPLICANT, Role.OWNER})

NAVIGATION = (
    NavigationItem(N_("My cases"), "approvals.index", "clipboard-check", _APPLICANTS, order=50),
    NavigationItem(N_("Cases"), "approvals.index", "clipboard-check", _STAFF, order=50),
    NavigationItem(N_("Print queue"), "approvals.queue", "printer", frozenset({Role.CERTIFICATE_CENTRE}), order=51),
)


def _case_href(object_id: str) -> str:
    """The page of a case; none for postal staff, who see its steps on the parcel but not the case itself."""
    return "" if current_actor().has(Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR) else f"/cases/{object_id}"


OBJECT_HREF = {"case": _case_href}


@bp.get("/approval-items")
@public
def items() -> str:
    """The public list of approval items with basis and limits."""
    shown = queries.approval_items()
    services = services_of_approvals([item.code for item in shown])
    return render_template("approvals/items.html", items=shown, services=services)


@bp.get("/cases")
@signed_in
def index() -> str:
    """The cases the reader takes part in; what waits for it comes first."""
    wanted = parsing.query(CaseQuery)
    actor = current_actor()
    page = queries.cases_of(actor, state=wanted["state"], number=wanted["page"])
    return render_template(
        "approvals/cases.html",
        page=page,
        labels=CASE.labels,
        tones=TONES,
        state=wanted["state"],
        turns=TURN_LABELS,
        may_apply=actor.may(Permission.CASE_APPLY),
        is_staff=actor.has(*_STAFF),
    )


@bp.get("/cases/new")
@requires(Permission.CASE_APPLY)
def new() -> str:
    """The application form."""
    values = {"item_id": request.args["item"]} if request.args.get("item") else {}
    return _application_page(Form(ApplyIn(), values))


@bp.post("/cases")
@requires(Permission.CASE_APPLY)
def create() -> BaseResponse:
    """Apply; what was typed comes back with the errors. A second click leads to the same case."""
    actor = current_actor()
    raw = parsing.form_values(ApplyIn)
    key = request.form.get("idempotency_key")
    try:
        command = ApplyIn().load(raw)
        if key:
            answer = once(
                actor,
                "approvals:apply",
                key,
                request.form.to_dict(flat=False),
                lambda: {"id": str(cases.apply(actor, command))},
            )
            case_id = answer["id"] if answer else ""
        else:
            case_id = str(cases.apply(actor, command))
    except (ValidationError, Refused) as failure:
        page = _application_page(Form(ApplyIn(), raw, errors_of(failure)))
        return Response(page, status=422, mimetype="text/html")
    flash(gettext("The application is submitted."), "success")
    return redirect(url_for("approvals.case", object_id=case_id), 303)


@bp.get("/cases/<uuid:object_id>")
@signed_in
def case(object_id: UUID) -> str:
    """One case: whose turn, until when, the limits, demands, certificate, delivery, timeline."""
    actor = current_actor()
    view = queries.case_view(actor, object_id)
    state = CaseState(view.state)
    return render_template(
        "approvals/case.html",
        case=view,
        actions=case_actions(view),
        agency_links=agency_links(view),
        state_label=CASE.labels[state],
        next_step=next_step(view),
        tone="danger" if view.overdue_since and view.decided_at is None else TONES[state],
        who=who(view),
        yours=view.turn is not None and view.turn in view.parts,
        days_left=days_left(view),
        light=light_of(view.clock) if view.clock else None,
        modes={str(mode): label for mode, label in SERVICE_MODE_LABELS.items()},
        signatories={str(one): label for one, label in SIGNATORY_LABELS.items()},
        signer_classes=SIGNER_CLASSES,
        service_labels={str(one): label for one, label in SERVICE.labels.items()},
        certificate_labels={str(one): label for one, label in CERTIFICATE.labels.items()},
        steps=journey(reversed(thread_entries(view.thread_id, actor))),
        Part=Part,
        originals=papers_of_subject(f"case:{view.id}", actor),
    )


@bp.get("/cases/<uuid:object_id>/actions/choose_service")
@signed_in
def service_page(object_id: UUID) -> str:
    """The form for another way of delivery, with the present choice in it."""
    actor = current_actor()
    view = queries.case_view(actor, object_id)
    if Part.APPLICANT not in view.parts or not is_open_for_choice(view):
        raise NotFound
    prefill = CASE_ACTIONS["choose_service"].prefill
    values = dict(prefill(actor, object_id)) if prefill else {}
    form = Form(ChooseServiceIn(), {**values, "version": view.version})
    return _service_page(view, form)


@bp.post("/cases/<uuid:object_id>/service/paste")
@signed_in
def service_pasted(object_id: UUID) -> BaseResponse | str:
    """The same form with the fields of a pasted text, for whoever has no script; without one it is the form's own button."""
    view = queries.case_view(current_actor(), object_id)
    if Part.APPLICANT not in view.parts or not is_open_for_choice(view):
        raise NotFound
    if not request.form.get("pasted", "").strip():
        return redirect(f"/cases/{object_id}/actions/choose_service", 307)
    return _service_page(view, *_filled_in(ChooseServiceIn))


@bp.post("/cases/new/paste")
@requires(Permission.CASE_APPLY)
def application_pasted() -> BaseResponse | str:
    """The application form with the fields of a pasted text; files have to be chosen again. Without a text it applies."""
    if not request.form.get("pasted", "").strip():
        return create()
    return _application_page(*_filled_in(ApplyIn))


def _filled_in(schema: type[ApplyIn | ChooseServiceIn]) -> tuple[Form, Form]:
    """What was typed with what the pasted text says, and the paste field, with an error where it says nothing."""
    pasted = request.form["pasted"]
    found = read_pasted(pasted)
    values = {
        "receiver_name": found.name, "receiver_mobile": found.mobile, "region_code": found.code, "address": found.address,
    }  # fmt: skip
    said = {name: value for name, value in values.items() if value}
    problem = {} if said else {"pasted": [N_("Nothing was recognised. Please type into the fields below.")]}
    typed = {name: value for name, value in parsing.form_values(schema).items() if name != "materials"}
    return Form(schema(), {**typed, **said}), Form(PasteIn(), {"pasted": pasted}, problem)


def _service_page(view: CaseView, form: Form, paste: Form | None = None) -> str:
    return render_template(
        "approvals/service.html", case=view, form=form, courier_fields=_courier_fields(form), paste=paste or Form(PasteIn()),
        paste_to=url_for("approvals.service_pasted", object_id=view.id),
    )  # fmt: skip


def _application_page(form: Form, paste: Form | None = None) -> str:
    return render_template(
        "approvals/apply.html", form=form, courier_fields=_courier_fields(form), paste=paste or Form(PasteIn()),
        paste_to=url_for("approvals.application_pasted"),
    )  # fmt: skip


def _courier_fields(form: Form) -> list[FormField]:
    """The fields that are asked for a courier only; a choice between one thing is not asked."""
    found = [replace(form[name], required=True) for name in (*RECEIVER_FIELDS, "who_may_sign", "mandate_accepted")]
    found.insert(4, form["collection_point_id"])
    if len(form["fee_mode"].choices) > 1:
        found.insert(6, form["fee_mode"])
    return found


@bp.get("/cases/<uuid:object_id>/files/<uuid:file_id>")
@signed_in
def file(object_id: UUID, file_id: UUID) -> Response:
    """A file of the case, as a download."""
    return files.send(queries.material_file(current_actor(), object_id, file_id))


@bp.get("/certificates")
@requires(Permission.CERTIFICATE_MAKE)
def queue() -> str:
    """The print queue of the reader's hall, the nearest term first."""
    wanted = parsing.query(QueueQuery)
    return render_template(
        "approvals/queue.html",
        page=queries.print_queue(current_actor(), state=wanted["state"], number=wanted["page"]),
        state=wanted["state"],
        labels=CERTIFICATE.labels,
        modes={str(mode): label for mode, label in SERVICE_MODE_LABELS.items()},
    )


@bp.get("/certificates/<uuid:object_id>")
@signed_in
def certificate(object_id: UUID) -> str:
    """One certificate or print task."""
    view = queries.certificate_view(current_actor(), object_id)
    state = CertificateState(view.state)
    return render_template(
        "approvals/certificate.html",
        certificate=view,
        actions=certificate_actions(view),
        state_label=CERTIFICATE.labels[state],
        next_step=CERTIFICATE.next_step[state],
        yours=view.state == CertificateState.QUEUED and Part.CERTIFICATE_CENTRE in view.parts,
        days_left=working_days_until(view.serve_by) if view.serve_by else None,
        modes={str(mode): label for mode, label in SERVICE_MODE_LABELS.items()},
    )


@bp.get("/certificates/<uuid:object_id>/document")
@signed_in
def certificate_document(object_id: UUID) -> Response:
    """The certificate as PDF."""
    return files.send(queries.certificate_file(current_actor(), object_id))


@bp.get("/progress")
@public
def progress() -> tuple[str, int]:
    """Public progress by case number and query code."""
    if not request.args.get("number") and not request.args.get("code"):
        return render_template("approvals/progress.html", form=Form(ProgressQuery()), progress=None), 200
    raw = {name: request.args.get(name, "") for name in ("number", "code")}
    try:
        wanted = parsing.query(ProgressQuery)
        attempt(PROGRESS_QUERIES, network_of(request.remote_addr))
        found = queries.progress(wanted["number"], wanted["code"])
    except ValidationError as failure:
        form = Form(ProgressQuery(), raw, errors_of(failure))
        return render_template("approvals/progress.html", form=form, progress=None), 422
    except NotFound:
        message = gettext("No case has this number and this query code. Check both.")
        form = Form(ProgressQuery(), raw, {"code": [message]})
        return render_template("approvals/progress.html", form=form, progress=None), 404
    state = CaseState(found.state)
    page = render_template(
        "approvals/progress.html",
        form=Form(ProgressQuery(), raw),
        progress=found,
        state_label=CASE.labels[state],
        next_step=CASE.next_step[state],
        tone=TONES[state],
    )
    return page, 200


register_actions(
    bp,
    api,
    path="/cases/<uuid:object_id>",
    table=CASE_ACTIONS,
    view=queries.case_view,
    detail="approvals.case",
    to_json=case_json,
    machine=CASE,
)
register_actions(
    bp,
    api,
    path="/certificates/<uuid:object_id>",
    table=CERTIFICATE_ACTIONS,
    view=queries.certificate_view,
    detail="approvals.certificate",
    to_json=certificate_json,
    machine=CERTIFICATE,
)

TURN_LABELS: Final[Mapping[Part, str]] = {
    Part.APPLICANT: N_("Applicant"),
    Part.WINDOW: N_("Window"),
    Part.DEPARTMENT: N_("Approving department"),
    Part.CERTIFICATE_CENTRE: N_("Certificate centre"),
}


def who(view: CaseView) -> str | None:
    """Whose turn it is, by name where the name is that of an office."""
    if view.turn is Part.CERTIFICATE_CENTRE and view.service.state == ServiceState.READY:
        return N_("Courier") if view.service.mode in CARRIED else view.hall_name
    names = {Part.WINDOW: view.hall_name, Part.DEPARTMENT: view.department_name, Part.APPLICANT: view.applicant_name}
    return (names.get(view.turn) or TURN_LABELS[view.turn]) if view.turn else None


def next_step(view: CaseView) -> str:
    """What has to happen next, in words; after the decision the service of the result counts."""
    if view.served_at is not None:
        return N_("The result has been served.")
    if view.service.state == ServiceState.READY:
        return {
            "courier": N_("The courier brings the result."),
            "deposit": N_("The courier brings the result to the collection point."),
            "window": N_("The applicant collects the result at the window."),
        }.get(view.service.mode, N_("The result can be downloaded."))
    return CASE.next_step[CaseState(view.state)]


def days_left(view: CaseView) -> int | None:
    """Working days until the present step is due; None while the clock below says it (the department's own limit)."""
    said_by_clock = view.clock and not view.clock.is_stopped and view.turn is Part.DEPARTMENT
    return None if view.due_at is None or said_by_clock else working_days_until(view.due_at)
