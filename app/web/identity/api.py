"""The account, its tokens and parts as JSON."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify
from flask_babel import get_locale, gettext
from marshmallow import Schema, fields
from werkzeug.wrappers import Response

from app.identity import policy
from app.identity.queries import accounts as queries
from app.identity.queries import administration as administration_queries
from app.identity.queries.accounts import TokenView
from app.identity.services import accounts, administration, api_tokens, organisations, sign_in
from app.identity.services.api_tokens import IssueToken
from app.identity.states import MEMBERSHIP, USER
from app.kernel.access import Actor, Role
from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import api_actions, register_actions
from app.web.csrf import no_session_used
from app.web.guard import public, requires, signed_in
from app.web.identity import actions
from app.web.identity.forms import client_address, me
from app.web.identity.schemas import (
    GiveRoleIn,
    JoinIn,
    OrganisationIn,
    RegisterIn,
    TokenBySecretsIn,
    TokenIn,
    UserQueryIn,
)
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor

api = Blueprint("identity_api", __name__, url_prefix="/api")
steps = Blueprint("identity_steps", __name__)


class MembershipOut(Schema):
    """A part that a person plays in an organisation."""

    id = fields.UUID()
    user_id = fields.UUID()
    user_name = fields.String()
    organisation_id = fields.UUID()
    organisation_name = fields.String()
    organisation_kind = fields.String()
    role = fields.String()
    administers = fields.Boolean()
    state = fields.String()
    created_at = fields.DateTime()


class AccountOut(Schema):
    """Who is asking, in which part, and what that part may do."""

    id = fields.UUID()
    name = fields.String()
    email = fields.String()
    organisation_id = fields.UUID(allow_none=True)
    roles = fields.List(fields.String())
    permissions = fields.List(fields.String())
    one_time_codes = fields.Boolean()
    memberships = fields.List(fields.Nested(MembershipOut))


class TokenOut(Schema):
    """An API token. `token` is there only in the answer that makes it."""

    id = fields.UUID()
    name = fields.String()
    tail = fields.String()
    role = fields.String()
    organisation_name = fields.String()
    state = fields.String()
    expires_at = fields.DateTime()
    used_at = fields.DateTime(allow_none=True)
    token = fields.String()


class UserOut(Schema):
    """An account as administrators see it."""

    id = fields.UUID()
    name = fields.String()
    email = fields.String()
    state = fields.String()
    roles = fields.List(fields.String())
    created_at = fields.DateTime()
    last_signed_in_at = fields.DateTime(allow_none=True)
    one_time_codes = fields.Boolean()


@api.get("/account")
@signed_in
@operation(N_("Who I am and what I may do"), response=AccountOut, tag="account")
def show_account() -> Response:
    """The account behind the session or the token."""
    actor, user_id = me()
    mine = queries.profile(user_id)
    return jsonify(
        id=str(mine.id),
        name=mine.name,
        email=mine.email,
        organisation_id=str(actor.organisation_id) if actor.organisation_id else None,
        roles=sorted(str(role) for role in actor.roles),
        permissions=sorted(actor.permissions),
        one_time_codes=mine.totp_enabled_at is not None,
        memberships=[actions.membership_json(one) for one in queries.memberships_of_user(user_id)],
    )


@api.post("/register")
@no_session_used
@public
@operation(
    N_("Register an account; the link that confirms the address is mailed"), body=RegisterIn, status=202, tag="account"
)
def register() -> tuple[Response, int]:
    """Make an account; the answer does not tell whether the address was known."""
    command = parsing.body(RegisterIn)
    wanted = accounts.Register(command.email, command.name, command.password, str(get_locale()))
    accounts.register(wanted, client_address())
    return jsonify(message=gettext("We have sent a mail to this address. Open the link in it.")), 202


@api.post("/tokens")
@no_session_used
@public
@operation(
    N_("Make an API token with address, password and, where turned on, a one-time code"),
    body=TokenBySecretsIn,
    response=TokenOut,
    status=201,
    tag="account",
)
def make_first_token() -> tuple[Response, int]:
    """Check the secrets as signing in does, and make a token; no session is opened."""
    command = parsing.body(TokenBySecretsIn)
    accepted = sign_in.check_password(command.email, command.password, client_address())
    if accepted.needs_code:
        sign_in.check_code(accepted.user_id, command.code or "")
    owner = Actor(accepted.user_id, None, frozenset({Role.APPLICANT}), "")
    return _issued(owner, IssueToken(command.name, command.days, command.membership_id))


@api.post("/account/tokens")
@signed_in
@operation(N_("Make another API token"), body=TokenIn, response=TokenOut, status=201, tag="account")
def make_token() -> tuple[Response, int]:
    """Make a token for the signed-in person."""
    actor, _user_id = me()
    return _issued(actor, parsing.body(TokenIn))


def _issued(owner: Actor, command: IssueToken) -> tuple[Response, int]:
    assert owner.user_id is not None
    token_id, token = api_tokens.issue(owner, command)
    made = next(one for one in queries.tokens_of(owner.user_id) if one.id == token_id)
    return jsonify({**_token_json(made), "token": token}), 201


@api.get("/account/tokens")
@signed_in
@operation(N_("List my API tokens"), response=TokenOut, many=True, tag="account")
def list_tokens() -> Response:
    """Tokens without their secrets."""
    _actor, user_id = me()
    return jsonify(items=[_token_json(one) for one in queries.tokens_of(user_id)])


@api.delete("/account/tokens/<uuid:token_id>")
@signed_in
@operation(N_("Revoke an API token"), status=204, tag="account")
def revoke_token(token_id: UUID) -> tuple[str, int]:
    """End a token at once."""
    actor, _user_id = me()
    api_tokens.revoke(actor, token_id)
    return "", 204


def _token_json(one: TokenView) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "name": one.name,
        "tail": one.tail,
        "role": str(one.role),
        "organisation_name": one.organisation_name,
        "state": one.state,
        "expires_at": one.expires_at.isoformat(),
        "used_at": one.used_at.isoformat() if one.used_at else None,
    }


@api.post("/organisations")
@signed_in
@operation(
    N_("Set up a project owner or an agency"),
    body=OrganisationIn,
    response=MembershipOut,
    status=201,
    tag="organisations",
)
def create_organisation() -> tuple[Response, int]:
    """Set up an organisation; the answer is the caller's part in it."""
    actor, _user_id = me()
    membership_id = organisations.create(actor, parsing.body(OrganisationIn))
    seen = queries.membership(actor, membership_id, manages_users=False)
    return jsonify(actions.membership_json(seen)), 201


