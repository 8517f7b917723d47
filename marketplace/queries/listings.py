"""Reads of offers: the public cards, and the agency's own shelf."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.agencies import Agency, AgencyRecord
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.listings import Listing
from marketplace.policy import agency_parts, base_parts
from marketplace.states.listing import ListingState
from marketplace.states.parts import Part

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class OfferCard:
    """An offer with what a reader compares. `item_limit_wd` None means by contract; money in fen."""

    id: UUID
    thread_id: UUID
    state: str
    version: int
    agency_id: UUID
    organisation_id: UUID
    agency_name: str
    agency_region: str
    item_id: UUID
    item_code: str
    item_name: str
    item_name_en: str
    category: str
    item_limit_wd: int | None
    promised_limit_wd: int
    price_mode: str
    price_fen: int | None
    region_code: str
    description: str
    suspension_cause: str | None
    published_at: datetime | None
    expires_on: date | None
    updated_at: datetime
    delivered: int
    delivered_on_time: int
    rating_count: int
    rating_sum: int

    @property
    def title(self) -> str:
        """What pages and forms call it."""
        return self.item_name

    @property
    def on_time(self) -> int | None:
        """Per cent of services that the agency delivered on time; None before the first."""
        return 100 * self.delivered_on_time // self.delivered if self.delivered else None

    @property
    def rating(self) -> str | None:
        """The agency's mean rating as text with one decimal; None before the first."""
        return f"{self.rating_sum / self.rating_count / 100:.1f}" if self.rating_count else None


_CARDS: Select[*tuple[Any, ...]] = (
    select(
        Listing.id,
        Listing.thread_id,
        Listing.state,
        Listing.version,
        Listing.agency_id,
        Listing.organisation_id,
        Agency.name.label("agency_name"),
        Agency.region_code.label("agency_region"),
        Listing.item_id,
        ServiceItem.code.label("item_code"),
        ItemVersion.name.label("item_name"),
        ItemVersion.name_en.label("item_name_en"),
        ItemVersion.category,
        ItemVersion.limit_wd.label("item_limit_wd"),
        Listing.promised_limit_wd,
        Listing.price_mode,
        Listing.price_fen,
        Listing.region_code,
        Listing.description,
        Listing.suspension_cause,
        Listing.published_at,
        Listing.expires_on,
        Listing.updated_at,
        func.coalesce(AgencyRecord.delivered, 0),
        func.coalesce(AgencyRecord.delivered_on_time, 0),
        func.coalesce(AgencyRecord.rating_count, 0),
        func.coalesce(AgencyRecord.rating_sum, 0),
    )
    .join(Agency, Agency.id == Listing.agency_id)
    .join(ItemVersion, ItemVersion.id == Listing.item_version_id)
    .join(ServiceItem, ServiceItem.id == Listing.item_id)
    .outerjoin(AgencyRecord, AgencyRecord.agency_id == Listing.agency_id)
)
_PUBLIC = _CARDS.where(Listing.state == ListingState.PUBLISHED)


def cards_by_ids(ids: Sequence[UUID]) -> dict[UUID, OfferCard]:
    """The published offers among `ids`. One statement."""
    return {row[0]: OfferCard(*row) for row in db.session.execute(_PUBLIC.where(Listing.id.in_(ids)))}


@dataclass(frozen=True, slots=True)
class OfferPage:
    """Offers, newest first; `next` continues after the last, None at the end."""

    rows: tuple[OfferCard, ...]
    next: str | None


def offers(
    *,
    agency_id: UUID | None = None,
    item_id: UUID | None = None,
    category: str | None = None,
    after: str | None = None,
    size: int = PAGE_SIZE,
) -> OfferPage:
    """One page of the public offers, continued by key. One statement."""
    statement = _PUBLIC
    if agency_id is not None:
        statement = statement.where(Listing.agency_id == agency_id)
    if item_id is not None:
        statement = statement.where(Listing.item_id == item_id)
    if category:
        statement = statement.where(ItemVersion.category == category)
    return _page(statement, after, size)


def shelf(actor: Actor, state: str | None = None, after: str | None = None) -> OfferPage:
    """One page of the actor's own offers in any state. One statement."""
    statement = _CARDS.where(Listing.organisation_id == actor.organisation_id)
    return _page(statement.where(Listing.state == state) if state else statement, after, PAGE_SIZE)


def shelf_counts(actor: Actor) -> dict[str, int]:
    """How many of the actor's offers stand in each state. One statement."""
    rows = db.session.execute(
        select(Listing.state, func.count())
        .where(Listing.organisation_id == actor.organisation_id)
        .group_by(Listing.state)
    )
    return {row[0]: row[1] for row in rows}


def _page(statement: Select[*tuple[Any, ...]], after: str | None, size: int) -> OfferPage:
    mark = _mark(after)
    if mark is not None:
        statement = statement.where(Listing.id < mark)
    rows = tuple(OfferCard(*row) for row in db.session.execute(statement.order_by(Listing.id.desc()).limit(size + 1)))
    return OfferPage(rows[:size], str(rows[size - 1].id) if len(rows) > size else None)


def _mark(after: str | None) -> UUID | None:
    try:
        return UUID(after) if after else None
    except ValueError:
        return None


def offer(actor: Actor, listing_id: UUID) -> OfferCard:
    """One offer: published ones for everybody, others for their agency and the operator. One statement. NotFound."""
    row = db.session.execute(_CARDS.where(Listing.id == listing_id)).one_or_none()
    if row is None:
        raise NotFound
    card = OfferCard(*row)
    watches = Part.OPERATOR in base_parts(actor) or actor.is_system
    if card.state != ListingState.PUBLISHED and not watches and card.organisation_id != actor.organisation_id:
        raise NotFound
    return card


def parts_of(actor: Actor, card: OfferCard) -> frozenset[Part]:
    """The parts the actor plays towards the offer of a card."""
    listing = Listing(organisation_id=card.organisation_id)
    return agency_parts(actor, listing)
