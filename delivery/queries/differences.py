"""Differences of signed hand-over lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.words import N_
from delivery.models.differences import HandoverDifference, Resolution
from delivery.models.parcels import Parcel
from delivery.policy import oversees

RESOLUTIONS: Final[Mapping[Resolution, str]] = {
    Resolution.FOUND: N_("Found in the hall: it goes with the next list"),
    Resolution.LEFT_BEHIND: N_("Left behind on purpose: it goes with the next list"),
    Resolution.WITH_CARRIER: N_("The courier has it after all: it counts as handed over"),
    Resolution.LOST: N_("Lost in the hall: the supervisor has it made again"),
}


@dataclass(frozen=True)
class DifferenceView:
    """One missing line. `outcome` is a catalogue message; it and `resolution` are empty while it is open."""

    parcel_id: UUID
    number: str
    waybill_no: str
    raised_at: datetime
    resolution: str
    outcome: str
    reason: str | None
    resolved_name: str | None
    resolved_at: datetime | None


def differences_of(batch_id: UUID) -> tuple[DifferenceView, ...]:
    """The differences of a list that the caller has checked the right to see; open ones first."""
    statement = (
        sa.select(HandoverDifference, Parcel.number, Parcel.waybill_no)
        .join(Parcel, Parcel.id == HandoverDifference.parcel_id)
        .where(HandoverDifference.batch_id == batch_id)
        .order_by(HandoverDifference.resolved_at.is_not(None), Parcel.number)
    )
    return tuple(
        DifferenceView(
            found.parcel_id, number, waybill_no or "", found.raised_at, found.resolution or "",
            RESOLUTIONS[Resolution(found.resolution)] if found.resolution else "", found.reason, found.resolved_name,
            found.resolved_at,
        )
        for found, number, waybill_no in db.session.execute(statement)
    )  # fmt: skip


def open_differences(actor: Actor) -> int:
    """How many are to be cleared up in the hall."""
    statement = (
        sa.select(sa.func.count()).select_from(HandoverDifference).where(HandoverDifference.resolved_at.is_(None))
    )
    if not oversees(actor):
        statement = statement.where(HandoverDifference.hall_organisation_id == actor.organisation_id)
    return db.session.scalar(statement) or 0
