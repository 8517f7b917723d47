"""What other aggregates and domains ask about contracts."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel.db import db
from marketplace.models.catalogue import ItemVersion
from marketplace.models.contracts import Contract


def contract_of_procurement(procurement_id: UUID) -> tuple[UUID, str, str] | None:
    """(id, number, state) of the newest contract of a procurement, for its page."""
    statement = (
        select(Contract.id, Contract.number, Contract.state)
        .where(Contract.procurement_id == procurement_id)
        .order_by(Contract.created_at.desc())
        .limit(1)
    )
    row = db.session.execute(statement).first()
    return (row.id, row.number, row.state) if row else None


@dataclass(frozen=True)
class OwnerAndItem:
    """Whose contract it is and which list entry it serves."""

    owner_organisation_id: UUID
    item_id: UUID


def owner_and_item(contract_id: UUID) -> OwnerAndItem | None:
    """The owner and the service item of a contract, for the domain above."""
    statement = (
        select(Contract.owner_organisation_id, ItemVersion.item_id)
        .join(ItemVersion, ItemVersion.id == Contract.item_version_id)
        .where(Contract.id == contract_id)
    )
    row = db.session.execute(statement).first()
    return OwnerAndItem(row.owner_organisation_id, row.item_id) if row else None
