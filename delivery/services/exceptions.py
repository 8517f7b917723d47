"""Working on many exceptions: take them, give them to somebody, settle several with one answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import NotAllowed, NotFound, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery.models.parcels import Parcel
from delivery.models.tasks import ParcelTask, TaskKind
from delivery.policy import must_see_parcel
from delivery.states import STAFF, Part
from delivery.words import TASK_TITLES

MOST: Final = 200
"""As many as one page shows; one answer for more than a person can look at is no answer."""


@dataclass(frozen=True)
class Chosen:
    """The tasks that were ticked."""

    task_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Assign(Chosen):
    """To whom they go."""

    user_id: UUID


@dataclass(frozen=True)
class Settle(Chosen):
    """One answer for all of them."""

    resolution: str


@use_case
def take_tasks(actor: Actor, command: Chosen) -> int:
    """Make oneself responsible. Raises Refused for one that somebody else has, unless by the supervisor."""
    found = _locked(actor, command.task_ids)
    for task, parts in found:
        _must_be_free(actor, task, parts)
        task.owner_user_id, task.owner_name, task.owned_at = actor.user_id, actor.name, clock.now()
    return len(found)


@use_case
def assign_tasks(actor: Actor, command: Assign) -> int:
    """The supervisor gives tasks to a person of the hall, who is told. Raises NotAllowed, Refused for a stranger."""
    found = _locked(actor, command.task_ids)
    if any(Part.SUPERVISOR not in parts for _, parts in found):
        raise NotAllowed
    if actor.organisation_id is None or command.user_id not in identity.users_of_organisation(actor.organisation_id):
        raise Refused("not-of-this-hall", N_("Choose somebody of this hall."), field="user_id")
    name = identity.persons_by_ids({command.user_id})[command.user_id].name
    for task, _ in found:
        task.owner_user_id, task.owner_name, task.owned_at = command.user_id, name, clock.now()
    notify(
        to_user=command.user_id, kind="delivery.assigned", link="/delivery/exceptions?owner=mine",
        subject=N_("%(count)s parcel exceptions were given to you"), text=N_("Look at them in the queue of exceptions."),
        params={"count": len(found)},
    )  # fmt: skip
    return len(found)


@use_case
def settle_tasks(actor: Actor, command: Settle) -> int:
    """Settle all of them with one answer, all or nothing; each parcel keeps it in its log."""
    found = _locked(actor, command.task_ids)
    for task, parts in found:
        _must_be_free(actor, task, parts)
        task.resolved_at, task.resolved_by, task.resolution = clock.now(), actor.user_id, command.resolution
        parcel = lock(Parcel, task.parcel_id)
        record(parcel, "task_resolved", actor, title=TASK_TITLES[TaskKind(task.kind)], reason=command.resolution)
    return len(found)


def _must_be_free(actor: Actor, task: ParcelTask, parts: frozenset[Part]) -> None:
    if task.owner_user_id not in (None, actor.user_id) and Part.SUPERVISOR not in parts:
        raise Refused(
            "somebody-elses", N_("%(name)s works on this one. Ask them, or the supervisor."),
            params={"name": task.owner_name},
        )  # fmt: skip


def _locked(actor: Actor, task_ids: Sequence[UUID]) -> list[tuple[ParcelTask, frozenset[Part]]]:
    """Open tasks of the actor's hall with the actor's parts. Parcels are locked before their tasks, in one order."""
    if not task_ids:
        raise Refused("nothing-chosen", N_("Tick at least one exception."))
    if len(task_ids) > MOST:
        raise Refused("too-many", N_("At most 200 at a time."))
    statement = sa.select(ParcelTask.id, ParcelTask.parcel_id).where(ParcelTask.id.in_(task_ids))
    rows = db.session.execute(statement.order_by(ParcelTask.parcel_id, ParcelTask.id)).all()
    if len(rows) != len(set(task_ids)):
        raise NotFound
    found = []
    for task_id, parcel_id in rows:
        parts = must_see_parcel(actor, lock(Parcel, parcel_id))
        if not parts.intersection(STAFF):
            raise NotAllowed
        task = lock(ParcelTask, task_id)
        if task.resolved_at is not None:
            raise Refused("settled-already", N_("One of these was settled in the meantime: load the page again."))
        found.append((task, parts))
    return found
