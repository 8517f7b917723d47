"""Use cases of the shelf (上架): an agency's offers, and their standing when certificates, items or the agency change."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import ListingPublished, ListingWithdrawn
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing
from marketplace.policy import agency_parts
from marketplace.queries.holdings import holdings_of, restricted_agencies
from marketplace.rules.offers import ItemTerms, Objection, OfferTerms, objections
from marketplace.rules.qualifications import meets
from marketplace.rules.regions import regions
from marketplace.states.agency import IN_BUSINESS
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.listing import LISTING, ListingState, PriceMode
from marketplace.states.parts import Part


@dataclass(frozen=True)
class Offer:
    """What an agency offers: the item, its promise in working days, its price in fen, where, and in which words."""

    item_id: UUID
    promised_limit_wd: int
    price_mode: str
    region_code: str
    description: str
    price_fen: int | None = None
    version: int | None = None


@use_case
def create(actor: Actor, command: Offer) -> UUID:
    """Put a new offer into the drafts of the actor's agency. Raises NotAllowed, NotFound, Refused."""
    agency = own_agency(actor)
    version = item_in_force(command.item_id)
    listing = Listing(
        id=new_id(),
        agency_id=agency.id,
        organisation_id=agency.organisation_id,
        state=ListingState.DRAFT,
        created_at=clock.now(),
    )
    listing.thread_id = listing.id
    _write(listing, version, command)
    db.session.add(listing)
    db.session.flush()  # its version number starts with the row
    record(listing, "drafted", actor, title=N_("Offer drafted"))
    return listing.id


@use_case
def change(actor: Actor, listing_id: UUID, command: Offer) -> None:
    """Change an offer; on the shelf it must satisfy the guards again. Raises NotFound, Conflict, Outdated, Refused."""
    listing = _own(actor, listing_id, command.version)
    if listing.state == ListingState.SUSPENDED:
        raise Conflict("offer-suspended", N_("A suspended offer cannot be changed. Take it off the shelf first."))
    version = item_in_force(command.item_id)
    _write(listing, version, command)
    if listing.state == ListingState.PUBLISHED:
        _require_no_objection(listing, version)
        event = ListingPublished(listing.id, listing.agency_id)
        record(listing, "changed", actor, title=N_("Offer changed"), event=event)
        return
    record(listing, "changed", actor, title=N_("Offer changed"))


@use_case
def publish(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Put an offer on the shelf. Raises Refused with the first guard that fails."""
    listing = _own(actor, listing_id, command.version)
    if LISTING.edge("publish", listing.state):
        version = item_in_force(listing.item_id)
        listing.item_version_id = version.id
        _require_no_objection(listing, version)
        listing.published_at = clock.now()
        listing.updated_at = clock.now()
    event = ListingPublished(listing.id, listing.agency_id)
    move(listing, LISTING, "publish", actor, agency_parts(actor, listing), event=event)


@use_case
def take_off(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Take an offer off the shelf."""
    listing = _own(actor, listing_id, command.version)
    listing.suspension_cause = None
    event = ListingWithdrawn(listing.id, listing.agency_id)
    move(listing, LISTING, "take_off", actor, agency_parts(actor, listing), event=event)


@use_case
def suspend(actor: Actor, listing_id: UUID, command: WithReason) -> None:
    """Suspend an offer by the operator, with the reason; only the operator restores it."""
    listing = lock(Listing, listing_id, seen=command.version)
    event = ListingWithdrawn(listing.id, listing.agency_id, command.reason)
    move(listing, LISTING, "suspend", actor, agency_parts(actor, listing), reason=command.reason, event=event)
    listing.suspension_cause = None


@use_case
def restore(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Show a suspended offer again. Raises Refused while a guard fails."""
    listing = lock(Listing, listing_id, seen=command.version)
    parts = agency_parts(actor, listing)
    if LISTING.edge("restore", listing.state) and Part.OPERATOR in parts:
        _require_no_objection(listing, item_in_force(listing.item_id))
    event = ListingPublished(listing.id, listing.agency_id)
    move(listing, LISTING, "restore", actor, parts, event=event)
    listing.suspension_cause = None


# What follows from changes elsewhere


@use_case
def review_agency(agency_id: UUID) -> int:
    """Suspend the offers of an agency that may no longer stand, restore those whose cause has ended. Bears a repeat."""
    listings = db.session.scalars(
        select(Listing)
        .where(Listing.agency_id == agency_id, Listing.state.in_((ListingState.PUBLISHED, ListingState.SUSPENDED)))
        .order_by(Listing.id)
        .with_for_update()
    ).all()
    return _review(listings)


@use_case
def review_item(item_id: UUID) -> int:
    """Move the offers of an item to the version now in force, or suspend those that it does not allow. Bears a repeat."""
    listings = db.session.scalars(
        select(Listing)
        .where(Listing.item_id == item_id, Listing.state.in_((ListingState.PUBLISHED, ListingState.SUSPENDED)))
        .order_by(Listing.id)
        .with_for_update()
    ).all()
    return _review(listings)


def _review(listings: Sequence[Listing]) -> int:
    changed = 0
    for listing in listings:
        version = _in_force(listing.item_id)
        found = _objections(listing, version) if version is not None else (_GONE,)
        if version is not None and not found and listing.item_version_id != version.id:
            listing.item_version_id = version.id
            record(listing, "renewed", SYSTEM, title=N_("Moved to the new version of the item"))
            changed += 1
        if found and listing.state == ListingState.PUBLISHED:
            cause = found[0]
            listing.suspension_cause = cause.code
            gone = ListingWithdrawn(listing.id, listing.agency_id, cause.code)
            move(listing, LISTING, "suspend", SYSTEM, {Part.SYSTEM}, reason=cause.message, event=gone)
            changed += 1
        elif not found and listing.state == ListingState.SUSPENDED and listing.suspension_cause:
            listing.suspension_cause = None
            event = ListingPublished(listing.id, listing.agency_id)
            move(listing, LISTING, "restore", SYSTEM, {Part.SYSTEM}, event=event)
            changed += 1
    return changed


_GONE = Objection("item-not-in-force", N_("This version of the service item is no longer in force."))


# What several steps share


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
    version = _in_force(item_id)
    if version is None:
        raise Refused(
            "item-not-in-force", N_("This version of the service item is no longer in force."), field="item_id"
        )
    return version


def _in_force(item_id: UUID) -> ItemVersion | None:
    return db.session.scalar(
        select(ItemVersion).where(ItemVersion.item_id == item_id, ItemVersion.state == ItemVersionState.PUBLISHED)
    )


def _own(actor: Actor, listing_id: UUID, seen: int | None) -> Listing:
    listing = lock(Listing, listing_id, seen=seen)
    if Part.AGENCY not in agency_parts(actor, listing):
        raise NotFound
    return listing


def _write(listing: Listing, version: ItemVersion, command: Offer) -> None:
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
    listing.updated_at = clock.now()


def _require_no_objection(listing: Listing, version: ItemVersion) -> None:
    found = _objections(listing, version)
    if found:
        first = found[0]
        raise Refused(first.code, first.message, field=first.field, params=dict(first.params))


def _objections(listing: Listing, version: ItemVersion) -> tuple[Objection, ...]:
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
