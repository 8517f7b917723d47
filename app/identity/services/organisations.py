"""Setting up an organisation, joining one, deciding who belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.identity import policy
from app.identity.models import Membership, Organisation
from app.identity.notices import notify
from app.identity.states import MEMBERSHIP, MembershipState
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_


@dataclass(frozen=True)
class CreateOrganisation:
    """A new project owner or agency (or, by an administrator, any kind)."""

    kind: str
    name: str
    uscc: str | None
    region_code: str | None = None
    address: str | None = None
    phone: str | None = None
    name_en: str | None = None


@dataclass(frozen=True)
class ChangeOrganisation:
    """What an organisation's administrator may change; name and code are fixed after registration."""

    address: str | None
    phone: str | None
    name_en: str | None


@dataclass(frozen=True)
class JoinOrganisation:
    """Ask for a place in an organisation that is already here."""

    kind: str
    uscc: str
    role: Role


@dataclass(frozen=True)
class DecideMembership:
    """The reason of a refusal or an end."""

    reason: str | None = None


@use_case
def create(actor: Actor, command: CreateOrganisation) -> UUID:
    """Set up a project owner or an agency; the person becomes its administrator. Returns the membership's id.

    Raises Conflict when the code is already registered, NotAllowed for a kind that only an administrator sets up.
    """
    if command.kind not in policy.OPEN_KINDS and not actor.may(policy.MANAGE_USERS):
        raise NotAllowed
    assert actor.user_id is not None
    organisation = add_organisation(actor, command)
    return add_membership(organisation.id, actor.user_id, policy.ROLES_OF_KIND[command.kind][0], administers=True).id


def add_organisation(actor: Actor, command: CreateOrganisation) -> Organisation:
    """Add an organisation in the caller's transaction. Raises Conflict when its code is taken."""
    if command.uscc is not None:
        taken = db.session.scalar(
            select(Organisation.id).where(Organisation.uscc == command.uscc, Organisation.kind == command.kind)
        )
        if taken is not None:
            raise Conflict(
                "organisation-registered",
                N_("An organisation with this unified social credit code is already here. Ask to join it instead."),
            )
    organisation = Organisation(
        kind=command.kind,
        name=command.name.strip(),
        name_en=command.name_en,
        uscc=command.uscc,
        region_code=command.region_code,
        address=command.address,
        phone=command.phone,
        created_at=clock.now(),
    )
    db.session.add(organisation)
    db.session.flush()  # memberships refer to it
    record(organisation, "registered", actor, title=N_("Organisation registered"))
    return organisation


def add_membership(organisation_id: UUID, user_id: UUID, role: Role, *, administers: bool = False) -> Membership:
    """Add an active place in the caller's transaction."""
    moment = clock.now()
    membership = Membership(
        user_id=user_id,
        organisation_id=organisation_id,
        role=role,
        administers=administers,
        state=MembershipState.ACTIVE,
        created_at=moment,
        decided_at=moment,
    )
    db.session.add(membership)
    db.session.flush()  # sessions refer to it
    return membership


@use_case
def change(actor: Actor, organisation_id: UUID, command: ChangeOrganisation) -> None:
    """Change contact data; for its administrators."""
    _require_administers(actor, organisation_id)
    organisation = lock(Organisation, organisation_id)
    for field in ("address", "phone", "name_en"):
        setattr(organisation, field, getattr(command, field))
    record(organisation, "changed", actor, title=N_("Contact data changed"))


@use_case
def request_membership(actor: Actor, command: JoinOrganisation) -> UUID:
    """Ask to be admitted; its administrators are told. Raises Refused for an unknown code, Conflict for a repeat."""
    assert actor.user_id is not None
    organisation = db.session.scalar(
        select(Organisation).where(Organisation.uscc == command.uscc, Organisation.kind == command.kind)
    )
    if organisation is None or command.role not in policy.ROLES_OF_KIND[organisation.kind]:
        raise Refused(
            "organisation-unknown",
            N_("No such organisation is registered here. Check the code, or set it up."),
            field="uscc",
        )
    if _open_membership(actor.user_id, organisation.id, command.role) is not None:
        raise Conflict("already-member", N_("You already have this part, or have asked for it."))
    membership = Membership(
        user_id=actor.user_id,
        organisation_id=organisation.id,
        role=command.role,
        administers=False,
        state=MembershipState.REQUESTED,
        created_at=clock.now(),
    )
    db.session.add(membership)
    db.session.flush()  # the id names it in the audit event
    record(membership, "requested", actor, title=N_("Membership asked for"))
    for user_id in administrators_of(organisation.id):
        notify(
            to_user=user_id,
            kind="identity.membership-requested",
            subject=N_("%(name)s asks to join %(organisation)s"),
            text=N_("Decide on the request on the members page."),
            params={"name": actor.name, "organisation": organisation.name},
            link="/account/organisation",
            thread_id=organisation.id,
        )
    return membership.id


