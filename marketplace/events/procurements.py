"""Facts about procurements."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class NoticeSubmitted(Event):
    """An owner's notice waits for the operator's form check."""

    name: ClassVar[str] = "marketplace.notice-submitted"
    procurement_id: UUID


@dataclass(frozen=True)
class NoticeReturned(Event):
    """The form check sent a notice back to its owner."""

    name: ClassVar[str] = "marketplace.notice-returned"
    procurement_id: UUID
    reason: str


@dataclass(frozen=True)
class ProcurementPublished(Event):
    """A notice is public and open for registration, newly or again with a later deadline."""

    name: ClassVar[str] = "marketplace.procurement-published"
    procurement_id: UUID
    thread_id: UUID


@dataclass(frozen=True)
class NoticeRevised(Event):
    """A changed notice is public. With `restarts` the registration period began anew, and everybody who matches is told."""

    name: ClassVar[str] = "marketplace.notice-revised"
    procurement_id: UUID
    notice_version: int
    restarts: bool


@dataclass(frozen=True)
class ProcurementStopped(Event):
    """A public notice was withdrawn or set invalid."""

    name: ClassVar[str] = "marketplace.procurement-stopped"
    procurement_id: UUID
    reason: str


@dataclass(frozen=True)
class RegistrationClosed(Event):
    """The registration deadline has passed."""

    name: ClassVar[str] = "marketplace.registration-closed"
    procurement_id: UUID


@dataclass(frozen=True)
class SelectionDecided(Event):
    """A winner was selected, first or by succession, and the result is in publicity."""

    name: ClassVar[str] = "marketplace.selection-decided"
    procurement_id: UUID
    thread_id: UUID
    winner_organisation_id: UUID


@dataclass(frozen=True)
class ProcurementFailed(Event):
    """No selection was possible; `failure_code` is one of `FailureCode`."""

    name: ClassVar[str] = "marketplace.procurement-failed"
    procurement_id: UUID
    failure_code: str


@dataclass(frozen=True)
class AwardIssued(Event):
    """The publicity ended and the award letter was issued."""

    name: ClassVar[str] = "marketplace.award-issued"
    procurement_id: UUID
    thread_id: UUID
    winner_organisation_id: UUID


@dataclass(frozen=True)
class AwardConfirmed(Event):
    """The winner confirmed; the contract is drawn up in the same transaction."""

    name: ClassVar[str] = "marketplace.award-confirmed"
    procurement_id: UUID
    thread_id: UUID
    winner_organisation_id: UUID
    case_subject: str | None = None


@dataclass(frozen=True)
class WinnerLost(Event):
    """The winner gave up, lapsed or was struck out; the next of the ranking waits for approval."""

    name: ClassVar[str] = "marketplace.winner-lost"
    procurement_id: UUID
    organisation_id: UUID
    cause: str


@dataclass(frozen=True)
class ComparisonOpened(Event):
    """The owner may compare: the quotes are opened, or the small list is drawn."""

    name: ClassVar[str] = "marketplace.comparison-opened"
    procurement_id: UUID


@dataclass(frozen=True)
class DirectRequested(Event):
    """An owner asks for a direct selection; somebody has to decide it."""

    name: ClassVar[str] = "marketplace.direct-requested"
    procurement_id: UUID
    public_money: bool
