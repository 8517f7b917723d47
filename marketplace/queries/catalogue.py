"""Reads of the service item list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.listings import Listing
from marketplace.policy import Permission
from marketplace.states.catalogue import ITEM_VERSION, ItemVersionState
from marketplace.states.listing import ListingState


@dataclass(frozen=True, slots=True)
class ItemView:
    """One version of an item with everything it says. `version_number` counts published and drafted versions."""

    id: UUID
    item_id: UUID
    code: str
    version_number: int
    name: str
    name_en: str
    category: str
    approval_served: str
    legal_basis: str
    commissioner: str
    self_preparation_allowed: bool
    qualification_rule: dict[str, Any]
    qualification_text: str
    limit_wd: int | None
    limit_note: str
    pricing_mode: str
    guided_min_fen: int | None
    guided_max_fen: int | None
    price_document: str
    deliverable: str
    description: str
    state: str
    effective_from: date | None
    effective_to: date | None
    published_at: datetime | None
    created_at: datetime
    thread_id: UUID
    version: int | None = None  # a version of the list needs no optimistic lock: its states are one-way

    @property
    def title(self) -> str:
        """What pages and forms call it."""
        return self.name


_COLUMNS = (
    ItemVersion.id,
    ItemVersion.item_id,
    ServiceItem.code,
    ItemVersion.version.label("version_number"),
    ItemVersion.name,
    ItemVersion.name_en,
    ItemVersion.category,
    ItemVersion.approval_served,
    ItemVersion.legal_basis,
    ItemVersion.commissioner,
    ItemVersion.self_preparation_allowed,
    ItemVersion.qualification_rule,
    ItemVersion.qualification_text,
    ItemVersion.limit_wd,
    ItemVersion.limit_note,
    ItemVersion.pricing_mode,
    ItemVersion.guided_min_fen,
    ItemVersion.guided_max_fen,
    ItemVersion.price_document,
    ItemVersion.deliverable,
    ItemVersion.description,
    ItemVersion.state,
    ItemVersion.effective_from,
    ItemVersion.effective_to,
    ItemVersion.published_at,
    ItemVersion.created_at,
    ItemVersion.thread_id,
)
_VIEWS: Select[*tuple[Any, ...]] = select(*_COLUMNS).join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
_IN_FORCE = _VIEWS.where(ItemVersion.state == ItemVersionState.PUBLISHED).order_by(ServiceItem.code)


def items_in_force(category: str | None = None) -> tuple[ItemView, ...]:
    """The list as it stands, in the order of its numbers. One statement."""
    statement = _IN_FORCE.where(ItemVersion.category == category) if category else _IN_FORCE
    return tuple(ItemView(**row._mapping) for row in db.session.execute(statement))  # noqa: SLF001 - SQLAlchemy's own name


def items_by_ids(item_ids: Sequence[UUID]) -> dict[UUID, ItemView]:
    """The versions in force of the given items. One statement."""
    rows = db.session.execute(_IN_FORCE.where(ItemVersion.item_id.in_(item_ids)))
    return {row.item_id: ItemView(**row._mapping) for row in rows}  # noqa: SLF001


def item_choices() -> tuple[tuple[str, str], ...]:
    """(item id, number and name) of every item in force, for a select. One statement."""
    rows = db.session.execute(
        select(ItemVersion.item_id, ServiceItem.code, ItemVersion.name)
        .join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
        .where(ItemVersion.state == ItemVersionState.PUBLISHED)
        .order_by(ServiceItem.code)
    )
    return tuple((str(row.item_id), f"{row.code} {row.name}") for row in rows)


def category_counts() -> dict[str, int]:
    """How many items in force each category has. One statement."""
    rows = db.session.execute(
        select(ItemVersion.category, func.count())
        .where(ItemVersion.state == ItemVersionState.PUBLISHED)
        .group_by(ItemVersion.category)
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """An item: the version shown, and all its published versions, newest first. `offers` counts offers on the shelf."""

    shown: ItemView
    versions: tuple[ItemView, ...]
    offers: int


def item_history(item_id: UUID, version_number: int | None = None) -> ItemHistory:
    """An item as the public sees it; a given version, else the one in force, else the latest. Two statements. NotFound."""
    versions = tuple(
        ItemView(**row._mapping)  # noqa: SLF001
        for row in db.session.execute(
            _VIEWS.where(ItemVersion.item_id == item_id, ItemVersion.published_at.is_not(None)).order_by(
                ItemVersion.version.desc()
            )
        )
    )
    wanted = [v for v in versions if version_number is None or v.version_number == version_number]
    if not wanted:
        raise NotFound
    shown = next((v for v in wanted if v.state == ItemVersionState.PUBLISHED), wanted[0])
    offers = db.session.scalar(
        select(func.count())
        .select_from(Listing)
        .where(Listing.item_id == item_id, Listing.state == ListingState.PUBLISHED)
    )
    return ItemHistory(shown, versions, offers or 0)


def version_view(actor: Actor, version_id: UUID) -> ItemView:
    """One version for those who keep the list, or for everybody once published. One statement. NotFound."""
    row = db.session.execute(_VIEWS.where(ItemVersion.id == version_id)).one_or_none()
    if row is None or (row.published_at is None and not actor.may(Permission.CATALOGUE_MANAGE)):
        raise NotFound
    return ItemView(**row._mapping)  # noqa: SLF001


def versions_statement(state: str | None = None) -> Select[*tuple[Any, ...]]:
    """Every version for those who keep the list, those in work first."""
    statement = _VIEWS.order_by(ItemVersion.published_at.is_(None).desc(), ServiceItem.code, ItemVersion.version.desc())
    return statement.where(ItemVersion.state == state) if state else statement


def view_of(row: Any) -> ItemView:
    """A row of `versions_statement` as a view."""
    return ItemView(**row._mapping)  # noqa: SLF001


def worklist(actor: Actor) -> list[WorkItem]:
    """Versions in work, for those who keep the list. One statement."""
    if not actor.may(Permission.CATALOGUE_MANAGE):
        return []
    open_states = (ItemVersionState.DRAFT, ItemVersionState.LEGAL_REVIEW)
    rows = db.session.execute(_VIEWS.where(ItemVersion.state.in_(open_states)).limit(50))
    return [
        WorkItem(
            turn=Turn.MINE,
            kind=N_("Service item"),
            number=f"{row.code} v{row.version_number}",
            title=row.name,
            state=ITEM_VERSION.labels[ItemVersionState(row.state)],
            step=ITEM_VERSION.next_step[ItemVersionState(row.state)],
            href=f"/catalogue/versions/{row.id}",
            due_at=None,
            updated_at=row.created_at or clock.now(),
        )
        for row in rows
    ]
