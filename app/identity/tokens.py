"""Random tokens and their stored form. Pure."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_BYTES = 32
API_TOKEN_PREFIX = "csk_"  # noqa: S105 - a prefix, no secret


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_api_token() -> str:
    """A token with a prefix by which secret scanners and people recognise it."""
    return API_TOKEN_PREFIX + new_token()


def digest(token: str) -> str:
    """What is stored: the token has 256 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
