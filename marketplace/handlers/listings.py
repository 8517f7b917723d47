"""What happens to offers when certificates, items or an agency's standing change."""

from app.kernel.outbox import Handlers
from marketplace.events import (
    AgencyAdmitted,
    AgencyStandingChanged,
    ItemCancelled,
    ItemVersionPublished,
    QualificationChanged,
)
from marketplace.services import listings


def review_offers_of_agency(event: AgencyAdmitted | AgencyStandingChanged | QualificationChanged) -> None:
    """Suspend what may no longer stand, restore what may again."""
    listings.review_agency(event.agency_id)


def review_offers_of_item(event: ItemVersionPublished | ItemCancelled) -> None:
    """Move offers to the new version, or suspend them."""
    listings.review_item(event.item_id)


HANDLERS: Handlers = {
    AgencyAdmitted: (review_offers_of_agency,),
    AgencyStandingChanged: (review_offers_of_agency,),
    QualificationChanged: (review_offers_of_agency,),
    ItemVersionPublished: (review_offers_of_item,),
    ItemCancelled: (review_offers_of_item,),
}
