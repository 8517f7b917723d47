"""Parcels that fell silent."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from app.kernel import clock
from app.kernel.db import lock, use_case
from delivery import rules
from delivery import terms as rule_book
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.observed import Status, Tracking
from delivery.services.tasks import raise_task
from delivery.states import ParcelState


@use_case
def raise_alarm(parcel_id: UUID) -> bool:
    """Put a silent parcel before a person; returns whether that is new."""
    parcel = lock(Parcel, parcel_id)
    if parcel.state != ParcelState.HANDED_OVER or parcel.handed_over_at is None:
        return False
    tracking = replace(
        Tracking(), status=Status(parcel.observed_status), last_report_at=parcel.last_report_at,
        collected_at=parcel.observed_since,
    )  # fmt: skip
    terms = rule_book.in_force()
    due = rules.alarm(
        clock.now(), parcel.handed_over_at, tracking, not_collected=timedelta(hours=terms.not_collected_hours),
        stalled=timedelta(hours=terms.stalled_hours),
    )  # fmt: skip
    if due is None:
        return False
    last = parcel.last_report_at or parcel.handed_over_at
    return raise_task(parcel, TaskKind(due.value), cause=last.isoformat())
