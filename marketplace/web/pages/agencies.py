"""Pages of agencies: the public directory and profile, the agency's own file, and the operator's form check."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import files
from app.kernel.access import Role
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires, signed_in
from app.web.schemas import InputSchema, PlainIn
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import admission
from marketplace.queries import agencies as queries
from marketplace.queries import listings as offers
from marketplace.queries.reviews import shown_ratings
from marketplace.rules.onboarding import AGENCY_KIND_LABELS, COMMITMENT_TEXT, DOCUMENT_LABELS
from marketplace.rules.qualifications import CERTIFICATE_LABELS, GRADE_LABELS
from marketplace.rules.regions import cities
from marketplace.services import agencies
from marketplace.states.agency import AGENCY, QUALIFICATION, WITH_THE_AGENCY, AgencyState
from marketplace.web.api.agencies import bp as api
from marketplace.web.market_actions import (
    AGENCY_ACTIONS,
    QUALIFICATION_ACTIONS,
    certificate_actions,
    certificate_json,
    file_actions,
    file_json,
)
from marketplace.web.schemas.agencies import (
    GROUPS,
    AdmissionQuery,
    ContactsIn,
    DirectoryQuery,
    DocumentIn,
    ParticularsIn,
    QualificationIn,
)

bp = Blueprint("marketplace_agencies", __name__, template_folder="../../templates")
NAVIGATION = (
    NavigationItem(N_("Agencies"), "marketplace_agencies.directory", "building-store", order=20),
    NavigationItem(N_("My agency"), "marketplace_agencies.mine", "id", frozenset({Role.AGENCY}), order=50),
    NavigationItem(N_("Admission"), "marketplace_agencies.inbox", "user-check", frozenset({Role.OPERATOR}), order=60),
)
OBJECT_HREF = {
    "agency": lambda object_id: f"/agencies/{object_id}",
    "qualification": lambda object_id: f"/qualifications/{object_id}",
}
WORDS: Final[Mapping[str, Any]] = {
    "agency_states": AGENCY.labels,
    "certificate_states": QUALIFICATION.labels,
    "kinds": AGENCY_KIND_LABELS,
    "papers": DOCUMENT_LABELS,
    "certificates": CERTIFICATE_LABELS,
    "grades": GRADE_LABELS,
}
CHECK_OUTCOMES: Final = {
    "passed": N_("Form check passed"),
    "returned": N_("Returned for correction"),
    "rejected": N_("Rejected"),
}


# For everybody


@bp.get("/agencies")
@public
def directory() -> str:
    """The directory by name, or what is in publicity now."""
    asked = parsing.query(DirectoryQuery)
    state = asked["state"]
    page = queries.directory(asked["city"], asked["after"], GROUPS[state])
    return render_template(
        "marketplace/agencies.html",
        page=page,
        city=asked["city"],
        state=state,
        cities=[(c.code, c.name, c.name_en) for c in cities()],
        **WORDS,
    )


@bp.get("/agencies/<uuid:agency_id>")
@public
def profile(agency_id: UUID) -> str:
    """What everybody may know of an agency."""
    actor = current_actor()
    agency = queries.agency_profile(actor, agency_id)
    return render_template(
        "marketplace/agency.html",
        agency=agency,
        shelf=offers.offers(agency_id=agency_id),
        wins=queries.wins(agency.organisation_id),
        ratings=shown_ratings(agency_organisation_id=agency.organisation_id),
        entries=object_entries("agency", agency_id, actor),
        next_step=AGENCY.next_step[AgencyState(agency.state)],
        **WORDS,
    )


# For the agency


@bp.get("/agency")
@requires(Permission.AGENCY_MANAGE)
def mine() -> BaseResponse:
    """My agency's file, or where to begin."""
    agency_id = admission.own_agency_id(current_actor())
    if agency_id is None:
        return redirect(url_for(".particulars"))
    return redirect(url_for(".file", object_id=agency_id))


