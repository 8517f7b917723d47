"""Pages of procurements: public notices, one procurement, the publish form, lists of owner, agency and operator."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.documents import issued_for
from app.identity.queries import organisations_by_ids
from app.kernel import clock, files, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.calendar import UnknownYear
from app.kernel.clock import BEIJING
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires, signed_in
from app.web.regions import region_name
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries.procurements import ProcurementRow, ProcurementView, Stage
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.categories import CATEGORY_LABELS
from marketplace.rules.qualifications import GRADE_LABELS, QUALIFICATION_LABELS
from marketplace.rules.selection.gates import FUND_SOURCE_LABELS, METHOD_LABELS
from marketplace.services import procurements as services
from marketplace.services.case_links import linked
from marketplace.services.commands import Avoided
from marketplace.states.parts import Part
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, ProcurementState
from marketplace.states.registration import REGISTRATION, RegistrationState
from marketplace.web.api.procurements import bp as api
from marketplace.web.api.procurements import procurement_json, registration_json
from marketplace.web.creation import create_once
from marketplace.web.procurement_actions import (
    ACTIONS,
    REGISTRATION_ACTIONS,
    actions_for,
    may_register,
    registration_actions,
)
from marketplace.web.procurement_preview import partial_preview
from marketplace.web.schemas.procurements import MineQuery, NoticeIn, NoticeQuery, RegisterIn

bp = Blueprint("marketplace_procurements", __name__, template_folder="../../templates")

_P = ProcurementState
TONES: Final[Mapping[str, str]] = {
    _P.DRAFT: "neutral",
    _P.SUBMITTED: "waiting",
    _P.RETURNED: "warning",
    _P.PUBLISHED: "active",
    _P.REGISTRATION_CLOSED: "waiting",
    _P.SELECTING: "active",
    _P.SELECTED: "active",
    _P.RESULT_PUBLICITY: "active",
    _P.AWARDED: "waiting",
    _P.CONFIRMED: "success",
    _P.CONTRACTED: "success",
    _P.IN_SERVICE: "active",
    _P.ACCEPTED: "success",
    _P.CLOSED: "neutral",
    _P.RESELECT: "warning",
    _P.PAUSED: "warning",
    _P.FAILED: "danger",
    _P.REPUBLISHED: "neutral",
    _P.WITHDRAWN: "neutral",
    _P.CANCELLED: "neutral",
    _P.VOID: "danger",
    _P.TERMINATED: "danger",
}
_R = RegistrationState
REGISTRATION_TONES: Final[Mapping[str, str]] = {
    _R.REGISTERED: "active",
    _R.QUALIFIED: "active",
    _R.RESERVE: "waiting",
    _R.WON: "success",
    _R.CONFIRMED: "success",
    _R.INELIGIBLE: "danger",
    _R.AVOIDED: "danger",
    _R.STRUCK_OUT: "danger",
    _R.EXCLUDED: "danger",
    _R.GAVE_UP: "warning",
    _R.LAPSED: "warning",
}

OBJECT_HREF = {
    "procurement": lambda object_id: f"/procurements/{object_id}",
    "registration": lambda object_id: f"/registrations/{object_id}",
}
NAVIGATION = (
    NavigationItem(N_("Notices"), "marketplace_procurements.index", "speakerphone", order=20),
    NavigationItem(
        N_("My procurements"), "marketplace_procurements.mine", "clipboard-list", frozenset({Role.OWNER}), order=30
    ),
    NavigationItem(
        N_("Opportunities"), "marketplace_procurements.opportunities", "target", frozenset({Role.AGENCY}), order=30
    ),
    NavigationItem(
        N_("My registrations"),
        "marketplace_procurements.my_registrations",
        "list-check",
        frozenset({Role.AGENCY}),
        order=31,
    ),
    NavigationItem(
        N_("All procurements"),
        "marketplace_procurements.supervise",
        "clipboard-list",
        frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR}),
        order=30,
    ),
)
WORDS: Final[Mapping[str, Any]] = {
    "labels": PROCUREMENT.labels,
    "tones": TONES,
    "categories": CATEGORY_LABELS,
    "funds": FUND_SOURCE_LABELS,
    "methods": METHOD_LABELS,
    "kinds": QUALIFICATION_LABELS,
    "grades": GRADE_LABELS,
    "registration_labels": REGISTRATION.labels,
    "registration_tones": REGISTRATION_TONES,
    "region_name": region_name,
}


# --- public -----------------------------------------------------------------------------------------------------


@bp.get("/procurements")
@public
def index() -> str:
    """Published notices and results, with filters that live in the address."""
    wanted = parsing.query(NoticeQuery)
    counts = procurements.stage_counts()
    page = procurements.notices(wanted)
    return render_template(
        "marketplace/notices.html",
        page=page,
        counts=counts,
        stages=[(stage, procurements.STAGE_LABELS[stage], counts[stage]) for stage in Stage],
        form=Form(NoticeQuery(), request.args.to_dict()),
        wanted=wanted,
        **WORDS,
    )


@bp.get("/procurements.csv")
@public
def export() -> Response:
    """The filtered list as CSV, readable by spreadsheets; up to 10,000 lines."""
    rows = procurements.notices_for_export(parsing.query(NoticeQuery))
    headers = {"Content-Disposition": 'attachment; filename="procurements.csv"'}
    return Response("\ufeff" + "".join(_csv_lines(rows)), mimetype="text/csv; charset=utf-8", headers=headers)


def _csv_lines(rows: Any) -> Iterator[str]:
    header = (
        *(
            N_("Number"),
            N_("Title"),
            N_("State"),
            N_("Project owner"),
            N_("Service item"),
            N_("Category"),
            N_("Region"),
        ),
        *(
            N_("Service price (yuan)"),
            N_("Time limit (working days)"),
            N_("Fund source"),
            N_("Published"),
            N_("Registration until"),
            N_("Winner"),
        ),
    )
    yield _csv_line(gettext(cell) for cell in header)
    for row in rows:
        yield _csv_line(_csv_cells(row))


def _csv_cells(row: ProcurementRow) -> Iterator[str]:
    yield from (row.number, row.title, gettext(PROCUREMENT.labels[_P(row.state)]), row.owner_name, row.item_name)
    yield gettext(CATEGORY_LABELS.get(row.category, row.category))  # type: ignore[call-overload]  # the key is the value of the enum
    yield region_name(row.region_code)
    yield f"{row.price_fen // 100}.{row.price_fen % 100:02d}"
    yield str(row.limit_wd)
    yield gettext(FUND_SOURCE_LABELS[row.fund_source])
    for moment in (row.published_at, row.registration_ends_at):
        yield moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""
    yield row.winner_name


def _csv_line(cells: Any) -> str:
    line = io.StringIO()
    # a cell that begins like a formula would be run by a spreadsheet
    csv.writer(line).writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in cells])
    return line.getvalue()


@bp.get("/procurements/<uuid:object_id>")
@public
def procurement(object_id: UUID) -> str:
    """One procurement: whose turn, until when, the notice, the list, the result, the timeline."""
    actor = current_actor()
    view = procurements.procurement_view(actor, object_id)
    papers = [paper for paper in issued_for(f"procurement:{view.id}") if _reads_letter(view, actor)]
    return render_template(
        "marketplace/procurement.html",
        procurement=view,
        actions=actions_for(view, actor),
        registration_actions=registration_actions(view.own_registration) if view.own_registration else (),
        failure=FAILURE_TEXTS.get(view.failure_code or ""),
        next_step=PROCUREMENT.next_step.get(_P(view.state)),
        can_register=may_register(view),
        papers=papers,
        entries=list(reversed(thread_entries(view.thread_id, actor))),
        Part=Part,
        **WORDS,
    )


@bp.get("/procurements/<uuid:object_id>/award-letter")
@signed_in
def award_letter(object_id: UUID) -> Response:
    """The award letter as PDF, for the winner, the owner and those who run and watch the supermarket."""
    actor = current_actor()
    view = procurements.procurement_view(actor, object_id)
    paper = next((p for p in issued_for(f"procurement:{view.id}") if p.id == view.award_document_id), None)
    if paper is None or not _reads_letter(view, actor):
        raise NotFound
    return files.send(paper.file_id)


def _reads_letter(view: ProcurementView, actor: Actor) -> bool:
    return bool(view.parts & {Part.OWNER, Part.WINNER}) or actor.may(Permission.PROCUREMENT_SUPERVISE)


@bp.get("/procurements/<uuid:object_id>/notice.json")
@public
def notice_file(object_id: UUID) -> Response:
    """The frozen notice: the exact bytes whose SHA-256 is published."""
    content, digest = procurements.notice_text(current_actor(), object_id)
    return Response(
        services.canonical(content),
        mimetype="application/json",
        headers={"X-Content-SHA256": digest, "Content-Disposition": 'attachment; filename="notice.json"'},
    )


# --- the owner --------------------------------------------------------------------------------------------------


@bp.get("/procurements/new")
@requires(Permission.PROCUREMENT_CREATE)
def new() -> str:
    """The empty publish form, with the defaults of the rule book."""
    return _form_page(Form(NoticeIn(), _defaults(current_actor())))


@bp.post("/procurements/new")
@requires(Permission.PROCUREMENT_CREATE)
def create() -> BaseResponse:
    """Save the draft; after an error the form comes back with what was typed."""
    actor = current_actor()
    raw = parsing.form_values(NoticeIn)
    key = request.form.get("idempotency_key")
    try:
        command = linked(actor, NoticeIn().load(raw), request.args.get("case"))
        sent = request.form.to_dict(flat=False)
        made = create_once(actor, "procurement:draft", key, sent, lambda: services.draft_notice(actor, command))
    except (ValidationError, DomainError) as failure:
        return _form_again(failure, raw)
    flash(gettext("The draft is saved. Read it once more, then submit it."), "success")
    return redirect(url_for(".procurement", object_id=made), 303)


@bp.get("/procurements/<uuid:object_id>/edit")
@requires(Permission.PROCUREMENT_CREATE)
def edit(object_id: UUID) -> str:
    """The publish form with the draft in it."""
    view = _editable(object_id)
    return _form_page(Form(NoticeIn(), _values_of(view)), view)


@bp.post("/procurements/<uuid:object_id>/edit")
@requires(Permission.PROCUREMENT_CREATE)
def save(object_id: UUID) -> BaseResponse:
    """Replace the draft."""
    view = _editable(object_id)
    raw = parsing.form_values(NoticeIn)
    try:
        services.update_notice(current_actor(), object_id, NoticeIn().load(raw))
    except (ValidationError, DomainError) as failure:
        return _form_again(failure, raw, view)
    flash(gettext("The draft is saved. Read it once more, then submit it."), "success")
    return redirect(url_for(".procurement", object_id=object_id), 303)


@bp.post("/procurements/preview")
@requires(Permission.PROCUREMENT_CREATE)
def preview() -> str:
    """The part of the form page that says how many agencies qualify and what must be changed; sent while it is filled in."""
    found = partial_preview(current_actor(), parsing.form_values(NoticeIn))
    return render_template("marketplace/_notice_preview.html", preview=found)


def _editable(object_id: UUID) -> ProcurementView:
    view = procurements.procurement_view(current_actor(), object_id)
    if Part.OWNER not in view.parts:
        raise NotFound
    return view


def _form_page(form: Form, view: ProcurementView | None = None) -> str:
    found = partial_preview(current_actor(), form.values)
    return render_template(
        "marketplace/notice_form.html", form=form, procurement=view, preview=found, idempotency_key=uuid4().hex
    )


def _form_again(
    failure: ValidationError | DomainError, raw: Mapping[str, Any], view: ProcurementView | None = None
) -> Response:
    if isinstance(failure, NotFound | NotAllowed):
        raise failure
    status = 422 if isinstance(failure, ValidationError) else failure.status
    return Response(_form_page(Form(NoticeIn(), raw, errors_of(failure)), view), status=status, mimetype="text/html")


def _defaults(actor: Actor) -> dict[str, Any]:
    """First values: the earliest deadline the rule book allows, the owner's region, the writer as contact."""
    values: dict[str, Any] = {"method": "random", "fund_source": "fiscal", "contact_name": actor.name}
    if actor.organisation_id:
        owner = organisations_by_ids([actor.organisation_id]).get(actor.organisation_id)
        values |= {"region_code": owner.region_code or "", "contact_phone": owner.phone or ""} if owner else {}
    book = rule_book_in_force()
    try:
        day = work_calendar.current().add_working_days(
            clock.today(), book.notice_registration_min_wd + book.notice_check_wd
        )
        values["registration_ends_at"] = datetime.combine(day, time(17, 0), BEIJING)
    except UnknownYear:
        pass
    if request.args.get("item"):
        values["item_version_id"] = request.args["item"]
    if request.args.get("project"):
        values["project_name"] = request.args["project"]
    return values


