"""Use cases of the service item list: drafting, legality review, publication and cancelling of versions."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from importlib.resources import files
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.money import Money
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import ItemCancelled, ItemVersionPublished
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.policy import Permission, base_parts
from marketplace.rules.categories import Category
from marketplace.rules.qualifications import check_rule
from marketplace.states.catalogue import ITEM_VERSION, Commissioner, ItemVersionState, PricingMode
from marketplace.states.parts import Part


@dataclass(frozen=True)
class ItemContent:
    """Everything one version of an item says. `limit_wd` None means: by contract. Guided prices in fen."""

    name: str
    name_en: str
    category: str
    approval_served: str
    legal_basis: str
    qualification_text: str
    deliverable: str
    limit_wd: int | None = None
    limit_note: str = ""
    commissioner: str = Commissioner.APPLICANT
    self_preparation_allowed: bool = False
    qualification_rule: dict[str, Any] = field(default_factory=dict)
    pricing_mode: str = PricingMode.MARKET
    guided_min_fen: int | None = None
    guided_max_fen: int | None = None
    price_document: str = ""
    description: str = ""
    version: int | None = None  # not part of the content; what the form carries along


@use_case
def draft_item(actor: Actor, content: ItemContent, *, code: str | None = None) -> UUID:
    """Begin a new entry of the list; returns the id of its first version. Raises Refused, Conflict for a taken code."""
    _require_keeper(actor)
    chosen = code or _next_code()
    if db.session.scalar(select(ServiceItem.id).where(ServiceItem.code == chosen)):
        raise Conflict("item-code-taken", N_("There is already an item with this number."))
    item = ServiceItem(id=new_id(), code=chosen, created_at=clock.now())
    db.session.add(item)
    return _add_version(actor, item.id, 1, content)


@use_case
def draft_version(actor: Actor, item_id: UUID, content: ItemContent) -> UUID:
    """Begin the next version of an entry; the one in force stays in force until the new one is published.

    Raises Conflict while another version of it is being drafted.
    """
    _require_keeper(actor)
    lock(ServiceItem, item_id)
    if _open_draft(item_id) is not None:
        raise Conflict("draft-open", N_("A new version of this item is already being drafted."))
    latest = db.session.scalar(select(func.max(ItemVersion.version)).where(ItemVersion.item_id == item_id)) or 0
    return _add_version(actor, item_id, latest + 1, content)


@use_case
def change_draft(actor: Actor, version_id: UUID, content: ItemContent) -> None:
    """Change a version that was not published yet. Raises Conflict for any other, Refused for wrong content."""
    _require_keeper(actor)
    version = lock(ItemVersion, version_id)
    if version.state != ItemVersionState.DRAFT:
        raise Conflict("version-fixed", N_("Only a draft can be changed. A published version never changes."))
    _write(version, content)
    record(version, "changed", actor, title=N_("Draft changed"))


@use_case
def submit(actor: Actor, version_id: UUID, command: Plain) -> None:  # noqa: ARG001 - every action has an input
    """Send a draft to legality review."""
    version = lock(ItemVersion, version_id)
    move(version, ITEM_VERSION, "submit", actor, _parts(actor))


@use_case
def return_to_draft(actor: Actor, version_id: UUID, command: WithReason) -> None:
    """Return a version from legality review with the reason."""
    version = lock(ItemVersion, version_id)
    move(version, ITEM_VERSION, "return", actor, _parts(actor), reason=command.reason)


@use_case
def publish(actor: Actor, version_id: UUID, command: Plain) -> None:  # noqa: ARG001
    """Put a reviewed version into force from today; the version before it is superseded in the same moment."""
    version = lock(ItemVersion, version_id)
    lock(ServiceItem, version.item_id)
    replaced = db.session.scalar(
        select(ItemVersion).where(
            ItemVersion.item_id == version.item_id, ItemVersion.state == ItemVersionState.PUBLISHED
        )
    )
    if replaced is not None and ITEM_VERSION.edge("publish", version.state):
        replaced.effective_to = clock.today()
        move(replaced, ITEM_VERSION, "supersede", SYSTEM, {Part.SYSTEM}, public=True)
        db.session.flush()  # one version of an item in force at a time: the index must see the old one go first
    version.effective_from = version.effective_from or clock.today()
    version.published_at = version.published_at or clock.now()
    move(
        version,
        ITEM_VERSION,
        "publish",
        actor,
        _parts(actor),
        event=ItemVersionPublished(version.item_id, version.id, replaced.id if replaced else None),
        public=True,
    )


@use_case
def cancel(actor: Actor, version_id: UUID, command: WithReason) -> None:
    """Take an item off the list, or drop a draft; nothing new can be offered or bought under it."""
    version = lock(ItemVersion, version_id)
    was_in_force = version.state == ItemVersionState.PUBLISHED
    if was_in_force:
        version.effective_to = clock.today()
    move(version, ITEM_VERSION, "cancel", actor, _parts(actor), reason=command.reason, public=was_in_force)
    if was_in_force:
        record(
            version,
            "cancelled",
            actor,
            title=N_("Item taken off the list"),
            public=True,
            event=ItemCancelled(version.item_id, version.id),
        )


@use_case
def load_item_list(actor: Actor) -> int:
    """Publish every entry of the shipped list that is not there yet, through the same steps as any other entry."""
    known = set(db.session.scalars(select(ServiceItem.code)))
    loaded = 0
    for code, content in shipped_items():
        if code not in known:
            _load(actor, code, content)
            loaded += 1
    return loaded


def _load(actor: Actor, code: str, content: ItemContent) -> None:
    version_id = draft_item(actor, content, code=code)
    submit(actor, version_id, Plain())
    publish(actor, version_id, Plain())


def shipped_items() -> Iterator[tuple[str, ItemContent]]:
    """The item list that comes with the product: (code, content)."""
    text = files("marketplace").joinpath("data/service-items.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        yield (
            row["code"],
            ItemContent(
                name=row["name"],
                name_en=row["name_en"],
                category=row["category"],
                approval_served=row["approval_served"],
                legal_basis=row["legal_basis"],
                commissioner=row["commissioner"],
                self_preparation_allowed=row["self_preparation_allowed"] == "yes",
                qualification_rule=json.loads(row["qualification_rule"]),
                qualification_text=row["qualification_text"],
                limit_wd=int(row["limit_wd"]) if row["limit_wd"] else None,
                limit_note=row["limit_note"],
                pricing_mode=row["pricing_mode"],
                guided_min_fen=_fen(row["guided_min_yuan"]),
                guided_max_fen=_fen(row["guided_max_yuan"]),
                price_document=row["price_document"],
                deliverable=row["deliverable"],
            ),
        )


def _fen(yuan: str) -> int | None:
    return Money.from_yuan(yuan).fen if yuan else None


def _parts(actor: Actor) -> frozenset[Part]:
    return frozenset(base_parts(actor))


def _require_keeper(actor: Actor) -> None:
    if not (actor.may(Permission.CATALOGUE_MANAGE) or actor.is_system):
        raise NotAllowed


def _add_version(actor: Actor, item_id: UUID, number: int, content: ItemContent) -> UUID:
    version = ItemVersion(
        id=new_id(),
        item_id=item_id,
        thread_id=item_id,
        version=number,
        state=ItemVersionState.DRAFT,
        created_at=clock.now(),
    )
    _write(version, content)
    db.session.add(version)
    record(version, "drafted", actor, title=N_("Version drafted"))
    return version.id


def _write(version: ItemVersion, content: ItemContent) -> None:
    _check(content)
    for column in fields(content):
        if column.name != "version":
            setattr(version, column.name, getattr(content, column.name))
    version.by_contract = content.limit_wd is None


def _check(content: ItemContent) -> None:
    if content.category not in set(Category):
        raise Refused("unknown-category", N_("Choose one of the categories."), field="category")
    try:
        check_rule(content.qualification_rule)
    except ValueError as failure:
        raise Refused(
            "qualification-rule", N_("The qualification rule cannot be read."), field="qualification_rule"
        ) from failure
    if content.pricing_mode != PricingMode.MARKET and content.guided_max_fen is None:
        raise Refused("price-range-missing", N_("State the highest government price."), field="guided_max")
    low, high = content.guided_min_fen, content.guided_max_fen
    if low is not None and high is not None and low > high:
        raise Refused("price-range", N_("The lowest price is above the highest."), field="guided_min")


def _open_draft(item_id: UUID) -> UUID | None:
    return db.session.scalar(
        select(ItemVersion.id).where(
            ItemVersion.item_id == item_id,
            ItemVersion.state.in_((ItemVersionState.DRAFT, ItemVersionState.LEGAL_REVIEW)),
        )
    )


def _next_code() -> str:
    latest = db.session.scalar(select(func.max(ServiceItem.code)).where(ServiceItem.code.like("ZJ-%"))) or "ZJ-000"
    return f"ZJ-{int(latest.removeprefix('ZJ-')) + 1:03d}"
