"""One-time codes by telephone (TOTP) and recovery codes."""

from __future__ import annotations

from app.identity import security, sessions
from app.identity.models import Membership, User
from app.identity.notices import queue_mail
from app.identity.services.sign_in import CodeRefused
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict
from app.kernel.transitions import record
from app.kernel.words import N_


@use_case
def enable(actor: Actor, secret: str, code: str) -> tuple[str, ...]:
    """Turn one-time codes on after the first right code; returns the recovery codes, shown this once.

    All sessions end and this browser goes on with a new one. Raises CodeRefused, Conflict when already on.
    """
    user = lock(User, actor.user_id)
    if user.totp_enabled_at is not None:
        raise Conflict("codes-already-on", N_("One-time codes are already turned on."))
    user.totp_last_step = None
    if not security.code_matches(user, code, secret):
        raise CodeRefused
    user.tf_totp_secret = secret
    user.totp_enabled_at = clock.now()
    codes = tuple(security.new_recovery_codes(user))
    record(user, "codes-enabled", actor, title=N_("One-time codes turned on"))
    _renew_sessions(user)
    return codes


@use_case
def renew_recovery_codes(actor: Actor) -> tuple[str, ...]:
    """Replace the recovery codes; returns the new ones, shown this once."""
    user = lock(User, actor.user_id)
    if user.totp_enabled_at is None:
        raise Conflict("codes-off", N_("Turn one-time codes on first."))
    codes = tuple(security.new_recovery_codes(user))
    record(user, "recovery-codes-renewed", actor, title=N_("Recovery codes renewed"))
    return codes


@use_case
def disable(actor: Actor) -> None:
    """Turn one-time codes off. The caller has checked password and code."""
    user = lock(User, actor.user_id)
    user.tf_totp_secret = None
    user.totp_enabled_at = None
    user.mf_recovery_codes = []
    record(user, "codes-disabled", actor, title=N_("One-time codes turned off"))
    queue_mail(
        user,
        subject=N_("One-time codes were turned off"),
        body=N_(
            "Signing in to your account now asks for the password only. If this was not you, change your password at once."
        ),
        params={},
        link="/account/security",
    )
    _renew_sessions(user)


def _renew_sessions(user: User) -> None:
    here = sessions.signed_in()
    sessions.revoke_all(user.id)
    if here is not None:
        membership = db.session.get(Membership, here.membership_id) if here.membership_id else None
        sessions.open_for(user, membership)
