"""The public question by number: it needs the second half of the secret, and too many wrong answers lock it."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Refused, TooManyRequests
from app.kernel.words import N_
from delivery import rules
from delivery.models.parcels import Parcel
from delivery.services.quietly import note

TRIES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Track:
    """A number from the message or label, and the last four digits of the mobile number or the pick-up code."""

    number: str
    secret: str = field(repr=False)


def track(command: Track) -> UUID:
    """The parcel that number and secret belong to.

    Raises Refused (the same for an unknown number and a wrong secret) and, after five wrong ones, TooManyRequests.
    """
    found = _compare(command)
    if found is None:
        raise Refused(
            "track-no-match", N_("Number and code do not belong together. Use the last four digits of the mobile number, or the pick-up code."),
            field="secret",
        )  # fmt: skip
    return found


@use_case
def _compare(command: Track) -> UUID | None:
    code = rules.normal_scan(command.number)
    known = db.session.scalar(
        sa.select(Parcel.id).where(sa.or_(Parcel.number == code, Parcel.waybill_no == code)).limit(1)
    )
    if known is None:
        return None
    parcel = lock(Parcel, known)
    now = clock.now()
    if parcel.track_locked_until and parcel.track_locked_until > now:
        raise TooManyRequests(int((parcel.track_locked_until - now).total_seconds()) + 1)
    secret = rules.normal_scan(command.secret).encode()
    right = (parcel.receiver_mobile[-4:].encode(), parcel.pickup_code.encode())
    if any(secrets.compare_digest(secret, each) for each in right):
        note(parcel, track_tries=0)
        return parcel.id
    tries = parcel.track_tries + 1
    locked = tries >= TRIES
    note(parcel, track_tries=0 if locked else tries, track_locked_until=now + LOCKED_FOR if locked else None)
    return None
