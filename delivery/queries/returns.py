"""The returns desk: what lies on it, why, and what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.words import N_
from delivery import rules
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn, ReturnDecision
from delivery.policy import oversees

CAUSES: Final[Mapping[str, str]] = {
    "refused": N_("refused by the receiver"),
    "not_reached": N_("receiver not reached"),
    "address": N_("address wrong or unclear"),
    "moved": N_("moved away"),
    "unclaimed": N_("not collected in time"),
    "damaged": N_("damaged on the way"),
    "cancelled": N_("called back by us"),
    "other": N_("another cause"),
}
DECISIONS: Final[Mapping[ReturnDecision, str]] = {
    ReturnDecision.RESEND: N_("Send again"),
    ReturnDecision.KEEP: N_("Keep for collection"),
    ReturnDecision.CALL: N_("Call the receiver"),
    ReturnDecision.CENTRE: N_("Back to the certificate centre"),
}


@dataclass(frozen=True)
class ReturnView:
    """One parcel of the returns desk. `cause` and `decision` are catalogue messages, or the carrier's words."""

    parcel_id: UUID
    number: str
    waybill_no: str
    contents: str
    receiver: str
    place: str
    arrived_at: datetime
    received_name: str
    cause: str
    seal_intact: bool
    remark: str | None
    decision: str
    decided_name: str | None
    keep_until: datetime | None
    overdue: bool
    ended_at: datetime | None


def returns_statement(actor: Actor, *, ended: bool = False) -> sa.Select[ParcelReturn, Parcel]:
    """What lies on the desk of the hall, the longest first; or what has left it, the newest first."""
    statement = sa.select(ParcelReturn, Parcel).join(Parcel, Parcel.id == ParcelReturn.parcel_id)
    if not oversees(actor):
        statement = statement.where(ParcelReturn.hall_organisation_id == actor.organisation_id)
    if ended:
        return statement.where(ParcelReturn.ended_at.is_not(None)).order_by(ParcelReturn.ended_at.desc())
    return statement.where(ParcelReturn.ended_at.is_(None)).order_by(ParcelReturn.arrived_at, ParcelReturn.id)


def return_views(rows: Sequence[Any]) -> tuple[ReturnView, ...]:
    """Rows of `returns_statement` as values, the receiver masked."""
    return tuple(_view(found, parcel) for found, parcel in rows)


def _view(found: ParcelReturn, parcel: Parcel) -> ReturnView:
    decision = DECISIONS[ReturnDecision(found.decision)] if found.decision else ""
    late = found.keep_until is not None and found.keep_until < clock.now() and found.ended_at is None
    return ReturnView(
        parcel.id, parcel.number, found.waybill_no or "", parcel.contents, rules.masked_name(parcel.receiver_name),
        f"{parcel.receiver_city}{parcel.receiver_county}", found.arrived_at, found.received_name,
        CAUSES.get(found.cause, found.cause), found.seal_intact, found.remark, decision, found.decided_name,
        found.keep_until, late, found.ended_at,
    )  # fmt: skip