@api.post("/organisations/join")
@signed_in
@operation(
    N_("Ask to be admitted to an organisation"), body=JoinIn, response=MembershipOut, status=201, tag="organisations"
)
def join_organisation() -> tuple[Response, int]:
    """Ask for a place."""
    actor, _user_id = me()
    membership_id = organisations.request_membership(actor, parsing.body(JoinIn))
    seen = queries.membership(actor, membership_id, manages_users=False)
    return jsonify(actions.membership_json(seen)), 201


@api.get("/organisation/members")
@signed_in
@operation(N_("List the members of the organisation I act for"), response=MembershipOut, many=True, tag="organisations")
def list_members() -> Response:
    """Members and those who ask to be admitted; empty for a private person."""
    actor, _user_id = me()
    found = queries.memberships_of_organisation(actor.organisation_id) if actor.organisation_id else ()
    return jsonify(items=[_member_json(actor, one) for one in found])


def _member_json(actor: Actor, one: queries.MembershipView) -> dict[str, Any]:
    return {**actions.membership_json(one), "actions": api_actions(actions.membership_actions(actor, one))}


@api.get("/admin/users")
@requires(policy.READ_USERS)
@operation(N_("List accounts"), query=UserQueryIn, response=UserOut, many=True, tag="administration")
def list_users() -> Response:
    """Accounts by name, role and state."""
    wanted = parsing.query(UserQueryIn)
    statement = administration_queries.users_statement(wanted.q or "", wanted.role or "", wanted.state or "")
    page = page_of(statement, number=wanted.page)
    shown = [administration_queries.user_view(row) for row in page.items]
    held = administration_queries.roles_of([one.id for one in shown])
    items = [{**actions.user_json(one), "roles": [str(r) for r in held.get(one.id, ())]} for one in shown]
    return page_answer(page, items)


@api.get("/admin/users/<uuid:object_id>")
@requires(policy.READ_USERS)
@operation(N_("Show an account"), response=UserOut, tag="administration")
def show_user(object_id: UUID) -> Response:
    """One account with what may be done."""
    actor = current_actor()
    seen = actions.user_view(actor, object_id)
    held = administration_queries.roles_of([seen.id]).get(seen.id, ())
    return jsonify(
        {
            **actions.user_json(seen),
            "roles": [str(role) for role in held],
            "actions": api_actions(actions.user_actions(actor, seen)),
        }
    )


@api.post("/admin/organisations/<uuid:object_id>/members")
@requires(policy.MANAGE_USERS)
@operation(N_("Give a person a role"), body=GiveRoleIn, response=MembershipOut, status=201, tag="administration")
def give_role(object_id: UUID) -> tuple[Response, int]:
    """Give a person a role in an organisation."""
    actor = current_actor()
    membership_id = administration.give_role(actor, object_id, parsing.body(GiveRoleIn))
    seen = queries.membership(actor, membership_id, manages_users=True)
    return jsonify(actions.membership_json(seen)), 201


register_actions(
    steps,
    api,
    machine=MEMBERSHIP,
    path="/members/<uuid:object_id>",
    table=actions.MEMBERSHIP_ACTIONS,
    view=actions.membership_view,
    detail="account.member",
    to_json=actions.membership_json,
)
register_actions(
    steps,
    api,
    machine=USER,
    path="/users/<uuid:object_id>",
    table=actions.USER_ACTIONS,
    view=actions.user_view,
    detail="administration.user",
    to_json=actions.user_json,
)
