"""What changes the standing of an agency besides decisions: its certificates, its people and its offers."""

from typing import Any

from app.kernel.outbox import Handlers
from marketplace.events import ListingPublished, ListingWithdrawn, PractitionerChanged, QualificationChanged
from marketplace.services import agencies, listings


def follow_standing(event: Any) -> None:
    """Restrict the agency, or restore it, as its offers and certificates now ask for."""
    agencies.follow_agency(event.agency_id)


def review_offers(event: PractitionerChanged) -> None:
    """Suspend offers that lack their people, restore those that have them again."""
    listings.review_agency(event.agency_id)


HANDLERS: Handlers = {
    QualificationChanged: (follow_standing,),
    PractitionerChanged: (review_offers, follow_standing),
    ListingPublished: (follow_standing,),
    ListingWithdrawn: (follow_standing,),
}
