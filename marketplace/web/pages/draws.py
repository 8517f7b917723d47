"""The draw page: both public files, the steps in words, the order, and how to repeat it."""

from pathlib import Path
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import draws
from marketplace.services import selection as services
from marketplace.states.registration import REGISTRATION
from marketplace.web.pages.procurements.words import REGISTRATION_TONES
from marketplace.web.schemas.procurements import EnterValueIn

bp = Blueprint("marketplace_draws", __name__, template_folder="../../templates")
SCRIPT: Final = Path(__file__).resolve().parents[3] / "docs" / "verify_draw.py"


@bp.get("/draws/<uuid:object_id>")
@public
def draw(object_id: UUID) -> str:
    """One draw, before and after its ranking."""
    return _page(object_id)


def _page(object_id: UUID, form: Form | None = None) -> str:
    view = draws.draw_view(current_actor(), object_id)
    open_source = next((source for source in view.sources if source.value is None), None)
    if form is None and view.may_enter and open_source:
        form = Form(EnterValueIn(), {"source": open_source.name})
    return render_template(
        "marketplace/draw.html",
        draw=view,
        form=form,
        labels=REGISTRATION.labels,
        tones=REGISTRATION_TONES,
    )


@bp.get("/draws/<uuid:object_id>/draw.txt")
@public
def draw_file(object_id: UUID) -> Response:
    """The frozen list, byte for byte."""
    view = draws.draw_view(current_actor(), object_id)
    return Response(view.draw_file, mimetype="text/plain", headers={"X-Content-SHA256": view.sha256})


@bp.get("/draws/<uuid:object_id>/beacon.txt")
@public
def beacon_file(object_id: UUID) -> Response:
    """The announced values, byte for byte, once they are in."""
    view = draws.draw_view(current_actor(), object_id)
    if view.beacon_file is None:
        raise NotFound
    return Response(view.beacon_file, mimetype="text/plain")


@bp.get("/verify_draw.py")
@public
def script() -> Response:
    """The script with which anybody repeats a draw; it needs nothing but Python."""
    headers = {"Content-Disposition": 'attachment; filename="verify_draw.py"'}
    return Response(SCRIPT.read_bytes(), mimetype="text/x-python", headers=headers)


@bp.post("/draws/<uuid:object_id>/values")
@requires(Permission.DRAW_BEACON)
def enter_value(object_id: UUID) -> BaseResponse:
    """One person's reading of an announced value."""
    raw = parsing.form_values(EnterValueIn)
    try:
        ranked = services.enter_value(current_actor(), object_id, EnterValueIn().load(raw))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = 422 if isinstance(failure, ValidationError) else failure.status
        page = _page(object_id, Form(EnterValueIn(), request.form.to_dict(), errors_of(failure)))
        return Response(page, status=status, mimetype="text/html")
    text = (
        gettext("The list is ranked and the result is public.")
        if ranked
        else gettext("Entered. A second person must read the value independently.")
    )
    flash(text, "success")
    return redirect(url_for(".draw", object_id=object_id), 303)
