"""Steps of memberships and accounts as buttons, forms and API actions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.identity import policy
from app.identity.models import Membership, User
from app.identity.queries import accounts as account_queries
from app.identity.queries import administration as administration_queries
from app.identity.queries.accounts import MembershipView
from app.identity.queries.administration import UserView
from app.identity.services import administration, organisations
from app.identity.services.administration import DecideUser
from app.identity.services.organisations import DecideMembership
from app.identity.states import MEMBERSHIP, USER
from app.kernel.access import Actor
from app.kernel.db import get
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.web.actions import Action, ActionView, actions_of
from app.web.schemas import InputSchema, text, version_field


class _MembershipPlainIn(InputSchema):
    command = DecideMembership


class _MembershipReasonIn(InputSchema):
    command = DecideMembership
    reason = text(N_("Reason"), longest=2000, widget="textarea", hint=N_("The person reads it."))


class _UserReasonIn(InputSchema):
    command = DecideUser
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


MEMBERSHIP_ACTIONS = {
    "approve": Action(organisations.approve, _MembershipPlainIn, done=N_("The person was admitted.")),
    "refuse": Action(organisations.refuse, _MembershipReasonIn, done=N_("The request was refused.")),
    "end": Action(organisations.end, _MembershipReasonIn, done=N_("The membership has ended.")),
}
USER_ACTIONS = {
    "suspend": Action(
        administration.suspend, _UserReasonIn, done=N_("The account is suspended; its sessions have ended.")
    ),
    "reinstate": Action(administration.reinstate, _UserReasonIn, done=N_("The account is active again.")),
}


def membership_view(actor: Actor, object_id: UUID) -> MembershipView:
    """The membership, if the actor may see it."""
    return account_queries.membership(actor, object_id, manages_users=actor.may(policy.MANAGE_USERS))


def user_view(actor: Actor, object_id: UUID) -> UserView:
    """The account, for those who may read accounts."""
    if not (actor.may(policy.READ_USERS) or actor.may(policy.MANAGE_USERS)):
        raise NotFound
    return administration_queries.user(object_id)


def membership_actions(actor: Actor, seen: MembershipView) -> tuple[ActionView, ...]:
    """What the actor may do with a membership now."""
    row = get(Membership, seen.id)
    administers = organisations.administers(actor, seen.organisation_id)
    parts = policy.membership_parts(actor, row, administers=administers)
    return actions_of(MEMBERSHIP, seen.state, parts, href=f"/members/{seen.id}", table=MEMBERSHIP_ACTIONS)


def user_actions(actor: Actor, seen: UserView) -> tuple[ActionView, ...]:
    """What the actor may do with an account now."""
    parts = policy.user_parts(actor, get(User, seen.id))
    return actions_of(USER, seen.state, parts, href=f"/users/{seen.id}", table=USER_ACTIONS)


def membership_json(seen: MembershipView) -> dict[str, Any]:
    """A membership in the API."""
    return {
        "id": str(seen.id),
        "user_id": str(seen.user_id),
        "user_name": seen.user_name,
        "organisation_id": str(seen.organisation_id),
        "organisation_name": seen.organisation_name,
        "organisation_kind": seen.organisation_kind,
        "role": str(seen.role),
        "administers": seen.administers,
        "state": seen.state,
        "created_at": seen.created_at.isoformat(),
    }


def user_json(seen: UserView) -> dict[str, Any]:
    """An account in the administrators' API."""
    return {
        "id": str(seen.id),
        "name": seen.name,
        "email": seen.email,
        "state": seen.state,
        "created_at": seen.created_at.isoformat(),
        "last_signed_in_at": seen.last_signed_in_at.isoformat() if seen.last_signed_in_at else None,
        "one_time_codes": seen.totp_enabled_at is not None,
    }
