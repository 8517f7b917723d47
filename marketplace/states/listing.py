"""States of a service offer on an agency's shelf (服务上架)."""

from enum import StrEnum
from typing import Final

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.listings import ListingPublished, ListingWithdrawn

from .parts import Part


class ListingState(StrEnum):
    """Where an offer stands. Only a published offer is found by the public."""

    DRAFT = "draft"  # 草稿
    REVIEW = "review"  # 待审核
    RETURNED = "returned"  # 退回
    PUBLISHED = "published"  # 已上架
    SUSPENDED = "suspended"  # 暂停展示: shown again when the cause ends
    SUPERSEDED = "superseded"  # 被新版替代: the new version of the item does not allow its terms
    EXPIRED = "expired"  # 到期
    OFF_SHELF = "off_shelf"  # 已下架


class PriceMode(StrEnum):
    """How the offer states its price."""

    FIXED = "fixed"  # one amount
    FROM = "from"  # the amount is the lowest; the final one depends on the scale
    NEGOTIABLE = "negotiable"  # by agreement; no amount shown


_L = ListingState

_OFF: Final = (_L.DRAFT, _L.RETURNED, _L.OFF_SHELF, _L.SUPERSEDED, _L.EXPIRED)

LISTING = Machine(
    name="listing",
    states=ListingState,
    initial=_L.DRAFT,
    transitions=(
        Transition(
            "publish",
            sources=_OFF,
            target=_L.PUBLISHED,
            who=(Part.AGENCY,),
            label=N_("Put on the shelf"),
            event=ListingPublished,
            primary=True,
        ),
        Transition(
            "submit",
            sources=_OFF,
            target=_L.REVIEW,
            who=(Part.AGENCY,),
            label=N_("Send to the operator's review"),
            primary=True,
        ),
        Transition(
            "approve",
            sources=(_L.REVIEW,),
            target=_L.PUBLISHED,
            who=(Part.OPERATOR,),
            label=N_("Put on the shelf after review"),
            event=ListingPublished,
            primary=True,
        ),
        Transition(
            "return",
            sources=(_L.REVIEW,),
            target=_L.RETURNED,
            who=(Part.OPERATOR,),
            label=N_("Return the offer"),
            needs_reason=True,
        ),
        Transition(
            "take_back",
            sources=(_L.REVIEW,),
            target=_L.DRAFT,
            who=(Part.AGENCY,),
            label=N_("Take it back from review"),
        ),
        Transition(
            "take_off",
            sources=(_L.PUBLISHED, _L.SUSPENDED),
            target=_L.OFF_SHELF,
            who=(Part.AGENCY,),
            label=N_("Take off the shelf"),
            event=ListingWithdrawn,
        ),
        Transition(
            "suspend",
            sources=(_L.PUBLISHED,),
            target=_L.SUSPENDED,
            who=(Part.OPERATOR, Part.SYSTEM),
            label=N_("Suspend the offer"),
            event=ListingWithdrawn,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "restore",
            sources=(_L.SUSPENDED,),
            target=_L.PUBLISHED,
            who=(Part.OPERATOR, Part.SYSTEM),
            label=N_("Show the offer again"),
            event=ListingPublished,
        ),
        Transition(
            "supersede",
            sources=(_L.PUBLISHED, _L.SUSPENDED),
            target=_L.SUPERSEDED,
            who=(Part.SYSTEM,),
            label=N_("The new version of the item does not allow it"),
            event=ListingWithdrawn,
        ),
        Transition(
            "expire",
            sources=(_L.PUBLISHED, _L.SUSPENDED),
            target=_L.EXPIRED,
            who=(Part.SYSTEM,),
            label=N_("Its time on the shelf has ended"),
            event=ListingWithdrawn,
            due="expires_on",
        ),
    ),
    labels={
        _L.DRAFT: N_("Draft"),
        _L.REVIEW: N_("Under review"),
        _L.RETURNED: N_("Returned"),
        _L.PUBLISHED: N_("On the shelf"),
        _L.SUSPENDED: N_("Not shown for now"),
        _L.SUPERSEDED: N_("Item changed, offer to be renewed"),
        _L.EXPIRED: N_("Expired"),
        _L.OFF_SHELF: N_("Off the shelf"),
    },
    next_step={
        _L.DRAFT: N_("The agency completes the offer and puts it on the shelf."),
        _L.REVIEW: N_("The operator looks at the offer and puts it on the shelf or returns it."),
        _L.RETURNED: N_("The agency changes what the operator named and sends it again."),
        _L.PUBLISHED: N_("Everyone can find this offer."),
        _L.SUSPENDED: N_("Shown again when the cause ends, for example a renewed certificate."),
        _L.SUPERSEDED: N_(
            "The agency changes limit or price to what the new version allows, and puts it back on the shelf."
        ),
        _L.EXPIRED: N_("The agency confirms that the offer still stands by putting it back on the shelf."),
        _L.OFF_SHELF: N_("The agency may put it back on the shelf."),
    },
    requires={_L.PUBLISHED: ("published_at", "expires_on")},
)
