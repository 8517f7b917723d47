"""The published item list as the domain above needs it: what may be demanded today."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select

from app.kernel import clock
from app.kernel.db import db
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.states.catalogue import ItemVersionState


@dataclass(frozen=True)
class ListedItem:
    """One version of a list entry. `effective_to` is the first day on which it no longer applies."""

    version_id: UUID
    item_id: UUID
    code: str
    version: int
    name: str
    name_en: str
    category: str
    approval_served: str
    is_published: bool
    effective_from: date | None
    effective_to: date | None


_STATEMENT = select(ItemVersion, ServiceItem.code).join(ServiceItem, ServiceItem.id == ItemVersion.item_id)


def listed_version(version_id: UUID) -> ListedItem | None:
    """The version with this id, whatever its state, or None."""
    row = db.session.execute(_STATEMENT.where(ItemVersion.id == version_id)).first()
    return _item(row[0], row[1]) if row else None


def versions_in_force(on: date | None = None) -> tuple[ListedItem, ...]:
    """The list entries in force on a Beijing day (today), by their public code."""
    day = on or clock.today()
    statement = _STATEMENT.where(
        ItemVersion.state == ItemVersionState.PUBLISHED,
        ItemVersion.effective_from <= day,
        or_(ItemVersion.effective_to.is_(None), ItemVersion.effective_to > day),
    ).order_by(ServiceItem.code)
    return tuple(_item(version, code) for version, code in db.session.execute(statement))


def _item(version: ItemVersion, code: str) -> ListedItem:
    return ListedItem(
        version_id=version.id,
        item_id=version.item_id,
        code=code,
        version=version.version,
        name=version.name,
        name_en=version.name_en,
        category=version.category,
        approval_served=version.approval_served,
        is_published=version.state == ItemVersionState.PUBLISHED,
        effective_from=version.effective_from,
        effective_to=version.effective_to,
    )
