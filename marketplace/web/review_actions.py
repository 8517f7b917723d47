"""The steps of ratings over the web, and ratings as JSON."""

from collections.abc import Mapping
from typing import Any, Final

from app.kernel.words import N_
from app.web.actions import Action, ActionView, action_link, actions_of, api_actions
from app.web.schemas import PlainIn, ReasonIn
from marketplace.queries.reviews import AppealView, RatingPage, RatingView, RequestView
from marketplace.services import reviews
from marketplace.states.review import RATING_APPEAL, RATING_REQUEST
from marketplace.web.schemas.reviews import AppealIn, InspectIn, RateDeliverableIn, RateOwnerIn, ReplyIn

REQUEST_ACTIONS: Final[Mapping[str, Action]] = {
    "rate_deliverable": Action(
        reviews.rate_deliverable, RateDeliverableIn, done=N_("Thank you. The rating is public.")
    ),
    "rate_owner": Action(
        reviews.rate_owner,
        RateOwnerIn,
        done=N_("Thank you. The rating is shown when the owner has rated too, or when the time is over."),
    ),
    "inspect": Action(reviews.inspect, InspectIn, done=N_("The inspection is entered and public.")),
}
RATING_ACTIONS: Final[Mapping[str, Action]] = {
    "reply": Action(reviews.reply, ReplyIn, label=N_("Reply in public"), done=N_("Your reply is public.")),
    "appeal": Action(
        reviews.appeal,
        AppealIn,
        label=N_("Appeal against the rating"),
        explain=N_("Somebody who did not rate decides. Until then the rating counts."),
        done=N_("The appeal is handed in."),
    ),
}
APPEAL_ACTIONS: Final[Mapping[str, Action]] = {
    "grant": Action(
        reviews.grant_appeal,
        ReasonIn,
        explain=N_("The rating stays on record and no longer counts. The reasons are public."),
    ),
    "dismiss": Action(reviews.dismiss_appeal, ReasonIn),
    "withdraw": Action(reviews.withdraw_appeal, PlainIn),
}


def request_actions(view: RequestView) -> tuple[ActionView, ...]:
    """What the actor may do with a request now."""
    href = f"/rating-requests/{view.id}"
    return actions_of(RATING_REQUEST, view.state, view.parts, href=href, table=REQUEST_ACTIONS, version=view.version)


def rating_actions(page: RatingPage) -> tuple[ActionView, ...]:
    """What the rated side may still say."""
    if not page.may_answer:
        return ()
    href = f"/ratings/{page.rating.id}"
    offered = [name for name, given in (("reply", page.reply), ("appeal", page.appeal_id)) if given is None]
    return tuple(action_link(href, name, RATING_ACTIONS[name], primary=name == "reply") for name in offered)


def appeal_actions(view: AppealView) -> tuple[ActionView, ...]:
    """What the actor may do with an appeal now."""
    href = f"/rating-appeals/{view.id}"
    return actions_of(RATING_APPEAL, view.state, view.parts, href=href, table=APPEAL_ACTIONS, version=view.version)


def rating_json(view: RatingView) -> dict[str, Any]:
    """A rating; the mean in hundredths of a star."""
    return {
        "id": str(view.id),
        "rater": view.rater,
        "stars": dict(view.stars),
        "mean_hundredths": view.overall,
        "comment": view.comment,
        "on_time": view.on_time,
        "default": view.is_default,
        "rated_at": view.rated_at.isoformat(),
        "public_since": view.revealed_at.isoformat() if view.revealed_at else None,
        "struck_at": view.struck_at.isoformat() if view.struck_at else None,
    }


def page_json(page: RatingPage) -> dict[str, Any]:
    """A shown rating with reply and appeal."""
    return {
        **rating_json(page.rating),
        "contract": page.number,
        "agency": page.agency_name,
        "owner": page.owner_name,
        "reply": page.reply,
        "appeal": page.appeal_state,
        "appeal_until": page.appeal_by.isoformat(),
        "actions": api_actions(rating_actions(page)),
    }


def request_json(view: RequestView) -> dict[str, Any]:
    """A request to rate."""
    return {
        "id": str(view.id),
        "rater": view.rater,
        "state": view.state,
        "version": view.version,
        "contract": view.number,
        "agency": view.agency_name,
        "owner": view.owner_name,
        "due": view.due_at.isoformat(),
        "actions": api_actions(request_actions(view)),
    }


def appeal_json(view: AppealView) -> dict[str, Any]:
    """An appeal against a rating."""
    return {
        "id": str(view.id),
        "number": view.number,
        "state": view.state,
        "version": view.version,
        "ground": view.ground,
        "text": view.text,
        "decide_by": view.decide_by.isoformat(),
        "decision": view.decision,
        "rating": rating_json(view.rating),
        "actions": api_actions(appeal_actions(view)),
    }
