"""Signature and timetable of outgoing messages (Standard Webhooks 1.0). Pure."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

PREFIX = "whsec_"
OVERLAP = timedelta(hours=24)
"""How long messages carry the signatures of both secrets after a rotation."""
TIMETABLE = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
    timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24),
)  # fmt: skip
"""Pauses between the tries: ten tries over more than three days."""
GIVE_UP_AFTER = timedelta(days=3)
"""An address that has accepted nothing for this long, though it was tried, is paused."""
GONE = 410
"""The receiver says that it wants no more: paused at once."""
KEPT = timedelta(days=90)
"""How long the log of deliveries is kept."""
EXCERPT = 500
"""Characters of the receiver's answer that are kept."""


def new_secret() -> str:
    """A fresh secret of 256 bits, as it is shown once."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """`v1,<base64 of HMAC-SHA-256>` over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(valid: Sequence[str], message_id: str, sent_at: datetime, body: str) -> dict[str, str]:
    """The headers of one try; one signature for each valid secret."""
    timestamp = int(sent_at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in valid),
        "content-type": "application/json",
        "user-agent": "Chaoshi-Webhooks/1",
    }


def next_try(tries: int, now: datetime) -> datetime | None:
    """When a message that failed `tries` times is sent again; None when it is given up."""
    return now + TIMETABLE[tries - 1] if tries <= len(TIMETABLE) else None


def is_accepted(status: int | None) -> bool:
    """Any 2xx; a redirect is not followed and counts as a failure."""
    return status is not None and 200 <= status < 300
