"""Agencies and owners as the relation rules see them: who represents, holds and controls them, and where they are reached."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select

from app.identity.queries import OrganisationView
from app.kernel.db import db
from marketplace.models.agencies import Agency, AgencyPerson
from marketplace.models.catalogue import ItemVersion
from marketplace.models.procurements import Procurement, Registration
from marketplace.rules.people import PersonPart
from marketplace.rules.relations import Party, Person, Share, roles_of

_BASIS_POINTS_IN_A_PERMILLE = 10


def parties_of(agencies: Iterable[Agency]) -> dict[UUID, Party]:
    """The given agencies by id, from their files of today. One statement."""
    rows = list(agencies)
    people: dict[UUID, list[AgencyPerson]] = defaultdict(list)
    wanted = (AgencyPerson.agency_id.in_([row.id for row in rows]), AgencyPerson.ended_at.is_(None))
    for person in db.session.scalars(select(AgencyPerson).where(*wanted)):
        people[person.agency_id].append(person)
    return {row.id: _party(row, people[row.id]) for row in rows}


def _party(row: Agency, people: list[AgencyPerson]) -> Party:
    def named(*parts: PersonPart) -> tuple[Person, ...]:
        return tuple(_person(person) for person in people if person.part in parts)

    representatives = named(PersonPart.LEGAL_REPRESENTATIVE, PersonPart.AUTHORISED)
    return Party(
        name=row.name,
        uscc=row.uscc,
        representatives=representatives or ((Person(row.legal_representative),) if row.legal_representative else ()),
        shares=tuple(
            Share(_person(person), (person.share_permille or 0) * _BASIS_POINTS_IN_A_PERMILLE)
            for person in people
            if person.part == PersonPart.SHAREHOLDER
        ),
        controllers=named(PersonPart.CONTROLLER),
        address=row.address,
        phones=tuple(filter(None, (row.contact_mobile, *(person.mobile for person in people)))),
        emails=(row.contact_email,) if row.contact_email else (),
    )


def _person(row: AgencyPerson) -> Person:
    """A natural person by the digest of its identity number; a body by its registered name, which is unique as it is."""
    return Person(row.name, "" if row.is_body else row.id_digest)


def owner_party(owner: OrganisationView) -> Party:
    """An owner by what the platform knows of it."""
    return Party(
        name=owner.name,
        uscc=owner.uscc or "",
        address=owner.address or "",
        phones=(owner.phone,) if owner.phone else (),
    )


def roles_on_projects(procurements: Iterable[Procurement]) -> dict[UUID, Mapping[str, frozenset[str]]]:
    """Which roles the winners of the same project's other procurements hold, by credit code, for each procurement. One statement."""
    asked = list(procurements)
    rows = db.session.execute(
        select(
            Procurement.id,
            Procurement.owner_organisation_id,
            Procurement.project_name,
            Procurement.project_code,
            Registration.uscc,
            ItemVersion.name,
        )
        .join(Registration, Registration.id == Procurement.winner_registration_id)
        .join(ItemVersion, ItemVersion.id == Procurement.item_version_id)
        .where(Procurement.project_name.in_({p.project_name for p in asked}))
    ).all()
    found: dict[UUID, Mapping[str, frozenset[str]]] = {}
    for p in asked:
        held: dict[str, frozenset[str]] = {}
        for row in rows:
            same = row.owner_organisation_id == p.owner_organisation_id and row.project_name == p.project_name
            if same and row.id != p.id:
                held[row.uscc] = held.get(row.uscc, frozenset()) | roles_of(row.name)
        found[p.id] = held
    return found
