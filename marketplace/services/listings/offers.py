"""Use cases of the shelf (上架) by people: drafting, publishing and reviewing an offer."""

from uuid import UUID

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import ListingPublished, ListingWithdrawn
from marketplace.models.listings import Listing
from marketplace.policy import agency_parts
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.states.listing import LISTING, ListingState
from marketplace.states.parts import Part

from .terms import Offer, item_in_force, own_agency, own_offer, prepare, require_no_objection, show, tell, write


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
    write(listing, version, command)
    db.session.add(listing)
    db.session.flush()  # its version number starts with the row
    record(listing, "drafted", actor, title=N_("Offer drafted"))
    return listing.id


@use_case
def change(actor: Actor, listing_id: UUID, command: Offer) -> None:
    """Change an offer; on the shelf it must satisfy the guards again. Raises NotFound, Conflict, Outdated, Refused."""
    listing = own_offer(actor, listing_id, command.version)
    if listing.state == ListingState.SUSPENDED:
        raise Conflict("offer-suspended", N_("A suspended offer cannot be changed. Take it off the shelf first."))
    if listing.state == ListingState.REVIEW:
        raise Conflict("offer-in-review", N_("The operator is reviewing this offer. Take it back to change it."))
    version = item_in_force(command.item_id)
    write(listing, version, command)
    if listing.state == ListingState.PUBLISHED:
        require_no_objection(listing, version)
        event = ListingPublished(listing.id, listing.agency_id)
        record(listing, "changed", actor, title=N_("Offer changed"), event=event)
        return
    record(listing, "changed", actor, title=N_("Offer changed"))


@use_case
def publish(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Put an offer on the shelf. Raises Refused with the first guard that fails, Conflict while offers are reviewed first."""
    listing = own_offer(actor, listing_id, command.version)
    if LISTING.edge("publish", listing.state):
        if rule_book_in_force().listing_review:
            raise Conflict("review-first", N_("Offers are reviewed before they are shown: send it to the review."))
        prepare(listing)
        show(listing)
    event = ListingPublished(listing.id, listing.agency_id)
    move(listing, LISTING, "publish", actor, agency_parts(actor, listing), event=event)


@use_case
def submit(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Send an offer to the operator's review, where the rule book asks for one. It must satisfy the guards already."""
    listing = own_offer(actor, listing_id, command.version)
    if LISTING.edge("submit", listing.state):
        if not rule_book_in_force().listing_review:
            raise Conflict("no-review", N_("Offers are not reviewed here: put it on the shelf."))
        prepare(listing)
        notify(
            to_role=Role.OPERATOR,
            kind="listing.review",
            subject=N_("An offer waits for review"),
            text=N_("An agency sent an offer to review. Put it on the shelf or return it with the reason."),
            link=f"/listings/{listing.id}",
            thread_id=listing.thread_id,
        )
    move(listing, LISTING, "submit", actor, agency_parts(actor, listing))


@use_case
def approve(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Put a reviewed offer on the shelf. Raises Refused while a guard fails."""
    listing = lock(Listing, listing_id, seen=command.version)
    parts = agency_parts(actor, listing)
    if LISTING.edge("approve", listing.state) and Part.OPERATOR in parts:
        prepare(listing)
        show(listing)
    move(listing, LISTING, "approve", actor, parts, event=ListingPublished(listing.id, listing.agency_id))


@use_case
def return_offer(actor: Actor, listing_id: UUID, command: WithReason) -> None:
    """Return an offer from review with the reason; the agency is told."""
    listing = lock(Listing, listing_id, seen=command.version)
    move(listing, LISTING, "return", actor, agency_parts(actor, listing), reason=command.reason)
    tell(listing, "listing.returned", N_("Your offer was returned"), N_("Reason: %(reason)s"), reason=command.reason)


@use_case
def take_back(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Take an offer back from review."""
    listing = own_offer(actor, listing_id, command.version)
    move(listing, LISTING, "take_back", actor, agency_parts(actor, listing))


@use_case
def take_off(actor: Actor, listing_id: UUID, command: Plain) -> None:
    """Take an offer off the shelf."""
    listing = own_offer(actor, listing_id, command.version)
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
        require_no_objection(listing, item_in_force(listing.item_id))
    event = ListingPublished(listing.id, listing.agency_id)
    move(listing, LISTING, "restore", actor, parts, event=event)
    listing.suspension_cause = None
