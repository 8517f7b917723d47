"""What the steps of an offer share: whose it is, its terms, and the guards of the shelf."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, lock
from app.kernel.errors import NotAllowed, NotFound, Refused
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing
from marketplace.policy import agency_parts
from marketplace.queries.holdings import holdings_of, restricted_agencies
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.offers import ItemTerms, Objection, OfferTerms, objections
from marketplace.rules.qualifications import meets
from marketplace.rules.regions import regions
from marketplace.states.agency import IN_BUSINESS
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.listing import PriceMode
from marketplace.states.parts import Part


@dataclass(frozen=True)
class Offer:
    """What an agency offers: the item, its promise in working days, its price in fen, where, and in which words.

    `expires_on` is its last Beijing day on the shelf; without one it stays as long as the rule book allows.
    """

    item_id: UUID
    promised_limit_wd: int
    price_mode: str
    region_code: str
    description: str
    price_fen: int | None = None
    expires_on: date | None = None
    version: int | None = None


def own_agency(actor: Actor) -> Agency:
    """The agency the actor may act for. Raises NotAllowed without one."""
    if not actor.has(Role.AGENCY) or actor.organisation_id is None:
        raise NotAllowed
    agency = db.session.scalar(select(Agency).where(Agency.organisation_id == actor.organisation_id))
    if agency is None:
        raise Refused("no-agency", N_("Open the admission file of your agency first."))
    return agency


def item_in_force(item_id: UUID) -> ItemVersion:
    """The version of an item that is in force. Raises Refused pointing at the item."""
    version = in_force(item_id)
    if version is None:
        raise Refused(
            "item-not-in-force", N_("This version of the service item is no longer in force."), field="item_id"
        )
    return version


def in_force(item_id: UUID) -> ItemVersion | None:
    """The version of an item that is in force, or None."""
    return db.session.scalar(
        select(ItemVersion).where(ItemVersion.item_id == item_id, ItemVersion.state == ItemVersionState.PUBLISHED)
    )


def prepare(listing: Listing) -> None:
    """Bind the offer to the version in force, and hold it against every guard."""
    version = item_in_force(listing.item_id)
    listing.item_version_id = version.id
    require_no_objection(listing, version)


def show(listing: Listing) -> None:
    """Note that the offer stands on the shelf from now on, with a last day."""
    listing.suspension_cause = None
    listing.published_at = listing.updated_at = clock.now()
    if listing.expires_on is None or listing.expires_on < clock.today():
        listing.expires_on = latest_day()


def latest_day() -> date:
    """The last day that an offer shown today may have."""
    return clock.today() + timedelta(days=rule_book_in_force().listing_valid_days)


def own_offer(actor: Actor, listing_id: UUID, seen: int | None) -> Listing:
    """The offer locked for its own agency. Raises NotFound for others, Outdated for a stale page."""
    listing = lock(Listing, listing_id, seen=seen)
    if Part.AGENCY not in agency_parts(actor, listing):
        raise NotFound
    return listing


def write(listing: Listing, version: ItemVersion, command: Offer) -> None:
    """Write the terms of an offer. Raises Refused at the field that is wrong."""
    if command.price_mode not in set(PriceMode):
        raise Refused("unknown-price-mode", N_("Choose how the price is stated."), field="price_mode")
    if command.price_mode == PriceMode.NEGOTIABLE and command.price_fen is not None:
        raise Refused("price-not-wanted", N_("A price by agreement has no amount. Leave it empty."), field="price")
    if command.price_mode != PriceMode.NEGOTIABLE and not (command.price_fen and command.price_fen > 0):
        raise Refused("price-missing", N_("State an amount above zero."), field="price")
    if command.promised_limit_wd < 1:
        raise Refused("limit-missing", N_("The promised limit is at least one working day."), field="promised_limit_wd")
    if command.region_code not in regions():
        raise Refused("unknown-region", N_("Choose a region of this province."), field="region_code")
    if command.expires_on is not None and not clock.today() <= command.expires_on <= latest_day():
        raise Refused(
            "bad-last-day",
            N_("The last day lies between today and %(latest)s."),
            field="expires_on",
            params={"latest": latest_day().isoformat()},
        )
    if version.limit_wd is not None and command.promised_limit_wd > version.limit_wd:
        raise Refused(
            "limit-too-long",
            N_("The promised limit may be at most %(limit)s working days, the limit of the item."),
            field="promised_limit_wd",
            params={"limit": version.limit_wd},
        )
    listing.item_id = command.item_id
    listing.item_version_id = version.id
    listing.promised_limit_wd = command.promised_limit_wd
    listing.price_mode = command.price_mode
    listing.price_fen = command.price_fen
    listing.region_code = command.region_code
    listing.description = command.description.strip()
    listing.expires_on = command.expires_on or latest_day()
    listing.updated_at = clock.now()


def require_no_objection(listing: Listing, version: ItemVersion) -> None:
    """Raises Refused with the gravest guard that fails."""
    found = objections_to(listing, version)
    if found:
        first = found[0]
        raise Refused(first.code, first.message, field=first.field, params=dict(first.params))


def objections_to(listing: Listing, version: ItemVersion) -> tuple[Objection, ...]:
    """Every guard of the shelf that fails today, the gravest first."""
    state = db.session.scalar(select(Agency.state).where(Agency.id == listing.agency_id))
    return objections(
        OfferTerms(listing.promised_limit_wd, listing.price_fen),
        ItemTerms(
            is_in_force=version.state == ItemVersionState.PUBLISHED,
            limit_wd=version.limit_wd,
            pricing_mode=version.pricing_mode,
            guided_min_fen=version.guided_min_fen,
            guided_max_fen=version.guided_max_fen,
        ),
        meets(version.qualification_rule, holdings_of([listing.agency_id])[listing.agency_id], clock.today()),
        agency_is_active=state in IN_BUSINESS,
        is_closed=bool(restricted_agencies(listing.item_id, [listing.agency_id])),
    )


def tell(listing: Listing, kind: str, subject: str, text: str, **params: str) -> None:
    """Tell the offer's agency, with a link to the offer."""
    notify(
        to_organisation=listing.organisation_id,
        kind=kind,
        subject=subject,
        text=text,
        link=f"/listings/{listing.id}",
        thread_id=listing.thread_id,
        params=params,
    )
