"""The agency's own pages: admission step by step, each saved on its own, and later its changes."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.documents import issued_for
from app.identity.queries import organisation
from app.kernel import files
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.schemas import InputSchema, PlainIn
from app.web.session import current_actor
from marketplace.documents.commitments import KIND, draft_commitment
from marketplace.policy import Permission
from marketplace.queries import admission
from marketplace.queries.admission import AdmissionFile
from marketplace.rules.onboarding import COMMITMENT_TEXT, DOCUMENT_LABELS
from marketplace.services import agencies
from marketplace.web.market_actions import file_actions
from marketplace.web.pages.agencies.words import WORDS, bp
from marketplace.web.schemas.agencies import (
    BasicChangeIn,
    ContactsIn,
    DocumentIn,
    ParticularsIn,
    PersonIn,
    PractitionerIn,
    QualificationIn,
    RepresentativeChangeIn,
    RepresentativeIn,
    ServicesIn,
)

STEPS: Final = {
    "particulars": N_("Particulars"),
    "services": N_("Services"),
    "representative": N_("Representatives"),
    "documents": N_("Papers"),
    "qualifications": N_("Certificates"),
    "practitioners": N_("Practising staff"),
    "commitment": N_("Letter of commitment"),
}
_FORMS: Final[Mapping[str, type[InputSchema]]] = {
    "particulars": ParticularsIn,
    "services": ServicesIn,
    "representative": RepresentativeIn,
    "people": PersonIn,
    "documents": DocumentIn,
    "qualifications": QualificationIn,
    "practitioners": PractitionerIn,
}
_RUNS: Final[Mapping[str, Callable[..., Any]]] = {
    "particulars": agencies.change_particulars,
    "services": agencies.choose_services,
    "representative": agencies.set_representative,
    "people": agencies.add_person,
    "documents": agencies.add_document,
    "qualifications": agencies.add_qualification,
    "practitioners": agencies.add_practitioner,
}
# One answer each: saving leads on to the next step. The others take several entries and come back.
_SINGLE: Final = {"particulars", "services", "representative"}
_SHOWN_WITH: Final = {"people": "representative"}


@bp.get("/agency")
@requires(Permission.AGENCY_MANAGE)
def mine() -> BaseResponse:
    """My agency's file, or where to begin."""
    agency_id = admission.own_agency_id(current_actor())
    if agency_id is None:
        return redirect(url_for(".step", step="particulars"))
    return redirect(url_for(".file", object_id=agency_id))


@bp.get("/agency/<any(particulars,services,representative,people,documents,qualifications,practitioners):step>")
@requires(Permission.AGENCY_MANAGE)
def step(step: str) -> Response:
    """One step with its form and what is entered so far."""
    view = own_file_view() if step == "particulars" else require_file()
    return _step_page(step, view, Form(_FORMS[step](), _first_values(step, view)))


@bp.post("/agency/<any(particulars,services,representative,people,documents,qualifications,practitioners):step>")
@requires(Permission.AGENCY_MANAGE)
def save_step(step: str) -> BaseResponse:
    """Save one step; an error shows it again with what was typed."""
    view = own_file_view() if step == "particulars" else require_file()
    schema, raw = _FORMS[step], parsing.form_values(_FORMS[step])
    actor = current_actor()
    try:
        command = schema().load(raw)
        if view is None:
            agencies.open_file(actor, command)
        else:
            _RUNS[step](actor, view.id, command)
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = failure.status if isinstance(failure, DomainError) else 422
        return _step_page(step, view, Form(schema(), raw, errors_of(failure)), status)
    flash(gettext("Saved."), "success")
    return redirect(_after(step, view), 303)


@bp.get("/agency/commitment")
@requires(Permission.AGENCY_MANAGE)
def commitment() -> Response:
    """The last step: the letter, the signature, the checklist, handing in."""
    return _step_page("commitment", require_file(), None)


@bp.post("/agency/commitment")
@requires(Permission.AGENCY_MANAGE)
def sign_commitment() -> BaseResponse:
    """Sign the letter of commitment."""
    view = require_file()
    agencies.sign_commitment(current_actor(), view.id, parsing.form(PlainIn))
    flash(gettext("Signed."), "success")
    return redirect(url_for(".commitment"), 303)


@bp.get("/agency/commitment.pdf")
@requires(Permission.AGENCY_MANAGE)
def commitment_letter() -> Response:
    """The letter to be stamped; after the online signature the issued one with its number."""
    view = require_file()
    issued = [paper for paper in issued_for(f"agency:{view.id}") if paper.kind == KIND]
    if issued and view.commitment_signed_at is not None:
        return files.send(issued[-1].file_id)
    content = draft_commitment(view.title, view.uscc, view.legal_representative)
    headers = {"Content-Disposition": 'attachment; filename="commitment.pdf"'}
    return files.harden(Response(content, mimetype="application/pdf", headers=headers))


@bp.post("/agency/people/<uuid:person_id>/end")
@requires(Permission.AGENCY_MANAGE)
def end_person(person_id: UUID) -> BaseResponse:
    """Note that somebody no longer stands behind the agency."""
    agencies.end_person(current_actor(), require_file().id, person_id, parsing.form(PlainIn))
    flash(gettext("Done."), "success")
    return redirect(url_for(".step", step="representative"), 303)


