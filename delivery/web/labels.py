"""Labels before and as they are printed."""

from uuid import UUID

from flask import Response, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.identity import queries as identity
from app.web.guard import requires
from app.web.session import current_actor
from delivery import documents, policy, queries, services
from delivery.carriers import chosen
from delivery.web.blueprint import pages
from delivery.web.parcels import PARCELS, parcel_actions


@pages.get(f"{PARCELS}/label")
@requires(policy.WORK)
def label(object_id: UUID) -> str:
    """The label before it is printed: whose it is, and whether it was printed already."""
    view, pdf = queries.label_of(object_id, current_actor())
    return render_template(
        "delivery/label.html", parcel=view, is_carriers=pdf is not None, actions=parcel_actions(view)
    )


@pages.post(f"{PARCELS}/label")
@requires(policy.WORK)
def print_label(object_id: UUID) -> BaseResponse:
    """Note the print and open the PDF."""
    services.mark_label_printed(current_actor(), object_id, None)
    return redirect(url_for("delivery.label_file", object_id=object_id), 303)


@pages.get(f"{PARCELS}/label.pdf")
@requires(policy.WORK)
def label_file(object_id: UUID) -> Response:
    """The carrier's label; our own where the carrier gave none yet."""
    view, pdf = queries.label_of(object_id, current_actor())
    if pdf is None:
        hall = identity.organisation(view.hall_organisation_id)
        simulated = chosen.SIMULATOR_PATH in current_app.extensions["chaoshi_settings"].ems_base_url
        pdf = documents.own_label(view, hall.phone or "", hall.address or "", simulated=simulated)
    return inline_pdf(pdf, f"label-{view.waybill_no}.pdf")


def inline_pdf(content: bytes, name: str) -> Response:
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
