"""Facts about offers on the shelf."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class ListingPublished(Event):
    """An offer is on the shelf, newly or again, or was changed while there."""

    name: ClassVar[str] = "marketplace.listing-published"
    listing_id: UUID
    agency_id: UUID


@dataclass(frozen=True)
class ListingWithdrawn(Event):
    """An offer is no longer shown: taken off, or suspended."""

    name: ClassVar[str] = "marketplace.listing-withdrawn"
    listing_id: UUID
    agency_id: UUID
    reason: str | None = None
