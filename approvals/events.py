"""Facts about approval cases."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class CaseDecided(Event):
    """The department decided; `granted` is true for an approval (also one with material to follow)."""

    name: ClassVar[str] = "approvals.case-decided"
    case_id: UUID
    thread_id: UUID
    granted: bool


@dataclass(frozen=True)
class CertificateMade(Event):
    """The certificate centre has made the certificate, so the result can be served."""

    name: ClassVar[str] = "approvals.certificate-made"
    certificate_id: UUID
    case_id: UUID
    thread_id: UUID


@dataclass(frozen=True)
class ResultServed(Event):
    """The result has reached the applicant."""

    name: ClassVar[str] = "approvals.result-served"
    case_id: UUID
    thread_id: UUID
    signer_name: str