@bp.get("/agency/particulars")
@requires(Permission.AGENCY_MANAGE)
def particulars() -> Response:
    """The first step of the wizard."""
    view = _own_file()
    values = _particulars_values(view) if view else _first_values()
    return _form(N_("Particulars of the agency"), ParticularsIn, values, _back(view))


@bp.post("/agency/particulars")
@requires(Permission.AGENCY_MANAGE)
def save_particulars() -> BaseResponse:
    """Open the file, or change it."""
    view = _own_file()

    def run(command: agencies.Particulars) -> None:
        if view is None:
            agencies.open_file(current_actor(), command)
        else:
            agencies.change_particulars(current_actor(), view.id, command)

    return _save(N_("Particulars of the agency"), ParticularsIn, view, run)


@bp.get("/agency/contacts")
@requires(Permission.AGENCY_MANAGE)
def contacts() -> Response:
    """Contact and introduction, changeable at any time."""
    view = _require_file()
    return _form(N_("Contact and introduction"), ContactsIn, _particulars_values(view), _back(view))


@bp.post("/agency/contacts")
@requires(Permission.AGENCY_MANAGE)
def save_contacts() -> BaseResponse:
    """Change contact and introduction."""
    view = _require_file()
    return _save(
        N_("Contact and introduction"),
        ContactsIn,
        view,
        lambda command: agencies.change_contacts(current_actor(), view.id, command),
    )


@bp.get("/agency/documents")
@requires(Permission.AGENCY_MANAGE)
def new_document() -> Response:
    """Upload a paper."""
    view = _require_file()
    missing = next((i.key for i in view.checklist if i.key in set(DOCUMENT_LABELS) and not i.is_done), "")
    return _form(N_("Upload a paper"), DocumentIn, {"kind": missing}, _back(view))


@bp.post("/agency/documents")
@requires(Permission.AGENCY_MANAGE)
def add_document() -> BaseResponse:
    """Take in a paper."""
    view = _require_file()
    return _save(
        N_("Upload a paper"),
        DocumentIn,
        view,
        lambda command: agencies.add_document(current_actor(), view.id, command),
    )


@bp.get("/agency/qualifications")
@requires(Permission.AGENCY_MANAGE)
def new_qualification() -> Response:
    """Enter a certificate."""
    return _form(N_("Enter a certificate"), QualificationIn, {}, _back(_require_file()))


@bp.post("/agency/qualifications")
@requires(Permission.AGENCY_MANAGE)
def add_qualification() -> BaseResponse:
    """Take in a certificate."""
    view = _require_file()
    return _save(
        N_("Enter a certificate"),
        QualificationIn,
        view,
        lambda command: agencies.add_qualification(current_actor(), view.id, command),
    )


@bp.post("/agency/commitment")
@requires(Permission.AGENCY_MANAGE)
def sign_commitment() -> BaseResponse:
    """Sign the letter of commitment."""
    view = _require_file()
    agencies.sign_commitment(current_actor(), view.id, parsing.form(PlainIn))
    flash(gettext("Signed."), "success")
    return redirect(url_for(".file", object_id=view.id), 303)


# The file, for the agency and the operator


@bp.get("/admission")
@requires(Permission.ADMISSION_CHECK)
def inbox() -> str:
    """Files by state, and new certificates of admitted agencies."""
    asked = parsing.query(AdmissionQuery)
    state = asked["state"] if asked["state"] in set(AgencyState) else None
    page = page_of(admission.admissions_statement(state, asked["q"]), number=asked["page"], scalars=False)
    return render_template(
        "marketplace/admission.html",
        page=page,
        state=state or "",
        words=asked["q"],
        counts=admission.admission_counts(),
        pending=admission.pending_certificates(),
        days_until=admission.days_until,
        **WORDS,
    )


