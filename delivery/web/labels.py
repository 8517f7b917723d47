"""Labels before and as they are printed, one by one or several at once."""

from uuid import UUID

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError, fields, validate
from werkzeug.wrappers import Response as BaseResponse

from app.identity import queries as identity
from app.kernel.db import db, transaction
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.schemas import REQUIRED, InputSchema
from app.web.session import current_actor
from delivery import documents, policy, queries, services
from delivery.carriers import chosen
from delivery.documents import HallAddress, Sheet
from delivery.queries import ParcelFilter, ParcelView, Tab
from delivery.states import ParcelState
from delivery.web.blueprint import pages
from delivery.web.parcels import PARCELS, parcel_actions
from delivery.web.schemas import PrintLabelIn

SHEETS = [(str(sheet), sheet.value.replace("x", " × ") + " mm") for sheet in Sheet]
MOST_AT_ONCE = 100


class SheetQuery(InputSchema):
    """Which paper."""

    sheet = fields.String(
        load_default=Sheet.SMALL, validate=validate.OneOf(list(Sheet)), error_messages=REQUIRED,
        metadata={"label": N_("Paper"), "widget": "select", "choices": SHEETS},
    )  # fmt: skip


@pages.get(f"{PARCELS}/label")
@requires(policy.WORK)
def label(object_id: UUID) -> str:
    """The label before it is printed: whose it is, and whether it was printed already."""
    return _page(object_id, Form(PrintLabelIn()))


def _page(object_id: UUID, form: Form) -> str:
    view, pdf = queries.label_of(object_id, current_actor())
    return render_template(
        "delivery/label.html",
        parcel=view,
        is_carriers=pdf is not None,
        actions=parcel_actions(view),
        form=form,
        sheets=SHEETS,
    )


@pages.post(f"{PARCELS}/label")
@requires(policy.WORK)
def print_label(object_id: UUID) -> BaseResponse | tuple[str, int]:
    """Note the print and open the PDF; a second print without a reason is refused."""
    raw = {key: value for key, value in request.form.items() if key == "reason"}
    view = queries.parcel_view(object_id, current_actor())
    if view.label_printed_at and not raw.get("reason", "").strip():
        failure = ValidationError({"reason": [N_("Say why the label is printed again, and destroy the old one.")]})
        return _page(object_id, Form(PrintLabelIn(), raw, errors_of(failure))), 422
    services.mark_label_printed(current_actor(), object_id, PrintLabelIn().load(raw))
    return redirect(url_for("delivery.label_file", object_id=object_id, sheet=request.form.get("sheet") or None), 303)


@pages.get(f"{PARCELS}/label.pdf")
@requires(policy.WORK)
def label_file(object_id: UUID) -> Response:
    """The carrier's label; our own, on the asked paper, where the carrier gave none yet."""
    sheet = Sheet(parsing.query(SheetQuery)["sheet"])
    view, pdf = queries.label_of(object_id, current_actor())
    if pdf is None:
        pdf = documents.own_label(view, _sender(view), simulated=_is_simulated(), sheet=sheet)
    return inline_pdf(pdf, f"label-{view.waybill_no}.pdf")


@pages.post("/delivery/labels")
@requires(policy.WORK)
def print_labels() -> Response | BaseResponse:
    """Our own labels of every parcel that waits for its first one, in one file; all are noted as printed together."""
    actor = current_actor()
    sheet = request.form.get("sheet") or Sheet.SMALL
    if sheet not in tuple(Sheet):
        raise NotFound
    statement = queries.parcels_statement(actor, ParcelFilter(Tab.LABEL, ParcelState.WAYBILLED)).limit(MOST_AT_ONCE)
    with transaction():
        waiting = [
            each
            for each in queries.views_of(db.session.scalars(statement).all(), actor)
            if each.label_printed_at is None
        ]
        for view in waiting:
            services.mark_label_printed(actor, view.id, None)
    if not waiting:
        flash(gettext("No label waits to be printed."), "info")
        return redirect(url_for("delivery.workbench", tab=Tab.LABEL), 303)
    sheets = [(view, _sender(view)) for view in waiting]
    return inline_pdf(documents.own_labels(sheets, simulated=_is_simulated(), sheet=Sheet(sheet)), "labels.pdf")


def _sender(view: ParcelView) -> HallAddress:
    hall = identity.organisation(view.hall_organisation_id)
    return HallAddress(hall.phone or "", hall.address or "")


def _is_simulated() -> bool:
    return chosen.SIMULATOR_PATH in str(current_app.extensions["chaoshi_settings"].ems_base_url)


def inline_pdf(content: bytes, name: str) -> Response:
    """A PDF that the browser shows and nobody keeps."""
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
