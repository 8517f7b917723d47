"""What the carrier reported about a parcel, and the numbers and labels it gave; the public question."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.models.waybills import Waybill, WaybillState
from delivery.observed import TERMINAL, Status, standing
from delivery.queries.meanings import STATUS_LABELS, STATUS_TONES
from delivery.queries.parcels import ParcelView, parcel_view
from delivery.readings import observation_of

# Sorting and dispatch inside processing centres, which tell a receiver nothing (EMS-PROTOCOL 3.2).
_INTERNAL: Final = frozenset(
    {"356", "358", "360", "364", "365", "368", "370", "371", "374", "375", "376", "379", "394", "396", "399", "893", "913",
     "916", "931", "932", "937"}
)  # fmt: skip


@dataclass(frozen=True)
class ReportView:
    """One report of the carrier as it is shown."""

    at: datetime
    code: str
    title: str
    text: str
    office: str
    status: str
    status_label: str
    tone: str
    reversed: bool
    internal: bool


def reports_of(parcel_id: UUID, waybill_no: str | None, *, internal: bool) -> tuple[ReportView, ...]:
    """What the carrier reported under the present number, newest first; sorting steps only where `internal`."""
    statement = sa.select(CarrierEvent).where(
        CarrierEvent.parcel_id == parcel_id, CarrierEvent.waybill_no == waybill_no
    )
    rows = {row.key: row for row in db.session.scalars(statement)}
    seen = [observation_of(row) for row in rows.values()]
    gone = standing(seen)[1]
    shown = [each for each in seen if internal or each.code not in _INTERNAL]
    views = [
        ReportView(
            each.occurred_at, each.code, each.name or each.code, each.description, each.office,
            each.status or "", STATUS_LABELS[each.status] if each.status else "",
            STATUS_TONES.get(each.status, "neutral") if each.status else "warning", each.key in gone, each.code in _INTERNAL,
        )
        for each in shown
    ]  # fmt: skip
    return tuple(sorted(views, key=lambda each: each.at, reverse=True))


def open_hints(parcel_id: UUID) -> int:
    """How many announced events the carrier has not confirmed yet."""
    statement = sa.select(sa.func.count()).where(CarrierHint.parcel_id == parcel_id, CarrierHint.confirmed_at.is_(None))
    return db.session.scalar(statement) or 0


def label_of(parcel_id: UUID, actor: Actor) -> tuple[ParcelView, bytes | None]:
    """The parcel and the carrier's label, if it was fetched. Staff only; raises NotFound otherwise or without a number."""
    view = parcel_view(parcel_id, actor)
    if not view.is_staff or view.waybill_no is None:
        raise NotFound
    statement = sa.select(Waybill.label_pdf).where(
        Waybill.waybill_no == view.waybill_no, Waybill.state == WaybillState.LIVE
    )
    return view, db.session.scalar(statement)


def waybills_of(parcel_id: UUID) -> tuple[tuple[str, str, datetime], ...]:
    """Every number that was ever live for a parcel: number, state, since when known."""
    statement = sa.select(Waybill).where(Waybill.parcel_id == parcel_id).order_by(Waybill.created_at)
    return tuple((row.waybill_no, row.state, row.created_at) for row in db.session.scalars(statement))


@dataclass(frozen=True)
class PublicTrack:
    """What anybody with the number and the secret half of it may know."""

    number: str
    waybill_no: str | None
    state: str
    state_label: str
    tone: str
    status: str
    status_label: str
    status_tone: str
    status_since: datetime | None
    receiver: str
    place: str
    serve_by: datetime
    last_checked_at: datetime | None
    delivered_at: datetime | None
    signer_label: str
    reports: tuple[ReportView, ...]
    is_over: bool


def public_track(parcel_id: UUID) -> PublicTrack:
    """The public view; `delivery.services.lookup` has checked number and code."""
    view = parcel_view(parcel_id)
    return PublicTrack(
        view.number, view.waybill_no, view.state, view.state_label, view.tone, view.status, view.status_label, view.status_tone,
        view.status_since, view.receiver.name, f"{view.receiver.city}{view.receiver.county}", view.serve_by,
        view.last_checked_at, view.delivered_at, view.signer_label, reports_of(view.id, view.waybill_no, internal=False),
        Status(view.status) in TERMINAL,
    )  # fmt: skip
