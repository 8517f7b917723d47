"""States of one version of a service item (清单事项). A published version never changes; a change is a new version."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.catalogue import ItemVersionPublished

from .parts import Part


class ItemVersionState(StrEnum):
    """Where one version of a service item stands."""

    DRAFT = "draft"  # 草稿
    LEGAL_REVIEW = "legal_review"  # 合法性审核
    PUBLISHED = "published"  # 已公布
    SUPERSEDED = "superseded"  # 已被新版替代
    CANCELLED = "cancelled"  # 已取消


class PricingMode(StrEnum):
    """How the price of a service is formed (定价方式)."""

    MARKET = "market"  # 市场调节价
    GUIDED = "guided"  # 政府指导价
    GOVERNMENT = "government"  # 政府定价


class Commissioner(StrEnum):
    """Who commissions and pays for the service."""

    APPLICANT = "applicant"
    AUTHORITY = "authority"


_S = ItemVersionState

ITEM_VERSION = Machine(
    name="item_version",
    states=ItemVersionState,
    initial=_S.DRAFT,
    transitions=(
        Transition(
            "submit",
            sources=(_S.DRAFT,),
            target=_S.LEGAL_REVIEW,
            who=(Part.OPERATOR,),
            label=N_("Send to legality review"),
            primary=True,
        ),
        Transition(
            "return",
            sources=(_S.LEGAL_REVIEW,),
            target=_S.DRAFT,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Return to drafting"),
            needs_reason=True,
        ),
        Transition(
            "publish",
            sources=(_S.LEGAL_REVIEW,),
            target=_S.PUBLISHED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Publish this version"),
            event=ItemVersionPublished,
            primary=True,
        ),
        Transition(
            "supersede",
            sources=(_S.PUBLISHED,),
            target=_S.SUPERSEDED,
            who=(Part.SYSTEM,),
            label=N_("Replace by the new version"),
        ),
        Transition(
            "cancel",
            sources=(_S.DRAFT, _S.LEGAL_REVIEW, _S.PUBLISHED),
            target=_S.CANCELLED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Cancel this item"),
            needs_reason=True,
            danger=True,
        ),
    ),
    labels={
        _S.DRAFT: N_("Draft"),
        _S.LEGAL_REVIEW: N_("Legality review"),
        _S.PUBLISHED: N_("Published"),
        _S.SUPERSEDED: N_("Replaced by a newer version"),
        _S.CANCELLED: N_("Cancelled"),
    },
    next_step={
        _S.DRAFT: N_("The operator completes the entry and sends it to legality review."),
        _S.LEGAL_REVIEW: N_("The regulator checks the legal basis, then publishes or returns it."),
        _S.PUBLISHED: N_("In force. A change needs a new version."),
        _S.SUPERSEDED: N_("Kept for the purchases and cases that began under it."),
        _S.CANCELLED: N_("No longer in force."),
    },
    requires={
        _S.PUBLISHED: ("effective_from", "published_at"),
        _S.SUPERSEDED: ("effective_from", "published_at", "effective_to"),
    },
)
