"""Flask-Security as the engine of passwords, one-time codes, recovery codes and reset links.

Its views and its cookie session are not used: pages are ours (one validator, marshmallow), sessions are rows that can
be revoked (`sessions.py`). See docs/decisions.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from datetime import timedelta
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app
from flask_security import Security
from flask_security.datastore import UserDatastore
from flask_security.recoverable import generate_reset_password_token, reset_password_token_status
from flask_security.totp import Totp
from flask_security.utils import hash_password, verify_hash, verify_password
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import or_, select, update

from app.identity.models import User
from app.kernel import clock
from app.kernel.db import db
from app.settings import Settings

ISSUER = "Chaoshi"
RESET_WITHIN = timedelta(hours=1)
RECOVERY_CODES = 10
# a code is good for its own 30 seconds and one step to either side (clocks of telephones differ)
CODE_WINDOW_SECONDS = 30
# argon2id with 19 MiB costs about a tenth of a second of one core: more than two at once would starve the pages
_hashing = threading.BoundedSemaphore(2)
# a hash of nothing anybody can type: verified for unknown accounts, so that they take as long as known ones
_decoy: dict[str, str] = {}


class Datastore(UserDatastore):
    """What Flask-Security asks of storage; transactions belong to the use case."""

    def __init__(self) -> None:
        # our User has the attributes that are used; it need not inherit from Flask-Security's mixin
        super().__init__(cast("Any", User), cast("Any", object))

    def put(self, model: Any) -> Any:
        """Add to the running transaction."""
        db.session.add(model)
        return model

    def commit(self) -> None:
        """Nothing: the use case commits."""

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> Any:  # noqa: ARG002
        """The user with this unique attribute."""
        ((name, value),) = kwargs.items()
        return db.session.scalar(select(User).where(getattr(User, name) == value))


class ReplaySafeTotp(Totp):
    """A code is good once: the step of the last accepted code is stored, in the statement that compares it."""

    def __init__(self, secrets: dict[str, str], issuer: str) -> None:
        super().__init__(secrets, issuer)
        self._totp = self._totp.using(now=lambda: clock.now().timestamp())

    def get_last_counter(self, user: Any) -> int | None:
        """The step of the last accepted code."""
        return cast("User", user).totp_last_step

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """Store the step, unless another request has just used it; raises ValueError then."""
        step = int(tmatch.counter)
        taken = db.session.execute(
            update(User)
            .where(User.id == user.id, or_(User.totp_last_step.is_(None), User.totp_last_step < step))
            .values(totp_last_step=step)
            .execution_options(synchronize_session=False)
        )
        if not getattr(taken, "rowcount", 0):
            raise CodeUsed
        user.totp_last_step = step


class CodeUsed(Exception):
    """The one-time code was accepted before."""


def init_security(app: Flask, settings: Settings) -> None:
    """Set Flask-Security up without its routes."""
    app.config.update(
        SECURITY_PASSWORD_SALT=settings.password_salt,
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of a scheme
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        # OWASP: argon2id, 19 MiB, two passes, one lane
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={
            "argon2__type": "ID",
            "argon2__memory_cost": 19 * 1024 if not app.testing else 64,
            "argon2__time_cost": 2 if not app.testing else 1,
            "argon2__parallelism": 1,
        },
        SECURITY_PASSWORD_NORMALIZE_FORM="NFKC",  # noqa: S106 - the name of a form
        SECURITY_MULTI_FACTOR_RECOVERY_CODES=True,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES_N=RECOVERY_CODES,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS=[_key(settings, "recovery codes")],
        SECURITY_TOTP_SECRETS={"1": _key(settings, "totp").decode()},
        SECURITY_TOTP_ISSUER=ISSUER,
        SECURITY_RESET_PASSWORD_WITHIN=RESET_WITHIN,
        SECURITY_HASHING_SCHEMES=["sha256_crypt"],
        SECURITY_DEPRECATED_HASHING_SCHEMES=[],
        SECURITY_CLI_USERS_NAME=False,
        SECURITY_CLI_ROLES_NAME=False,
    )
    security = Security(totp_cls=ReplaySafeTotp)
    security.init_app(app, Datastore(), register_blueprint=False)
    # SHA-256 instead of the default SHA-1 in the signatures of mailed links
    security.reset_serializer = URLSafeTimedSerializer(
        str(app.config["SECRET_KEY"]), salt="password-reset", signer_kwargs={"digest_method": hashlib.sha256}
    )


def _key(settings: Settings, purpose: str) -> bytes:
    """A key of its own for each purpose, derived from the installation's secret."""
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=f"chaoshi {purpose}".encode()).derive(
        settings.secret_key.encode()
    )
    return base64.urlsafe_b64encode(derived)