# After the admission


@bp.get("/agency/contacts")
@requires(Permission.AGENCY_MANAGE)
def contacts() -> Response:
    """Contact and introduction, changeable at any time."""
    view = require_file()
    return _form(N_("Contact and introduction"), ContactsIn, _particulars_values(view), view)


@bp.post("/agency/contacts")
@requires(Permission.AGENCY_MANAGE)
def save_contacts() -> BaseResponse:
    """Change contact and introduction."""
    return _save(N_("Contact and introduction"), ContactsIn, agencies.change_contacts)


@bp.get("/agency/changes/basic")
@requires(Permission.AGENCY_MANAGE)
def basic_change() -> Response:
    """Ask for new basic data."""
    view = require_file()
    return _form(N_("Change of basic data"), BasicChangeIn, _particulars_values(view), view, _CHANGE_LEAD)


@bp.post("/agency/changes/basic")
@requires(Permission.AGENCY_MANAGE)
def ask_basic_change() -> BaseResponse:
    """Hand the request in."""
    return _save(N_("Change of basic data"), BasicChangeIn, agencies.ask_basic_change, _CHANGE_LEAD)


@bp.get("/agency/changes/representative")
@requires(Permission.AGENCY_MANAGE)
def representative_change() -> Response:
    """Ask for another legal representative."""
    view = require_file()
    title = N_("Change of the legal representative")
    return _form(title, RepresentativeChangeIn, {"version": view.version}, view, _CHANGE_LEAD)


@bp.post("/agency/changes/representative")
@requires(Permission.AGENCY_MANAGE)
def ask_representative_change() -> BaseResponse:
    """Hand the request in."""
    title = N_("Change of the legal representative")
    return _save(title, RepresentativeChangeIn, agencies.ask_representative_change, _CHANGE_LEAD)


_CHANGE_LEAD: Final = N_("The operator checks the change. What was checked before stays valid until then.")


def own_file_view() -> AdmissionFile | None:
    """The file of the reader's agency, if it has one."""
    actor = current_actor()
    agency_id = admission.own_agency_id(actor)
    return admission.admission_file(actor, agency_id) if agency_id else None


def require_file() -> AdmissionFile:
    """The file of the reader's agency. Raises NotFound."""
    view = own_file_view()
    if view is None:
        raise NotFound
    return view


def _step_page(step: str, view: AdmissionFile | None, form: Form | None, status: int = 200) -> Response:
    shown = _SHOWN_WITH.get(step, step)
    names = list(STEPS)
    place = names.index(shown)
    page = render_template(
        "marketplace/agency_step.html",
        step=step,
        steps=STEPS,
        shown=shown,
        place=place,
        file=view,
        form=form,
        back=_address(names[place - 1]) if place else None,
        onward=_address(names[place + 1]) if place + 1 < len(names) and view else None,
        actions=file_actions(current_actor(), view) if view else (),
        commitment=COMMITMENT_TEXT,
        **WORDS,
    )
    return Response(page, status, mimetype="text/html")


def _address(step: str) -> str:
    return url_for(".commitment") if step == "commitment" else url_for(".step", step=step)


def _after(step: str, view: AdmissionFile | None) -> str:
    if view is not None and not view.is_editable:
        return url_for(".file", object_id=view.id)
    names = list(STEPS)
    if step in _SINGLE:
        return _address(names[names.index(step) + 1])
    return _address(_SHOWN_WITH.get(step, step))


def _first_values(step: str, view: AdmissionFile | None) -> dict[str, Any]:
    if view is None:
        return _registered_values()
    if step == "particulars":
        return _particulars_values(view)
    if step == "services":
        return {"items": [str(item) for item in admission.chosen_services(view.id)], "version": view.version}
    if step == "representative":
        return {"name": view.legal_representative, "version": view.version}
    if step == "documents":
        return {"kind": next((i.key for i in view.checklist if i.key in set(DOCUMENT_LABELS) and not i.is_done), "")}
    return {}


def _registered_values() -> dict[str, Any]:
    actor = current_actor()
    if actor.organisation_id is None:
        raise NotAllowed
    home = organisation(actor.organisation_id)
    return {"name": home.name, "uscc": home.uscc or "", "contact_name": actor.name}


def _particulars_values(view: AdmissionFile) -> dict[str, Any]:
    names = "uscc kind region_code address legal_representative contact_name contact_mobile contact_email introduction version"
    return {"name": view.title, **{name: getattr(view, name) for name in names.split()}}


def _form(
    title: str,
    schema: type[InputSchema],
    values: Mapping[str, Any],
    view: AdmissionFile,
    lead: str = "",
    errors: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    form = Form(schema(), values, errors or {})
    back = url_for(".file", object_id=view.id)
    page = render_template("marketplace/form.html", title=gettext(title), form=form, back=back, lead=lead)
    return Response(page, status, mimetype="text/html")


def _save(title: str, schema: type[InputSchema], run: Callable[..., object], lead: str = "") -> BaseResponse:
    view = require_file()
    raw = parsing.form_values(schema)
    try:
        run(current_actor(), view.id, schema().load(raw))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = failure.status if isinstance(failure, DomainError) else 422
        return _form(title, schema, raw, view, lead, errors_of(failure), status)
    flash(gettext("Saved."), "success")
    return redirect(url_for(".mine"), 303)
