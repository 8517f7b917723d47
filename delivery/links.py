"""The receiver's link: whoever holds it sees the public view of one parcel and may wish for a day or complain."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import NotAllowed, NotFound
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery import terms as rule_book
from delivery.models.parcels import Parcel
from delivery.models.terms import ParcelTerms
from delivery.policy import must_see_parcel
from delivery.services.terms import terms_of
from delivery.states import Part

SALT: Final = "parcel-link"


@dataclass(frozen=True)
class Opened:
    """What a link leads to."""

    parcel_id: UUID
    until: datetime


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=SALT)


def link_of(parcel_id: UUID, link_no: int, *, lasts: timedelta | None = None) -> str:
    """A signed token for one parcel; it holds until its end or until a new link is made."""
    until = clock.now() + (lasts or timedelta(days=rule_book.in_force().link_days))
    token: str = _serializer().dumps([parcel_id.hex, link_no, int(until.timestamp())])
    return token


def opened(token: str) -> Opened:
    """The parcel of a token. Raises NotFound for a forged, expired or replaced one: all look the same."""
    try:
        hexed, link_no, until = _serializer().loads(token)
        parcel_id, end = UUID(hexed), datetime.fromtimestamp(int(until), UTC)
    except (BadSignature, ValueError, TypeError) as bad:
        raise NotFound from bad
    terms = db.session.get(ParcelTerms, parcel_id)
    if terms is None or terms.link_no != link_no or end <= clock.now():
        raise NotFound
    return Opened(parcel_id, end)


@use_case
def renew_link(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Make every earlier link of a parcel void. Raises NotAllowed for anybody but the applicant."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    if Part.APPLICANT not in must_see_parcel(actor, parcel):
        raise NotAllowed
    terms_of(parcel.id).link_no += 1
    record(parcel, "link_renewed", actor, title=N_("New link for the receiver, the earlier one is void"))
