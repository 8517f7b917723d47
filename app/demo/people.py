"""Organisations and the people who act for them, set up through the identity services."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from app.demo.names import OWNER_BODIES, Names
from app.identity.authentication import actor_of
from app.identity.models import MailDelivery, OrganisationKind, User
from app.identity.services import accounts, organisations
from app.identity.services.demonstration import ensure_demo_accounts
from app.identity.services.organisations import CreateOrganisation
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, transaction
from marketplace.rules.regions import Region, cities, full_name, regions


@dataclass(frozen=True)
class Owner:
    """A purchaser: who acts for it, what it is called, where it is, and whether it spends public money."""

    actor: Actor
    name: str
    region_code: str
    is_public: bool


@dataclass
class Cast:
    """Everybody who acts in the demonstration. `panel` are the accounts of the development sign-in panel, by role."""

    panel: dict[Role, Actor]
    second_operator: Actor
    owners: list[Owner] = field(default_factory=list)
    applicants: list[Actor] = field(default_factory=list)


def engage(names: Names, owners: int, applicants: int) -> Cast:
    """Set up the panel's accounts, a second operator, `owners` purchasers and `applicants` private applicants."""
    panel = {
        role: actor_of(account.user_id, account.organisation_id, role, account.name)
        for role, account in ensure_demo_accounts().items()
    }
    office = panel[Role.OPERATOR].organisation_id
    assert office is not None
    cast = Cast(panel, member(names, office, Role.OPERATOR))
    home = db.session.get_one(User, panel[Role.OWNER].user_id)
    cast.owners.append(Owner(panel[Role.OWNER], home.name, "320706", is_public=True))
    places = list(cities())
    for number in range(owners):
        cast.owners.append(_owner(names, places[number % len(places)], is_public=number % 5 < 3))
    cast.applicants.append(panel[Role.APPLICANT])
    cast.applicants += [applicant(names) for _ in range(applicants)]
    return cast


def _owner(names: Names, city: Region, *, is_public: bool) -> Owner:
    county = names.random.choice([region for region in regions().values() if region.parent_code == city.code])
    if is_public:
        body = names.random.choice(OWNER_BODIES)
        name = f"{city.name if names.random.random() < 0.4 else county.name}{body}"
    else:
        name = names.private_owner(city.name)
    code = names.credit_code(county.code, public_body=is_public and not name.endswith("公司"))
    organisation_id = organisation(names, OrganisationKind.OWNER, name, code, county.code)
    return Owner(member(names, organisation_id, Role.OWNER, administers=True), name, county.code, is_public)


def organisation(names: Names, kind: OrganisationKind, name: str, uscc: str, region_code: str) -> UUID:
    """Set up an organisation with an invented address and telephone number."""
    command = CreateOrganisation(
        kind=kind,
        name=name,
        uscc=uscc,
        region_code=region_code,
        address=names.address(full_name(region_code)),
        phone=names.phone(),
    )
    with transaction():
        return organisations.add_organisation(SYSTEM, command).id


def member(names: Names, organisation_id: UUID, role: Role, *, administers: bool = False) -> Actor:
    """A new person with one part in an organisation."""
    user = _user(names)
    with transaction():
        organisations.add_membership(organisation_id, user.user_id, role, administers=administers)
    return actor_of(user.user_id, organisation_id, role, user.name)


def applicant(names: Names) -> Actor:
    """A private person."""
    user = _user(names)
    return actor_of(user.user_id, None, Role.APPLICANT, user.name)


@dataclass(frozen=True)
class _Person:
    user_id: UUID
    name: str


def _user(names: Names) -> _Person:
    name, mobile = names.person(), names.mobile()
    with transaction() as session:
        user = accounts.add_user(f"u{mobile}@demo.chaoshi.example", name)
        user.mobile = mobile
        user.email_confirmed_at = clock.now()
        user.mail_delivery = MailDelivery.NEVER  # invented addresses: nobody would read the mail
        session.flush()
        return _Person(user.id, name)
