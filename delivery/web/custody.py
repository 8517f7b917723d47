"""The chain of custody on its own page and as a paper."""

from uuid import UUID

from flask import Response, render_template
from flask_babel import force_locale, gettext

from app.kernel.errors import NotFound
from app.web.guard import signed_in
from app.web.session import current_actor
from delivery import queries
from delivery.documents.custody import custody_paper
from delivery.policy import oversees
from delivery.queries.custody import Chain, chain_of
from delivery.web.blueprint import pages
from delivery.web.labels import inline_pdf
from delivery.web.parcels import PARCELS


@pages.get(f"{PARCELS}/custody")
@signed_in
def custody(object_id: UUID) -> str:
    """Who had the paper when, by which proof, and where the chain has gaps."""
    view, chain = _seen(object_id)
    return render_template("delivery/custody.html", parcel=view, chain=chain)


@pages.get(f"{PARCELS}/custody.pdf")
@signed_in
def custody_file(object_id: UUID) -> Response:
    """The chain as a paper for the case file."""
    view, chain = _seen(object_id)
    with force_locale("zh_Hans_CN"):
        pdf = custody_paper(view, chain, gettext)
    return inline_pdf(pdf, f"custody-{view.number}.pdf")


def _seen(parcel_id: UUID) -> tuple[queries.ParcelView, Chain]:
    actor = current_actor()
    view = queries.parcel_view(parcel_id, actor)
    if not view.is_staff and not oversees(actor):
        raise NotFound
    return view, chain_of(view.id, view.state)
