"""The register of parcels that came back; written by whatever brings one back or sends it on."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, new_id
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn, ReturnDecision


def begin_return(parcel: Parcel, actor: Actor, *, cause: str, seal_intact: bool, remark: str | None) -> None:
    """Note that a parcel lies on the returns desk. Call inside the transaction that takes it back."""
    db.session.add(
        ParcelReturn(
            id=new_id(), parcel_id=parcel.id, hall_organisation_id=parcel.hall_organisation_id, waybill_no=parcel.waybill_no,
            arrived_at=clock.now(), received_name=actor.name, cause=cause[:24], seal_intact=seal_intact, remark=remark,
        )
    )  # fmt: skip


def open_return(parcel_id: UUID) -> ParcelReturn | None:
    """The return that is not ended, if the parcel lies on the desk."""
    statement = sa.select(ParcelReturn).where(ParcelReturn.parcel_id == parcel_id, ParcelReturn.ended_at.is_(None))
    return db.session.scalar(statement)


def note_decision(found: ParcelReturn, actor: Actor, decision: ReturnDecision, keep_until: datetime | None) -> None:
    """Write down what is to be done."""
    found.decision, found.keep_until = decision, keep_until
    found.decided_name, found.decided_at = actor.name, clock.now()


def end_return(parcel: Parcel, actor: Actor, decision: ReturnDecision | None = None) -> None:
    """The parcel left the desk: sent again, collected, or given back. Call inside a transaction."""
    found = open_return(parcel.id)
    if found is None:
        return
    if decision is not None:
        note_decision(found, actor, decision, None)
    found.ended_at = clock.now()
