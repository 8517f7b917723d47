"""Facts about ratings and measures that other aggregates react to."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class SanctionChanged(Event):
    """A measure came into force, ended, was revoked or repaired; `state` is its `SanctionState`. The standing follows."""

    name: ClassVar[str] = "marketplace.sanction-changed"
    sanction_id: UUID
    organisation_id: UUID
    state: str


@dataclass(frozen=True)
class RatingStruck(Event):
    """An appeal against a rating was granted: it no longer counts."""

    name: ClassVar[str] = "marketplace.rating-struck"
    rating_id: UUID
    agency_organisation_id: UUID