def _values_of(view: ProcurementView) -> dict[str, Any]:
    names = (name for name in NoticeIn().fields if name != "avoided")
    values = {name: getattr(view, name) for name in names}
    lines = (Avoided(uscc, reason) for uscc, _, reason in view.avoided)
    values["avoided"] = "\n".join(f"{conflict.uscc} {conflict.reason}" for conflict in lines)
    return {name: "" if value is None else value for name, value in values.items()}


@bp.get("/procurements/mine")
@signed_in
def mine() -> str:
    """My organisation's procurements, drafts included."""
    actor = current_actor()
    if actor.organisation_id is None:
        raise NotAllowed
    wanted = parsing.query(MineQuery)
    page = procurements.procurements_of_owner(actor.organisation_id, state=wanted["state"], number=wanted["page"])
    return render_template("marketplace/my_procurements.html", page=page, wanted=wanted, supervising=False, **WORDS)


@bp.get("/procurements/all")
@requires(Permission.PROCUREMENT_SUPERVISE)
def supervise() -> str:
    """Every procurement in every state, for those who run and watch the supermarket."""
    wanted = parsing.query(MineQuery)
    page = procurements.procurements_to_supervise(wanted["state"], number=wanted["page"])
    return render_template("marketplace/my_procurements.html", page=page, wanted=wanted, supervising=True, **WORDS)


