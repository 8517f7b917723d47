"""The queue of exceptions: filtered, for the page and as a table to take along."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor
from delivery import rules
from delivery.models.parcels import Parcel
from delivery.models.tasks import ParcelTask
from delivery.policy import oversees

MOST_EXPORTED: Final = 10_000


@dataclass(frozen=True)
class TaskFilter:
    """What the queue may be narrowed by. `owner`: "mine", "nobody" or empty for all."""

    kind: str | None = None
    owner: str = ""
    overdue: bool = False
    settled: bool = False
    words: str | None = None


def exceptions_statement(actor: Actor, wanted: TaskFilter) -> sa.Select[ParcelTask, str]:
    """Tasks of the hall, the most urgent first; settled ones newest first."""
    statement = sa.select(ParcelTask, Parcel.number).join(Parcel, Parcel.id == ParcelTask.parcel_id)
    if not oversees(actor):
        statement = statement.where(ParcelTask.hall_organisation_id == actor.organisation_id)
    if wanted.kind:
        statement = statement.where(ParcelTask.kind == wanted.kind)
    if wanted.owner == "mine":
        statement = statement.where(ParcelTask.owner_user_id == actor.user_id)
    if wanted.owner == "nobody":
        statement = statement.where(ParcelTask.owner_user_id.is_(None))
    if wanted.overdue:
        statement = statement.where(ParcelTask.due_at < clock.now())
    if wanted.words:
        code = rules.normal_scan(wanted.words)
        statement = statement.where(sa.or_(Parcel.number.contains(code), Parcel.waybill_no == code))
    if wanted.settled:
        return statement.where(ParcelTask.resolved_at.is_not(None)).order_by(ParcelTask.resolved_at.desc())
    return statement.where(ParcelTask.resolved_at.is_(None)).order_by(ParcelTask.due_at, ParcelTask.id)


def colleagues(actor: Actor) -> list[tuple[str, str]]:
    """Persons of the actor's hall, as choices."""
    if actor.organisation_id is None:
        return []
    people = identity.persons_by_ids(set(identity.users_of_organisation(actor.organisation_id)))
    return sorted(((str(key), person.name) for key, person in people.items()), key=lambda each: each[1])
