"""The vault: what the installation keeps of a tender's key, under a key that is a file outside the database.

It holds the platform's share from the publication on, and a share that was given until the second one comes. A copy of the database
alone therefore opens nothing, not even together with one holder's code.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

KEY_FILE: Final = "quote_vault_key"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


def lock_away(secret: bytes, place: str) -> bytes:
    """Encrypt a share for one place (tender, holder); it opens nowhere else. Makes the vault's key on first use."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_key(make=True)).encrypt(nonce, secret, place.encode())


def take_out(sealed: bytes, place: str) -> bytes:
    """The share that was locked away for this place. Raises FileNotFoundError without the vault's key."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    return AESGCM(_key(make=False)).decrypt(nonce, rest, place.encode())


def _key(*, make: bool) -> bytes:
    path = Path(current_app.config["AUDIT_KEY_FILE"]).with_name(KEY_FILE)
    if make and not path.exists():
        _make(path)
    return path.read_bytes()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_bytes(secrets.token_bytes(_KEY_BYTES))
    try:
        os.link(draft, path)  # fails when another process was first, whose key then counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()
