"""The record of keeping time limits, engagement by engagement: facts of contracts, never what an agency says of itself."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Procurement


@dataclass(frozen=True, slots=True)
class Engagement:
    """One accepted service that counts into the record. Dates are Beijing dates, the deadline as the service clock set it."""

    procurement_id: UUID
    number: str
    title: str
    item_name: str
    item_name_en: str
    deadline_on: date | None
    delivered_on: date
    accepted_at: datetime

    @property
    def is_on_time(self) -> bool:
        """Counted as on time: delivered on the last day or before."""
        return self.deadline_on is not None and self.delivered_on <= self.deadline_on

    @property
    def days_late(self) -> int:
        """Calendar days after the last day; 0 when on time."""
        return 0 if self.is_on_time or self.deadline_on is None else (self.delivered_on - self.deadline_on).days


def engagements(agency_id: UUID) -> Select[*tuple[Any, ...]]:
    """Every engagement that counts, the latest first: exactly those that the agency's record counts. NotFound."""
    organisation = db.session.scalar(select(Agency.organisation_id).where(Agency.id == agency_id))
    if organisation is None:
        raise NotFound
    return (
        select(
            Contract.procurement_id,
            Procurement.number,
            Procurement.title,
            ItemVersion.name,
            ItemVersion.name_en,
            Contract.deadline_on,
            Contract.delivered_on,
            Contract.accepted_at,
        )
        .join(Procurement, Procurement.id == Contract.procurement_id)
        .join(ItemVersion, ItemVersion.id == Contract.item_version_id)
        .where(Contract.agency_organisation_id == organisation, Contract.accepted_at.is_not(None))
        .order_by(Contract.accepted_at.desc(), Contract.id)
    )


def engagement_of(row: Any) -> Engagement:
    """A row of `engagements`."""
    return Engagement(*row)
