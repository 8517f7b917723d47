"""Reads of persons and organisations, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select

from app.identity.models import Membership, Organisation, User
from app.identity.states import MembershipState, UserState
from app.kernel.db import db
from app.kernel.errors import NotFound


@dataclass(frozen=True)
class OrganisationView:
    """What other domains may know of an organisation."""

    id: UUID
    kind: str
    name: str
    name_en: str | None
    uscc: str | None
    region_code: str | None
    address: str | None
    phone: str | None


@dataclass(frozen=True)
class PersonView:
    """What other domains may know of a person."""

    id: UUID
    name: str


def _organisation_view(row: Organisation) -> OrganisationView:
    return OrganisationView(row.id, row.kind, row.name, row.name_en, row.uscc, row.region_code, row.address, row.phone)


def organisation(organisation_id: UUID) -> OrganisationView:
    """The organisation with this id; raises NotFound."""
    row = db.session.get(Organisation, organisation_id)
    if row is None:
        raise NotFound
    return _organisation_view(row)


def organisation_name(organisation_id: UUID | None) -> str:
    """Its name, or an empty text where there is none."""
    if organisation_id is None:
        return ""
    return db.session.scalar(select(Organisation.name).where(Organisation.id == organisation_id)) or ""


def organisations_by_ids(ids: Iterable[UUID]) -> dict[UUID, OrganisationView]:
    """Those of the given ids that exist, in one statement."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = db.session.scalars(select(Organisation).where(Organisation.id.in_(wanted)))
    return {row.id: _organisation_view(row) for row in rows}


def organisation_ids_named(words: str) -> Select[UUID]:
    """The ids of organisations whose name holds these words, as a subquery for the lists of other domains."""
    return select(Organisation.id).where(Organisation.name.icontains(words, autoescape=True))


def organisations_of_kind(kind: str) -> tuple[OrganisationView, ...]:
    """All organisations of a kind by name, e.g. the halls a parcel may leave from."""
    rows = db.session.scalars(select(Organisation).where(Organisation.kind == kind).order_by(Organisation.name))
    return tuple(_organisation_view(row) for row in rows)


def organisation_by_uscc(uscc: str, kind: str) -> OrganisationView | None:
    """The organisation of this kind registered under this unified social credit code."""
    row = db.session.scalar(select(Organisation).where(Organisation.uscc == uscc, Organisation.kind == kind))
    return _organisation_view(row) if row else None


def users_of_organisation(organisation_id: UUID) -> tuple[UUID, ...]:
    """Ids of the persons who act for it now."""
    statement = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.state == MembershipState.ACTIVE,
            User.state == UserState.ACTIVE,
        )
        .distinct()
    )
    return tuple(db.session.scalars(statement))


def users_of_role(role: str) -> tuple[UUID, ...]:
    """Ids of the persons who hold a role anywhere."""
    statement = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.role == role,
            Membership.state == MembershipState.ACTIVE,
            User.state == UserState.ACTIVE,
        )
        .distinct()
    )
    return tuple(db.session.scalars(statement))


def members_with_role(organisation_id: UUID, role: str) -> dict[UUID, str]:
    """Names of those who hold a role in an organisation now, by user; in one statement."""
    statement = (
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role == role,
            Membership.state == MembershipState.ACTIVE,
            User.state == UserState.ACTIVE,
        )
        .order_by(User.name, User.id)
    )
    return {row.id: row.name for row in db.session.execute(statement)}


def person(user_id: UUID) -> PersonView | None:
    """Name of a person, for timelines and letters."""
    row = db.session.get(User, user_id)
    return PersonView(row.id, row.name) if row else None


def persons_by_ids(ids: Iterable[UUID]) -> dict[UUID, PersonView]:
    """Those of the given ids that exist, in one statement."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return {row.id: PersonView(row.id, row.name) for row in rows}
