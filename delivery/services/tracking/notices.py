"""Notices of the carrier: stored once, followed later, believed never."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db, lock, new_id, transaction, use_case
from app.kernel.inbox import Notice, insert_ignore, receive
from app.kernel.outbox import publish
from delivery.carriers import chosen
from delivery.events import CarrierNoticeReceived
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.observed import Observation
from delivery.ports import Push
from delivery.services.quietly import note
from delivery.services.tracking.reports import WATCHED
from delivery.services.waybills import adopt_number

NOTICE_SOURCE: Final = "ems"


@use_case
def record_notice(push: Push, raw: bytes) -> bool:
    """Store a notice once; what follows happens later. Returns whether it is new."""
    fresh = receive(NOTICE_SOURCE, push.observation.key, push.observation.code, push.observation.waybill_no, raw)
    if fresh:
        publish(CarrierNoticeReceived(push.observation.key))
    return fresh


def follow_notice(notice_id: str) -> None:
    """Make the parcel of a stored notice due for a query, or learn a number that we did not know."""
    notice = db.session.scalar(sa.select(Notice).where(Notice.source == NOTICE_SOURCE, Notice.notice_id == notice_id))
    if notice is None or notice.done_at is not None:
        return
    push = chosen.carrier().open_push(notice.raw, "application/json" if notice.raw[:1] == b"{" else "")
    parcel = db.session.scalar(sa.select(Parcel).where(Parcel.waybill_no == push.observation.waybill_no))
    problem = None
    if parcel is not None and push.order_no in ("", parcel.order_no):
        _keep_hint(parcel.id, push.observation)
    elif parcel is None and push.order_no:
        problem = None if _adopt(push) else "unknown waybill"
    else:
        problem = "unknown waybill"
    with transaction() as session:
        values = {"done_at": clock.now(), "error": problem}
        session.execute(sa.update(Notice).where(Notice.id == notice.id).values(**values))


def _adopt(push: Push) -> bool:
    parcel_id = db.session.scalar(sa.select(Parcel.id).where(Parcel.order_no == push.order_no))
    return parcel_id is not None and adopt_number(parcel_id, push.order_no, push.observation.waybill_no)


@use_case
def _keep_hint(parcel_id: UUID, seen: Observation) -> None:
    parcel = lock(Parcel, parcel_id)
    known = sa.select(CarrierEvent.id).where(CarrierEvent.parcel_id == parcel.id, CarrierEvent.key == seen.key)
    if db.session.scalar(known) is not None:
        return
    insert_ignore(
        CarrierHint,
        {"id": new_id(), "parcel_id": parcel.id, "waybill_no": seen.waybill_no, "key": seen.key, "code": seen.code,
         "received_at": clock.now(), "checks": 0},
    )  # fmt: skip
    if parcel.state in WATCHED:
        note(parcel, next_poll_at=clock.now())
