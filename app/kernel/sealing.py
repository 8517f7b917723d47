"""Secrets that must be kept in the database are kept encrypted, with a key drawn from the installation's own secret."""

import base64
from typing import cast

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from app.settings import Settings


def _box(purpose: str) -> Fernet:
    settings = cast("Settings", current_app.extensions["chaoshi_settings"])
    drawn = HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(settings.secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(drawn))


def seal(secret: str, purpose: str) -> str:
    """The secret as it may be stored; what is sealed for one purpose cannot be opened for another."""
    return _box(purpose).encrypt(secret.encode()).decode()


def unseal(stored: str | None, purpose: str) -> str | None:
    """The secret again; None where there is none, or where the installation's own secret has changed since."""
    if stored is None:
        return None
    try:
        return _box(purpose).decrypt(stored.encode()).decode()
    except InvalidToken:
        return None
