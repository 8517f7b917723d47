"""Pages of objections, queries, complaints and off-list reports: the forms, one challenge, the desks, the public register."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.documents import issued_for
from app.kernel import files
from app.kernel.access import Role
from app.kernel.clock import BEIJING
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, signed_in
from app.web.schemas import InputSchema
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import challenges, procurements
from marketplace.queries.agencies import agency_profile
from marketplace.queries.challenges import ChallengeRow, ChallengeView
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.challenges import (
    EFFECT_LABELS,
    HANDLED_BY_LABELS,
    INVOLVEMENT_TEXTS,
    KIND_LABELS,
    SIDE_LABELS,
    STANDING_LABELS,
    TARGET_LABELS,
    TYPE_LABELS,
    ChallengeKind,
    HandledBy,
)
from marketplace.services import challenges as services
from marketplace.states.challenge import CHALLENGE, ChallengeState
from marketplace.states.parts import Part
from marketplace.web.api.challenges import bp as api
from marketplace.web.api.challenges import challenge_json
from marketplace.web.challenge_actions import ACTIONS, actions_for
from marketplace.web.challenge_matters import open_windows
from marketplace.web.clocks import working_days_until
from marketplace.web.creation import create_once
from marketplace.web.schemas.challenges import ComplaintIn, DeskQuery, ObjectionIn, OffListIn, PleaIn, RegisterQuery

bp = Blueprint("marketplace_challenges", __name__, template_folder="../../templates")

_C = ChallengeState
TONES: Final[Mapping[str, str]] = {
    _C.FILED: "waiting",
    _C.ACCEPTED: "active",
    _C.NOT_ACCEPTED: "neutral",
    _C.UPHELD: "danger",
    _C.REJECTED: "neutral",
    _C.WITHDRAWN: "neutral",
    _C.SETTLED: "neutral",
}
WORDS: Final[Mapping[str, Any]] = {
    "labels": CHALLENGE.labels,
    "tones": TONES,
    "kinds": KIND_LABELS,
    "targets": TARGET_LABELS,
    "types": TYPE_LABELS,
    "sides": SIDE_LABELS,
    "standings": STANDING_LABELS,
    "handlers": HANDLED_BY_LABELS,
    "effects": EFFECT_LABELS,
    "involvements": INVOLVEMENT_TEXTS,
}
_CHALLENGERS = frozenset({Role.OWNER, Role.AGENCY, Role.APPLICANT})
_DESKS = frozenset({Role.OWNER, Role.AGENCY, Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})
OBJECT_HREF = {"challenge": lambda object_id: f"/challenges/{object_id}"}
NAVIGATION = (
    NavigationItem(N_("Challenges"), "marketplace_challenges.register", "scale", order=25),
    NavigationItem(N_("My challenges"), "marketplace_challenges.mine", "hand-stop", _CHALLENGERS, order=60),
    NavigationItem(N_("Challenges to answer"), "marketplace_challenges.desk", "gavel", _DESKS, order=61),
)


# --- public ---------------------------------------------------------------------------------------------------------


@bp.get("/challenges")
@public
def register() -> str:
    """The public register: what was challenged, what came of it and how long it took; no challenger is named."""
    return render_template(
        "marketplace/challenge_register.html",
        page=challenges.register(parsing.query(RegisterQuery)),
        form=Form(RegisterQuery(), request.args.to_dict()),
        **WORDS,
    )


@bp.get("/challenges.csv")
@public
def export() -> Response:
    """The filtered register as CSV; up to 10,000 lines."""
    rows = challenges.register_for_export(parsing.query(RegisterQuery))
    headers = {"Content-Disposition": 'attachment; filename="challenges.csv"'}
    return Response("\ufeff" + "".join(_csv_lines(rows)), mimetype="text/csv; charset=utf-8", headers=headers)


def _csv_lines(rows: Iterable[ChallengeRow]) -> Iterator[str]:
    header = (
        *(N_("Number"), N_("Kind"), N_("Subject matter"), N_("Challenger"), N_("Procurement"), N_("Filed")),
        *(N_("Decided"), N_("Days"), N_("Outcome"), N_("What follows"), N_("Summary")),
    )
    yield _csv_line(gettext(cell) for cell in header)
    for row in rows:
        about = TYPE_LABELS[row.complaint_type] if row.complaint_type else TARGET_LABELS[row.target]
        moments = [m.astimezone(BEIJING).strftime("%Y-%m-%d") if m else "" for m in (row.filed_at, row.decided_at)]
        yield _csv_line(
            (
                row.number,
                gettext(KIND_LABELS[row.kind]),
                gettext(about),
                gettext(STANDING_LABELS.get(row.standing, "")),
                row.procurement_number,
                *moments,
                str(row.days_taken),
                gettext(CHALLENGE.labels[_C(row.state)]),
                gettext(EFFECT_LABELS[row.effect]) if row.state == _C.UPHELD and row.effect else "",
                row.public_summary,
            )
        )


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    # a cell that begins like a formula would be run by a spreadsheet
    csv.writer(line).writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in cells])
    return line.getvalue()


@bp.get("/off-list")
@public
def off_list() -> str:
    """What to do when a department demands a service outside the list: the rule, the count, the answers, the form."""
    wanted = challenges.RegisterFilter(kind=ChallengeKind.OFF_LIST, page=parsing.query(DeskQuery)["page"])
    return render_template(
        "marketplace/off_list.html",
        page=challenges.register(wanted),
        counts=challenges.off_list_counts(),
        limit=rule_book_in_force().off_list_reply_wd,
        may_report=not current_actor().has(Role.OPERATOR, Role.REGULATOR, Role.AUDITOR, Role.ADMINISTRATOR),
        **WORDS,
    )


# --- filing ---------------------------------------------------------------------------------------------------------


@bp.get("/procurements/<uuid:object_id>/challenge")
@signed_in
def challenge_procurement(object_id: UUID) -> str:
    """The form of an objection or a query."""
    view = procurements.procurement_view(current_actor(), object_id)
    found = open_windows(object_id)
    values = {"matter": found[0].key} if found else {}
    return _procurement_form(view, Form(ObjectionIn(), values))


@bp.post("/procurements/<uuid:object_id>/challenge")
@signed_in
def file_challenge(object_id: UUID) -> BaseResponse:
    """File it; an objection stops the next step at once."""
    actor = current_actor()
    view = procurements.procurement_view(actor, object_id)
    return _filed(
        ObjectionIn,
        f"challenge:{object_id}",
        lambda command: services.challenge_procurement(actor, object_id, command),
        lambda form: _procurement_form(view, form),
    )


def _procurement_form(view: Any, form: Form) -> str:
    return _form_page(
        form,
        gettext("Object to this procurement"),
        gettext(
            "An objection stops the next step until the owner has answered it; a query stops nothing and is answered within seven working days."
        ),
        (view.number, url_for("marketplace_procurements.procurement", object_id=view.id)),
        is_possible=bool(open_windows(view.id)),
    )


@bp.get("/agencies/<uuid:object_id>/object")
@signed_in
def object_to_admission(object_id: UUID) -> str:
    """The form of an objection to an admission."""
    return _admission_form(object_id, Form(PleaIn()))


@bp.post("/agencies/<uuid:object_id>/object")
@signed_in
def file_admission_objection(object_id: UUID) -> BaseResponse:
    """File it; the admission waits for the answer."""
    actor = current_actor()
    return _filed(
        PleaIn,
        f"challenge:{object_id}",
        lambda command: services.object_to_admission(actor, object_id, command),
        lambda form: _admission_form(object_id, form),
    )


def _admission_form(agency_id: UUID, form: Form) -> str:
    agency = agency_profile(current_actor(), agency_id)
    return _form_page(
        form,
        gettext("Object to the admission of %(name)s", name=agency.name),
        gettext("The admission waits until the operator has answered your objection."),
        (agency.name, url_for("marketplace_agencies.agency", agency_id=agency_id)),
    )


@bp.get("/complaints/new")
@signed_in
def complain() -> str:
    """The form of a complaint; the address says where it comes from."""
    values = {name: request.args[name] for name in ComplaintIn().fields if request.args.get(name)}
    return _complaint_form(Form(ComplaintIn(), values))


@bp.post("/complaints/new")
@signed_in
def file_complaint() -> BaseResponse:
    """File it; it goes to the operator or the regulator by its type."""
    actor = current_actor()
    return _filed(ComplaintIn, "complaint", lambda command: services.complain(actor, command), _complaint_form)


def _complaint_form(form: Form) -> str:
    return _form_page(
        form,
        gettext("File a complaint"),
        gettext(
            "The operator or the regulator examines it, hears both sides and decides within its limit. You file it with your real name."
        ),
        (gettext("My challenges"), url_for(".mine")),
    )


@bp.get("/off-list/report")
@signed_in
def report_off_list() -> str:
    """The form of an off-list report."""
    return _off_list_form(Form(OffListIn()))


@bp.post("/off-list/report")
@signed_in
def file_off_list() -> BaseResponse:
    """File it; it goes to the regulator."""
    actor = current_actor()
    return _filed(
        OffListIn, "off-list", lambda command: services.report_off_list_demand(actor, command), _off_list_form
    )


def _off_list_form(form: Form) -> str:
    limit = rule_book_in_force().off_list_reply_wd
    return _form_page(
        form,
        gettext("Report a demand outside the item list"),
        gettext(
            "The regulator answers within %(days)s working days; the answer is published without your name.", days=limit
        ),
        (gettext("Demands outside the item list"), url_for(".off_list")),
    )


def _form_page(form: Form, title: str, lead: str, back: tuple[str, str], *, is_possible: bool = True) -> str:
    return render_template(
        "marketplace/challenge_form.html", form=form, title=title, lead=lead, back=back, is_possible=is_possible
    )


def _filed(
    schema: type[InputSchema], endpoint: str, make: Callable[[Any], UUID], again: Callable[[Form], str]
) -> BaseResponse:
    """Read the form, file once per key, lead to the challenge; after an error the form comes back with what was typed."""
    actor = current_actor()
    raw = parsing.form_values(schema)
    try:
        command = schema().load(raw)
        sent = request.form.to_dict(flat=False)
        made = create_once(actor, endpoint, request.form.get("idempotency_key"), sent, lambda: make(command))
    except (ValidationError, DomainError) as failure:
        if isinstance(failure, NotFound | NotAllowed):
            raise
        status = 422 if isinstance(failure, ValidationError) else failure.status
        return Response(again(Form(schema(), raw, errors_of(failure))), status=status, mimetype="text/html")
    flash(gettext("Filed. You are told as soon as there is an answer."), "success")
    return redirect(url_for(".challenge", object_id=made), 303)


# --- one challenge, my own, the desks --------------------------------------------------------------------------------


@bp.get("/challenges/mine")
@signed_in
def mine() -> str:
    """What I or my organisation filed."""
    page = challenges.mine(current_actor(), number=parsing.query(DeskQuery)["page"])
    return render_template("marketplace/my_challenges.html", page=page, desk=False, state="", **WORDS)


@bp.get("/challenges/desk")
@signed_in
def desk() -> str:
    """What my organisation or my role answers, and what is complained of it."""
    actor = current_actor()
    if actor.organisation_id is None:
        raise NotAllowed
    wanted = parsing.query(DeskQuery)
    page = challenges.concerning(actor, state=wanted["state"], number=wanted["page"])
    return render_template("marketplace/my_challenges.html", page=page, desk=True, state=wanted["state"], **WORDS)


@bp.get("/challenges/<uuid:object_id>")
@signed_in
def challenge(object_id: UUID) -> str:
    """One challenge: what was said, by whom, until when, what came of it, and what may be done now."""
    actor = current_actor()
    view = challenges.challenge_view(actor, object_id)
    return render_template(
        "marketplace/challenge.html",
        challenge=view,
        actions=actions_for(view, actor),
        next_step=CHALLENGE.next_step[_C(view.state)],
        tone="danger" if view.is_overdue else TONES[view.state],
        who=_who(view),
        days_left=working_days_until(view.answer_by) if view.is_open else None,
        papers=issued_for(f"challenge:{view.id}"),
        entries=list(reversed(object_entries("challenge", view.id, actor))),
        supervises=actor.may(Permission.PROCUREMENT_SUPERVISE),
        may_complain=Part.CHALLENGER in view.parts and view.complain_by is not None and view.next_id is None,
        side_name=challenges.side_name,
        **WORDS,
    )


def _who(view: ChallengeView) -> str | None:
    if not view.is_open:
        return None
    return view.against_name if view.handled_by == HandledBy.OWNER else HANDLED_BY_LABELS[view.handled_by]


@bp.get("/challenges/<uuid:object_id>/files/<uuid:file_id>")
@signed_in
def evidence(object_id: UUID, file_id: UUID) -> Response:
    """One piece of evidence, as a download."""
    return files.send(challenges.evidence_file(current_actor(), object_id, file_id))


@bp.get("/challenges/<uuid:object_id>/decision")
@signed_in
def decision(object_id: UUID) -> Response:
    """The decision as PDF."""
    view = challenges.challenge_view(current_actor(), object_id)
    paper = next((p for p in issued_for(f"challenge:{view.id}") if p.id == view.document_id), None)
    if paper is None:
        raise NotFound
    return files.send(paper.file_id)


register_actions(
    bp,
    api,
    machine=CHALLENGE,
    path="/challenges/<uuid:object_id>",
    table=ACTIONS,
    view=challenges.challenge_view,
    detail="marketplace_challenges.challenge",
    to_json=challenge_json,
)
