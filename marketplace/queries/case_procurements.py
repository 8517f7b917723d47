"""The procurements that serve an approval case, for the domain above."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel.db import db
from marketplace.models.catalogue import ItemVersion
from marketplace.models.procurements import Procurement
from marketplace.states.procurement import PROCUREMENT, ProcurementState

_P = ProcurementState
OVER = frozenset({_P.FAILED, _P.REPUBLISHED, _P.WITHDRAWN, _P.CANCELLED, _P.VOID, _P.TERMINATED})


@dataclass(frozen=True)
class CaseProcurement:
    """One procurement of a case. `state_label` is a catalogue message; `is_over`: it will bring no deliverable any more."""

    id: UUID
    number: str
    item_id: UUID
    state: str
    state_label: str
    is_over: bool


def procurements_of_case(case_subject: str, owner_organisation_id: UUID) -> tuple[CaseProcurement, ...]:
    """The procurements that this organisation linked to the case, the newest first. One statement."""
    statement = (
        select(Procurement.id, Procurement.number, Procurement.state, ItemVersion.item_id)
        .join(ItemVersion, ItemVersion.id == Procurement.item_version_id)
        .where(Procurement.case_subject == case_subject, Procurement.owner_organisation_id == owner_organisation_id)
        .order_by(Procurement.created_at.desc(), Procurement.id.desc())
    )
    return tuple(
        CaseProcurement(
            row.id, row.number, row.item_id, row.state, PROCUREMENT.labels[_P(row.state)], row.state in OVER
        )
        for row in db.session.execute(statement)
    )
