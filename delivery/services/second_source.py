"""A second source of tracking, asked where the carrier is silent or somebody doubts. What it says is kept beside the
carrier's reports and never changes a parcel: where both disagree, a person is asked.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import NotAllowed, Refused
from app.kernel.inbox import insert_ignore, insert_new
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery import rules
from delivery.carriers import chosen
from delivery.models.parcels import Parcel
from delivery.models.second_source import SecondOpinion, SecondQuestion
from delivery.models.tasks import ParcelTask, TaskKind
from delivery.observed import Tracking, fold
from delivery.policy import must_see_parcel
from delivery.ports import Capability, Reply, Report, Verdict
from delivery.services.tasks import raise_task
from delivery.states import STAFF, ParcelState

SILENT_FOR: Final = timedelta(hours=2)
"""A carrier that could not be asked for so long is asked round."""
ASKED_AGAIN_AFTER: Final = timedelta(hours=6)
LEASE: Final = timedelta(minutes=10)
DOUBTFUL: Final = (TaskKind.STALLED, TaskKind.NOT_COLLECTED, TaskKind.CONTRADICTION, TaskKind.DISPUTED)


@use_case
def ask(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Somebody of the hall wants the second source asked now. Raises Refused without one or before hand-over."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    if not must_see_parcel(actor, parcel).intersection(STAFF):
        raise NotAllowed
    if chosen.second_source() is None:
        raise Refused("no-second-source", N_("No second source of tracking is configured."))
    if parcel.state not in (ParcelState.HANDED_OVER, ParcelState.DELIVERED) or parcel.waybill_no is None:
        raise Refused("not-on-its-way", N_("The parcel is not on its way."))
    now = clock.now()
    if not insert_ignore(SecondQuestion, {"parcel_id": parcel.id, "due_at": now, "asked_by": actor.user_id}):
        db.session.execute(sa.update(SecondQuestion).where(SecondQuestion.parcel_id == parcel.id).values(due_at=now))
    record(parcel, "second_source_asked", actor, title=N_("Second source of tracking asked"))


def ask_where_needed(limit: int = 50) -> int:
    """Ask about parcels that are doubtful or whose carrier is silent, and those that people asked for; returns how many."""
    source = chosen.second_source()
    if source is None:
        return 0
    _collect(limit)
    asked = 0
    for parcel_id, waybill_no in _claim(limit):
        reply = source.track(waybill_no)
        if reply.verdict is Verdict.OK and Capability.SUBSCRIBE in source.capabilities:
            source.subscribe(waybill_no)
        _write_down(parcel_id, waybill_no, source.code, reply)
        asked += 1
        if reply.verdict is Verdict.UNAVAILABLE:
            break
    return asked


@use_case
def _collect(limit: int) -> None:
    now = clock.now()
    task = sa.exists().where(
        ParcelTask.parcel_id == Parcel.id, ParcelTask.resolved_at.is_(None), ParcelTask.kind.in_(DOUBTFUL)
    )
    silent = sa.and_(Parcel.check_problem.is_not(None), Parcel.last_checked_at <= now - SILENT_FOR)
    lately = sa.exists().where(SecondOpinion.parcel_id == Parcel.id, SecondOpinion.asked_at > now - ASKED_AGAIN_AFTER)
    statement = sa.select(Parcel.id).where(Parcel.state == ParcelState.HANDED_OVER, sa.or_(task, silent), ~lately)
    found = db.session.scalars(statement.order_by(Parcel.last_checked_at).limit(limit))
    insert_new(SecondQuestion, [{"parcel_id": each, "due_at": now} for each in found])


@use_case
def _claim(limit: int) -> list[tuple[UUID, str]]:
    now = clock.now()
    statement = (
        sa.select(SecondQuestion.parcel_id, Parcel.waybill_no)
        .join(Parcel, Parcel.id == SecondQuestion.parcel_id)
        .where(SecondQuestion.due_at <= now, Parcel.waybill_no.is_not(None))
        .order_by(SecondQuestion.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=SecondQuestion)
    )
    claimed = [(row.parcel_id, str(row.waybill_no)) for row in db.session.execute(statement)]
    ids = [parcel_id for parcel_id, _ in claimed]
    db.session.execute(sa.update(SecondQuestion).where(SecondQuestion.parcel_id.in_(ids)).values(due_at=now + LEASE))
    return claimed


@use_case
def _write_down(parcel_id: UUID, waybill_no: str, source: str, reply: Reply[tuple[Report, ...]]) -> None:
    parcel = lock(Parcel, parcel_id)
    db.session.execute(sa.delete(SecondQuestion).where(SecondQuestion.parcel_id == parcel.id))
    reports = reply.value or ()
    tracking = fold(each.observation for each in reports)
    known = bool(reports)
    told = tracking.deciding.name + " " + tracking.deciding.description if tracking.deciding else ""
    opinion = SecondOpinion(
        id=new_id(), parcel_id=parcel.id, source=source, waybill_no=waybill_no, asked_at=clock.now(),
        status=str(tracking.status) if known else None, since=tracking.since, told=rules.masked_text(told.strip())[:300],
        problem=None if reply.verdict is Verdict.OK else rules.masked_text(reply.text)[:300],
        raw=[dict(each.raw) for each in reports], mapping_version=reports[0].mapping_version if reports else None,
    )  # fmt: skip
    db.session.add(opinion)
    if known and parcel.waybill_no == waybill_no and _disagrees(parcel, tracking):
        cause = f"{tracking.status}:{tracking.since.isoformat() if tracking.since else ''}"
        raise_task(parcel, TaskKind.SOURCES_DISAGREE, cause=cause, fact=opinion.told)


def _disagrees(parcel: Parcel, second: Tracking) -> bool:
    return rules.sources_disagree(parcel.observed_status, second.status)
