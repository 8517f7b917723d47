"""What the publish form shows while it is filled in: findings of the rules and how many agencies qualify."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotAllowed
from marketplace.models.catalogue import ItemVersion
from marketplace.queries.candidates import owner_uscc
from marketplace.queries.procurements import Reach, reach
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.eligibility import Demand, raise_grade
from marketplace.rules.notices.conditions import HiddenThreshold, hidden_thresholds
from marketplace.rules.selection.gates import Finding
from marketplace.services.commands import Avoided, NoticeDraft
from marketplace.services.procurements import CHECKED_TEXTS, notice_findings
from marketplace.web.schemas.procurements import NoticeIn
from marketplace.web.schemas.selection import with_terms


@dataclass(frozen=True)
class Preview:
    """Findings that block or warn, and the reach of the notice as of today."""

    findings: tuple[Finding, ...]
    reach: Reach


def preview_of(actor: Actor, command: NoticeDraft) -> Preview:
    """Findings and reach of a complete notice; nothing is written."""
    if actor.organisation_id is None:
        raise NotAllowed
    found = notice_findings(rule_book_in_force(), command, owner=actor.organisation_id)
    return Preview(found, reach_of(actor, command))


def reach_of(actor: Actor, command: NoticeDraft) -> Reach:
    """How many agencies a notice would reach today."""
    rule = db.session.scalar(select(ItemVersion.qualification_rule).where(ItemVersion.id == command.item_version_id))
    demand = Demand(
        qualification_rule=raise_grade(rule or {}, command.demanded_grade),
        region_code=command.demanded_region,
        avoided=_by_code(command.avoided),
        owner_uscc=owner_uscc(actor.organisation_id) if actor.organisation_id else "",
    )
    book = rule_book_in_force()
    return reach(
        command.item_version_id,
        demand,
        rule_book_version=book.version,
        method=command.method,
        fund_source=command.fund_source,
    )


def _by_code(avoided: tuple[Avoided, ...]) -> dict[str, str]:
    return {conflict.uscc: conflict.reason for conflict in avoided}


@dataclass(frozen=True)
class ItemFacts:
    """What the buyer reads of a service item before buying it; above all whether buying is needed at all."""

    name: str
    name_en: str
    legal_basis: str
    approval_served: str
    deliverable: str
    qualification_text: str
    limit_wd: int | None
    self_preparation_allowed: bool


def item_facts(item_version_id: UUID) -> ItemFacts | None:
    """The facts of a version of the list, None when there is no such version."""
    row = db.session.get(ItemVersion, item_version_id)
    return ItemFacts(**{name: getattr(row, name) for name in ItemFacts.__dataclass_fields__}) if row else None


@dataclass(frozen=True)
class PartialPreview:
    """What can be said of a form that is still being filled in; `reach` is None until an item is chosen."""

    findings: tuple[Finding, ...]
    reach: Reach | None
    thresholds: tuple[HiddenThreshold, ...] = ()
    item: ItemFacts | None = None


def partial_preview(actor: Actor, values: Mapping[str, Any]) -> PartialPreview:
    """Say what the given fields allow to say; fields that are missing or wrong are passed over."""
    known = _readable(values)
    flagged = hidden_thresholds({name: str(known.get(name) or "") for name in CHECKED_TEXTS})
    if actor.organisation_id is None or "item_version_id" not in known:
        return PartialPreview((), None, flagged)
    draft = NoticeDraft(**with_terms({**_BLANK, "registration_ends_at": clock.now(), **known}))
    findings: tuple[Finding, ...] = notice_findings(rule_book_in_force(), draft, owner=actor.organisation_id)
    told = {"budget": {"budget_fen"}, "price": {"price_fen", "budget_fen"}, "ceiling": {"ceiling_fen"}}
    shown = (f for f in findings if told.get(f.field, {f.field}) <= known.keys())
    return PartialPreview(tuple(shown), reach_of(actor, draft), flagged, item_facts(draft.item_version_id))


def _readable(values: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, source in NoticeIn().fields.items():
        value = values.get(name)
        if value in (None, ""):
            continue
        try:
            found[name] = (
                source.deserialize(str(value) if isinstance(value, UUID) else value)
                if isinstance(value, str | UUID)
                else value
            )
        except ValidationError:
            continue
    return found


_BLANK: dict[str, Any] = {
    **dict.fromkeys(
        ("title", "project_name", "region_code", "content", "contact_name", "contact_phone", "complaint_phone"), ""
    ),
    "limit_wd": 1,
    "method": "random",
    "fund_source": "fiscal",
    "budget_fen": 1,
    "price_fen": 1,
}
