"""What a person must look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from delivery.models.parcels import Parcel
from delivery.models.tasks import ParcelTask, TaskKind
from delivery.policy import oversees
from delivery.words import TASK_TITLES, WAYS_OUT


@dataclass(frozen=True)
class TaskView:
    """One thing that a person must look at."""

    id: UUID
    parcel_id: UUID
    number: str
    kind: str
    title: str
    way_out: str
    fact: str
    raised_at: datetime
    due_at: datetime
    overdue: bool
    resolved_at: datetime | None
    resolution: str | None
    owner_user_id: UUID | None
    owner_name: str | None


def tasks_statement(actor: Actor, *, parcel_id: UUID | None = None) -> sa.Select[ParcelTask, str]:
    """Open tasks of the hall, the most urgent first; or all tasks of one parcel."""
    statement = sa.select(ParcelTask, Parcel.number).join(Parcel, Parcel.id == ParcelTask.parcel_id)
    if parcel_id is not None:
        return statement.where(ParcelTask.parcel_id == parcel_id).order_by(
            ParcelTask.resolved_at.is_not(None), ParcelTask.due_at
        )
    if not oversees(actor):
        statement = statement.where(ParcelTask.hall_organisation_id == actor.organisation_id)
    return statement.where(ParcelTask.resolved_at.is_(None)).order_by(ParcelTask.due_at, ParcelTask.id)


def task_views(rows: Sequence[Any]) -> tuple[TaskView, ...]:
    """Rows of `tasks_statement` as values."""
    now = clock.now()
    return tuple(
        TaskView(
            task.id, task.parcel_id, number, task.kind, TASK_TITLES[TaskKind(task.kind)], WAYS_OUT[TaskKind(task.kind)],
            task.fact, task.raised_at, task.due_at, task.resolved_at is None and task.due_at < now, task.resolved_at,
            task.resolution, task.owner_user_id, task.owner_name,
        )
        for task, number in rows
    )  # fmt: skip
