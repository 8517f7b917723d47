"""Parcels that were on a signed list but not there: cleared up one by one, each with a reason."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.outbox import publish
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery.events import DifferenceSettled
from delivery.models.batches import HandoverBatch, HandoverLine, LineOutcome
from delivery.models.differences import HandoverDifference, Resolution
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.policy import must_see_batch
from delivery.services.handing_over import hand_over
from delivery.services.returns import lose_in_hall
from delivery.services.tasks import drop_tasks
from delivery.states import STAFF, ParcelState


@dataclass(frozen=True)
class ResolveDifference:
    """What became of one missing parcel."""

    parcel_id: UUID
    resolution: str
    reason: str
    version: int | None = None


def note_missing(parcel: Parcel, batch: HandoverBatch) -> None:
    """Open a difference for a line that was missing when the list was signed. Call inside a transaction."""
    db.session.add(
        HandoverDifference(
            id=new_id(), batch_id=batch.id, parcel_id=parcel.id, hall_organisation_id=batch.hall_organisation_id,
            raised_at=clock.now(),
        )
    )  # fmt: skip


@use_case
def resolve_difference(actor: Actor, batch_id: UUID, command: ResolveDifference) -> None:
    """Say what became of it: found, left behind, the carrier has it after all, or lost.

    Found and left behind: it goes onto the next list. With the carrier: it counts as handed over with this list. Lost:
    only the supervisor may say so; the contents are made again. Raises NotFound for a line without a difference, Conflict where
    somebody cleared it up already, Refused where the parcel's state does not allow it.
    """
    batch = lock(HandoverBatch, batch_id, seen=command.version)
    if not must_see_batch(actor, batch).intersection(STAFF):
        raise NotAllowed
    parcel = lock(Parcel, command.parcel_id)
    found = db.session.scalar(
        sa.select(HandoverDifference).where(
            HandoverDifference.batch_id == batch.id, HandoverDifference.parcel_id == parcel.id
        )
    )
    if found is None:
        raise NotFound
    if found.resolved_at is not None:
        raise Conflict(
            "difference-settled", N_("%(name)s has cleared this difference up already."), params={"name": found.resolved_name}
        )  # fmt: skip
    resolution = Resolution(command.resolution)
    match resolution:
        case Resolution.WITH_CARRIER if parcel.state == ParcelState.WAYBILLED:
            _count_as_taken(actor, parcel, batch)
        case Resolution.LOST:
            lose_in_hall(actor, parcel.id, _Why(command.reason))
        case Resolution.WITH_CARRIER if parcel.state != ParcelState.HANDED_OVER:
            raise Refused("not-waiting", N_("This parcel is not waiting to be handed over."), field="resolution")
        case _:
            drop_tasks(parcel, TaskKind.MISSING_AT_HANDOVER)
    _settle(found, actor, resolution, command.reason)
    record(
        parcel, "difference_settled", actor, title=N_("Difference of the hand-over list cleared up"), reason=command.reason,
        detail={"list": batch.number, "outcome": str(resolution)},
    )  # fmt: skip


@dataclass(frozen=True)
class _Why:
    reason: str


def _count_as_taken(actor: Actor, parcel: Parcel, batch: HandoverBatch) -> None:
    line = db.session.scalar(
        sa.select(HandoverLine).where(HandoverLine.batch_id == batch.id, HandoverLine.parcel_id == parcel.id)
    )
    assert line is not None
    line.outcome = LineOutcome.TAKEN
    hand_over(actor, parcel, batch)


def settle_by_list(parcel: Parcel, actor: Actor, batch: HandoverBatch) -> None:
    """A missing parcel went out with another list: it was found. Call inside a transaction."""
    statement = sa.select(HandoverDifference).where(
        HandoverDifference.parcel_id == parcel.id, HandoverDifference.resolved_at.is_(None)
    )
    for found in db.session.scalars(statement):
        _settle(found, actor, Resolution.FOUND, batch.number)


def _settle(found: HandoverDifference, actor: Actor, resolution: Resolution, reason: str) -> None:
    found.resolution, found.reason = resolution, reason[:500]
    found.resolved_by, found.resolved_name, found.resolved_at = actor.user_id, actor.name, clock.now()
    publish(DifferenceSettled(found.batch_id))
