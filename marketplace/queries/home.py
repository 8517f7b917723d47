"""What the public home page tells: today's numbers and the notices that close soon."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, func, select

from app.kernel import clock
from app.kernel.calendar import start_of_day
from app.kernel.db import db
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.contracts import Contract
from marketplace.models.listings import Listing
from marketplace.models.procurements import Procurement
from marketplace.states.agency import ADMITTED
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.listing import ListingState
from marketplace.states.procurement import ProcurementState


@dataclass(frozen=True, slots=True)
class Numbers:
    """Today's numbers. `published_today` and `awarded_today` count from midnight in Beijing."""

    items: int
    agencies: int
    offers: int
    open_notices: int
    published_today: int
    awarded_today: int
    accepted: int
    accepted_on_time: int

    @property
    def on_time_percent(self) -> int | None:
        """Of all accepted services, how many per cent were delivered in time; None before the first."""
        return 100 * self.accepted_on_time // self.accepted if self.accepted else None


def numbers() -> Numbers:
    """All of them in one statement."""
    today = start_of_day(clock.today())
    accepted = Contract.accepted_at.is_not(None)
    return Numbers(
        *db.session.execute(
            select(
                _count(ItemVersion.id, ItemVersion.state == ItemVersionState.PUBLISHED),
                _count(Agency.id, Agency.state.in_(ADMITTED)),
                _count(Listing.id, Listing.state == ListingState.PUBLISHED),
                _count(Procurement.id, Procurement.state == ProcurementState.PUBLISHED),
                _count(Procurement.id, Procurement.published_at >= today),
                _count(Procurement.id, Procurement.selected_at >= today),
                _count(Contract.id, accepted),
                _count(Contract.id, accepted, Contract.delivered_on <= Contract.deadline_on),
            )
        ).one()
    )


def _count(column: object, *conditions: object) -> ScalarSelect[int]:
    return select(func.count(column)).where(*conditions).scalar_subquery()  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice in a list. Amounts in fen."""

    id: UUID
    number: str
    title: str
    region_code: str
    item_name: str
    item_name_en: str
    category: str
    price_fen: int
    limit_wd: int
    state: str
    registration_ends_at: datetime | None
    published_at: datetime | None


_NOTICES: Select[*tuple[Any, ...]] = select(
    Procurement.id,
    Procurement.number,
    Procurement.title,
    Procurement.region_code,
    ItemVersion.name,
    ItemVersion.name_en,
    ItemVersion.category,
    Procurement.price_fen,
    Procurement.limit_wd,
    Procurement.state,
    Procurement.registration_ends_at,
    Procurement.published_at,
).join(ItemVersion, ItemVersion.id == Procurement.item_version_id)


def closing_soon(limit: int = 6) -> tuple[NoticeRow, ...]:
    """The open notices whose registration ends first. One statement."""
    rows = db.session.execute(
        _NOTICES.where(Procurement.state == ProcurementState.PUBLISHED, Procurement.registration_ends_at > clock.now())
        .order_by(Procurement.registration_ends_at, Procurement.id)
        .limit(limit)
    )
    return tuple(NoticeRow(*row) for row in rows)


def notices_by_ids(ids: list[UUID]) -> dict[UUID, NoticeRow]:
    """Published notices by id. One statement."""
    rows = db.session.execute(_NOTICES.where(Procurement.id.in_(ids), Procurement.published_at.is_not(None)))
    return {row[0]: NoticeRow(*row) for row in rows}
