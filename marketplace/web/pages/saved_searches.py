"""Pages of the searches that a person keeps."""

from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import Role
from app.kernel.errors import Conflict, Refused
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public, signed_in
from app.web.session import current_actor
from marketplace.queries import saved_searches as queries
from marketplace.services import saved_searches
from marketplace.web.schemas.listings import KeepSearchIn, arguments_of

bp = Blueprint("marketplace_saved_searches", __name__, template_folder="../../templates")


@bp.get("/saved-searches")
@signed_in
def mine() -> str:
    """My kept searches."""
    return render_template("marketplace/saved_searches.html", rows=queries.saved_searches(current_actor()))


@bp.get("/saved-searches/new")
@signed_in
def new() -> Response:
    """The form that keeps the search of this address."""
    asked = arguments_of(request.query_string.decode("ascii", "replace"))
    values = {"asked": urlencode(asked, doseq=True), "name": asked.get("q") or ""}
    return _form(Form(KeepSearchIn(), values), values["asked"])


@bp.post("/saved-searches/new")
@signed_in
def keep() -> BaseResponse:
    """Keep a search."""
    raw = parsing.form_values(KeepSearchIn)
    try:
        saved_searches.keep(current_actor(), KeepSearchIn().load(raw))
    except (ValidationError, Refused, Conflict) as failure:
        status = failure.status if isinstance(failure, Refused | Conflict) else 422
        return _form(Form(KeepSearchIn(), raw, errors_of(failure)), str(raw.get("asked") or ""), status)
    flash(gettext("Kept. You are told of new results, at most once a day."), "success")
    return redirect(url_for(".mine"), 303)


def _form(form: Form, query: str, status: int = 200) -> Response:
    page = render_template(
        "marketplace/form.html", title=gettext("Keep this search"), form=form, back=f"/search?{query}"
    )
    return Response(page, status, mimetype="text/html")


@bp.post("/saved-searches/<uuid:object_id>/on")
@signed_in
def on(object_id: UUID) -> BaseResponse:
    """Alerts on."""
    saved_searches.tell(current_actor(), object_id, is_told=True)
    return redirect(url_for(".mine"), 303)


@bp.post("/saved-searches/<uuid:object_id>/off")
@signed_in
def off(object_id: UUID) -> BaseResponse:
    """Alerts off."""
    saved_searches.tell(current_actor(), object_id, is_told=False)
    return redirect(url_for(".mine"), 303)


@bp.post("/saved-searches/<uuid:object_id>/delete")
@signed_in
def delete(object_id: UUID) -> BaseResponse:
    """Delete one."""
    saved_searches.drop(current_actor(), object_id)
    flash(gettext("Deleted."), "success")
    return redirect(url_for(".mine"), 303)


@bp.get("/saved-searches/stop/<token>")
@public
def stop_page(token: str) -> str:
    """Where the link of a mail leads: a button, because mail programs follow links by themselves."""
    queries.owner_of_token(token)
    return render_template("marketplace/saved_searches_stop.html", token=token, is_done=False)


@bp.post("/saved-searches/stop/<token>")
@public
def stop(token: str) -> str:
    """End all alerts of whoever holds the link."""
    saved_searches.stop(token)
    return render_template("marketplace/saved_searches_stop.html", token=token, is_done=True)


NAVIGATION = (
    NavigationItem(N_("Saved searches"), "marketplace_saved_searches.mine", "bookmark", frozenset(Role), order=88),
)
