"""Use cases of the service item list: drafting, legality review, publication, coming into force and cancelling of versions."""

from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.documents.item_list import shipped_items
from marketplace.events import ItemCancelled, ItemVersionPublished, ItemVersionScheduled
from marketplace.models.catalogue import ItemApproval, ItemVersion, ServiceItem
from marketplace.policy import Permission, base_parts
from marketplace.rules.item_content import ItemContent, problems
from marketplace.states.catalogue import ITEM_VERSION, ItemVersionState
from marketplace.states.parts import Part

__all__ = ["ItemContent", "Review", "Schedule", "shipped_items"]
IN_WORK = (ItemVersionState.DRAFT, ItemVersionState.LEGAL_REVIEW, ItemVersionState.SCHEDULED)


@dataclass(frozen=True)
class Review:
    """The outcome of a legality review that finds no fault: on what it rests."""

    opinion: str
    version: int | None = None


@dataclass(frozen=True)
class Schedule:
    """The same, with the later Beijing day from which the version applies."""

    opinion: str
    effective_from: date
    version: int | None = None


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
    """Begin the next version of an entry; the one in force stays in force until the new one is.

    Raises Conflict while another version of it is in work.
    """
    _require_keeper(actor)
    lock(ServiceItem, item_id)
    versions = db.session.execute(
        select(ItemVersion.version, ItemVersion.state).where(ItemVersion.item_id == item_id)
    ).all()
    if any(row.state in IN_WORK for row in versions):
        raise Conflict("draft-open", N_("A new version of this item is already being drafted."))
    return _add_version(actor, item_id, max((row.version for row in versions), default=0) + 1, content)


@use_case
def change_draft(actor: Actor, version_id: UUID, content: ItemContent) -> None:
    """Change a version that was not published yet. Raises Conflict for any other, Refused for wrong content."""
    _require_keeper(actor)
    version = lock(ItemVersion, version_id)
    if version.state != ItemVersionState.DRAFT:
        raise Conflict("version-fixed", N_("Only a draft can be changed. A published version never changes."))
    _write(actor, version, content)
    record(version, "changed", actor, title=N_("Draft changed"))


@use_case
def submit(actor: Actor, version_id: UUID, command: Plain) -> None:  # noqa: ARG001 - every action has an input
    """Send a draft to legality review, and tell those who may review it."""
    version = lock(ItemVersion, version_id)
    move(version, ITEM_VERSION, "submit", actor, _parts(actor))
    notify(
        to_role=Role.REGULATOR,
        kind="catalogue.review",
        subject=N_("Legality review: %(name)s"),
        text=N_("A version of the service item “%(name)s” waits for its legality review."),
        link=f"/catalogue/versions/{version.id}",
        thread_id=version.thread_id,
        params={"name": version.name},
    )


@use_case
def return_to_draft(actor: Actor, version_id: UUID, command: WithReason) -> None:
    """Return a version from legality review with the reason; its author is told."""
    version = lock(ItemVersion, version_id)
    move(version, ITEM_VERSION, "return", actor, _parts(actor), reason=command.reason)
    _tell_author(version, N_("Returned from legality review: %(name)s"), command.reason)


@use_case
def publish(actor: Actor, version_id: UUID, command: Review) -> None:
    """Find a version legal and put it into force today; the one before it is superseded in the same moment.

    Raises Refused ("review-by-another") for its own author: nobody reviews what he wrote.
    """
    version = lock(ItemVersion, version_id)
    lock(ServiceItem, version.item_id)
    if ITEM_VERSION.edge("publish", version.state):
        _review(actor, version, command.opinion)
        version.effective_from = clock.today()
        version.published_at = clock.now()
    _come_into_force("publish", version, actor)


@use_case
def schedule(actor: Actor, version_id: UUID, command: Schedule) -> None:
    """Find a version legal and publish it with the later day on which it comes into force.

    Until that day the version before it applies, and says until when. Raises Refused for a day that is not later than today.
    """
    version = lock(ItemVersion, version_id)
    lock(ServiceItem, version.item_id)
    event = ItemVersionScheduled(version.item_id, version.id)
    if ITEM_VERSION.edge("schedule", version.state):
        if command.effective_from <= clock.today():
            raise Refused("day-not-later", N_("Choose a day after today."), field="effective_from")
        _review(actor, version, command.opinion)
        version.effective_from, version.published_at = command.effective_from, clock.now()
        replaced = _in_force(version.item_id)
        if replaced is not None:
            replaced.effective_to = command.effective_from
    move(version, ITEM_VERSION, "schedule", actor, _parts(actor), event=event, public=True)


def take_effect_due() -> int:
    """Put every scheduled version whose day has come into force. Returns how many."""
    due = db.session.scalars(
        select(ItemVersion.id)
        .where(ItemVersion.state == ItemVersionState.SCHEDULED, ItemVersion.effective_from <= clock.today())
        .order_by(ItemVersion.effective_from, ItemVersion.id)
    ).all()
    return sum(_take_effect(version_id) for version_id in due)