def keyed_digest(purpose: str, text: str) -> str:
    """A digest that only this installation can compute (HMAC-SHA-256, 64 hex digits).

    For what must be found again but never read back, such as identity numbers: they are few enough to be tried out one by one.
    """
    key = _key(current_app.extensions["chaoshi_settings"], purpose)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _security() -> Any:
    return current_app.extensions["security"]


def hashed(password: str) -> str:
    """The stored form of a password (argon2id over an HMAC with the installation's salt)."""
    with _hashing:
        return str(hash_password(_security()._password_util.normalize(password)))  # noqa: SLF001 - no public accessor


def password_matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one behind `stored`; takes as long when there is none (an unknown account).

    Costs about a tenth of a second: call it with no transaction open.
    """
    normalised = _security()._password_util.normalize(password)  # noqa: SLF001
    if stored is None:
        _verify_decoy(normalised)
        return False
    with _hashing:
        return bool(verify_password(normalised, stored))


def is_old_hash(stored: str) -> bool:
    """Whether a hash was made at another cost than today's and should be made anew."""
    return bool(_security().pwd_context.needs_update(stored))


def _verify_decoy(password: str) -> None:
    key = str(current_app.config["SECURITY_PASSWORD_SALT"])
    if key not in _decoy:
        _decoy[key] = hashed(hashlib.sha256(key.encode()).hexdigest())
    with _hashing:
        verify_password(password, _decoy[key])


def new_totp_secret() -> str:
    """A fresh seed, encrypted as it is stored."""
    return str(_security().totp_factory.generate_totp_secret())


def totp_set_up(user: User, secret: str) -> dict[str, str]:
    """The otpauth address of a seed (`uri`), and the seed in groups for typing (`key`)."""
    factory = _security().totp_factory
    return {"uri": factory.get_totp_uri(user.email, secret), "key": factory.get_totp_pretty_key(secret)}


def code_matches(user: User, code: str, secret: str | None = None) -> bool:
    """Whether a one-time code is right and was not used before; stores its step."""
    stored = secret or user.tf_totp_secret
    digits = "".join(code.split())
    if stored is None or not (digits.isdigit() and digits.isascii() and len(digits) == 6):
        return False
    try:
        return bool(_security().totp_factory.verify_totp(digits, stored, user, window=CODE_WINDOW_SECONDS))
    except CodeUsed:
        return False


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes for the day the telephone is lost; stored encrypted, shown once."""
    return list(_security()._mf_recovery_codes_util.create_recovery_codes(user))  # noqa: SLF001


def use_recovery_code(user: User, code: str) -> bool:
    """Whether a recovery code is right; it is struck off."""
    codes = _security()._mf_recovery_codes_util  # noqa: SLF001
    wanted = code.strip().lower()
    stored = list(user.mf_recovery_codes or [])
    decrypted = codes._decrypt_codes(stored)  # noqa: SLF001 - the public check does not tell which one it was
    if wanted not in decrypted:
        return False
    # a new list: the column compares by value and would not see a change in place
    user.mf_recovery_codes = [kept for kept, plain in zip(stored, decrypted, strict=True) if plain != wanted]
    return True


def reset_token(user: User) -> str:
    """A signed reset token; it dies with the first use, because it carries a digest of the present password hash."""
    return str(generate_reset_password_token(user))  # type: ignore[no-untyped-call]


def user_of_reset_token(token: str) -> User | None:
    """Whose reset token this is, or None when it is wrong, old or used."""
    expired, invalid, user = reset_password_token_status(token)  # type: ignore[no-untyped-call]
    if expired or invalid or user is None or not user.active:
        return None
    _known, data = _security().reset_serializer.loads_unsafe(token)
    password_hash = data[1] if isinstance(data, list) and len(data) == 2 else None
    if user.password is None:
        return user if password_hash is None else None
    return user if password_hash and verify_hash(password_hash, user.password) else None
