"""Questions about a notice: asked on its page, answered by the owner; and the versions of a notice with their differences."""

from datetime import datetime
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.services import procurements as services
from marketplace.web.creation import create_once
from marketplace.web.pages.procurements.words import WORDS, bp
from marketplace.web.schemas.procurements import AskIn


@bp.get("/procurements/<uuid:object_id>/questions/new")
@requires(Permission.REGISTRATION_CREATE)
def ask_page(object_id: UUID) -> str:
    """The form for a question."""
    return _ask_form(object_id, Form(AskIn()))


@bp.post("/procurements/<uuid:object_id>/questions/new")
@requires(Permission.REGISTRATION_CREATE)
def ask(object_id: UUID) -> BaseResponse:
    """Ask; after an error the question comes back as typed."""
    actor, raw = current_actor(), parsing.form_values(AskIn)
    key = request.form.get("idempotency_key")
    try:
        command = AskIn().load(raw)
        sent = request.form.to_dict(flat=False)
        endpoint = f"procurement:{object_id}:ask"
        create_once(actor, endpoint, key, sent, lambda: services.ask_question(actor, object_id, command))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = 422 if isinstance(failure, ValidationError) else failure.status
        page = _ask_form(object_id, Form(AskIn(), raw, errors_of(failure)))
        return Response(page, status=status, mimetype="text/html")
    flash(gettext("Your question is public. The owner was told and answers for everybody."), "success")
    return redirect(url_for(".procurement", object_id=object_id, _anchor="questions"), 303)


@bp.get("/questions/<uuid:object_id>")
@public
def question(object_id: UUID) -> BaseResponse:
    """Where a question stands: on the page of its notice."""
    view = procurements.question_view(current_actor(), object_id)
    return redirect(url_for(".procurement", object_id=view.procurement_id, _anchor=f"question-{view.id}"))


@bp.get("/procurements/<uuid:object_id>/versions")
@public
def versions(object_id: UUID) -> str:
    """Every published version of a notice and what it changed."""
    actor = current_actor()
    view = procurements.procurement_view(actor, object_id)
    found = procurements.notice_versions(actor, object_id)
    return render_template(
        "marketplace/notice_versions.html",
        procurement=view,
        versions=found,
        moment_of=datetime.fromisoformat,
        **WORDS,
    )


def _ask_form(object_id: UUID, form: Form) -> str:
    view = procurements.procurement_view(current_actor(), object_id)
    return render_template("marketplace/ask.html", procurement=view, form=form)
