"""Notices of the carrier and of the second source: stored once, followed in batches, believed never.

The inbox is its own queue: receiving is one INSERT, and following hundreds of notices is one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db, new_id, transaction, use_case
from app.kernel.inbox import Notice, insert_new, receive
from delivery.carriers import chosen
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.ports import Carrier, Push, PushRefused
from delivery.services.tracking.reports import WATCHED
from delivery.services.waybills import adopt_number

BATCH: Final = 400
UNKNOWN: Final = "unknown waybill"


@use_case
def record_notice(push: Push, raw: bytes, source: str) -> bool:
    """Store a notice once; what follows happens later. Returns whether it is new."""
    return receive(source, push.observation.key, push.observation.code, push.observation.waybill_no, raw)


def follow_notices(limit: int = 50 * BATCH) -> int:
    """Make the parcels of all stored notices due for a query; returns how many notices were followed.

    A notice for an order of ours under a number that we do not know costs a question to the carrier and is asked
    outside the transaction.
    """
    followed = 0
    while followed < limit:
        count, strangers = _follow_batch()
        for stranger in strangers:
            _settle(stranger.notice_id, None if _adopt(stranger.push) else UNKNOWN)
        followed += count
        if count < BATCH:
            break
    return followed


@dataclass(frozen=True, slots=True)
class _Opened:
    notice_id: UUID
    source: str
    push: Push


@use_case
def _follow_batch() -> tuple[int, list[_Opened]]:
    now = clock.now()
    sources = _sources()
    statement = (
        sa.select(Notice.id, Notice.source, Notice.raw)
        .where(Notice.source.in_(sources), Notice.done_at.is_(None), Notice.due_at <= now)
        .order_by(Notice.due_at, Notice.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    rows = db.session.execute(statement).all()
    opened, broken = _open(rows, sources)
    parcels = _parcels_of({each.push.observation.waybill_no for each in opened})
    known, strangers, unknown = [], [], []
    for each in opened:
        parcel = parcels.get(each.push.observation.waybill_no)
        if parcel is not None and each.push.order_no in ("", parcel.order_no):
            known.append((each, parcel))
        elif parcel is None and each.push.order_no:
            strangers.append(each)
        else:
            unknown.append(each.notice_id)
    _keep_hints(known, now)
    _done([each.notice_id for each, _ in known], None)
    _done(unknown, UNKNOWN)
    _done(broken, "cannot be opened")
    return len(rows), strangers


def _sources() -> dict[str, Carrier]:
    second = chosen.second_source()
    first = chosen.carrier()
    return {first.code: first} | ({second.code: second} if second else {})


def _open(rows: Sequence[sa.Row[UUID, str, bytes]], sources: Mapping[str, Carrier]) -> tuple[list[_Opened], list[UUID]]:
    opened, broken = [], []
    for notice_id, source, raw in rows:
        try:
            push = sources[source].open_push(raw, "application/json" if raw[:1] == b"{" else "")
        except PushRefused:
            broken.append(notice_id)  # the key was changed after it came
            continue
        opened.append(_Opened(notice_id, source, push))
    return opened, broken


def _parcels_of(numbers: set[str]) -> dict[str, sa.Row[UUID, str | None, str | None, str]]:
    statement = sa.select(Parcel.id, Parcel.waybill_no, Parcel.order_no, Parcel.state).where(
        Parcel.waybill_no.in_(numbers)
    )
    return {str(row.waybill_no): row for row in db.session.execute(statement)}


def _keep_hints(found: list[tuple[_Opened, sa.Row[UUID, str | None, str | None, str]]], now: datetime) -> None:
    """Note what was announced and is not known yet, and make those parcels due."""
    keys, ids = {each.push.observation.key for each, _ in found}, {parcel.id for _, parcel in found}
    told = {(row.parcel_id, row.key) for row in db.session.execute(
        sa.select(CarrierEvent.parcel_id, CarrierEvent.key).where(CarrierEvent.parcel_id.in_(ids), CarrierEvent.key.in_(keys))
    )}  # fmt: skip
    news = [(each, parcel) for each, parcel in found if (parcel.id, each.push.observation.key) not in told]
    first = chosen.carrier().code
    insert_new(CarrierHint, [
        {"id": new_id(), "parcel_id": parcel.id, "waybill_no": each.push.observation.waybill_no,
         "key": each.push.observation.key, "code": each.push.observation.code, "received_at": now, "checks": 0}
        for each, parcel in news if each.source == first
    ])  # fmt: skip
    due = sorted({parcel.id for _, parcel in news if parcel.state in WATCHED})
    locked = sa.select(Parcel.id).where(Parcel.id.in_(due)).order_by(Parcel.id).with_for_update()
    db.session.execute(locked).all()
    later = sa.or_(Parcel.next_poll_at.is_(None), Parcel.next_poll_at > now)
    db.session.execute(
        sa.update(Parcel)
        .where(Parcel.id.in_(due), later)
        .values(next_poll_at=now)
        .execution_options(synchronize_session=False)
    )


def _done(notice_ids: list[UUID], problem: str | None) -> None:
    if notice_ids:
        values = {"done_at": clock.now(), "error": problem}
        db.session.execute(sa.update(Notice).where(Notice.id.in_(notice_ids)).values(**values))


def _settle(notice_id: UUID, problem: str | None) -> None:
    with transaction():
        _done([notice_id], problem)


def _adopt(push: Push) -> bool:
    parcel_id = db.session.scalar(sa.select(Parcel.id).where(Parcel.order_no == push.order_no))
    db.session.rollback()  # no snapshot stays open during the call
    return parcel_id is not None and adopt_number(parcel_id, push.order_no, push.observation.waybill_no)
