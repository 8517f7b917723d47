"""Ratings, requests to rate and appeals as JSON."""

from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web.guard import public, signed_in
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.queries import reviews
from marketplace.web.review_actions import appeal_json, page_json, request_json

bp = Blueprint("marketplace_reviews_api", __name__, url_prefix="/api")


@bp.get("/ratings/<uuid:object_id>")
@public
@operation(N_("Read a rating"), tag="ratings")
def rating(object_id: UUID) -> Response:
    """A rating that is public, with its reply."""
    return jsonify(page_json(reviews.rating_page(current_actor(), object_id)))


@bp.get("/rating-requests/<uuid:object_id>")
@signed_in
@operation(N_("Read a request to rate"), tag="ratings")
def request_to_rate(object_id: UUID) -> Response:
    """What is asked of me, until when."""
    return jsonify(request_json(reviews.request_view(current_actor(), object_id)))


@bp.get("/rating-appeals/<uuid:object_id>")
@signed_in
@operation(N_("Read an appeal against a rating"), tag="ratings")
def appeal(object_id: UUID) -> Response:
    """An appeal with the rating that it concerns."""
    return jsonify(appeal_json(reviews.appeal_view(current_actor(), object_id)))
