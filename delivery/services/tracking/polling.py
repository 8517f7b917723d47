"""Asking the carrier: when it is due, outside any transaction, and storing every report once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.inbox import insert_ignore
from delivery import rules
from delivery.carriers import chosen
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.models.tasks import TaskKind
from delivery.observed import fold
from delivery.ports import Reply, Report, Verdict
from delivery.readings import plain
from delivery.services.quietly import note
from delivery.services.tasks import raise_task
from delivery.services.tracking.consequences import act_on
from delivery.services.tracking.reports import WATCHED, observations

LEASE: Final = timedelta(seconds=60)
UNCONFIRMED_AFTER: Final = 3


def polls_due(limit: int = 100) -> list[UUID]:
    """Parcels to be asked about now, the longest waiting first."""
    statement = (
        sa.select(Parcel.id)
        .where(Parcel.next_poll_at <= clock.now(), Parcel.state.in_(WATCHED))
        .order_by(Parcel.next_poll_at)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def poll_due(limit: int = 100) -> int:
    """Ask about every parcel that is due; returns how many were asked about.

    A carrier that cannot be reached is not waited for a hundred times: the others stay due for the next round.
    """
    asked = 0
    for parcel_id in polls_due(limit):
        verdict = poll_parcel(parcel_id)
        asked += verdict is not None
        if verdict is Verdict.UNAVAILABLE:
            break
    return asked


def poll_parcel(parcel_id: UUID) -> Verdict | None:
    """Ask about one parcel if it is due, outside any transaction; None where it is not."""
    waybill_no = _claim_poll(parcel_id)
    if waybill_no is None:
        return None
    reply = chosen.carrier().track(waybill_no)
    record_reports(parcel_id, waybill_no, reply)
    return reply.verdict


@use_case
def _claim_poll(parcel_id: UUID) -> str | None:
    parcel = lock(Parcel, parcel_id)
    now = clock.now()
    if parcel.state not in WATCHED or parcel.next_poll_at is None or parcel.next_poll_at > now:
        return None
    note(parcel, next_poll_at=now + LEASE)
    return parcel.waybill_no


@use_case
def record_reports(parcel_id: UUID, waybill_no: str, reply: Reply[tuple[Report, ...]]) -> None:
    """Store new reports, fold all, and act on what the fold says. An answer that failed leaves everything as it is."""
    parcel = lock(Parcel, parcel_id)
    if parcel.waybill_no != waybill_no:
        return
    now = clock.now()
    if reply.value is None:
        pause = rules.retry_delay(parcel.quiet_polls, chosen.pace())
        problem = rules.masked_text(reply.text)[:300]
        note(parcel, check_problem=problem, quiet_polls=parcel.quiet_polls + 1, next_poll_at=now + pause)
        return
    news = _store(parcel, reply.value, now)
    _settle_hints(parcel, now)
    quiet = 0 if news else parcel.quiet_polls + 1
    tracking = fold(observations(parcel))
    following = rules.next_poll(now, tracking, quiet, chosen.pace())
    note(parcel, last_checked_at=now, check_problem=None, quiet_polls=quiet, next_poll_at=following)
    act_on(parcel, tracking)


def _store(parcel: Parcel, reports: Iterable[Report], now: datetime) -> int:
    news = 0
    for report in reports:
        seen = report.observation
        values = {
            "id": new_id(), "parcel_id": parcel.id, "waybill_no": seen.waybill_no, "key": seen.key, "code": seen.code[:12],
            "occurred_at": seen.occurred_at, "received_at": now, "seen": plain(seen), "raw": dict(report.raw),
            "mapping_version": report.mapping_version,
        }  # fmt: skip
        news += insert_ignore(CarrierEvent, values)
    return news


def _settle_hints(parcel: Parcel, now: datetime) -> None:
    open_hints = sa.select(CarrierHint).where(CarrierHint.parcel_id == parcel.id, CarrierHint.confirmed_at.is_(None))
    known = sa.select(CarrierEvent.key).where(CarrierEvent.parcel_id == parcel.id)
    keys = set(db.session.scalars(known))
    for hint in db.session.scalars(open_hints):
        hint.checks += 1
        if hint.key in keys:
            hint.confirmed_at = now
        elif hint.checks == UNCONFIRMED_AFTER:
            raise_task(parcel, TaskKind.UNCONFIRMED_NOTICE, cause=hint.key[:40], fact=hint.code)
