"""The envelope of `logitcsInterface` (the misspelling is the platform's): SM4-ECB with the key text as its signature.

    plaintext = <business JSON> + <sign key as issued>      field = "|$4|" + Base64(SM4-ECB(PKCS#7(UTF-8 plaintext)))

Pure: bytes in, bytes out. ECB hides neither repetition nor protects integrity, so whoever opens a push must treat it as
a hint (EMS-PROTOCOL 1.5); nothing here can tell a genuine notice from a re-spliced one.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from delivery.carriers.ems import sm4
from delivery.carriers.ems.errors import BadEnvelope, BadSignature, BadSignKey

PREFIX: Final = "|$4|"
_BITS: Final = sm4.BLOCK * 8

Json: TypeAlias = Mapping[str, object] | Sequence[object]


@dataclass(frozen=True)
class SignKey:
    """A sign key as issued: the Base64 text that is appended, and the 16 bytes that encrypt."""

    text: str = field(repr=False)

    @cached_property
    def raw(self) -> bytes:
        """Raises BadSignKey unless the text decodes to 16 bytes. Never treat them as text: some keys are raw bytes."""
        try:
            raw = base64.b64decode(self.text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadSignKey("the sign key is not Base64") from error
        if len(raw) != sm4.BLOCK:
            raise BadSignKey("the sign key does not hold 16 bytes")
        return raw


def encrypt_ecb(data: bytes, key: bytes) -> bytes:
    """SM4-ECB over whole blocks, by OpenSSL where it has SM4."""
    try:
        encryptor = Cipher(SM4(key), modes.ECB()).encryptor()  # noqa: S305 - the carrier's wire, not our choice
    except UnsupportedAlgorithm:
        return sm4.encrypt_ecb(data, key)
    return encryptor.update(data) + encryptor.finalize()


def decrypt_ecb(data: bytes, key: bytes) -> bytes:
    """The inverse of `encrypt_ecb`."""
    try:
        decryptor = Cipher(SM4(key), modes.ECB()).decryptor()  # noqa: S305 - the carrier's wire, not our choice
    except UnsupportedAlgorithm:
        return sm4.decrypt_ecb(data, key)
    return decryptor.update(data) + decryptor.finalize()


def seal_text(text: str, key: SignKey, *, signed: bool = True) -> str:
    """Encrypt `text`; requests are signed with the key's text appended, pushes usually are not."""
    padder = padding.PKCS7(_BITS).padder()
    plain = (text + key.text if signed else text).encode()
    return PREFIX + base64.b64encode(encrypt_ecb(padder.update(plain) + padder.finalize(), key.raw)).decode("ascii")


def seal(content: Json, key: SignKey, *, signed: bool = True) -> str:
    """Encrypt JSON, compact and with Chinese unescaped, as the platform's own tool writes it."""
    return seal_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), key, signed=signed)


def decrypt_text(sealed: str, key: SignKey) -> str:
    """The plaintext with whatever stands at its end. Raises BadEnvelope."""
    if not sealed.startswith(PREFIX):
        raise BadEnvelope("the text does not start with |$4|")
    try:
        cipher = base64.b64decode(sealed.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope("the text is not Base64") from error
    if not cipher or len(cipher) % sm4.BLOCK:
        raise BadEnvelope("the text is not a whole number of blocks")
    unpadder = padding.PKCS7(_BITS).unpadder()
    try:
        return (unpadder.update(decrypt_ecb(cipher, key.raw)) + unpadder.finalize()).decode()
    except (ValueError, UnicodeDecodeError) as error:
        raise BadEnvelope("the text was not encrypted with this key") from error


def open_request(sealed: str, key: SignKey) -> str:
    """The JSON text of a request. Raises BadEnvelope, and BadSignature where the key's text is not appended."""
    text = decrypt_text(sealed, key)
    if not text.endswith(key.text):
        raise BadSignature("the text does not end with the sign key")
    return text.removesuffix(key.text)


def open_push(sealed: str, key: SignKey) -> str:
    """The JSON text of a push, which may or may not carry the key's text (both occur). Raises BadEnvelope."""
    return decrypt_text(sealed, key).removesuffix(key.text)