@bp.get("/admission/<uuid:object_id>")
@signed_in
def file(object_id: UUID) -> str:
    """One admission file with its checklist; the agency works on it, the operator decides."""
    actor = current_actor()
    view = admission.admission_file(actor, object_id)
    is_own = view.organisation_id == actor.organisation_id and actor.may(Permission.AGENCY_MANAGE)
    decidable = {c.id: certificate_actions(actor, c, view.organisation_id) for c in view.certificates}
    return render_template(
        "marketplace/admission_file.html",
        file=view,
        is_own=is_own,
        actions=file_actions(actor, view),
        certificate_actions=decidable,
        entries=object_entries("agency", view.id, actor),
        commitment=COMMITMENT_TEXT,
        outcomes=CHECK_OUTCOMES,
        next_step=AGENCY.next_step[AgencyState(view.state)],
        whose=_whose(view.state),
        **WORDS,
    )


def _whose(state: str) -> str | None:
    if state == AgencyState.SUBMITTED:
        return N_("Operator")
    return N_("Agency") if state in WITH_THE_AGENCY else None


@bp.get("/admission/<uuid:object_id>/files/<uuid:file_id>")
@signed_in
def paper(object_id: UUID, file_id: UUID) -> Response:
    """Download a paper of the file."""
    return files.send(admission.paper_file(current_actor(), object_id, file_id))


@bp.get("/qualifications/<uuid:object_id>")
@signed_in
def certificate(object_id: UUID) -> str:
    """One certificate, for its agency and those who check it."""
    actor = current_actor()
    view = admission.certificate(actor, object_id)
    owner = admission.admission_file(actor, view.agency_id)
    return render_template(
        "marketplace/certificate.html",
        certificate=view,
        file=owner,
        actions=certificate_actions(actor, view, owner.organisation_id),
        entries=object_entries("qualification", view.id, actor),
        **WORDS,
    )


def _own_file() -> admission.AdmissionFile | None:
    actor = current_actor()
    agency_id = admission.own_agency_id(actor)
    return admission.admission_file(actor, agency_id) if agency_id else None


def _require_file() -> admission.AdmissionFile:
    view = _own_file()
    if view is None:
        raise NotFound
    return view


def _first_values() -> dict[str, Any]:
    from app.identity.queries import organisation

    actor = current_actor()
    if actor.organisation_id is None:
        raise NotAllowed
    home = organisation(actor.organisation_id)
    return {"name": home.name, "uscc": home.uscc or "", "contact_name": actor.name}


def _particulars_values(view: admission.AdmissionFile) -> dict[str, Any]:
    names = "uscc kind region_code address legal_representative contact_name contact_mobile contact_email introduction version"
    return {"name": view.title, **{name: getattr(view, name) for name in names.split()}}


def _back(view: admission.AdmissionFile | None) -> str:
    return url_for(".file", object_id=view.id) if view else "/"


def _form(
    title: str,
    schema: type[InputSchema],
    values: Mapping[str, Any],
    back: str,
    errors: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    form = Form(schema(), values, errors or {})
    page = render_template("marketplace/form.html", title=gettext(title), form=form, back=back)
    return Response(page, status, mimetype="text/html")


def _save(
    title: str, schema: type[InputSchema], view: admission.AdmissionFile | None, run: Callable[[Any], object]
) -> BaseResponse:
    raw = parsing.form_values(schema)
    try:
        run(schema().load(raw))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = failure.status if isinstance(failure, DomainError) else 422
        return _form(title, schema, raw, _back(view), errors_of(failure), status)
    flash(gettext("Saved."), "success")
    return redirect(url_for(".mine"), 303)


register_actions(
    bp,
    api,
    path="/admission/<uuid:object_id>",
    table=AGENCY_ACTIONS,
    view=admission.admission_file,
    detail="marketplace_agencies.file",
    to_json=file_json,
    machine=AGENCY,
)
register_actions(
    bp,
    api,
    path="/qualifications/<uuid:object_id>",
    table=QUALIFICATION_ACTIONS,
    view=admission.certificate,
    detail="marketplace_agencies.certificate",
    to_json=certificate_json,
    machine=QUALIFICATION,
)
