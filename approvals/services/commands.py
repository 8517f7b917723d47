"""What the use cases of a case are told: frozen values, built by the schemas and by tests."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.kernel.files import Upload
from approvals.states import ServiceMode, Signatory


@dataclass(frozen=True)
class Receiver:
    """Who receives the courier's envelope, and where. Names of province, city and county, then the street address."""

    name: str
    mobile: str
    prov: str
    city: str
    county: str
    address: str


@dataclass(frozen=True)
class ChooseService:
    """How the result is to reach the applicant. A courier needs receiver, signatory and the letter of authority."""

    mode: ServiceMode
    receiver: Receiver | None = None
    who_may_sign: Signatory | None = None
    mandate_accepted: bool = False
    collection_point_id: UUID | None = None
    fee_mode: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class OrderCollection:
    """A courier fetches originals from the applicant: whence, what, when."""

    sender: Receiver
    papers: tuple[str, ...]
    day: date
    window: str


@dataclass(frozen=True)
class Apply:
    """An application for one approval item at one hall."""

    item_id: UUID
    hall_organisation_id: UUID
    project_name: str
    service: ChooseService
    description: str | None = None
    materials: tuple[Upload, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step that needs nothing but the consent of who takes it."""

    version: int | None = None


@dataclass(frozen=True)
class Reasoned:
    """A step with a written reason."""

    reason: str
    version: int | None = None


@dataclass(frozen=True)
class Correct:
    """What the applicant adds."""

    reason: str
    materials: tuple[Upload, ...] = ()
    version: int | None = None


@dataclass(frozen=True)
class Demand:
    """An intermediary service that is needed, by its version of the published list, and why."""

    item_version_id: UUID
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class Decide:
    """The department's decision in words; the reason is required for anything but a plain approval."""

    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class HandOver:
    """Who collected the result at the window."""

    signer_name: str
    version: int | None = None
