"""Facts about the service item list."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class ItemVersionPublished(Event):
    """A version of a service item came into force; `replaced_id` is the version it supersedes, if any."""

    name: ClassVar[str] = "marketplace.item-version-published"
    item_id: UUID
    item_version_id: UUID
    replaced_id: UUID | None = None


@dataclass(frozen=True)
class ItemVersionScheduled(Event):
    """A version of a service item was published and comes into force on a later day."""

    name: ClassVar[str] = "marketplace.item-version-scheduled"
    item_id: UUID
    item_version_id: UUID


@dataclass(frozen=True)
class ItemCancelled(Event):
    """A service item is no longer in force; nothing may be demanded or offered under it any more."""

    name: ClassVar[str] = "marketplace.item-cancelled"
    item_id: UUID
    item_version_id: UUID
