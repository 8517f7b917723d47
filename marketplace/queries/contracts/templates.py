"""Contract templates: the one that holds for an item, the one a contract was drawn up from, and their pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.kernel.db import db, get
from app.kernel.errors import NotFound
from marketplace.models.catalogue import ItemVersion
from marketplace.models.engagement import ContractTemplate, ContractTemplateEdition
from marketplace.rules.contract_text import STANDARD_TEMPLATE, Template
from marketplace.rules.milestones import MilestonePlan

ALL_ITEMS = "all"


def template_of(content: Mapping[str, Any]) -> Template:
    """The template of its stored form."""
    return Template(
        body=content["body"],
        open_fields=tuple(content["open_fields"]),
        required_fields=tuple(content["required_fields"]),
        milestones=tuple(MilestonePlan(*one) for one in content["milestones"]),
        checklist=tuple(content["checklist"]),
        payment_moment=content["payment_moment"],
        pay_days=content["pay_days"],
    )


def edition_for(item_id: UUID) -> ContractTemplateEdition | None:
    """The newest published edition for an item: its own, else that for all items; None while the standard text holds."""
    statement = (
        select(ContractTemplateEdition)
        .join(ContractTemplate, ContractTemplate.id == ContractTemplateEdition.template_id)
        .where(
            ContractTemplate.scope.in_((str(item_id), ALL_ITEMS)),
            ContractTemplateEdition.edition == ContractTemplate.edition,
        )
        .order_by((ContractTemplate.scope == ALL_ITEMS).asc())
        .limit(1)
    )
    return db.session.scalars(statement).first()


def pinned_template(edition_id: UUID | None) -> Template:
    """The template a contract was drawn up from, whatever has been published since."""
    return template_of(get(ContractTemplateEdition, edition_id).content) if edition_id else STANDARD_TEMPLATE


@dataclass(frozen=True)
class EditionView:
    """One published edition."""

    edition: int
    title: str
    template: Template
    sha256: str
    published_at: datetime
    published_by_name: str


@dataclass(frozen=True)
class TemplateView:
    """A template with its working draft; `item_name` is "" for the one that holds for all items."""

    id: UUID
    item_id: UUID | None
    item_name: str
    title: str
    is_published: bool
    edition: int
    version: int
    template: Template
    changed_at: datetime
    changed_by_name: str
    editions: tuple[EditionView, ...] = ()


def templates() -> tuple[TemplateView, ...]:
    """All templates, that of all items first."""
    rows = db.session.scalars(
        select(ContractTemplate).order_by(ContractTemplate.scope != ALL_ITEMS, ContractTemplate.title)
    )
    found = rows.all()
    names = _item_names({row.item_id for row in found if row.item_id})
    return tuple(_view(row, names) for row in found)


def template_view(template_id: UUID) -> TemplateView:
    """One template with its editions, the newest first. Raises NotFound."""
    row = db.session.get(ContractTemplate, template_id)
    if row is None:
        raise NotFound
    editions = db.session.scalars(
        select(ContractTemplateEdition)
        .where(ContractTemplateEdition.template_id == template_id)
        .order_by(ContractTemplateEdition.edition.desc())
    )
    shown = tuple(
        EditionView(
            one.edition, one.title, template_of(one.content), one.sha256, one.published_at, one.published_by_name
        )
        for one in editions
    )
    return _view(row, _item_names({row.item_id} if row.item_id else set()), shown)


def _view(row: ContractTemplate, names: Mapping[UUID, str], editions: tuple[EditionView, ...] = ()) -> TemplateView:
    return TemplateView(
        id=row.id,
        item_id=row.item_id,
        item_name=names.get(row.item_id, "") if row.item_id else "",
        title=row.title,
        is_published=row.is_published,
        edition=row.edition,
        version=row.version,
        template=template_of(row.content),
        changed_at=row.changed_at,
        changed_by_name=row.changed_by_name,
        editions=editions,
    )


def _item_names(item_ids: set[UUID]) -> dict[UUID, str]:
    newest = (
        select(ItemVersion.item_id, func.max(ItemVersion.version).label("version"))
        .where(ItemVersion.item_id.in_(item_ids))
        .group_by(ItemVersion.item_id)
        .subquery()
    )
    statement = select(ItemVersion.item_id, ItemVersion.name).join(
        newest, (newest.c.item_id == ItemVersion.item_id) & (newest.c.version == ItemVersion.version)
    )
    return {row.item_id: row.name for row in db.session.execute(statement)}
