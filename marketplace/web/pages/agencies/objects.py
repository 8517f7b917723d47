"""Pages of one admission file, certificate, practitioner and request for change, for the agency and those who decide."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.documents import issued_for
from app.kernel import files
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires, signed_in
from app.web.regions import region_name
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import admission
from marketplace.queries.obligations import obligations_of
from marketplace.rules.changes import Difference
from marketplace.rules.onboarding import AGENCY_KIND_LABELS, COMMITMENT_TEXT
from marketplace.rules.qualifications import CERTIFICATE_LABELS, GRADE_LABELS
from marketplace.services import agencies
from marketplace.services.agencies import AddQualification
from marketplace.states.agency import AGENCY, AGENCY_CHANGE, WITH_THE_AGENCY, AgencyState, ChangeState
from marketplace.web.market_actions import (
    certificate_actions,
    change_actions,
    file_actions,
    practitioner_actions,
)
from marketplace.web.pages.agencies.words import CHECK_OUTCOMES, WORDS, bp
from marketplace.web.schemas.agencies import PractisingCertificateIn


@bp.get("/admission/<uuid:object_id>")
@signed_in
def file(object_id: UUID) -> str:
    """One admission file with its checklist; the agency works on it, the operator decides."""
    actor = current_actor()
    view = admission.admission_file(actor, object_id)
    is_own = view.organisation_id == actor.organisation_id and actor.may(Permission.AGENCY_MANAGE)
    may_leave = view.state in {AgencyState.EXIT_PENDING, AgencyState.SUSPENDED}
    return render_template(
        "marketplace/admission_file.html",
        file=view,
        is_own=is_own,
        actions=file_actions(actor, view),
        changes=admission.changes_of(view.id),
        obligations=obligations_of(view.organisation_id) if may_leave else (),
        entries=object_entries("agency", view.id, actor),
        commitment=COMMITMENT_TEXT,
        letters=issued_for(f"agency:{view.id}"),
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
    """Download a paper of the file, or a letter that was issued for it."""
    actor = current_actor()
    if any(letter.file_id == file_id for letter in issued_for(f"agency:{object_id}")):
        admission.admission_file(actor, object_id)  # 404 for whom the file is not
        return files.send(file_id)
    return files.send(admission.paper_file(actor, object_id, file_id))


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
        holder=next((p for p in owner.practitioners if p.id == view.practitioner_id), None),
        actions=certificate_actions(actor, view, owner.organisation_id),
        entries=object_entries("qualification", view.id, actor),
        **WORDS,
    )


@bp.get("/practitioners/<uuid:object_id>")
@signed_in
def practitioner(object_id: UUID) -> str:
    """One practitioner with the certificates."""
    return _practitioner_page(object_id, None)


@bp.post("/practitioners/<uuid:object_id>/certificates")
@requires(Permission.AGENCY_MANAGE)
def add_practising_certificate(object_id: UUID) -> BaseResponse:
    """Enter a practising certificate of one's own practitioner."""
    actor = current_actor()
    view = admission.practitioner(actor, object_id)
    raw = parsing.form_values(PractisingCertificateIn)
    try:
        entered = PractisingCertificateIn().load(raw)
        agencies.add_qualification(actor, view.agency_id, AddQualification(**entered, practitioner_id=object_id))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        form = Form(PractisingCertificateIn(), raw, errors_of(failure))
        status = failure.status if isinstance(failure, DomainError) else 422
        return Response(_practitioner_page(object_id, form), status, mimetype="text/html")
    flash(gettext("Saved."), "success")
    return redirect(url_for(".practitioner", object_id=object_id), 303)


def _practitioner_page(object_id: UUID, form: Form | None) -> str:
    actor = current_actor()
    view = admission.practitioner(actor, object_id)
    owner = admission.admission_file(actor, view.agency_id)
    is_own = view.organisation_id == actor.organisation_id and actor.may(Permission.AGENCY_MANAGE)
    may_add = is_own and view.is_on_staff and (owner.is_editable or owner.is_admitted)
    return render_template(
        "marketplace/practitioner.html",
        person=view,
        file=owner,
        actions=practitioner_actions(actor, view),
        form=(form or Form(PractisingCertificateIn())) if may_add else None,
        entries=object_entries("practitioner", view.id, actor),
        **WORDS,
    )


@bp.get("/agency-changes/<uuid:object_id>")
@signed_in
def change(object_id: UUID) -> str:
    """One request for change: old and new side by side."""
    actor = current_actor()
    view = admission.change_view(actor, object_id)
    return render_template(
        "marketplace/agency_change.html",
        change=view,
        rows=[_in_words(view.kind, difference) for difference in view.differences],
        actions=change_actions(actor, view),
        days_left=admission.days_until(view.due_at) if view.state == ChangeState.PENDING else None,
        next_step=AGENCY_CHANGE.next_step.get(ChangeState(view.state)),
        entries=object_entries("agency_change", view.id, actor),
        **WORDS,
    )


def _in_words(kind: str, difference: Difference) -> dict[str, str]:
    words = {"region_code": region_name, "grade": _grade_word}.get(difference.name, str)
    if difference.name == "kind":
        words = _body_word if kind == "basic" else _certificate_word
    return {
        "label": gettext(difference.label),
        "before": words(difference.before) if difference.before else "",
        "after": words(difference.after) if difference.after else "",
    }


def _grade_word(grade: str) -> str:
    return str(gettext(GRADE_LABELS.get(grade, grade)))


def _body_word(kind: str) -> str:
    return str(gettext({str(k): v for k, v in AGENCY_KIND_LABELS.items()}.get(kind, kind)))


def _certificate_word(kind: str) -> str:
    return str(gettext(CERTIFICATE_LABELS.get(kind, kind)))