@use_case
def approve(actor: Actor, membership_id: UUID, command: DecideMembership) -> None:
    """Admit a person."""
    _decide(actor, membership_id, "approve", command, N_("You were admitted to %(organisation)s"))


@use_case
def refuse(actor: Actor, membership_id: UUID, command: DecideMembership) -> None:
    """Refuse a request, with a reason."""
    _decide(actor, membership_id, "refuse", command, N_("Your request to join %(organisation)s was refused"))


@use_case
def end(actor: Actor, membership_id: UUID, command: DecideMembership) -> None:
    """End a place; sessions that act by it fall back to the private person.

    Raises Conflict for the last administrator: an organisation must stay governable.
    """
    membership = lock(Membership, membership_id)
    if membership.administers and len(administrators_of(membership.organisation_id)) == 1:
        raise Conflict("last-administrator", N_("Name another administrator of the organisation first."))
    _decide(actor, membership_id, "end", command, N_("Your membership of %(organisation)s has ended"))


@use_case
def name_administrator(actor: Actor, membership_id: UUID) -> None:
    """Let another active member administer the organisation too."""
    membership = lock(Membership, membership_id)
    _require_administers(actor, membership.organisation_id)
    if membership.state != MembershipState.ACTIVE:
        raise Conflict("not-a-member", N_("Only an active member can administer the organisation."))
    if not membership.administers:
        membership.administers = True
        record(membership, "named-administrator", actor, title=N_("Named administrator of the organisation"))


def administrators_of(organisation_id: UUID) -> tuple[UUID, ...]:
    """Persons who administer the organisation."""
    return tuple(
        db.session.scalars(
            select(Membership.user_id)
            .where(
                Membership.organisation_id == organisation_id,
                Membership.administers.is_(True),
                Membership.state == MembershipState.ACTIVE,
            )
            .distinct()
        )
    )


def administers(actor: Actor, organisation_id: UUID) -> bool:
    """Whether the actor, acting for this organisation, administers it."""
    return actor.organisation_id == organisation_id and actor.user_id in administrators_of(organisation_id)


def _require_administers(actor: Actor, organisation_id: UUID) -> None:
    if not administers(actor, organisation_id) and not actor.may(policy.MANAGE_USERS):
        if actor.organisation_id != organisation_id:
            raise NotFound
        raise NotAllowed


def _decide(actor: Actor, membership_id: UUID, action: str, command: DecideMembership, subject: str) -> None:
    membership = lock(Membership, membership_id)
    parts = policy.membership_parts(actor, membership, administers=administers(actor, membership.organisation_id))
    if not parts and actor.organisation_id != membership.organisation_id:
        raise NotFound
    membership.decided_at = clock.now()
    move(membership, MEMBERSHIP, action, actor, parts, reason=command.reason)
    organisation = db.session.get_one(Organisation, membership.organisation_id)
    if membership.user_id != actor.user_id:
        notify(
            to_user=membership.user_id,
            kind=f"identity.membership-{action}",
            subject=subject,
            text=N_("%(reason)s"),
            params={"organisation": organisation.name, "reason": command.reason or ""},
            link="/account/organisations",
            thread_id=organisation.id,
        )


def _open_membership(user_id: UUID, organisation_id: UUID, role: Role) -> Membership | None:
    return db.session.scalar(
        select(Membership).where(
            Membership.user_id == user_id,
            Membership.organisation_id == organisation_id,
            Membership.role == role,
            Membership.state.in_((MembershipState.REQUESTED, MembershipState.ACTIVE)),
        )
    )
