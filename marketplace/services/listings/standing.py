"""The standing of offers when certificates, items or the agency change, and when their time ends."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.db import db, lock, use_case
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import ListingPublished, ListingWithdrawn
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.offers import Objection
from marketplace.states.listing import LISTING, ListingState
from marketplace.states.parts import Part

from .terms import in_force, objections_to, tell

DUE_AT_ONCE: Final = 500


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
        version = in_force(listing.item_id)
        found = objections_to(listing, version) if version is not None else (_GONE,)
        if version is not None and not found and listing.item_version_id != version.id:
            listing.item_version_id = version.id
            record(listing, "renewed", SYSTEM, title=N_("Moved to the new version of the item"))
            changed += 1
        if _is_outgrown(listing, version, found):
            _supersede(listing, found[0])
            changed += 1
        elif found and listing.state == ListingState.PUBLISHED:
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


_TERMS = frozenset({"limit-too-long", "price-missing", "price-outside-range"})


def _is_outgrown(listing: Listing, version: ItemVersion | None, found: Sequence[Objection]) -> bool:
    """Whether a newer version of the item refuses the offer's own terms: nothing but a change of them brings it back."""
    is_newer = version is not None and listing.item_version_id != version.id
    return is_newer and any(objection.code in _TERMS for objection in found)


def _supersede(listing: Listing, cause: Objection) -> None:
    listing.suspension_cause = cause.code
    gone = ListingWithdrawn(listing.id, listing.agency_id, cause.code)
    move(listing, LISTING, "supersede", SYSTEM, {Part.SYSTEM}, reason=cause.message, event=gone)
    tell(
        listing,
        "listing.superseded",
        N_("The service item has changed: renew your offer"),
        N_("The new version of the item does not allow your terms. Change the offer and put it back on the shelf."),
    )


def expire_due() -> int:
    """Take every offer off the shelf whose last day has passed. Returns how many."""
    return _each_due((ListingState.PUBLISHED, ListingState.SUSPENDED), Listing.expires_on < clock.today(), _expire)


def remind_of_expiry() -> int:
    """Tell agencies, on the days that the rule book names, which offers leave the shelf soon. Returns how many offers."""
    today = clock.today()
    days = [today + timedelta(days=before) for before in rule_book_in_force().listing_reminder_days]
    return _each_due((ListingState.PUBLISHED,), Listing.expires_on.in_(days), _remind)


def _each_due(states: Sequence[ListingState], when: ColumnElement[bool], run: Callable[[UUID], bool]) -> int:
    due = db.session.scalars(
        select(Listing.id).where(Listing.state.in_(states), when).order_by(Listing.id).limit(DUE_AT_ONCE)
    ).all()
    return sum(run(listing_id) for listing_id in due)


@use_case
def _expire(listing_id: UUID) -> bool:
    listing = lock(Listing, listing_id)
    if not LISTING.edge("expire", listing.state) or listing.expires_on is None or listing.expires_on >= clock.today():
        return False
    listing.suspension_cause = None
    gone = ListingWithdrawn(listing.id, listing.agency_id, "expired")
    move(listing, LISTING, "expire", SYSTEM, {Part.SYSTEM}, event=gone)
    tell(
        listing,
        "listing.expired",
        N_("Your offer has left the shelf"),
        N_("Nobody confirmed it before its last day. Put it back on the shelf if it still stands."),
    )
    return True


@use_case
def _remind(listing_id: UUID) -> bool:
    listing = lock(Listing, listing_id)
    assert listing.expires_on is not None
    tell(
        listing,
        "listing.expiring",
        N_("Your offer leaves the shelf soon"),
        N_("Its last day is %(day)s. Change the offer to confirm it with a later day."),
        day=listing.expires_on.isoformat(),
    )
    return True


_GONE = Objection("item-not-in-force", N_("This version of the service item is no longer in force."))
