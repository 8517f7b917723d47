"""RSA signatures as Alipay and WeChat Pay want them: SHA-256 with PKCS #1 v1.5, base64."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key, load_pem_private_key
from cryptography.hazmat.primitives.serialization import load_pem_public_key as load_pem


def private_key(text: str) -> rsa.RSAPrivateKey:
    """A private key as PEM, or as the bare base64 that the providers' consoles show. Raises ValueError for anything else."""
    key = (
        load_pem_private_key(text.encode(), None)
        if "-----BEGIN" in text
        else load_der_private_key(base64.b64decode(text), None)
    )
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - a wrong value of a setting
    return key


def public_key(text: str) -> rsa.RSAPublicKey:
    """A public key as PEM or bare base64. Raises ValueError for anything else."""
    key = load_pem(text.encode()) if "-----BEGIN" in text else load_der_public_key(base64.b64decode(text))
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - a wrong value of a setting
    return key


def sign(key: rsa.RSAPrivateKey, text: str) -> str:
    """The signature of a text, base64."""
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: rsa.RSAPublicKey, text: str, signature: str) -> bool:
    """Tell whether the signature is that key's over exactly this text."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
