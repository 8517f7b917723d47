"""The published item list as the domain above needs it: what may be demanded for an application of a given day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select

from app.kernel import clock
from app.kernel.db import db
from marketplace.models.catalogue import ItemApproval, ItemVersion, ServiceItem
from marketplace.states.catalogue import ItemVersionState

LOOK_BACK_DAYS: Final = 365  # how long a replaced version is still offered for applications handed in under it


@dataclass(frozen=True)
class ListedItem:
    """One version of a list entry. `effective_to` is the first day on which it no longer applies.

    `approvals` are the numbers of the approvals it serves; none named means that the list restricts it in words only.
    `is_on_list` tells whether any version of the entry is in force today: a cancelled item can no longer be bought.
    """

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
    approvals: tuple[str, ...] = ()
    is_on_list: bool = True


_STATEMENT: Select[*tuple[Any, ...]] = select(ItemVersion, ServiceItem.code).join(
    ServiceItem, ServiceItem.id == ItemVersion.item_id
)


def listed_version(version_id: UUID) -> ListedItem | None:
    """The version with this id, whatever its state, or None. Three statements."""
    row = db.session.execute(_STATEMENT.where(ItemVersion.id == version_id)).first()
    if row is None:
        return None
    codes = db.session.scalars(
        select(ItemApproval.approval_code)
        .where(ItemApproval.item_version_id == version_id)
        .order_by(ItemApproval.approval_code)
    )
    current = db.session.scalar(
        select(ItemVersion.id).where(ItemVersion.item_id == row[0].item_id, in_force_on(clock.today())).limit(1)
    )
    return _item(row[0], row[1], tuple(codes), is_on_list=current is not None)


def in_force_on(day: date) -> ColumnElement[bool]:
    """Whether a version applied, applies or will apply on a Beijing day: told by its dates, whatever has become of it since."""
    return and_(
        ItemVersion.published_at.is_not(None),
        ItemVersion.effective_from <= day,
        or_(ItemVersion.effective_to > day, ItemVersion.effective_to.is_(None) & _APPLIES),
    )


_APPLIES: Final = ItemVersion.state.in_((ItemVersionState.SCHEDULED, ItemVersionState.PUBLISHED))


def versions_in_force(on: date | None = None) -> tuple[ListedItem, ...]:
    """The list entries in force on a Beijing day (today), by their public code. One statement."""
    statement = _STATEMENT.where(in_force_on(on or clock.today())).order_by(ServiceItem.code)
    return tuple(_item(version, code) for version, code in db.session.execute(statement))


def versions_to_demand() -> tuple[ListedItem, ...]:
    """The versions in force today, and those replaced within a year, which older applications were handed in under.

    By code, the newest first. One statement.
    """
    today = clock.today()
    statement = _STATEMENT.where(
        ItemVersion.published_at.is_not(None),
        or_(in_force_on(today), ItemVersion.effective_to > today - timedelta(days=LOOK_BACK_DAYS)),
        ItemVersion.effective_from <= today,
        ItemVersion.state != ItemVersionState.CANCELLED,
    ).order_by(ServiceItem.code, ItemVersion.version.desc())
    return tuple(_item(version, code) for version, code in db.session.execute(statement))


def services_of_approvals(codes: Sequence[str]) -> dict[str, tuple[ListedItem, ...]]:
    """For each of these approvals the services in force that it may ask for. One statement."""
    statement = (
        select(ItemVersion, ServiceItem.code, ItemApproval.approval_code)
        .join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
        .join(ItemApproval, ItemApproval.item_version_id == ItemVersion.id)
        .where(in_force_on(clock.today()), ItemApproval.approval_code.in_(codes))
        .order_by(ServiceItem.code)
    )
    found: dict[str, tuple[ListedItem, ...]] = {}
    for version, code, approval in db.session.execute(statement):
        found[approval] = (*found.get(approval, ()), _item(version, code))
    return found


def _item(version: ItemVersion, code: str, approvals: tuple[str, ...] = (), *, is_on_list: bool = True) -> ListedItem:
    return ListedItem(
        version_id=version.id,
        item_id=version.item_id,
        code=code,
        version=version.version,
        name=version.name,
        name_en=version.name_en,
        category=version.category,
        approval_served=version.approval_served,
        is_published=version.published_at is not None
        and not (version.state == ItemVersionState.CANCELLED and version.effective_to is None),
        effective_from=version.effective_from,
        effective_to=version.effective_to,
        approvals=approvals,
        is_on_list=is_on_list,
    )
