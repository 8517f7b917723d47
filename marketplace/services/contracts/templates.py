"""Contract templates: kept by the regulator for each item, published in editions that never change."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.commands import Plain
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.models.catalogue import ServiceItem
from marketplace.models.engagement import ContractTemplate, ContractTemplateEdition
from marketplace.policy import Permission
from marketplace.queries.contracts.templates import ALL_ITEMS
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.contract_text import Template, check_template
from marketplace.rules.milestones import read_milestones


@dataclass(frozen=True)
class TemplateContent:
    """A template as the regulator types it; milestones and checklist one a line."""

    title: str
    body: str
    milestones: str
    payment_moment: str
    pay_days: int
    open_fields: tuple[str, ...] = ()
    required_fields: tuple[str, ...] = ()
    checklist: str | None = None
    version: int | None = None


def template_json(template: Template) -> dict[str, Any]:
    """The stored form of a template."""
    return {
        "body": template.body,
        "open_fields": list(template.open_fields),
        "required_fields": list(template.required_fields),
        "milestones": [[one.title, one.share, one.acceptance] for one in template.milestones],
        "checklist": list(template.checklist),
        "payment_moment": str(template.payment_moment),
        "pay_days": template.pay_days,
    }


def _require_keeper(actor: Actor) -> None:
    if not actor.may(Permission.CONTRACT_TEMPLATE_KEEP):
        raise NotAllowed


def _checked(content: TemplateContent) -> Template:
    template = Template(
        body=content.body.replace("\r\n", "\n").strip() + "\n",
        open_fields=content.open_fields,
        required_fields=content.required_fields,
        milestones=read_milestones(content.milestones),
        checklist=tuple(line.strip() for line in (content.checklist or "").splitlines() if line.strip()),
        payment_moment=content.payment_moment,
        pay_days=content.pay_days,
    )
    check_template(template, rule_book_in_force().pay_government_days_max)
    return template


@use_case
def begin_template(actor: Actor, item_id: UUID | None, content: TemplateContent) -> UUID:
    """Begin the template of an item, or of all items without their own. Raises Conflict when there is one, Refused."""
    _require_keeper(actor)
    scope = str(item_id) if item_id else ALL_ITEMS
    if item_id is not None and db.session.get(ServiceItem, item_id) is None:
        raise Refused("item-unknown", N_("Choose an item of the list."), field="item_id")
    if db.session.scalar(select(ContractTemplate.id).where(ContractTemplate.scope == scope)):
        raise Conflict("template-exists", N_("There is already a template for this item. Change that one."))
    row = ContractTemplate(
        id=new_id(),
        thread_id=new_id(),
        scope=scope,
        item_id=item_id,
        title=content.title,
        content=template_json(_checked(content)),
        changed_at=clock.now(),
        changed_by_name=actor.name,
    )
    db.session.add(row)
    db.session.flush()
    record(row, "begun", actor, title=N_("Contract template begun"), detail={"title": row.title})
    return row.id


@use_case
def change_template(actor: Actor, template_id: UUID, content: TemplateContent) -> None:
    """Change the working draft. Contracts and published editions stay as they are."""
    _require_keeper(actor)
    row = lock(ContractTemplate, template_id, seen=content.version)
    row.title, row.content = content.title, template_json(_checked(content))
    row.is_published, row.changed_at, row.changed_by_name = False, clock.now(), actor.name
    record(row, "changed", actor, title=N_("Contract template changed"), detail={"title": row.title})


@use_case
def publish_template(actor: Actor, template_id: UUID, command: Plain) -> None:
    """Publish the draft as the next edition; contracts drawn up from now on use it. Raises Conflict when nothing changed."""
    _require_keeper(actor)
    row = lock(ContractTemplate, template_id, seen=command.version)
    if row.is_published:
        raise Conflict("template-unchanged", N_("Nothing has changed since the last edition."))
    canonical = json.dumps(row.content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    row.edition += 1
    row.is_published = True
    db.session.add(
        ContractTemplateEdition(
            id=new_id(),
            template_id=row.id,
            edition=row.edition,
            title=row.title,
            content=row.content,
            sha256=hashlib.sha256(canonical.encode()).hexdigest(),
            published_at=clock.now(),
            published_by_name=actor.name,
        )
    )
    record(row, "published", actor, title=N_("Contract template published"), detail={"edition": row.edition})
