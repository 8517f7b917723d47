"""Registration, profile, password."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.identity import passwords, rate_limits, security, sessions
from app.identity.events import PasswordResetAsked
from app.identity.models import Membership, User
from app.identity.notices import queue_mail
from app.identity.policy import PUBLIC_ROLES
from app.identity.states import MembershipState, UserState
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import NotFound, Refused, TooManyRequests
from app.kernel.outbox import publish
from app.kernel.transitions import record
from app.kernel.words import N_

CONFIRM_WITHIN_SECONDS = 3 * 24 * 3600


@dataclass(frozen=True)
class Register:
    """What a person gives to get an account."""

    email: str
    name: str
    password: str
    locale: str


@dataclass(frozen=True)
class ChangeProfile:
    """What a person may change of their own account."""

    name: str
    mobile: str | None
    locale: str


@dataclass(frozen=True)
class ChangePassword:
    """The present password and the new one."""

    present: str
    new: str


def normal_email(email: str) -> str:
    """The stored spelling of a mail address."""
    return email.strip().lower()


def user_by_email(email: str) -> User | None:
    """The account with this address."""
    return db.session.scalar(select(User).where(User.email == normal_email(email)))


def register(command: Register, address: str | None) -> None:
    """Make an account and mail a link that confirms the address.

    The answer is the same for a known address; its holder is told by mail. Raises Refused for a weak password,
    TooManyRequests.
    """
    rate_limits.attempt(rate_limits.REGISTER_NETWORK, rate_limits.network_of(address))
    _check_strength(command.password, (command.name, command.email.split("@")[0]))
    password_hash = security.hashed(command.password)
    try:
        _write_registration(command, password_hash)
    except IntegrityError:
        # somebody else was faster with the same address: it is known now
        _write_registration(command, password_hash)


@use_case
def _write_registration(command: Register, password_hash: str) -> None:
    known = user_by_email(command.email)
    if known is not None:
        _mail_known_address(known)
        return
    user = add_user(command.email, command.name, locale=command.locale, password_hash=password_hash)
    record(user, "registered", _self_actor(user), title=N_("Account registered"))
    _mail_confirmation(user)


def add_user(email: str, name: str, *, locale: str = "zh_Hans_CN", password_hash: str | None = None) -> User:
    """Add an account in the caller's transaction (its address still to be confirmed)."""
    moment = clock.now()
    user = User(
        email=normal_email(email),
        name=name.strip(),
        locale=locale,
        password=password_hash,
        state=UserState.ACTIVE,
        fs_uniquifier=uuid4().hex,
        mf_recovery_codes=[],
        created_at=moment,
        password_changed_at=moment if password_hash else None,
    )
    db.session.add(user)
    db.session.flush()  # the row must stand before its timeline and mails name it
    return user


def _mail_confirmation(user: User) -> None:
    queue_mail(
        user,
        subject=N_("Confirm your mail address"),
        body=N_("Welcome, %(name)s. Open the link and confirm that this address is yours. It is good for three days."),
        params={"name": user.name},
        link=f"/confirm-address/{_confirmations().dumps([str(user.id), user.email])}",
    )


def _mail_known_address(user: User) -> None:
    if user.email_confirmed_at is None:
        _mail_confirmation(user)
        return
    queue_mail(
        user,
        subject=N_("You already have an account"),
        body=N_(
            "Somebody, perhaps you, tried to register with this address. It already has an account. "
            "If you have forgotten the password, ask for a new one on the page behind the link."
        ),
        params={},
        link="/forgot-password",
    )


def _confirmations() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        str(current_app.config["SECRET_KEY"]), salt="confirm-address", signer_kwargs={"digest_method": hashlib.sha256}
    )


@use_case
def confirm_address(token: str) -> None:
    """Mark the address as confirmed; a repeat changes nothing. Raises Refused for a wrong or old link."""
    try:
        user_id, email = _confirmations().loads(token, max_age=CONFIRM_WITHIN_SECONDS)
    except (BadSignature, ValueError, TypeError):
        raise _link_refused() from None
    user = lock(User, UUID(user_id))
    if user.email != email:
        raise _link_refused()
    if user.email_confirmed_at is None:
        user.email_confirmed_at = clock.now()
        record(user, "address-confirmed", _self_actor(user), title=N_("Mail address confirmed"))


def _link_refused() -> Refused:
    return Refused("link-refused", N_("This link is wrong, too old or was used before. Ask for a new one."))


