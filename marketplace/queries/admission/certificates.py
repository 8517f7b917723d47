"""Certificates and practitioners as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.agencies import Agency, Practitioner, Qualification
from marketplace.policy import sees_file
from marketplace.states.agency import PractitionerState, QualificationState


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate; `days_left` counts calendar days to its last valid day, None when it is unlimited."""

    id: UUID
    agency_id: UUID
    kind: str
    grade: str
    number: str
    issuer: str
    issued_on: date | None
    expires_on: date | None
    state: str
    file_id: UUID | None
    version: int
    thread_id: UUID
    practitioner_id: UUID | None

    @property
    def title(self) -> str:
        """What pages call it."""
        return self.number

    @property
    def days_left(self) -> int | None:
        """Calendar days until it is no longer valid."""
        return None if self.expires_on is None else (self.expires_on - clock.today()).days

    @property
    def is_expiring(self) -> bool:
        """Valid for at most 90 days more (临期)."""
        left = self.days_left
        return self.state == QualificationState.VALID and left is not None and 0 <= left <= 90


@dataclass(frozen=True, slots=True)
class PractitionerView:
    """A practitioner with the certificates; `name` is whole for those who may open the file, else masked."""

    id: UUID
    agency_id: UUID
    organisation_id: UUID
    thread_id: UUID
    name: str
    id_masked: str
    is_full_time: bool
    job_title: str
    employed_from: date
    leaves_on: date | None
    insurance_file_id: UUID | None
    state: str
    version: int
    certificates: tuple[CertificateView, ...] = ()

    @property
    def title(self) -> str:
        """What pages call it."""
        return self.name

    @property
    def is_on_staff(self) -> bool:
        """Whether the person belongs to the agency now, checked or being checked."""
        return self.state in {PractitionerState.PENDING, PractitionerState.VALID}


CERTIFICATES: Select[*tuple[Any, ...]] = select(
    Qualification.id,
    Qualification.agency_id,
    Qualification.kind,
    Qualification.grade,
    Qualification.number,
    Qualification.issuer,
    Qualification.issued_on,
    Qualification.expires_on,
    Qualification.state,
    Qualification.file_id,
    Qualification.version,
    Qualification.thread_id,
    Qualification.practitioner_id,
)


def certificates_of(agency_id: UUID) -> tuple[CertificateView, ...]:
    """Every certificate of an agency, the soonest to expire first. One statement."""
    order = (Qualification.expires_on.is_(None), Qualification.expires_on, Qualification.number)
    rows = db.session.execute(CERTIFICATES.where(Qualification.agency_id == agency_id).order_by(*order))
    return tuple(CertificateView(*row) for row in rows)


_PRACTITIONERS: Select[*tuple[Any, ...]] = select(
    Practitioner.id,
    Practitioner.agency_id,
    Practitioner.organisation_id,
    Practitioner.thread_id,
    Practitioner.name,
    Practitioner.id_masked,
    Practitioner.is_full_time,
    Practitioner.title,
    Practitioner.employed_from,
    Practitioner.leaves_on,
    Practitioner.insurance_file_id,
    Practitioner.state,
    Practitioner.version,
)


def practitioners_of(agency_id: UUID, certificates: Sequence[CertificateView]) -> tuple[PractitionerView, ...]:
    """The people of an agency with what they hold of `certificates`, those who left last. One statement."""
    order = (Practitioner.state == PractitionerState.LEFT, Practitioner.name, Practitioner.id)
    rows = db.session.execute(_PRACTITIONERS.where(Practitioner.agency_id == agency_id).order_by(*order))
    return tuple(_person(row, certificates) for row in rows)


def practitioner(actor: Actor, practitioner_id: UUID) -> PractitionerView:
    """One practitioner, for the agency and those who check. Three statements. Raises NotFound."""
    row = db.session.execute(_PRACTITIONERS.where(Practitioner.id == practitioner_id)).one_or_none()
    agency = db.session.get(Agency, row.agency_id) if row else None
    if row is None or agency is None or not sees_file(actor, agency):
        raise NotFound
    held = db.session.execute(CERTIFICATES.where(Qualification.practitioner_id == practitioner_id))
    return _person(row, [CertificateView(*one) for one in held])


def _person(row: Any, certificates: Sequence[CertificateView]) -> PractitionerView:
    return replace(PractitionerView(*row), certificates=tuple(c for c in certificates if c.practitioner_id == row.id))


def certificate(actor: Actor, qualification_id: UUID) -> CertificateView:
    """One certificate, for its agency and those who check it. Two statements. Raises NotFound."""
    row = db.session.execute(CERTIFICATES.where(Qualification.id == qualification_id)).one_or_none()
    agency = db.session.get(Agency, row.agency_id) if row else None
    if row is None or agency is None or not sees_file(actor, agency):
        raise NotFound
    return CertificateView(*row)