# --- the agency -------------------------------------------------------------------------------------------------


@bp.get("/opportunities")
@requires(Permission.REGISTRATION_CREATE)
def opportunities() -> str:
    """Open notices whose every condition my agency meets today."""
    actor = current_actor()
    rows = procurements.opportunities(actor.organisation_id) if actor.organisation_id else ()
    return render_template("marketplace/opportunities.html", rows=rows, **WORDS)


@bp.get("/registrations")
@requires(Permission.REGISTRATION_CREATE)
def my_registrations() -> str:
    """My agency's registrations with their state and the reasons."""
    page = procurements.registrations_of(current_actor(), number=parsing.query(MineQuery)["page"])
    return render_template("marketplace/my_registrations.html", page=page, **WORDS)


@bp.get("/registrations/<uuid:object_id>")
@signed_in
def registration(object_id: UUID) -> str:
    """One registration: state, reasons at registration and at the deadline, contribution."""
    view = procurements.registration_view(current_actor(), object_id)
    return render_template(
        "marketplace/registration.html",
        registration=view,
        actions=registration_actions(view),
        next_step=REGISTRATION.next_step.get(_R(view.state)),
        **WORDS,
    )


@bp.get("/procurements/<uuid:object_id>/actions/register")
@requires(Permission.REGISTRATION_CREATE)
def register_page(object_id: UUID) -> str:
    """Before registering: every test with its reason, and the contribution to the draw."""
    view = procurements.procurement_view(current_actor(), object_id)
    form = Form(RegisterIn(), {"version": view.version, "contribution": "0" * 64})
    return render_template(
        "marketplace/register.html", procurement=view, form=form, can_register=may_register(view), **WORDS
    )


register_actions(
    bp,
    api,
    machine=PROCUREMENT,
    path="/procurements/<uuid:object_id>",
    table=ACTIONS,
    view=procurements.procurement_view,
    detail="marketplace_procurements.procurement",
    to_json=procurement_json,
)
register_actions(
    bp,
    api,
    machine=REGISTRATION,
    path="/registrations/<uuid:object_id>",
    table=REGISTRATION_ACTIONS,
    view=procurements.registration_view,
    detail="marketplace_procurements.registration",
    to_json=registration_json,
)
