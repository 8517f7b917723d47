"""Offers as JSON."""

from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import listings as queries
from marketplace.services import listings
from marketplace.web.creation import create_once
from marketplace.web.market_actions import offer_json
from marketplace.web.schemas.listings import OfferIn, OfferQuery, ShelfQuery

bp = Blueprint("marketplace_listings_api", __name__, url_prefix="/api")


@bp.get("/listings")
@public
@operation(N_("List offers on the shelf, newest first"), query=OfferQuery, tag="listings")
def offers() -> Response:
    """A page of the public offers; `next` is the `after` of the following page."""
    asked = parsing.query(OfferQuery)
    page = queries.offers(
        item_id=asked["item"], agency_id=asked["agency"], category=asked["category"], after=asked["after"]
    )
    return jsonify(items=[offer_json(card) for card in page.rows], next=page.next)


@bp.get("/listings/<uuid:object_id>")
@public
@operation(N_("Read an offer"), tag="listings")
def offer(object_id: UUID) -> Response:
    """One offer; drafts for their agency only."""
    return jsonify(offer_json(queries.offer(current_actor(), object_id)))


@bp.get("/shelf")
@requires(Permission.LISTING_MANAGE)
@operation(N_("List my agency's offers"), query=ShelfQuery, tag="listings")
def shelf() -> Response:
    """My offers in every state."""
    asked = parsing.query(ShelfQuery)
    page = queries.shelf(current_actor(), asked["state"], asked["after"])
    return jsonify(items=[offer_json(card) for card in page.rows], next=page.next)


@bp.post("/listings")
@requires(Permission.LISTING_MANAGE)
@operation(N_("Draft an offer"), body=OfferIn, status=201, tag="listings", idempotent=True)
def create() -> tuple[Response, int]:
    """A new offer of my agency, as a draft."""
    actor = current_actor()
    command = parsing.body(OfferIn)
    key, raw = request.headers.get("Idempotency-Key"), request.get_json(silent=True)
    made = create_once(actor, "listing:create", key, raw, lambda: listings.create(actor, command))
    return jsonify(offer_json(queries.offer(actor, made))), 201


@bp.put("/listings/<uuid:object_id>")
@requires(Permission.LISTING_MANAGE)
@operation(N_("Change an offer"), body=OfferIn, tag="listings")
def change(object_id: UUID) -> Response:
    """Change my offer; on the shelf it must satisfy the guards again."""
    actor = current_actor()
    listings.change(actor, object_id, parsing.body(OfferIn))
    return jsonify(offer_json(queries.offer(actor, object_id)))
