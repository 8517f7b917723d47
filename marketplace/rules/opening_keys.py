"""The keys of an opening: one key pair per tender, its private half split 2-of-3, and the codes of those who hold a share.

Source: A. Shamir, How to share a secret (1979), over GF(256) by `pyshamir`; RFC 5869 (HKDF); RFC 9180. The private key of a tender
exists only while it is split and while its quotes are opened. A holder (owner, supervision) keeps one opening code of 28 signs, from
which its key pair is derived; every share is sealed to that key. The platform's share lies in the vault of the installation.
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyshamir import combine, split

from app.kernel.words import N_

SHARES_NEEDED: Final = 2
CODE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U, so it can be read out and typed
_SEED_BYTES: Final = 16
_CODE_SIGNS: Final = 28  # 128 bits of seed and 12 bits that find a typing error
_GROUP: Final = 4
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Holder(StrEnum):
    """Who holds a share of a tender's key."""

    OWNER = "owner"  # 项目业主
    SUPERVISION = "supervision"  # 主管部门
    PLATFORM = "platform"  # 运营机构


HOLDER_LABELS: Final[dict[str, str]] = {
    Holder.OWNER: N_("Project owner"),
    Holder.SUPERVISION: N_("Supervision"),
    Holder.PLATFORM: N_("Platform"),
}


class BadCode(ValueError):
    """An opening code that was misread or mistyped."""


class WrongShare(ValueError):
    """A share that does not belong to this tender or this holder."""


@dataclass(frozen=True, slots=True)
class SplitKey:
    """A new tender key: its public half and the three shares. Nothing else of it is kept."""

    public_key: bytes
    shares: dict[Holder, bytes]


def new_tender_key() -> SplitKey:
    """Make a key pair and split its private half; the whole key is forgotten on return."""
    private = X25519PrivateKey.generate()
    parts = split(private.private_bytes_raw(), len(Holder), SHARES_NEEDED)
    return SplitKey(
        private.public_key().public_bytes_raw(),
        {holder: bytes(part) for holder, part in zip(Holder, parts, strict=True)},
    )


def join(public_key: bytes, shares: tuple[bytes, ...]) -> bytes:
    """The private key from two or more different shares. Raises WrongShare when they do not give this public key's."""
    try:
        private = bytes(combine([bytearray(share) for share in shares]))
        public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    except ValueError as failure:
        raise WrongShare("the shares do not fit together") from failure
    if public != public_key:
        raise WrongShare("the shares are not those of this tender")
    return private


def share_digest(tender: str, holder: str, share: bytes) -> str:
    """By what a share is recognised without being known; a share has 256 bits, so this tells nothing about it."""
    return hashlib.sha256(f"GMKEY/1 share\n{tender}\n{holder}\n".encode() + share).hexdigest()


# --- the code of a holder ---------------------------------------------------------------------------------------


def new_code() -> str:
    """A new opening code, in groups of four."""
    return code_of(secrets.token_bytes(_SEED_BYTES))


def code_of(seed: bytes) -> str:
    """The opening code that spells a seed of 16 bytes."""
    number = (int.from_bytes(seed, "big") << 12) | _check_bits(seed)
    signs = "".join(CODE_ALPHABET[(number >> shift) & 31] for shift in range(5 * (_CODE_SIGNS - 1), -1, -5))
    return "-".join(signs[start : start + _GROUP] for start in range(0, _CODE_SIGNS, _GROUP))


def private_key_of(code: str) -> bytes:
    """The private key of an opening code, however it was typed. Raises BadCode for a code with a slip."""
    plain = code.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))
    if len(plain) != _CODE_SIGNS or any(sign not in CODE_ALPHABET for sign in plain):
        raise BadCode("an opening code has 28 signs")
    number = 0
    for sign in plain:
        number = number * 32 + CODE_ALPHABET.index(sign)
    seed = (number >> 12).to_bytes(_SEED_BYTES, "big")
    if number & 0xFFF != _check_bits(seed):
        raise BadCode("the opening code has a slip")
    return HKDF(hashes.SHA256(), 32, salt=b"", info=b"GMKEY/1 holder").derive(seed)


def public_key_of(code: str) -> bytes:
    """The public key of an opening code. Raises BadCode."""
    return X25519PrivateKey.from_private_bytes(private_key_of(code)).public_key().public_bytes_raw()


def is_public_key(raw: bytes) -> bool:
    """Whether 32 bytes can be a holder's public key (not one of the few points that make every secret zero)."""
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw))
    except ValueError:
        return False
    return True


def fingerprint(public_key: bytes) -> str:
    """Sixteen hex digits that name a holder's key, printed beside its code."""
    return hashlib.sha256(b"GMKEY/1 fingerprint\n" + public_key).hexdigest()[:16]


def seal_share(public_key: bytes, tender: str, holder: str, share: bytes) -> bytes:
    """Seal a share to its holder's key."""
    return _SUITE.encrypt(share, X25519PublicKey.from_public_bytes(public_key), info=_info(tender, holder))


def unseal_share(code: str, tender: str, holder: str, sealed: bytes) -> bytes:
    """Read a share with its holder's code. Raises BadCode, and WrongShare when it is sealed to another code."""
    key = X25519PrivateKey.from_private_bytes(private_key_of(code))
    try:
        return _SUITE.decrypt(sealed, key, info=_info(tender, holder))
    except (InvalidTag, ValueError) as failure:
        raise WrongShare("this code does not open the share") from failure


def _check_bits(seed: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"GMKEY/1 check\n" + seed).digest()[:2], "big") >> 4


def _info(tender: str, holder: str) -> bytes:
    return f"{tender}|{holder}".encode("ascii")
