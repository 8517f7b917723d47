"""States of one version of a service item (清单事项). A published version never changes; a change is a new version."""

from enum import StrEnum
from typing import Final

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.catalogue import ItemVersionPublished, ItemVersionScheduled

from .parts import Part


class ItemVersionState(StrEnum):
    """Where one version of a service item stands."""

    DRAFT = "draft"  # 草稿
    LEGAL_REVIEW = "legal_review"  # 合法性审核
    SCHEDULED = "scheduled"  # 待生效: published, in force from a later day
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


PRICING_LABELS: Final = {
    PricingMode.MARKET: N_("Market price"),
    PricingMode.GUIDED: N_("Government-guided price"),
    PricingMode.GOVERNMENT: N_("Government price"),
}
COMMISSIONER_LABELS: Final = {
    Commissioner.APPLICANT: N_("The applicant commissions and pays"),
    Commissioner.AUTHORITY: N_("The approving authority commissions and pays"),
}

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
            label=N_("Legal: put into force today"),
            event=ItemVersionPublished,
            primary=True,
        ),
        Transition(
            "schedule",
            sources=(_S.LEGAL_REVIEW,),
            target=_S.SCHEDULED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Legal: in force from a later day"),
            event=ItemVersionScheduled,
        ),
        Transition(
            "take_effect",
            sources=(_S.SCHEDULED,),
            target=_S.PUBLISHED,
            who=(Part.SYSTEM,),
            label=N_("Comes into force"),
            event=ItemVersionPublished,
            due="effective_from",
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
            sources=(_S.DRAFT, _S.LEGAL_REVIEW, _S.SCHEDULED, _S.PUBLISHED),
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
        _S.SCHEDULED: N_("Published, not in force yet"),
        _S.PUBLISHED: N_("Published"),
        _S.SUPERSEDED: N_("Replaced by a newer version"),
        _S.CANCELLED: N_("Cancelled"),
    },
    next_step={
        _S.DRAFT: N_("The operator completes the entry and sends it to legality review."),
        _S.LEGAL_REVIEW: N_("Somebody other than its author checks the legal basis, then publishes or returns it."),
        _S.SCHEDULED: N_("Comes into force by itself on its day; until then the version before it applies."),
        _S.PUBLISHED: N_("In force. A change needs a new version."),
        _S.SUPERSEDED: N_("Kept for the purchases and cases that began under it."),
        _S.CANCELLED: N_("No longer in force."),
    },
    requires={
        _S.SCHEDULED: ("effective_from", "published_at"),
        _S.PUBLISHED: ("effective_from", "published_at"),
        _S.SUPERSEDED: ("effective_from", "published_at", "effective_to"),
    },
)


class ItemImportState(StrEnum):
    """Where a table that was handed in for the list stands."""

    CHECKED = "checked"  # 已检查: the dry run
    APPLIED = "applied"  # 已导入草稿
    DISCARDED = "discarded"  # 已放弃


_I = ItemImportState

ITEM_IMPORT = Machine(
    name="item_import",
    states=ItemImportState,
    initial=_I.CHECKED,
    transitions=(
        Transition(
            "apply",
            sources=(_I.CHECKED,),
            target=_I.APPLIED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Take over as drafts"),
            primary=True,
        ),
        Transition(
            "discard",
            sources=(_I.CHECKED,),
            target=_I.DISCARDED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Discard the table"),
            danger=True,
        ),
    ),
    labels={
        _I.CHECKED: N_("Checked, nothing changed yet"),
        _I.APPLIED: N_("Taken over as drafts"),
        _I.DISCARDED: N_("Discarded"),
    },
    next_step={
        _I.CHECKED: N_(
            "Read what it would do. Without problems it can be taken over: as drafts, which go to legality review."
        ),
        _I.APPLIED: N_("The drafts stand among the list versions."),
        _I.DISCARDED: N_("Nothing came of it."),
    },
    requires={_I.APPLIED: ("applied_at",)},
)
