"""What administrators do: accounts, roles, organisations of the authorities and the post."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.identity import policy, sessions
from app.identity.models import Membership, Organisation, User
from app.identity.notices import notify
from app.identity.services import accounts, organisations
from app.identity.services.organisations import CreateOrganisation
from app.identity.states import USER, MembershipState
from app.kernel.access import ROLE_LABELS, Actor, Role
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_


@dataclass(frozen=True)
class DecideUser:
    """The reason of a suspension or reinstatement."""

    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class GiveRole:
    """A role in an organisation for the person with this address."""

    email: str
    role: Role
    administers: bool


@use_case
def suspend(actor: Actor, user_id: UUID, command: DecideUser) -> None:
    """Suspend an account; its sessions end at once. Raises Conflict for the own one."""
    if user_id == actor.user_id:
        raise Conflict("own-account", N_("You cannot suspend your own account."))
    user = lock(User, user_id)
    move(user, USER, "suspend", actor, policy.user_parts(actor, user), reason=command.reason)
    sessions.revoke_all(user.id)


@use_case
def reinstate(actor: Actor, user_id: UUID, command: DecideUser) -> None:
    """Let a suspended person in again."""
    user = lock(User, user_id)
    move(user, USER, "reinstate", actor, policy.user_parts(actor, user), reason=command.reason)


@use_case
def end_sessions(actor: Actor, user_id: UUID) -> int:
    """End all sessions of a person."""
    _require_manager(actor)
    user = lock(User, user_id)
    ended = sessions.revoke_all(user_id)
    record(user, "sessions-revoked", actor, title=N_("All sessions ended by an administrator"), detail={"count": ended})
    return ended


@use_case
def reset_second_factor(actor: Actor, user_id: UUID) -> None:
    """Turn one-time codes off for a person who has lost telephone and recovery codes; they are told."""
    _require_manager(actor)
    user = lock(User, user_id)
    user.tf_totp_secret, user.totp_enabled_at, user.mf_recovery_codes = None, None, []
    sessions.revoke_all(user_id)
    record(user, "codes-reset", actor, title=N_("One-time codes reset by an administrator"))


@use_case
def create_organisation(actor: Actor, command: CreateOrganisation) -> UUID:
    """Set up an organisation of any kind, without members; returns its id."""
    _require_manager(actor)
    return organisations.add_organisation(actor, command).id


@use_case
def give_role(actor: Actor, organisation_id: UUID, command: GiveRole) -> UUID:
    """Give a person a role in an organisation; they are told. Returns the membership's id.

    Raises Refused for an unknown address or a role that this kind of organisation does not have, Conflict for a repeat.
    """
    _require_manager(actor)
    organisation = db.session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound
    if command.role not in policy.ROLES_OF_KIND[organisation.kind]:
        raise Refused("role-not-of-kind", N_("This kind of organisation does not have that role."), field="role")
    user = accounts.user_by_email(command.email)
    if user is None:
        raise Refused(
            "user-unknown", N_("There is no account with this address. Ask the person to register."), field="email"
        )
    held = db.session.scalar(
        select(Membership.id).where(
            Membership.user_id == user.id,
            Membership.organisation_id == organisation_id,
            Membership.role == command.role,
            Membership.state.in_((MembershipState.ACTIVE, MembershipState.REQUESTED)),
        )
    )
    if held is not None:
        raise Conflict("already-member", N_("This person already has this role here, or has asked for it."))
    membership = organisations.add_membership(organisation_id, user.id, command.role, administers=command.administers)
    record(membership, "role-given", actor, title=N_("Role given"), detail={"role": str(command.role)})
    notify(
        to_user=user.id,
        kind="identity.role-given",
        subject=N_("You now have a role at %(organisation)s"),
        text=N_("Choose it in the account menu to act for the organisation."),
        params={"organisation": organisation.name, "role": ROLE_LABELS[command.role]},
        link="/account/organisations",
        thread_id=organisation.id,
    )
    return membership.id


def _require_manager(actor: Actor) -> None:
    if not actor.may(policy.MANAGE_USERS):
        raise NotAllowed
