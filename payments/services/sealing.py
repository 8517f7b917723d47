"""Secrets that must be kept in the database are kept encrypted, with a key drawn from the installation's own secret."""

import base64
from typing import cast

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from app.settings import Settings

PURPOSE = b"payments notice secret"


def _box() -> Fernet:
    settings = cast("Settings", current_app.extensions["chaoshi_settings"])
    drawn = HKDF(hashes.SHA256(), 32, salt=None, info=PURPOSE).derive(settings.secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(drawn))


def seal(secret: str) -> str:
    """The secret as it may be stored."""
    return _box().encrypt(secret.encode()).decode()


def unseal(stored: str | None) -> str | None:
    """The secret again; None where there is none, or where the installation's own secret has changed since."""
    if stored is None:
        return None
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken:
        return None
