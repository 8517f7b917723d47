"""Pages of offers: the public offer, and the agency's shelf."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import Role
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import agencies, catalogue
from marketplace.queries import listings as queries
from marketplace.services import listings
from marketplace.states.listing import LISTING, ListingState
from marketplace.states.parts import Part
from marketplace.web.api.listings import bp as api
from marketplace.web.market_actions import LISTING_ACTIONS, offer_actions, offer_json
from marketplace.web.schemas.listings import PRICE_MODE_LABELS, OfferIn, ShelfQuery

bp = Blueprint("marketplace_listings", __name__, template_folder="../../templates")
NAVIGATION = (
    NavigationItem(N_("My shelf"), "marketplace_listings.shelf", "packages", frozenset({Role.AGENCY}), order=55),
)
OBJECT_HREF = {"listing": lambda object_id: f"/listings/{object_id}"}


@bp.get("/listings/<uuid:object_id>")
@public
def offer(object_id: UUID) -> str:
    """One offer with the agency's record and the item behind it."""
    actor = current_actor()
    card = queries.offer(actor, object_id)
    is_own = Part.AGENCY in queries.parts_of(actor, card)
    return render_template(
        "marketplace/offer.html",
        offer=card,
        item=catalogue.item_history(card.item_id).shown,
        agency=agencies.agencies_by_ids([card.agency_id]).get(card.agency_id),
        actions=offer_actions(actor, card),
        entries=object_entries("listing", card.id, actor) if actor.is_signed_in else (),
        is_own=is_own,
        may_edit=is_own and card.state not in {ListingState.SUSPENDED, ListingState.REVIEW},
        labels=LISTING.labels,
        next_step=LISTING.next_step[ListingState(card.state)],
        price_modes=PRICE_MODE_LABELS,
    )


@bp.get("/shelf")
@requires(Permission.LISTING_MANAGE)
def shelf() -> str:
    """The agency's own offers in every state."""
    asked = parsing.query(ShelfQuery)
    actor = current_actor()
    return render_template(
        "marketplace/shelf.html",
        page=queries.shelf(actor, asked["state"], asked["after"]),
        counts=queries.shelf_counts(actor),
        state=asked["state"],
        labels=LISTING.labels,
        price_modes=PRICE_MODE_LABELS,
    )


@bp.get("/shelf/new")
@requires(Permission.LISTING_MANAGE)
def new() -> Response:
    """The form of a new offer."""
    return _form(N_("New offer"), Form(OfferIn()), url_for(".shelf"))


@bp.post("/shelf/new")
@requires(Permission.LISTING_MANAGE)
def create() -> BaseResponse:
    """Draft a new offer."""
    return _save(N_("New offer"), url_for(".shelf"), lambda offer: listings.create(current_actor(), offer))


@bp.get("/listings/<uuid:object_id>/edit")
@requires(Permission.LISTING_MANAGE)
def edit(object_id: UUID) -> Response:
    """The form of an offer."""
    actor = current_actor()
    card = queries.offer(actor, object_id)
    if Part.AGENCY not in queries.parts_of(actor, card):
        raise NotFound
    values: dict[str, Any] = {
        "item_id": str(card.item_id),
        "promised_limit_wd": card.promised_limit_wd,
        "price_mode": card.price_mode,
        "region_code": card.region_code,
        "description": card.description,
        "expires_on": card.expires_on,
        "version": card.version,
    }
    if card.price_fen is not None:
        values["price"] = card.price_fen
    return _form(N_("Change the offer"), Form(OfferIn(), values), url_for(".offer", object_id=object_id))


@bp.post("/listings/<uuid:object_id>/edit")
@requires(Permission.LISTING_MANAGE)
def save(object_id: UUID) -> BaseResponse:
    """Save an offer."""

    def run(offer: listings.Offer) -> UUID:
        listings.change(current_actor(), object_id, offer)
        return object_id

    return _save(N_("Change the offer"), url_for(".offer", object_id=object_id), run)


def _form(title: str, form: Form, back: str, status: int = 200) -> Response:
    page = render_template("marketplace/form.html", title=gettext(title), form=form, back=back)
    return Response(page, status, mimetype="text/html")


def _save(title: str, back: str, run: Callable[[listings.Offer], UUID]) -> BaseResponse:
    raw = parsing.form_values(OfferIn)
    try:
        listing_id = run(OfferIn().load(raw))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = failure.status if isinstance(failure, DomainError) else 422
        return _form(title, Form(OfferIn(), raw, errors_of(failure)), back, status)
    flash(gettext("Saved."), "success")
    return redirect(url_for(".offer", object_id=listing_id), 303)


register_actions(
    bp,
    api,
    path="/listings/<uuid:object_id>",
    table=LISTING_ACTIONS,
    view=queries.offer,
    detail="marketplace_listings.offer",
    to_json=offer_json,
    machine=LISTING,
)
