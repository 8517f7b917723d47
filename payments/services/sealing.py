"""The secrets of gateway notices, as they are kept in the database."""

from app.kernel import sealing

PURPOSE = "payments notice secret"


def seal(secret: str) -> str:
    """The secret as it may be stored."""
    return sealing.seal(secret, PURPOSE)


def unseal(stored: str | None) -> str | None:
    """The secret again; None where there is none, or where the installation's own secret has changed since."""
    return sealing.unseal(stored, PURPOSE)
