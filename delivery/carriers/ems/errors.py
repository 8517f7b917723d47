"""What can be wrong with bytes of the EMS wire. None of these leaves the adapter: callers see a `Reply`."""


class WireError(Exception):
    """Something on the wire does not follow the protocol."""


class BadSignKey(WireError):
    """The sign key is not the Base64 text of exactly 16 bytes."""


class BadEnvelope(WireError):
    """The ciphertext has no `|$4|`, is no Base64, is no whole number of blocks, or its padding is wrong."""


class BadSignature(WireError):
    """The decrypted text does not end with the sign key."""


class BadReply(WireError):
    """The reply is not the JSON object the platform promises (a block page, half a body, another encoding)."""
