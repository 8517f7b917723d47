"""States of a service offer on an agency's shelf (服务上架)."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.listings import ListingPublished, ListingWithdrawn

from .parts import Part


class ListingState(StrEnum):
    """Where an offer stands. Only a published offer is found by the public."""

    DRAFT = "draft"  # 草稿
    PUBLISHED = "published"  # 已上架
    SUSPENDED = "suspended"  # 暂停展示
    OFF_SHELF = "off_shelf"  # 已下架


class PriceMode(StrEnum):
    """How the offer states its price."""

    FIXED = "fixed"  # one amount
    FROM = "from"  # the amount is the lowest; the final one depends on the scale
    NEGOTIABLE = "negotiable"  # by agreement; no amount shown


_L = ListingState

LISTING = Machine(
    name="listing",
    states=ListingState,
    initial=_L.DRAFT,
    transitions=(
        Transition(
            "publish",
            sources=(_L.DRAFT, _L.OFF_SHELF),
            target=_L.PUBLISHED,
            who=(Part.AGENCY,),
            label=N_("Put on the shelf"),
            event=ListingPublished,
            primary=True,
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
    ),
    labels={
        _L.DRAFT: N_("Draft"),
        _L.PUBLISHED: N_("On the shelf"),
        _L.SUSPENDED: N_("Not shown for now"),
        _L.OFF_SHELF: N_("Off the shelf"),
    },
    next_step={
        _L.DRAFT: N_("The agency completes the offer and puts it on the shelf."),
        _L.PUBLISHED: N_("Everyone can find this offer."),
        _L.SUSPENDED: N_("Shown again when the cause ends, for example a renewed certificate."),
        _L.OFF_SHELF: N_("The agency may put it back on the shelf."),
    },
    requires={_L.PUBLISHED: ("published_at",)},
)