@use_case
def _take_effect(version_id: UUID) -> bool:
    version = lock(ItemVersion, version_id)
    lock(ServiceItem, version.item_id)
    if version.state != ItemVersionState.SCHEDULED:
        return False
    _come_into_force("take_effect", version, SYSTEM)
    return True


def _come_into_force(action: str, version: ItemVersion, actor: Actor) -> None:
    replaced = _in_force(version.item_id)
    may = ITEM_VERSION.edge(action, version.state)
    if replaced is not None and may:
        replaced.effective_to = version.effective_from
        move(replaced, ITEM_VERSION, "supersede", SYSTEM, {Part.SYSTEM}, public=True)
        db.session.flush()  # one version of an item in force at a time: the index must see the old one go first
    event = ItemVersionPublished(version.item_id, version.id, replaced.id if replaced else None)
    parts = {Part.SYSTEM} if actor.is_system and action == "take_effect" else _parts(actor)
    move(version, ITEM_VERSION, action, actor, parts, event=event, public=True)


@use_case
def cancel(actor: Actor, version_id: UUID, command: WithReason) -> None:
    """Take an item off the list, or drop a version that is not in force; nothing new can be offered or bought under it.

    A scheduled version that is dropped never applies: the one before it goes on.
    """
    version = lock(ItemVersion, version_id)
    before = version.state
    if before == ItemVersionState.PUBLISHED:
        version.effective_to = clock.today()
    elif before == ItemVersionState.SCHEDULED:
        version.effective_to = version.effective_from
        current = _in_force(version.item_id)
        if current is not None:
            current.effective_to = None
    was_public = before in {ItemVersionState.PUBLISHED, ItemVersionState.SCHEDULED}
    move(version, ITEM_VERSION, "cancel", actor, _parts(actor), reason=command.reason, public=was_public)
    if before == ItemVersionState.PUBLISHED:
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
    """Publish every entry of the shipped list that is not there yet, through the same steps as any other entry.

    Its author is the product, so the actor who loads it is the other person who reviews it.
    """
    _require_keeper(actor)
    known = set(db.session.scalars(select(ServiceItem.code)))
    loaded = 0
    for code, content in shipped_items():
        if code not in known:
            version_id = draft_item(SYSTEM, content, code=code)
            submit(actor, version_id, Plain())
            publish(actor, version_id, Review("随产品附带的清单，依据已核。"))
            loaded += 1
    return loaded


def _parts(actor: Actor) -> frozenset[Part]:
    return frozenset(base_parts(actor))


def _require_keeper(actor: Actor) -> None:
    if not (actor.may(Permission.CATALOGUE_MANAGE) or actor.is_system):
        raise NotAllowed


def _review(actor: Actor, version: ItemVersion, opinion: str) -> None:
    if actor.user_id is not None and actor.user_id == version.drafted_by:
        raise Refused(
            "review-by-another", N_("Nobody reviews what he wrote: another person must publish this version.")
        )
    version.reviewed_by, version.reviewed_by_name = actor.user_id, actor.name
    version.reviewed_at, version.review_opinion = clock.now(), opinion


def _tell_author(version: ItemVersion, subject: str, reason: str) -> None:
    if version.drafted_by is not None:
        notify(
            to_user=version.drafted_by,
            kind="catalogue.returned",
            subject=subject,
            text=N_("Reason: %(reason)s"),
            link=f"/catalogue/versions/{version.id}",
            thread_id=version.thread_id,
            params={"name": version.name, "reason": reason},
        )


def _add_version(actor: Actor, item_id: UUID, number: int, content: ItemContent) -> UUID:
    version = ItemVersion(
        id=new_id(),
        item_id=item_id,
        thread_id=item_id,
        version=number,
        state=ItemVersionState.DRAFT,
        created_at=clock.now(),
    )
    _write(actor, version, content)
    record(version, "drafted", actor, title=N_("Version drafted"))
    return version.id


def _write(actor: Actor, version: ItemVersion, content: ItemContent) -> None:
    found = problems(content)
    if found:
        first = found[0]
        raise Refused(first.code, first.message, field=first.field, params=dict(first.params))
    for column in fields(content):
        if column.name not in {"version", "approvals"}:
            setattr(version, column.name, getattr(content, column.name))
    version.by_contract = content.limit_wd is None
    version.drafted_by, version.drafted_by_name = actor.user_id, actor.name
    db.session.add(version)
    db.session.flush()
    db.session.execute(delete(ItemApproval).where(ItemApproval.item_version_id == version.id))
    db.session.add_all(
        ItemApproval(item_version_id=version.id, approval_code=c) for c in dict.fromkeys(content.approvals)
    )


def _in_force(item_id: UUID) -> ItemVersion | None:
    return db.session.scalar(
        select(ItemVersion).where(ItemVersion.item_id == item_id, ItemVersion.state == ItemVersionState.PUBLISHED)
    )


def _next_code() -> str:
    codes = db.session.scalars(select(ServiceItem.code).where(ServiceItem.code.like("ZJ-%")))
    numbers = (code.removeprefix("ZJ-") for code in codes)
    return f"ZJ-{max((int(n) for n in numbers if n.isdecimal()), default=0) + 1:03d}"
