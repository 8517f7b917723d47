"""What the services that an agency chose demand, and how far what it entered meets that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import db
from marketplace.models.agencies import ChosenService
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.queries.holdings import holdings_of
from marketplace.rules.qualifications import Certificate, Node, explain
from marketplace.states.catalogue import ItemVersionState


@dataclass(frozen=True, slots=True)
class ServiceDemand:
    """One chosen service. `entered` counts what waits for its check as present, `checked` only what is valid today."""

    item_id: UUID
    code: str
    name: str
    text: str
    entered: Node
    checked: Node


def demands_of(agency_id: UUID) -> tuple[ServiceDemand, ...]:
    """The chosen services by number. Three statements."""
    rows: Sequence[Any] = db.session.execute(
        select(
            ItemVersion.item_id,
            ServiceItem.code,
            ItemVersion.name,
            ItemVersion.qualification_text,
            ItemVersion.qualification_rule,
        )
        .join(ChosenService, ChosenService.item_id == ItemVersion.item_id)
        .join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
        .where(ChosenService.agency_id == agency_id, ItemVersion.state == ItemVersionState.PUBLISHED)
        .order_by(ServiceItem.code)
    ).all()
    if not rows:
        return ()
    held = holdings_of([agency_id], with_pending=True)[agency_id]
    checked = holdings_of([agency_id])[agency_id]
    return tuple(_demand(row, held, checked) for row in rows)


def chosen_services(agency_id: UUID) -> tuple[UUID, ...]:
    """The ids of the chosen services. One statement."""
    return tuple(db.session.scalars(select(ChosenService.item_id).where(ChosenService.agency_id == agency_id)))


def _demand(row: Any, held: list[Certificate], checked: list[Certificate]) -> ServiceDemand:
    today = clock.today()
    return ServiceDemand(
        item_id=row.item_id,
        code=row.code,
        name=row.name,
        text=row.qualification_text,
        entered=explain(row.qualification_rule, held, today),
        checked=explain(row.qualification_rule, checked, today),
    )
