"""Pages of selections: the public result with everybody's reason, the owner's comparison, the papers of both."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import files
from app.kernel.commands import Plain
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import selection as queries
from marketplace.queries.selection import ComparisonView
from marketplace.rules.selection.methods import METHOD_LABELS
from marketplace.services import selection as services
from marketplace.services.procurements import canonical
from marketplace.states.procurement import FAILURE_TEXTS
from marketplace.states.registration import REGISTRATION
from marketplace.web.comparison_sheet import SheetForm, sheet_of
from marketplace.web.pages.procurements.words import REGISTRATION_TONES
from marketplace.web.reasons import reason_text
from marketplace.web.schemas.selection import ChooseIn, ComparisonIn

bp = Blueprint("marketplace_selection", __name__, template_folder="../../templates")


@bp.get("/procurements/<uuid:object_id>/selection")
@public
def result(object_id: UUID) -> str:
    """The result of any method: every participant with its place and reason, what it was decided from, the replays."""
    view = queries.result_view(current_actor(), object_id)
    return render_template(
        "marketplace/selection_result.html",
        result=view,
        reason_text=reason_text,
        methods=METHOD_LABELS,
        failure=FAILURE_TEXTS.get(view.failure or ""),
        labels=REGISTRATION.labels,
        tones=REGISTRATION_TONES,
        idempotency_key=uuid4().hex,
    )


@bp.get("/procurements/<uuid:object_id>/selection/<any(inputs, outcome):part>.json")
@public
def result_file(object_id: UUID, part: str) -> Response:
    """What the result was decided from, or what it says: the exact bytes whose SHA-256 is published."""
    view = queries.result_view(current_actor(), object_id)
    content, digest = (view.inputs, view.inputs_sha256) if part == "inputs" else (view.outcome, view.outcome_sha256)
    return Response(
        canonical(content),
        mimetype="application/json",
        headers={"X-Content-SHA256": digest, "Content-Disposition": f'attachment; filename="{part}.json"'},
    )


@bp.post("/procurements/<uuid:object_id>/selection/replay")
@requires(Permission.PROCUREMENT_SUPERVISE)
def replay(object_id: UUID) -> BaseResponse:
    """Decide the result again from its stored inputs."""
    actor = current_actor()
    view = queries.result_view(actor, object_id)
    if services.replay_result(actor, view.id, Plain()):
        flash(gettext("Decided again from its stored inputs: the same result."), "success")
    else:
        flash(gettext("The replay did not find the published result. The alarm was raised."), "danger")
    return redirect(url_for(".result", object_id=object_id), 303)


@bp.get("/procurements/<uuid:object_id>/plans/<uuid:registration_id>")
@requires(Permission.CONTRACT_READ)
def plan(object_id: UUID, registration_id: UUID) -> Response:
    """An agency's plan after the opening."""
    return files.send(queries.plan_of(current_actor(), object_id, registration_id))


@bp.get("/procurements/<uuid:object_id>/collective-decision")
@requires(Permission.CONTRACT_READ)
def collective_decision(object_id: UUID) -> Response:
    """The record of the collective decision behind a direct selection."""
    return files.send(queries.decision_record(current_actor(), object_id))


@bp.get("/procurements/<uuid:object_id>/compare")
@requires(Permission.PROCUREMENT_CREATE)
def comparison(object_id: UUID) -> str:
    """The comparison sheet, or the small list to choose from."""
    return _sheet(queries.comparison_view(current_actor(), object_id), {}, {})


@bp.post("/procurements/<uuid:object_id>/compare")
@requires(Permission.PROCUREMENT_CREATE)
def compare(object_id: UUID) -> BaseResponse:
    """Hand the comparison in; it cannot be changed afterwards."""
    actor = current_actor()
    view = queries.comparison_view(actor, object_id)
    try:
        if view.is_choice:
            services.choose_agency(actor, object_id, parsing.form(ChooseIn))
        else:
            services.hand_in_comparison(actor, object_id, ComparisonIn().load(sheet_of(request.form, view)))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = 422 if isinstance(failure, ValidationError) else failure.status
        page = _sheet(view, request.form, errors_of(failure))
        return Response(page, status=status, mimetype="text/html")
    flash(gettext("The comparison is handed in and will be published with the result."), "success")
    return redirect(url_for("marketplace_procurements.procurement", object_id=object_id), 303)


def _sheet(view: ComparisonView, values: Mapping[str, str], errors: Mapping[str, Any]) -> str:
    form = (
        Form(ChooseIn(), {"version": str(view.version), **values}, dict(errors))
        if view.is_choice
        else SheetForm(view, values, errors)
    )
    return render_template("marketplace/selection_sheet.html", comparison=view, form=form)
