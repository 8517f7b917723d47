"""States of a request to rate (请评) and of an appeal against a rating (评价申诉)."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_

from .parts import Part


class RequestState(StrEnum):
    """Where a request to rate stands: one matter, one rating."""

    OPEN = "open"  # 待评价
    RATED = "rated"  # 已评价
    DEFAULTED = "defaulted"  # 默认评价
    LAPSED = "lapsed"  # 逾期未评


class AppealState(StrEnum):
    """Where an appeal against a rating stands. Until it is decided the rating is under review and counts as before."""

    SUBMITTED = "submitted"  # 复核中
    GRANTED = "granted"  # 申诉成立
    DISMISSED = "dismissed"  # 申诉不成立
    WITHDRAWN = "withdrawn"  # 已撤回


_R = RequestState

RATING_REQUEST = Machine(
    name="rating_request",
    states=RequestState,
    initial=_R.OPEN,
    transitions=(
        Transition(
            "rate_deliverable",
            sources=(_R.OPEN,),
            target=_R.RATED,
            who=(Part.APPROVER,),
            label=N_("Rate the deliverable"),
            primary=True,
        ),
        Transition(
            "rate_owner",
            sources=(_R.OPEN,),
            target=_R.RATED,
            who=(Part.AGENCY,),
            label=N_("Rate the owner"),
            primary=True,
        ),
        Transition(
            "inspect",
            sources=(_R.OPEN,),
            target=_R.RATED,
            who=(Part.OPERATOR,),
            label=N_("Enter the inspection"),
            primary=True,
        ),
        Transition(
            "settle",
            sources=(_R.OPEN,),
            target=_R.RATED,
            who=(Part.SYSTEM,),
            label=N_("Rated on the contract"),
        ),
        Transition(
            "default",
            sources=(_R.OPEN,),
            target=_R.DEFAULTED,
            who=(Part.SYSTEM,),
            label=N_("Default rating entered"),
            due="due_at",
        ),
        Transition(
            "lapse",
            sources=(_R.OPEN,),
            target=_R.LAPSED,
            who=(Part.SYSTEM,),
            label=N_("Time for rating is over"),
            due="due_at",
        ),
    ),
    labels={
        _R.OPEN: N_("Rating asked for"),
        _R.RATED: N_("Rating given"),
        _R.DEFAULTED: N_("Default rating"),
        _R.LAPSED: N_("Not rated in time"),
    },
    next_step={
        _R.OPEN: N_("Rate by the deadline; afterwards the rule of the rule book applies."),
        _R.RATED: N_("Nothing is left to do."),
        _R.DEFAULTED: N_("Nothing is left to do."),
        _R.LAPSED: N_("Nothing is left to do."),
    },
    requires={_R.RATED: ("settled_at",), _R.DEFAULTED: ("settled_at",), _R.LAPSED: ("settled_at",)},
)

_A = AppealState

RATING_APPEAL = Machine(
    name="rating_appeal",
    states=AppealState,
    initial=_A.SUBMITTED,
    transitions=(
        Transition(
            "grant",
            sources=(_A.SUBMITTED,),
            target=_A.GRANTED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Strike the rating"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "dismiss",
            sources=(_A.SUBMITTED,),
            target=_A.DISMISSED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Let the rating stand"),
            needs_reason=True,
            primary=True,
        ),
        Transition(
            "withdraw",
            sources=(_A.SUBMITTED,),
            target=_A.WITHDRAWN,
            who=(Part.PARTY,),
            label=N_("Withdraw the appeal"),
        ),
    ),
    labels={
        _A.SUBMITTED: N_("Rating under review"),
        _A.GRANTED: N_("Rating struck"),
        _A.DISMISSED: N_("Rating stands"),
        _A.WITHDRAWN: N_("Appeal withdrawn"),
    },
    next_step={
        _A.SUBMITTED: N_("The operator hears both sides and decides; until then the rating counts."),
        _A.GRANTED: N_("Nothing is left to do."),
        _A.DISMISSED: N_("Nothing is left to do."),
        _A.WITHDRAWN: N_("Nothing is left to do."),
    },
    requires={
        _A.GRANTED: ("decided_at", "decided_by"),
        _A.DISMISSED: ("decided_at", "decided_by"),
    },
)
