"""Facts about agencies and their certificates."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class AgencySubmitted(Event):
    """An agency asks for admission; the form check is due."""

    name: ClassVar[str] = "marketplace.agency-submitted"
    agency_id: UUID


@dataclass(frozen=True)
class AgencyReturned(Event):
    """The form check found something to correct, or the admission was refused."""

    name: ClassVar[str] = "marketplace.agency-returned"
    agency_id: UUID
    reason: str
    is_final: bool


@dataclass(frozen=True)
class AgencyAdmitted(Event):
    """An agency joined the directory."""

    name: ClassVar[str] = "marketplace.agency-admitted"
    agency_id: UUID


@dataclass(frozen=True)
class AgencyStandingChanged(Event):
    """An agency's standing changed: restricted, suspended, blacklisted, restored, leaving, gone; its offers follow."""

    name: ClassVar[str] = "marketplace.agency-standing-changed"
    agency_id: UUID
    state: str


@dataclass(frozen=True)
class AgencyDetailsChanged(Event):
    """Name, region or another public particular of an agency changed."""

    name: ClassVar[str] = "marketplace.agency-details-changed"
    agency_id: UUID


@dataclass(frozen=True)
class QualificationChanged(Event):
    """A certificate became valid, expired or was revoked; what the agency may offer follows."""

    name: ClassVar[str] = "marketplace.qualification-changed"
    agency_id: UUID
    qualification_id: UUID
    state: str


@dataclass(frozen=True)
class PractitionerChanged(Event):
    """A practitioner joined or left an agency; what the agency may offer follows."""

    name: ClassVar[str] = "marketplace.practitioner-changed"
    agency_id: UUID
    practitioner_id: UUID
    state: str
