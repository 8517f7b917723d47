"""The two signatures of kuaidi100 (EMS-PROTOCOL 5.1). Both are MD5, as its wire wants it: proof of a shared text, no more."""

import hashlib
import secrets


def _upper_md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def query_sign(param: str, key: str, customer: str) -> str:
    """The signature of a query: over the parameter text exactly as sent, the key, and the customer."""
    return _upper_md5(f"{param}{key}{customer}")


def callback_sign(param: str, salt: str) -> str:
    """The signature of a notice: over the parameter text exactly as received and the salt of the subscription."""
    return _upper_md5(f"{param}{salt}")


def is_genuine(param: str, salt: str, sign: str) -> bool:
    """Whether a notice carries the signature of our salt; without a salt none is."""
    return bool(salt) and secrets.compare_digest(callback_sign(param, salt).encode(), sign.upper().encode())
