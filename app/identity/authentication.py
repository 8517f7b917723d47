"""Who is asking: the actor of a request, from the session or from an API token."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from flask import Flask, current_app, g, request
from sqlalchemy import select, update

from app.identity import rate_limits, sessions
from app.identity.models import ApiToken, Membership, Organisation, User
from app.identity.security import init_security
from app.identity.states import MembershipState, UserState
from app.identity.tokens import API_TOKEN_PREFIX, digest
from app.kernel import clock
from app.kernel.access import ANONYMOUS, Actor, Role
from app.kernel.db import db, use_case
from app.kernel.errors import NotSignedIn
from app.kernel.words import N_
from app.settings import Settings

USED_EVERY = timedelta(minutes=5)


def init_identity(app: Flask) -> None:
    """Give the application its sessions, and Flask-Security without its routes. SECRET_KEY is set before."""
    settings: Settings = app.extensions["chaoshi_settings"]
    app.session_interface = sessions.Sessions(secure=settings.is_production)
    init_security(app, settings)


def permissions_of(roles: frozenset[Role]) -> frozenset[str]:
    """What these roles, and everybody, may do, from the grants of all domains."""
    grants = current_app.extensions["chaoshi_grants"]
    return frozenset(grants.get(None, ())).union(*(grants.get(role, ()) for role in roles))


def actor_of(user_id: UUID, organisation_id: UUID | None, role: Role, name: str) -> Actor:
    """An actor with what its role may do."""
    roles = frozenset({role})
    return Actor(user_id, organisation_id, roles, name, permissions_of(roles))


def visitor() -> Actor:
    """Somebody who is not signed in."""
    return replace(ANONYMOUS, permissions=permissions_of(frozenset()))


def load_actor() -> Actor:
    """The actor of this request: a bearer token under /api, otherwise the session; a visitor when there is neither.

    Raises NotSignedIn for a token that is wrong, ended or revoked: a program must not be served as a visitor.
    """
    g.bearer = False
    token = bearer_token()
    if token is not None:
        g.bearer = True
        return _actor_of_token(token)
    signed_in = sessions.signed_in()
    if signed_in is None:
        return visitor()
    return actor_of(signed_in.user_id, signed_in.organisation_id, signed_in.role, signed_in.name)


def bearer_token() -> str | None:
    """The token of an API request's Authorization header; pages do not look at it."""
    if not request.path.startswith("/api/"):
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _actor_of_token(token: str) -> Actor:
    moment = clock.now()
    found = None
    if token.startswith(API_TOKEN_PREFIX):
        found = db.session.execute(
            select(ApiToken, User, Membership, Organisation)
            .join(User, User.id == ApiToken.user_id)
            .outerjoin(Membership, Membership.id == ApiToken.membership_id)
            .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
            .where(
                ApiToken.token_hash == digest(token),
                ApiToken.revoked_at.is_(None),
                ApiToken.expires_at > moment,
                User.state == UserState.ACTIVE,
            )
        ).one_or_none()
    if found is None or (found[2] is not None and found[2].state != MembershipState.ACTIVE):
        rate_limits.attempt(rate_limits.BEARER_NETWORK, rate_limits.network_of(request.remote_addr))
        raise NotSignedIn(N_("The API token is not valid. Make a new one on your account page."))
    row, user, membership, organisation = found
    if row.used_at is None or moment - row.used_at >= USED_EVERY:
        _note_use(row.id)
    role = Role(membership.role) if membership else Role.APPLICANT
    return actor_of(user.id, organisation.id if organisation else None, role, user.name)


@use_case
def _note_use(token_id: UUID) -> None:
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=clock.now()))
