r"""Sealed quotes (GMBID/1): what an agency commits to, how it is sealed, and what may be read at the opening.

Source: RFC 9180 (HPKE: X25519, HKDF-SHA-256, AES-256-GCM, base mode); FIPS 180-4; EU 2014/24 annex IV (nobody reads before the
deadline, an infringement is detectable). The commitment of a quote is

    C = SHA-256("GMBID/1\n" || tender || "\n" || bidder || "\n" || price || "\n" || nonce || "\n")

with the price in yuan with exactly two decimals and the nonce as 64 hex digits. The sealed text is always equally long, so its
length tells nothing of the price. The same steps run in the agency's browser (`sealed-quotes.js`) and in `docs/verify_quotes.py`.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from app.kernel.words import N_

PROTOCOL: Final = "GMBID/1"
NO_PLAN: Final = "0" * 64
_PRICE: Final = re.compile(r"(?:0|[1-9][0-9]{0,12})\.[0-9]{2}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,63}", re.ASCII)
_PRICE_WIDTH: Final = 16
TEXT_BYTES: Final = len(PROTOCOL) + 1 + _PRICE_WIDTH + 1 + 2 * (64 + 1)
SEALED_BYTES: Final = 32 + TEXT_BYTES + 16
"""Every sealed quote has this length: encapsulated key, text, tag."""
PLAN_NONCE_BYTES: Final = 12
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

# Why a quote does not count; published with it, never a reason to drop it.
UNREADABLE: Final = N_("The sealed quote could not be opened: it was not sealed for this tender and this agency.")
WRONG_COMMITMENT: Final = N_("The opened price and number do not give the commitment of the receipt.")
NOT_POSITIVE: Final = N_("The price is not above zero.")
ABOVE_CEILING: Final = N_("The price is above the ceiling.")
BELOW_FLOOR: Final = N_("The price is below the lowest price allowed.")
PLAN_MISSING: Final = N_("The response plan that the method asks for is missing.")
PLAN_UNREADABLE: Final = N_("The response plan could not be opened.")


class NotCanonical(ValueError):
    """A value of a quote that is not in its one spelling."""


class CannotOpen(ValueError):
    """Sealed bytes that this key, tender and bidder do not open, or that hold no quote."""


@dataclass(frozen=True, slots=True)
class Bid:
    """What is sealed. `price` in yuan with exactly two decimals, `nonce` and `plan_key` 64 lower-case hex digits."""

    price: str
    nonce: str
    plan_key: str = NO_PLAN

    def __post_init__(self) -> None:
        """Raise NotCanonical for anything that has another spelling."""
        if not _PRICE.fullmatch(self.price):
            raise NotCanonical("the price has exactly two decimals and no other sign")
        if not _HEX.fullmatch(self.nonce) or not _HEX.fullmatch(self.plan_key):
            raise NotCanonical("nonce and plan key are 64 lower-case hex digits")

    @property
    def price_fen(self) -> int:
        """The price in integer fen."""
        return int(self.price.replace(".", ""))


def price_of(fen: int) -> str:
    """The one spelling of a price. Raises NotCanonical for a negative one or one beyond thirteen digits of yuan."""
    price = f"{fen // 100}.{fen % 100:02d}"
    if fen < 0 or not _PRICE.fullmatch(price):
        raise NotCanonical("not a price")
    return price


def commitment(tender: str, bidder: str, price: str, nonce: str) -> str:
    """The hex digits an agency is bound by. Raises NotCanonical for a value that is not in its one spelling."""
    Bid(price, nonce)
    if not _NAME.fullmatch(tender) or not _NAME.fullmatch(bidder):
        raise NotCanonical("tender and bidder are capitals, digits and hyphens")
    return hashlib.sha256(f"{PROTOCOL}\n{tender}\n{bidder}\n{price}\n{nonce}\n".encode("ascii")).hexdigest()


def is_commitment(text: str) -> bool:
    """Whether a text is spelt like a commitment."""
    return _HEX.fullmatch(text) is not None


def new_nonce() -> str:
    return secrets.token_hex(32)


def seal(public_key: bytes, tender: str, bidder: str, bid: Bid) -> bytes:
    """Seal a bid to the 32 bytes of the tender's public key; readable only with its private key, tender and bidder."""
    text = f"{PROTOCOL}\n{bid.price:>{_PRICE_WIDTH}}\n{bid.nonce}\n{bid.plan_key}\n"
    return _SUITE.encrypt(
        text.encode("ascii"), X25519PublicKey.from_public_bytes(public_key), info=_info(tender, bidder)
    )


def unseal(private_key: bytes, tender: str, bidder: str, sealed: bytes) -> Bid:
    """Read a sealed bid. Raises CannotOpen when it was sealed for another key, tender or bidder, or holds no bid."""
    try:
        key = X25519PrivateKey.from_private_bytes(private_key)
        text = _SUITE.decrypt(sealed, key, info=_info(tender, bidder)).decode("ascii")
        protocol, price, nonce, plan_key, rest = text.split("\n")
        if protocol != PROTOCOL or rest or len(price) != _PRICE_WIDTH:
            raise CannotOpen("not a quote")
        return Bid(price.lstrip(" "), nonce, plan_key)
    except (InvalidTag, ValueError) as failure:
        raise CannotOpen("the sealed quote could not be opened") from failure


def why_invalid(
    bid: Bid, promised: str, tender: str, bidder: str, *, ceiling_fen: int | None, floor_fen: int | None = None
) -> str | None:
    """Why an opened bid does not count (a message id), None when it does. `promised` is the commitment of its receipt."""
    if commitment(tender, bidder, bid.price, bid.nonce) != promised:
        return WRONG_COMMITMENT
    if bid.price_fen <= 0:
        return NOT_POSITIVE
    if ceiling_fen is not None and bid.price_fen > ceiling_fen:
        return ABOVE_CEILING
    if floor_fen is not None and bid.price_fen < floor_fen:
        return BELOW_FLOOR
    return None


# --- the response plan (方案), sealed with a key that is sealed with the price -----------------------------------


def seal_plan(name: str, content: bytes) -> tuple[bytes, str]:
    """Encrypt a plan under a new key; (bytes to store, the key's 64 hex digits for the bid). The name is sealed too."""
    key, nonce = secrets.token_bytes(32), secrets.token_bytes(PLAN_NONCE_BYTES)
    text = name.replace("\n", " ").encode() + b"\n" + content
    return nonce + AESGCM(key).encrypt(nonce, text, PROTOCOL.encode()), key.hex()


def unseal_plan(sealed: bytes, plan_key: str) -> tuple[str, bytes]:
    """Name and content of a sealed plan. Raises CannotOpen."""
    try:
        nonce, rest = sealed[:PLAN_NONCE_BYTES], sealed[PLAN_NONCE_BYTES:]
        name, _, content = AESGCM(bytes.fromhex(plan_key)).decrypt(nonce, rest, PROTOCOL.encode()).partition(b"\n")
        return name.decode(), content
    except (InvalidTag, ValueError) as failure:
        raise CannotOpen("the plan could not be opened") from failure


def _info(tender: str, bidder: str) -> bytes:
    return f"{tender}|{bidder}".encode("ascii")
