"""Facts about contracts that other aggregates and domains react to."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class ContractSigned(Event):
    """Both sides have signed; the working-day clock runs from `starts_on` (a Beijing date)."""

    name: ClassVar[str] = "marketplace.contract-signed"
    contract_id: UUID
    procurement_id: UUID
    thread_id: UUID
    owner_organisation_id: UUID
    agency_organisation_id: UUID


@dataclass(frozen=True)
class DeliverableAccepted(Event):
    """The owner accepted the deliverable (or kept silent past the limit and both reminders).

    `case_subject` is the opaque "case:<uuid>" of the approval case that demanded the service, if one did.
    `on_time` is what the working-day clock says.
    """

    name: ClassVar[str] = "marketplace.deliverable-accepted"
    contract_id: UUID
    procurement_id: UUID
    thread_id: UUID
    case_subject: str | None
    file_id: UUID
    title: str
    agency_organisation_id: UUID
    on_time: bool


@dataclass(frozen=True)
class ServiceRated(Event):
    """The owner rated the agency's service; `overall` is the mean of the five dimensions in hundredths (100 to 500)."""

    name: ClassVar[str] = "marketplace.service-rated"
    contract_id: UUID
    agency_organisation_id: UUID
    overall: int
    on_time: bool


@dataclass(frozen=True)
class ContractClosed(Event):
    """Service, payment and rating are done; `on_time` is what the working-day clock says."""

    name: ClassVar[str] = "marketplace.contract-closed"
    contract_id: UUID
    procurement_id: UUID
    agency_organisation_id: UUID
    on_time: bool


@dataclass(frozen=True)
class ContractTerminated(Event):
    """A contract ended before its time.

    `cause` is a `TerminationCause`; `at_fault` the side ("owner", "agency") that broke it, None where nobody is named;
    `was_signed`: both sides had signed, so there may be money to settle.
    """

    name: ClassVar[str] = "marketplace.contract-terminated"
    contract_id: UUID
    procurement_id: UUID
    agency_organisation_id: UUID
    was_signed: bool
    cause: str
    at_fault: str | None
