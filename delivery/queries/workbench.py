"""The queues of a hall, and lists of parcels."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from app.kernel.access import Actor, Role
from app.kernel.db import db
from delivery import rules
from delivery.models.batches import HandoverLine, LineOutcome
from delivery.models.parcels import Parcel
from delivery.models.tasks import ParcelTask
from delivery.policy import oversees
from delivery.states import ParcelState


class Tab(StrEnum):
    """The queues of the hall workbench."""

    PACK = "pack"
    LABEL = "label"
    HANDOVER = "handover"
    TRANSIT = "transit"
    RETURNS = "returns"
    EXCEPTIONS = "exceptions"


TAB_STATES: Final[Mapping[Tab, tuple[ParcelState, ...]]] = {
    Tab.PACK: (ParcelState.READY, ParcelState.PACKED),
    Tab.LABEL: (ParcelState.BOOKING, ParcelState.WAYBILLED),
    Tab.HANDOVER: (ParcelState.WAYBILLED,),
    Tab.TRANSIT: (ParcelState.HANDED_OVER, ParcelState.DELIVERED),
    Tab.RETURNS: (ParcelState.RETURNED,),
}


@dataclass(frozen=True)
class ParcelFilter:
    """What a list may be narrowed by."""

    tab: Tab | None = None
    state: str | None = None
    words: str | None = None


def parcels_statement(actor: Actor, wanted: ParcelFilter) -> sa.Select[Any]:
    """The statement of a list: the hall's parcels for staff, all for oversight, one's own for everybody else."""
    statement = sa.select(Parcel)
    if not oversees(actor):
        own = Parcel.applicant_user_id == actor.user_id
        hall = Parcel.hall_organisation_id == actor.organisation_id
        statement = statement.where(hall if _works(actor) else own)
    if wanted.tab is not None and wanted.tab in TAB_STATES:
        statement = statement.where(Parcel.state.in_(TAB_STATES[wanted.tab]))
    if wanted.tab is Tab.LABEL:
        statement = statement.where(sa.or_(Parcel.state == ParcelState.BOOKING, Parcel.label_printed_at.is_(None)))
    if wanted.tab is Tab.HANDOVER:
        statement = statement.where(Parcel.label_printed_at.is_not(None), ~_is_listed())
    if wanted.state:
        statement = statement.where(Parcel.state == wanted.state)
    if wanted.words:
        code = rules.normal_scan(wanted.words)
        statement = statement.where(
            sa.or_(Parcel.number.contains(code), Parcel.waybill_no == code, Parcel.contents.contains(wanted.words))
        )
    return statement.order_by(Parcel.serve_by, Parcel.number)


def _is_listed() -> sa.ColumnElement[bool]:
    return sa.exists().where(HandoverLine.parcel_id == Parcel.id, HandoverLine.outcome == LineOutcome.LISTED)


def _works(actor: Actor) -> bool:
    staff = {Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR, Role.WINDOW_CLERK, Role.CERTIFICATE_CENTRE}
    return not staff.isdisjoint(actor.roles)


def tab_counts(actor: Actor) -> dict[Tab, int]:
    """How many parcels wait in each queue of the workbench."""
    listed = sa.select(HandoverLine.parcel_id).where(HandoverLine.outcome == LineOutcome.LISTED)
    printed = Parcel.label_printed_at.is_not(None)
    statement = sa.select(
        _count(Parcel.state.in_(TAB_STATES[Tab.PACK])),
        _count(sa.or_(Parcel.state == ParcelState.BOOKING, sa.and_(Parcel.state == ParcelState.WAYBILLED, ~printed))),
        _count(sa.and_(Parcel.state == ParcelState.WAYBILLED, printed, Parcel.id.not_in(listed))),
        _count(Parcel.state.in_(TAB_STATES[Tab.TRANSIT])),
        _count(Parcel.state == ParcelState.RETURNED),
    )
    tasks = sa.select(sa.func.count()).select_from(ParcelTask).where(ParcelTask.resolved_at.is_(None))
    if not oversees(actor):
        statement = statement.where(Parcel.hall_organisation_id == actor.organisation_id)
        tasks = tasks.where(ParcelTask.hall_organisation_id == actor.organisation_id)
    pack, label, handover, transit, returned = db.session.execute(statement).one()
    return {
        Tab.PACK: pack, Tab.LABEL: label, Tab.HANDOVER: handover, Tab.TRANSIT: transit,
        Tab.RETURNS: returned, Tab.EXCEPTIONS: db.session.scalar(tasks) or 0,
    }  # fmt: skip


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))
