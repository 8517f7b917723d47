"""Agencies as the eligibility rules see them, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.identity.queries import organisations_by_ids
from app.kernel import clock
from app.kernel.db import db
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing
from marketplace.models.procurements import AvoidedAgency, Procurement
from marketplace.queries.credit import grades
from marketplace.queries.holdings import holdings_of, restricted_agencies
from marketplace.queries.parties import owner_party, parties_of, roles_on_projects
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rules.credit import Grade
from marketplace.rules.eligibility import Candidate, Demand, Verdict, judge
from marketplace.rules.qualifications import Certificate
from marketplace.rules.relations import Party, roles_of
from marketplace.states.agency import ADMITTED, IN_BUSINESS, AgencyState
from marketplace.states.listing import ListingState


@dataclass(frozen=True)
class Applicant:
    """An agency with what the tests need to know of it."""

    agency_id: UUID
    organisation_id: UUID
    name: str
    candidate: Candidate


def demand_of(procurement: Procurement) -> Demand:
    """What a procurement demands, with the declared conflicts, the owner's identity and the roles on its project."""
    return demands_of([procurement])[procurement.id]


def demands_of(procurements: Sequence[Procurement]) -> dict[UUID, Demand]:
    """What each of these procurements demands. Four statements and one for each rule book, however many there are."""
    ids = [p.id for p in procurements]
    avoided: dict[UUID, dict[str, str]] = defaultdict(dict)
    for row in db.session.scalars(select(AvoidedAgency).where(AvoidedAgency.procurement_id.in_(ids))):
        avoided[row.procurement_id][row.uscc] = row.reason
    owners = organisations_by_ids({p.owner_organisation_id for p in procurements})
    held = roles_on_projects(procurements)
    versions = select(ItemVersion.id, ItemVersion.name).where(
        ItemVersion.id.in_({p.item_version_id for p in procurements})
    )
    names = {row.id: row.name for row in db.session.execute(versions)}
    return {
        p.id: Demand(
            qualification_rule=p.qualification_rule,
            region_code=p.demanded_region,
            avoided=avoided[p.id],
            excluded_grades=rule_book(p.rule_book_version).credit_excluded_grades,
            owner_uscc=owners[p.owner_organisation_id].uscc or "",
            owner=owner_party(owners[p.owner_organisation_id]),
            excluding=rule_book(p.rule_book_version).avoidance_owner_excludes,
            share_percent=rule_book(p.rule_book_version).avoidance_share_percent,
            roles=roles_of(names[p.item_version_id]),
            held_roles=held[p.id],
        )
        for p in procurements
    }


def owner_uscc(organisation_id: UUID) -> str:
    """The credit code of the purchaser, "" when it has none (a natural person)."""
    owner = organisations_by_ids([organisation_id]).get(organisation_id)
    return (owner.uscc if owner else None) or ""


def item_of(item_version_id: UUID) -> UUID:
    """The service item that a version belongs to: an offer of any version of it counts."""
    return db.session.execute(select(ItemVersion.item_id).where(ItemVersion.id == item_version_id)).scalar_one()


def applicants(item_id: UUID, agency_ids: Iterable[UUID]) -> dict[UUID, Applicant]:
    """The given agencies by id. A fixed number of statements."""
    wanted = set(agency_ids)
    rows = db.session.scalars(select(Agency).where(Agency.id.in_(wanted))).all()
    offering = set(
        db.session.scalars(
            select(Listing.agency_id).where(
                Listing.item_id == item_id, Listing.state == ListingState.PUBLISHED, Listing.agency_id.in_(wanted)
            )
        )
    )
    facts = _facts(item_id, rows)
    return {row.id: _applicant(row, facts, offers=row.id in offering) for row in rows}


def offering_applicants(item_id: UUID) -> tuple[Applicant, ...]:
    """Every agency in business with an offer of this item on its shelf. A fixed number of statements."""
    offering = select(Listing.agency_id).where(Listing.item_id == item_id, Listing.state == ListingState.PUBLISHED)
    rows = db.session.scalars(select(Agency).where(Agency.state.in_(IN_BUSINESS), Agency.id.in_(offering))).all()
    facts = _facts(item_id, rows)
    return tuple(_applicant(row, facts, offers=True) for row in rows)


def matching(item_id: UUID, demand: Demand) -> tuple[Applicant, ...]:
    """The agencies that would be eligible today."""
    today = clock.today()
    return tuple(a for a in offering_applicants(item_id) if judge(demand, a.candidate, today).is_eligible)


def verdict_for(procurement: Procurement, agency_id: UUID) -> Verdict:
    """All tests of one agency for one procurement, today."""
    applicant = applicants(item_of(procurement.item_version_id), [agency_id])[agency_id]
    return judge(demand_of(procurement), applicant.candidate, clock.today())


def agency_of(organisation_id: UUID | None) -> Agency | None:
    """The agency that an organisation runs, if any."""
    if organisation_id is None:
        return None
    return db.session.scalar(select(Agency).where(Agency.organisation_id == organisation_id))


_BARS = {
    AgencyState.SUSPENDED: "suspended",
    AgencyState.BLACKLISTED: "blacklisted",
    AgencyState.EXIT_PENDING: "leaving",
}


@dataclass(frozen=True)
class _Facts:
    """What several agencies hold, whether the item is closed to them, and their credit grades of today."""

    held: Mapping[UUID, list[Certificate]]
    closed: set[UUID]
    grades: Mapping[UUID, Grade]
    parties: Mapping[UUID, Party]


def _facts(item_id: UUID, rows: Iterable[Agency]) -> _Facts:
    agencies = list(rows)
    agency_ids = {row.id for row in agencies}
    return _Facts(
        holdings_of(agency_ids),
        restricted_agencies(item_id, agency_ids),
        grades(agency_ids, clock.today(), rule_book_in_force()),
        parties_of(agencies),
    )


def _applicant(row: Agency, facts: _Facts, *, offers: bool) -> Applicant:
    candidate = Candidate(
        uscc=row.uscc,
        is_admitted=row.state in ADMITTED,
        offers_service=offers,
        region_code=row.region_code,
        certificates=facts.held[row.id],
        representative=row.legal_representative,
        bar=_BARS.get(AgencyState(row.state), "restricted" if row.id in facts.closed else ""),
        grade=facts.grades[row.id],
        party=facts.parties[row.id],
    )
    return Applicant(row.id, row.organisation_id, row.name, candidate)
