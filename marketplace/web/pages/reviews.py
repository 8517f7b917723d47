"""Pages of ratings: one rating with its reply, a request to rate, an appeal."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, render_template

from app.kernel import files
from app.kernel.errors import NotFound
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.web.actions import register_actions
from app.web.guard import public, signed_in
from app.web.session import current_actor
from marketplace.queries import reviews
from marketplace.states.parts import Part
from marketplace.states.review import RATING_APPEAL, RATING_REQUEST, AppealState, RequestState
from marketplace.web.api.reviews import bp as api
from marketplace.web.review_actions import (
    APPEAL_ACTIONS,
    RATING_ACTIONS,
    REQUEST_ACTIONS,
    appeal_actions,
    appeal_json,
    page_json,
    rating_actions,
    request_actions,
    request_json,
)
from marketplace.web.schemas.reviews import GROUND_LABELS

bp = Blueprint("marketplace_reviews", __name__, template_folder="../../templates")

DIMENSION_LABELS: Final[Mapping[str, str]] = {
    "quality": N_("Quality of the work"),
    "timeliness": N_("Keeping to time"),
    "attitude": N_("Attitude"),
    "fee": N_("Fairness of the fee"),
    "conformity": N_("Conformity with the rules"),
    "response": N_("Answers in time"),
    "payment": N_("Pays in time"),
    "clarity": N_("Clear demands"),
    "overall": N_("All in all"),
}
RATING_STATES: Final = {
    "valid": N_("Rating public"),
    "in_review": N_("Rating under review"),
    "struck": N_("Rating struck"),
}
RATING_TONES: Final = {"valid": "success", "in_review": "waiting", "struck": "danger"}
APPEAL_TONES: Final[Mapping[str, str]] = {
    AppealState.SUBMITTED: "waiting",
    AppealState.GRANTED: "success",
    AppealState.DISMISSED: "neutral",
    AppealState.WITHDRAWN: "neutral",
}
OBJECT_HREF = {
    "rating_request": lambda object_id: f"/rating-requests/{object_id}",
    "rating_appeal": lambda object_id: f"/rating-appeals/{object_id}",
}


@bp.get("/ratings/<uuid:object_id>")
@public
def rating(object_id: UUID) -> str:
    """One public rating."""
    page = reviews.rating_page(current_actor(), object_id)
    return render_template(
        "marketplace/rating.html",
        page=page,
        actions=rating_actions(page),
        states=RATING_STATES,
        tones=RATING_TONES,
        dimensions=DIMENSION_LABELS,
    )


@bp.get("/rating-requests/<uuid:object_id>")
@signed_in
def rating_request(object_id: UUID) -> str:
    """What is asked of me, until when."""
    view = reviews.request_view(current_actor(), object_id)
    actions = request_actions(view)
    return render_template(
        "marketplace/rating_request.html",
        view=view,
        actions=actions,
        label=RATING_REQUEST.labels[RequestState(view.state)],
        next_step=RATING_REQUEST.next_step[RequestState(view.state)],
        yours=bool(actions),
        opens_contract=bool(view.parts & {Part.OWNER, Part.AGENCY, Part.OPERATOR, Part.PUBLIC}),
    )


@bp.get("/rating-appeals/<uuid:object_id>")
@signed_in
def appeal(object_id: UUID) -> str:
    """One appeal with the rating beside it."""
    actor = current_actor()
    view = reviews.appeal_view(actor, object_id)
    actions = appeal_actions(view)
    return render_template(
        "marketplace/rating_appeal.html",
        view=view,
        actions=actions,
        label=RATING_APPEAL.labels[AppealState(view.state)],
        next_step=RATING_APPEAL.next_step[AppealState(view.state)],
        tone=APPEAL_TONES[view.state],
        yours=bool(actions) and Part.PARTY not in view.parts,
        entries=object_entries("rating_appeal", object_id, actor),
        grounds=GROUND_LABELS,
        dimensions=DIMENSION_LABELS,
    )


@bp.get("/rating-appeals/<uuid:object_id>/file")
@signed_in
def appeal_file(object_id: UUID) -> Response:
    """The evidence, for the side that appeals and who decides."""
    view = reviews.appeal_view(current_actor(), object_id)
    if view.file_id is None:
        raise NotFound
    return files.send(view.file_id)


register_actions(
    bp,
    api,
    path="/rating-requests/<uuid:object_id>",
    table=REQUEST_ACTIONS,
    view=reviews.request_view,
    detail="marketplace_reviews.rating_request",
    to_json=request_json,
    machine=RATING_REQUEST,
)
register_actions(
    bp,
    api,
    path="/rating-appeals/<uuid:object_id>",
    table=APPEAL_ACTIONS,
    view=reviews.appeal_view,
    detail="marketplace_reviews.appeal",
    to_json=appeal_json,
    machine=RATING_APPEAL,
)
register_actions(
    bp,
    api,
    path="/ratings/<uuid:object_id>",
    table=RATING_ACTIONS,
    view=reviews.rating_page,
    detail="marketplace_reviews.rating",
    to_json=page_json,
    name="rating",
)
