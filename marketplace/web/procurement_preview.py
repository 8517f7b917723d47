"""What the publish form shows while it is filled in: findings of the rules and how many agencies qualify."""

from dataclasses import dataclass

from sqlalchemy import select

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotAllowed
from marketplace.models.catalogue import ItemVersion
from marketplace.queries.candidates import owner_uscc
from marketplace.queries.procurements import Reach, reach
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.eligibility import Demand, raise_grade
from marketplace.rules.selection.gates import Finding
from marketplace.services.commands import Avoided, NoticeDraft
from marketplace.services.procurements import notice_findings


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
    return reach(command.item_version_id, demand, rule_book_version=book.version, fund_source=command.fund_source)


def _by_code(avoided: tuple[Avoided, ...]) -> dict[str, str]:
    return {conflict.uscc: conflict.reason for conflict in avoided}
