"""The owner writes a notice: the publish form, its preview, the draft."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.identity.queries import organisations_by_ids
from app.kernel import clock, work_calendar
from app.kernel.access import Actor
from app.kernel.calendar import UnknownYear
from app.kernel.clock import BEIJING
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries.procurements import ProcurementView
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.services import procurements as services
from marketplace.services.case_links import linked
from marketplace.states.parts import Part
from marketplace.web.creation import create_once
from marketplace.web.notice_values import notice_values
from marketplace.web.pages.procurements.words import bp
from marketplace.web.procurement_preview import partial_preview
from marketplace.web.schemas.procurements import NoticeIn
from marketplace.web.schemas.selection import METHOD_FIELDS


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
    return _form_page(Form(NoticeIn(), notice_values(view)), view)


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
        "marketplace/notice_form.html",
        form=form,
        procurement=view,
        preview=found,
        method_fields=METHOD_FIELDS,
        idempotency_key=uuid4().hex,
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