@use_case
def change_profile(actor: Actor, command: ChangeProfile) -> None:
    """Change the own name, mobile number and language."""
    user = lock(User, actor.user_id)
    changed = [field for field in ("name", "mobile", "locale") if getattr(user, field) != getattr(command, field)]
    for field in changed:
        setattr(user, field, getattr(command, field))
    if changed:
        record(user, "profile-changed", actor, title=N_("Profile changed"), detail={"fields": changed})


def check_present_password(user_id: UUID, password: str, field: str = "present") -> None:
    """Raise Refused unless this is the person's present password."""
    rate_limits.attempt(rate_limits.PASSWORD_CHECK, str(user_id))
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    if not security.password_matches(user.password, password):
        raise Refused("password-wrong", N_("This is not your present password."), field=field)
    rate_limits.clear(rate_limits.PASSWORD_CHECK, str(user_id))


def change_password(actor: Actor, command: ChangePassword) -> None:
    """Change the own password; every session ends, this browser goes on with a new one."""
    assert actor.user_id is not None
    check_present_password(actor.user_id, command.present)
    user = db.session.get_one(User, actor.user_id)
    _check_strength(command.new, (user.name, user.email.split("@")[0]), staff=is_staff(user.id), field="new")
    _store_password(actor, actor.user_id, security.hashed(command.new), keep_browser=True)


def ask_reset(email: str, address: str | None) -> None:
    """Ask for a reset link. The answer and its timing do not tell whether the account exists.

    Past the limit of one account nothing more is mailed, silently: the requests may be a stranger's.
    """
    rate_limits.attempt(rate_limits.RESET_NETWORK, rate_limits.network_of(address))
    try:
        rate_limits.attempt(rate_limits.RESET_ACCOUNT, normal_email(email))
    except TooManyRequests:
        return
    _publish_reset(email)


@use_case
def _publish_reset(email: str) -> None:
    user = user_by_email(email)
    publish(PasswordResetAsked(user_id=user.id if user else None))


def reset_password(token: str, new: str) -> None:
    """Set a new password by a mailed link; every session ends and the address counts as confirmed.

    Raises Refused for a wrong, old or used link and for a weak password.
    """
    user = security.user_of_reset_token(token)
    if user is None:
        raise _link_refused()
    _check_strength(new, (user.name, user.email.split("@")[0]), staff=is_staff(user.id), field="new")
    _store_password(_self_actor(user), user.id, security.hashed(new), token=token)


@use_case
def _store_password(
    actor: Actor, user_id: UUID, password_hash: str, *, token: str | None = None, keep_browser: bool = False
) -> None:
    user = lock(User, user_id)
    if token is not None:
        # a second look under the lock: of two uses of one link only the first counts
        holder = security.user_of_reset_token(token)
        if holder is None or holder.id != user.id:
            raise _link_refused()
        user.email_confirmed_at = user.email_confirmed_at or clock.now()
    user.password = password_hash
    user.password_changed_at = clock.now()
    user.fs_uniquifier = uuid4().hex
    sessions.revoke_all(user.id)
    if keep_browser:
        here = sessions.signed_in()
        membership = db.session.get(Membership, here.membership_id) if here and here.membership_id else None
        sessions.open_for(user, membership)
    record(user, "password-changed", actor, title=N_("Password changed"))
    queue_mail(
        user,
        subject=N_("Your password was changed"),
        body=N_(
            "The password of your account was changed and all sessions were ended. If this was not you, ask for a new password at once."
        ),
        params={},
        link="/forgot-password",
    )


@use_case
def upgrade_hash(user_id: UUID, password_hash: str) -> None:
    """Store the same password at today's cost."""
    lock(User, user_id).password = password_hash


def is_staff(user_id: UUID) -> bool:
    """Whether the person holds a role that works for the platform, an authority or the post."""
    roles = db.session.scalars(
        select(Membership.role).where(Membership.user_id == user_id, Membership.state == MembershipState.ACTIVE)
    )
    return any(role not in PUBLIC_ROLES for role in roles)


def _check_strength(password: str, own_words: tuple[str, ...], *, staff: bool = False, field: str = "password") -> None:
    reason = passwords.weakness(password, own_words=own_words, staff=staff)
    if reason is not None:
        raise Refused("password-weak", reason, field=field)


def _self_actor(user: User) -> Actor:
    """The person acting on their own account without being signed in (registration, mailed links)."""
    return Actor(user.id, None, SYSTEM.roles, user.name)
