"""What lies on the desks today: states that people clear quickly, so that a world at work shows them rarely."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.demo.people import Cast
from app.kernel import outbox
from app.kernel.access import Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from approvals.models import Case
from approvals.services import cases
from approvals.services.commands import Reasoned
from approvals.states import CaseState
from delivery.models.parcels import Parcel
from delivery.observed import Status
from delivery.services import tracking
from delivery.states import ParcelState
from marketplace.models.procurements import Procurement
from marketplace.services import awards, procurements
from marketplace.states.procurement import ProcurementState


def leave_on_the_desk(cast: Cast) -> None:
    """Pause one notice, strike one winner out, revoke one approval and take the returned parcels back; what there is."""
    outbox.drain_all()
    operator, department = cast.panel[Role.OPERATOR], cast.panel[Role.APPROVING_DEPARTMENT]
    if notice := _first(sa.select(Procurement.id).where(Procurement.state == ProcurementState.PUBLISHED)):
        procurements.pause_procurement(operator, notice, WithReason("收到对资格条件的异议，暂停报名，正在核查。"))
    if result := _first(sa.select(Procurement.id).where(Procurement.state == ProcurementState.RESULT_PUBLICITY)):
        awards.strike_out_winner(operator, result, WithReason("公示期内查实：该机构资质证书已被发证机关注销。"))
    approved = sa.select(Case.id).where(
        Case.state == CaseState.APPROVED, Case.department_organisation_id == department.organisation_id
    )
    if approval := _first(approved):
        cases.revoke(department, approval, Reasoned("申请人以虚假材料取得许可，依法撤销。"))
    returned = sa.select(Parcel.id).where(
        Parcel.state == ParcelState.HANDED_OVER, Parcel.observed_status == Status.RETURNED
    )
    for parcel_id in db.session.scalars(returned).all():
        tracking.take_back(cast.panel[Role.POSTAL_STAFF], parcel_id, Plain())
    outbox.drain_all()


def _first(statement: sa.Select[UUID]) -> UUID | None:
    return db.session.scalars(statement.limit(1)).first()
