"""Inputs of the use cases of challenges, frozen."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.kernel.files import Upload
from marketplace.rules.challenges import ComplaintType, Effect, Side


@dataclass(frozen=True)
class Plea:
    """What every challenge states: what is asked for, why, how to reach the challenger, and its evidence."""

    claim: str
    grounds: str
    contact_phone: str
    contact_email: str | None = None
    files: tuple[Upload, ...] = ()


@dataclass(frozen=True)
class FileObjection(Plea):
    """An objection or query against a procurement; `matter` is a `Window.key`, for example "objection:result"."""

    matter: str = ""


@dataclass(frozen=True)
class FileComplaint(Plea):
    """A complaint. At most one of the ids says where it comes from; `known_on` is the Beijing day on which the fact became known."""

    complaint_type: ComplaintType = ComplaintType.DELAY
    against: Side = Side.OTHER
    against_name: str | None = None
    known_on: date | None = None
    reference: str | None = None
    previous_id: UUID | None = None
    procurement_id: UUID | None = None
    contract_id: UUID | None = None
    agency_id: UUID | None = None


@dataclass(frozen=True)
class FileOffListReport(Plea):
    """A report that a department demanded an intermediary service outside the item list."""

    department: str = ""
    demanded: str = ""
    approval: str | None = None


@dataclass(frozen=True)
class Uphold:
    """An answer in favour. `excluded_registration_id` names the agency to be left out, where the effect is `exclude`."""

    decision: str
    public_summary: str
    effect: Effect = Effect.NONE
    excluded_registration_id: UUID | None = None
    version: int | None = None


@dataclass(frozen=True)
class Reject:
    """An answer against."""

    decision: str
    public_summary: str
    version: int | None = None


@dataclass(frozen=True)
class AcceptComplaint:
    """The complaint is examined; `suspend` lets the procurement stand still meanwhile."""

    suspend: bool = False
    version: int | None = None


@dataclass(frozen=True)
class ExtendLimit:
    """A later day for the decision, once, with the reason."""

    until: date
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class State:
    """A statement of one side with its evidence."""

    text: str
    files: tuple[Upload, ...] = ()
    version: int | None = None
