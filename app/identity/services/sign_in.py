"""Signing in: password, then a one-time code where the person has set one up."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.identity import rate_limits, security, sessions
from app.identity.models import Membership, User, UserSession
from app.identity.services import accounts
from app.identity.states import MembershipState, UserState
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import DomainError, NotFound, Refused
from app.kernel.transitions import record
from app.kernel.words import N_


class SignInRefused(Refused):
    """One answer for every reason: unknown address, wrong password, unconfirmed or suspended account."""

    title = N_("Sign-in refused")

    def __init__(self) -> None:
        super().__init__(
            "sign-in-refused",
            N_("The address or the password is wrong, or the address has not been confirmed yet."),
            field="password",
        )


class CodeRefused(Refused):
    """The one-time code is wrong, old or was used before."""

    title = N_("Code refused")

    def __init__(self) -> None:
        super().__init__(
            "code-refused",
            N_("This code is wrong, too old or was used before. Wait for the next one, or use a recovery code."),
            field="code",
        )


@dataclass(frozen=True)
class PasswordAccepted:
    """The first step succeeded; `needs_code` says whether a second one is wanted."""

    user_id: UUID
    needs_code: bool


def check_password(email: str, password: str, address: str | None) -> PasswordAccepted:
    """First step. Raises SignInRefused, TooManyRequests."""
    normal = accounts.normal_email(email)
    network = rate_limits.network_of(address)
    rate_limits.attempt(rate_limits.SIGN_IN_NETWORK, network)
    rate_limits.attempt(rate_limits.SIGN_IN_ACCOUNT, normal)
    rate_limits.attempt(rate_limits.SIGN_IN_HERE, normal, network)
    user = accounts.user_by_email(normal)
    matches = security.password_matches(user.password if user else None, password)
    if user is None or not matches or not user.active or user.email_confirmed_at is None:
        raise SignInRefused
    if user.password and security.is_old_hash(user.password):
        accounts.upgrade_hash(user.id, security.hashed(password))
    rate_limits.clear(rate_limits.SIGN_IN_HERE, normal, network)
    return PasswordAccepted(user.id, user.totp_enabled_at is not None)


def check_code(user_id: UUID, code: str) -> None:
    """Second step: a one-time code, or a recovery code, which is struck off. Raises CodeRefused, TooManyRequests."""
    rate_limits.attempt(rate_limits.CODE_ACCOUNT, str(user_id))
    if not _accept_code(user_id, code):
        raise CodeRefused
    rate_limits.clear(rate_limits.CODE_ACCOUNT, str(user_id))


@use_case
def _accept_code(user_id: UUID, code: str) -> bool:
    user = lock(User, user_id)
    if security.code_matches(user, code):
        return True
    if security.use_recovery_code(user, code):
        record(user, "recovery-code-used", _actor(user), title=N_("Recovery code used"))
        return True
    return False


@use_case
def begin(user_id: UUID, *, method: str) -> None:
    """Open a session for this browser, acting as the part played last. The caller has checked who it is."""
    user = lock(User, user_id)
    if user.state != UserState.ACTIVE:
        raise SignInRefused
    user.last_signed_in_at = clock.now()
    sessions.open_for(user, _last_membership(user))
    record(user, "signed-in", _actor(user), title=N_("Signed in"), detail={"method": method})


def _last_membership(user: User) -> Membership | None:
    open_ones = list(
        db.session.scalars(
            select(Membership)
            .where(Membership.user_id == user.id, Membership.state == MembershipState.ACTIVE)
            .order_by(Membership.created_at)
        )
    )
    if user.last_membership_id is not None:
        last = next((one for one in open_ones if one.id == user.last_membership_id), None)
        if last is not None:
            return last
    return open_ones[0] if open_ones else None


@use_case
def sign_out(actor: Actor) -> None:
    """End this browser's session."""
    user = lock(User, actor.user_id)
    record(user, "signed-out", actor, title=N_("Signed out"))
    sessions.close()


@use_case
def switch(actor: Actor, membership_id: UUID | None) -> None:
    """Go on as another of the own parts, or as a private person (None). Raises Refused for a part that is not one's."""
    if membership_id is None:
        sessions.act_as(None)
        return
    membership = db.session.get(Membership, membership_id)
    if membership is None or membership.user_id != actor.user_id or membership.state != MembershipState.ACTIVE:
        raise NotYourPart
    sessions.act_as(membership)


class NotYourPart(DomainError):
    """The membership does not exist, is not the person's, or is not active."""

    code = "not-your-part"
    title = N_("This is not one of your parts")
    status = 404


@use_case
def revoke_session(actor: Actor, session_id: UUID) -> None:
    """End one of the own sessions. Raises NotFound for another person's."""
    row = db.session.get(UserSession, session_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound
    sessions.revoke(session_id)
    user = lock(User, actor.user_id)
    record(user, "session-revoked", actor, title=N_("Session ended"))


@use_case
def revoke_other_sessions(actor: Actor) -> int:
    """End all own sessions but this browser's."""
    assert actor.user_id is not None
    here = sessions.signed_in()
    ended = sessions.revoke_all(actor.user_id, except_id=here.session_id if here else None)
    user = lock(User, actor.user_id)
    record(user, "sessions-revoked", actor, title=N_("All other sessions ended"), detail={"count": ended})
    return ended


def _actor(user: User) -> Actor:
    return Actor(user.id, None, frozenset(), user.name)
