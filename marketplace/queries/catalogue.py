"""Reads of the service item list."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.catalogue import ItemApproval, ItemVersion, ServiceItem
from marketplace.models.listings import Listing
from marketplace.policy import Permission
from marketplace.rules.item_content import ItemContent
from marketplace.rules.item_diff import FieldChange, differences
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
    change_note: str
    drafted_by: UUID | None
    drafted_by_name: str
    reviewed_by_name: str | None
    reviewed_at: datetime | None
    review_opinion: str | None
    state: str
    effective_from: date | None
    effective_to: date | None
    published_at: datetime | None
    created_at: datetime
    thread_id: UUID
    version: int | None = None  # a version of the list needs no optimistic lock: its states are one-way
    approvals: tuple[str, ...] = ()  # filled where one item is shown, not in lists

    @property
    def title(self) -> str:
        """What pages and forms call it."""
        return self.name

    @property
    def content(self) -> ItemContent:
        """What this version says, as drafting and comparing see it."""
        return ItemContent(**{name: getattr(self, name) for name in _CONTENT})


_CONTENT: Final = tuple(field.name for field in fields(ItemContent) if field.name != "version")
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
    ItemVersion.change_note,
    ItemVersion.drafted_by,
    ItemVersion.drafted_by_name,
    ItemVersion.reviewed_by_name,
    ItemVersion.reviewed_at,
    ItemVersion.review_opinion,
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


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """An item: the version shown, and all its published versions, newest first. `offers` counts offers on the shelf.

    `is_being_amended` says that a next version is being drafted or reviewed (修订中); what applies today stays as it is.
    """

    shown: ItemView
    versions: tuple[ItemView, ...]
    offers: int
    is_being_amended: bool

    @property
    def upcoming(self) -> ItemView | None:
        """The published version that comes into force on a later day, if one is."""
        return next((v for v in self.versions if v.state == ItemVersionState.SCHEDULED), None)


def item_history(item_id: UUID, version_number: int | None = None) -> ItemHistory:
    """An item as the public sees it; a given version, else the one in force, else the latest. Three statements. NotFound."""
    every = [
        ItemView(**row._mapping)  # noqa: SLF001
        for row in db.session.execute(_VIEWS.where(ItemVersion.item_id == item_id).order_by(ItemVersion.version.desc()))
    ]
    versions = tuple(v for v in every if v.published_at is not None)
    wanted = [v for v in versions if version_number is None or v.version_number == version_number]
    if not wanted:
        raise NotFound
    shown = next((v for v in wanted if v.state == ItemVersionState.PUBLISHED), wanted[0])
    offers = db.session.scalar(
        select(func.count())
        .select_from(Listing)
        .where(Listing.item_id == item_id, Listing.state == ListingState.PUBLISHED)
    )
    amended = any(v.state in {ItemVersionState.DRAFT, ItemVersionState.LEGAL_REVIEW} for v in every)
    return ItemHistory(_with_approvals([shown])[0], versions, offers or 0, amended)


def _with_approvals(views: Sequence[ItemView]) -> tuple[ItemView, ...]:
    rows = db.session.execute(
        select(ItemApproval.item_version_id, ItemApproval.approval_code)
        .where(ItemApproval.item_version_id.in_([view.id for view in views]))
        .order_by(ItemApproval.approval_code)
    ).all()
    return tuple(
        replace(view, approvals=tuple(r.approval_code for r in rows if r.item_version_id == view.id)) for view in views
    )


def version_view(actor: Actor, version_id: UUID) -> ItemView:
    """One version for those who keep the list, or for everybody once published. Two statements. NotFound."""
    row = db.session.execute(_VIEWS.where(ItemVersion.id == version_id)).one_or_none()
    if row is None or (row.published_at is None and not actor.may(Permission.CATALOGUE_MANAGE)):
        raise NotFound
    return _with_approvals([ItemView(**row._mapping)])[0]  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of one item, the numbers that can be chosen, and every field in which the two differ."""

    before: ItemView
    after: ItemView
    numbers: tuple[int, ...]
    changes: tuple[FieldChange, ...]


def comparison(actor: Actor, item_id: UUID, before: int | None = None, after: int | None = None) -> Comparison:
    """Two versions of an item side by side: the given ones, else the newest and the one before it. Two statements.

    Keepers may compare what is not published yet; to others it does not exist. Raises NotFound.
    """
    rows = db.session.execute(_VIEWS.where(ItemVersion.item_id == item_id).order_by(ItemVersion.version)).all()
    sees_all = actor.may(Permission.CATALOGUE_MANAGE)
    seen = {r.version_number: ItemView(**r._mapping) for r in rows if sees_all or r.published_at is not None}  # noqa: SLF001
    numbers = tuple(seen)
    second = after if after is not None else max(numbers, default=0)
    first = before if before is not None else max((n for n in numbers if n < second), default=second)
    if first not in seen or second not in seen:
        raise NotFound
    old, new = _with_approvals([seen[first], seen[second]])
    return Comparison(old, new, numbers, differences(old.content, new.content))


@dataclass(frozen=True, slots=True)
class ListedContent:
    """An entry for export and import: its number, what it says now, and whether a version is in work or it was cancelled."""

    code: str
    content: ItemContent
    has_draft: bool
    is_cancelled: bool
    version: int
    state: str
    effective_from: date | None


def listed_contents() -> tuple[ListedContent, ...]:
    """Every item with its latest published content, else its draft's, by number. Two statements."""
    rows = db.session.execute(_VIEWS.order_by(ServiceItem.code, ItemVersion.version)).all()
    by_code: dict[str, list[ItemView]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(ItemView(**row._mapping))  # noqa: SLF001
    shown = _with_approvals([_latest(versions) for versions in by_code.values()])
    in_work = {ItemVersionState.DRAFT, ItemVersionState.LEGAL_REVIEW, ItemVersionState.SCHEDULED}
    return tuple(
        ListedContent(
            view.code,
            replace(view.content, change_note=""),
            any(v.state in in_work for v in by_code[view.code]),
            view.state == ItemVersionState.CANCELLED,
            view.version_number,
            view.state,
            view.effective_from,
        )
        for view in shown
    )


def _latest(versions: list[ItemView]) -> ItemView:
    in_force = [v for v in versions if v.state == ItemVersionState.PUBLISHED]
    published = [v for v in versions if v.published_at is not None]
    return (in_force or published or versions)[-1]


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
    rows = db.session.execute(
        _VIEWS.where(
            or_(
                ItemVersion.state == ItemVersionState.DRAFT,
                # nobody reviews what he wrote
                (ItemVersion.state == ItemVersionState.LEGAL_REVIEW)
                & or_(ItemVersion.drafted_by.is_(None), ItemVersion.drafted_by != actor.user_id),
            )
        )
        .order_by(ItemVersion.state.desc(), ServiceItem.code)
        .limit(50)
    )
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
