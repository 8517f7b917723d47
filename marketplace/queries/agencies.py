"""Public reads of agencies: the directory, and one agency with its certificates, offers and record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.agencies import Agency, AgencyRecord
from marketplace.models.listings import Listing
from marketplace.models.procurements import Procurement
from marketplace.policy import sees_file
from marketplace.queries.admission import (
    CertificateView,
    MeasureView,
    certificates_of,
    measures_of,
    practitioners_of,
    worklist,
)
from marketplace.rules.people import masked_name
from marketplace.states.agency import ADMITTED, IN_BUSINESS, AgencyState, PractitionerState, QualificationState
from marketplace.states.listing import ListingState

__all__ = [
    "agencies_by_ids",
    "agency_profile",
    "directory",
    "worklist",
]  # the worklist of admissions is this aggregate's

# What the public may know of: from the publicity on. A suspended, blacklisted or removed agency stays visible, and says so.
PUBLIC_STATES = (AgencyState.PUBLICITY, *sorted(ADMITTED), AgencyState.EXITED, AgencyState.REMOVED)
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Record:
    """An agency's record: finished services, how many on time, ratings in hundredths of a star."""

    awards: int
    delivered: int
    delivered_on_time: int
    rating_count: int
    rating_sum: int

    @property
    def on_time(self) -> int | None:
        """Per mille of services delivered on time; None before the first."""
        return 1000 * self.delivered_on_time // self.delivered if self.delivered else None

    @property
    def rating(self) -> int | None:
        """The mean rating in hundredths of a star; None before the first."""
        return round(self.rating_sum / self.rating_count) if self.rating_count else None


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """One row of the directory."""

    id: UUID
    name: str
    region_code: str
    state: str
    admitted_at: datetime | None
    offers: int
    record: Record


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """Rows by name; `next` continues after the last, None at the end."""

    rows: tuple[AgencyRow, ...]
    next: str | None


_OFFERS = (
    select(func.count())
    .select_from(Listing)
    .where(Listing.agency_id == Agency.id, Listing.state == ListingState.PUBLISHED)
    .correlate(Agency)
    .scalar_subquery()
)
_RECORD = tuple(
    func.coalesce(column, 0)
    for column in (
        AgencyRecord.awards,
        AgencyRecord.delivered,
        AgencyRecord.delivered_on_time,
        AgencyRecord.rating_count,
        AgencyRecord.rating_sum,
    )
)
_ROWS: Select[*tuple[Any, ...]] = (
    select(Agency.id, Agency.name, Agency.region_code, Agency.state, Agency.admitted_at, _OFFERS, *_RECORD)
    .outerjoin(AgencyRecord, AgencyRecord.agency_id == Agency.id)
    .order_by(Agency.name, Agency.id)
)


def _row(values: Any) -> AgencyRow:
    identifier, name, region_code, state, admitted_at, offers, *counts = values
    return AgencyRow(identifier, name, region_code, state, admitted_at, offers, Record(*counts))


def directory(city: str | None = None, after: str | None = None, states: tuple[str, ...] = ()) -> DirectoryPage:
    """One page of the directory in the order of names, continued by key, not by counting. One statement.

    `after` is what `next` of the page before said; one nobody gave is read as the beginning.
    """
    statement = _ROWS.where(Agency.state.in_(states or sorted(IN_BUSINESS)))
    if city:
        statement = statement.where(Agency.region_code.like(f"{city[:4]}%"))
    mark = _mark(after)
    if mark is not None:
        statement = statement.where(tuple_(Agency.name, Agency.id) > mark)
    rows = tuple(_row(values) for values in db.session.execute(statement.limit(PAGE_SIZE + 1)))
    shown = rows[:PAGE_SIZE]
    return DirectoryPage(shown, f"{shown[-1].id}~{shown[-1].name}" if len(rows) > PAGE_SIZE else None)


def _mark(after: str | None) -> tuple[str, UUID] | None:
    identifier, _, name = (after or "").partition("~")
    try:
        return name, UUID(identifier)
    except ValueError:
        return None


def agencies_by_ids(ids: list[UUID]) -> dict[UUID, AgencyRow]:
    """Rows of the given agencies, the public ones only. One statement."""
    found = db.session.execute(_ROWS.where(Agency.id.in_(ids), Agency.state.in_(PUBLIC_STATES)))
    return {values[0]: _row(values) for values in found}


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A practitioner as the public reads it: the name masked, the certificates whole."""

    name: str
    is_full_time: bool
    certificates: tuple[CertificateView, ...]


@dataclass(frozen=True, slots=True)
class AgencyProfile:
    """What everybody may know of an agency."""

    id: UUID
    organisation_id: UUID
    thread_id: UUID
    name: str
    uscc: str
    kind: str
    region_code: str
    address: str
    introduction: str
    state: str
    admitted_at: datetime | None
    publicity_ends_at: datetime | None
    record: Record
    certificates: tuple[CertificateView, ...]
    staff: tuple[StaffRow, ...]
    measures: tuple[MeasureView, ...]


def agency_profile(actor: Actor, agency_id: UUID) -> AgencyProfile:
    """One agency with its checked certificates and people, measures and record. Four statements.

    Raises NotFound for one that the public does not know yet, except for those who may open its file.
    """
    row: Any = db.session.execute(
        select(Agency, *_RECORD)
        .outerjoin(AgencyRecord, AgencyRecord.agency_id == Agency.id)
        .where(Agency.id == agency_id)
    ).one_or_none()
    if row is None or (row[0].state not in PUBLIC_STATES and not sees_file(actor, row[0])):
        raise NotFound
    agency = row[0]
    shown = (QualificationState.VALID, QualificationState.EXPIRED, QualificationState.REVOKED)
    certificates = [c for c in certificates_of(agency_id) if c.state in shown]
    columns = [
        "id",
        "organisation_id",
        "thread_id",
        "name",
        "uscc",
        "kind",
        "region_code",
        "address",
        "introduction",
        "state",
        "admitted_at",
        "publicity_ends_at",
    ]
    return AgencyProfile(
        **{name: getattr(agency, name) for name in columns},
        record=Record(*row[1:]),
        certificates=tuple(c for c in certificates if c.practitioner_id is None),
        staff=tuple(
            StaffRow(masked_name(person.name), person.is_full_time, person.certificates)
            for person in practitioners_of(agency_id, certificates)
            if person.state == PractitionerState.VALID
        ),
        measures=measures_of(agency_id),
    )


@dataclass(frozen=True, slots=True)
class Win:
    """A procurement that the agency was awarded. Amounts in fen."""

    id: UUID
    number: str
    title: str
    price_fen: int
    awarded_at: datetime | None


def wins(organisation_id: UUID, limit: int = 10) -> tuple[Win, ...]:
    """The latest awards of an organisation. One statement."""
    rows = db.session.execute(
        select(Procurement.id, Procurement.number, Procurement.title, Procurement.price_fen, Procurement.awarded_at)
        .where(Procurement.winner_organisation_id == organisation_id, Procurement.awarded_at.is_not(None))
        .order_by(Procurement.awarded_at.desc())
        .limit(limit)
    )
    return tuple(Win(*row) for row in rows)


def agency_id_of_organisation(organisation_id: UUID) -> UUID | None:
    """The agency that an organisation runs, if any."""
    return db.session.scalar(select(Agency.id).where(Agency.organisation_id == organisation_id))
