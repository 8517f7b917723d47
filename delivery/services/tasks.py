"""What a person must look at: raised by facts, closed by a person's answer or by the end of the cause."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import NotAllowed, NotFound
from app.kernel.transitions import record
from delivery.models.parcels import Parcel
from delivery.models.tasks import ParcelTask, TaskKind
from delivery.policy import must_see_parcel
from delivery.states import STAFF
from delivery.words import TASK_TITLES, WAYS_OUT

WITHIN: Final = {
    TaskKind.BOOKING_REFUSED: timedelta(hours=4), TaskKind.BOOKING_UNCLEAR: timedelta(hours=4),
    TaskKind.DOUBTFUL_DELIVERY: timedelta(hours=4), TaskKind.DISPUTED: timedelta(hours=4),
    TaskKind.LOST: timedelta(hours=8), TaskKind.DELIVERY_REVOKED: timedelta(hours=8),
}  # fmt: skip
USUALLY: Final = timedelta(days=1)


@dataclass(frozen=True)
class ResolveTask:
    """What was done about it."""

    task_id: UUID
    resolution: str


def raise_task(parcel: Parcel, kind: TaskKind, *, cause: str = "", fact: str = "") -> bool:
    """Put a parcel before a person, once per cause; returns whether it is new. Call inside a transaction."""
    known = db.session.scalar(
        sa.select(ParcelTask.id).where(
            ParcelTask.parcel_id == parcel.id, ParcelTask.kind == kind, ParcelTask.cause == cause[:80]
        )
    )
    if known is not None:
        return False
    moment = clock.now()
    db.session.add(
        ParcelTask(
            id=new_id(),
            parcel_id=parcel.id,
            hall_organisation_id=parcel.hall_organisation_id,
            kind=kind,
            cause=cause[:80],
            fact=fact[:300],
            raised_at=moment,
            due_at=moment + WITHIN.get(kind, USUALLY),
        )
    )
    db.session.flush()  # a second task of the same cause in this transaction must be seen
    notify(
        to_organisation=parcel.hall_organisation_id, kind=f"delivery.{kind}", thread_id=parcel.thread_id,
        link=f"/parcels/{parcel.id}", subject=TASK_TITLES[kind], text=WAYS_OUT[kind], params={"number": parcel.number},
    )  # fmt: skip
    return True


def drop_tasks(parcel: Parcel, *kinds: TaskKind) -> None:
    """Close tasks whose cause is gone. Call inside a transaction."""
    db.session.execute(
        sa.update(ParcelTask)
        .where(ParcelTask.parcel_id == parcel.id, ParcelTask.kind.in_(kinds), ParcelTask.resolved_at.is_(None))
        .values(resolved_at=clock.now(), resolution="")
    )


@use_case
def resolve_task(actor: Actor, parcel_id: UUID, command: ResolveTask) -> None:
    """Say what was done. Raises NotFound for a task of another parcel or one that is closed."""
    task = get(ParcelTask, command.task_id)
    parcel = lock(Parcel, parcel_id)
    if not must_see_parcel(actor, parcel).intersection(STAFF):
        raise NotAllowed
    if task.parcel_id != parcel.id or task.resolved_at is not None:
        raise NotFound
    task.resolved_at = clock.now()
    task.resolved_by = actor.user_id
    task.resolution = command.resolution
    record(parcel, "task_resolved", actor, title=TASK_TITLES[TaskKind(task.kind)], reason=command.resolution)
