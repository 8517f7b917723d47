"""Which documents of the search index an event makes stale, and the record of an agency that follows from its contracts."""

from typing import Any

from app.kernel.outbox import Handlers
from marketplace.events import (
    AgencyAdmitted,
    AgencyDetailsChanged,
    AgencyStandingChanged,
    AwardConfirmed,
    ContractClosed,
    ContractTerminated,
    DeliverableAccepted,
    ItemCancelled,
    ItemVersionPublished,
    ListingPublished,
    ListingWithdrawn,
    ProcurementFailed,
    ProcurementPublished,
    ProcurementStopped,
    RatingStruck,
    SelectionDecided,
    ServiceRated,
)
from marketplace.search import Kind
from marketplace.services import search
from marketplace.services.records import fold_record


def renew_agency(event: AgencyAdmitted | AgencyDetailsChanged | AgencyStandingChanged) -> None:
    """The agency and all its offers."""
    search.mark_agency(event.agency_id)


def renew_offer(event: ListingPublished | ListingWithdrawn) -> None:
    """The offer, and the agency whose services it tells of."""
    search.mark_one(Kind.LISTING, event.listing_id)
    search.mark_one(Kind.AGENCY, event.agency_id)


def renew_item(event: ItemVersionPublished | ItemCancelled) -> None:
    """The item and all its offers."""
    search.mark_item(event.item_id)


def renew_notice(event: Any) -> None:
    """The notice of a procurement."""
    search.mark_one(Kind.NOTICE, event.procurement_id)


def renew_record(event: Any) -> None:
    """The agency's record, by which its offers are ranked and shown."""
    organisation_id = getattr(event, "agency_organisation_id", None) or getattr(event, "winner_organisation_id", None)
    agency_id = fold_record(organisation_id) if organisation_id else None
    if agency_id is not None:
        search.mark_agency(agency_id)


HANDLERS: Handlers = {
    AgencyAdmitted: (renew_agency,),
    AgencyDetailsChanged: (renew_agency,),
    AgencyStandingChanged: (renew_agency,),
    ListingPublished: (renew_offer,),
    ListingWithdrawn: (renew_offer,),
    ItemVersionPublished: (renew_item,),
    ItemCancelled: (renew_item,),
    ProcurementPublished: (renew_notice,),
    ProcurementStopped: (renew_notice,),
    ProcurementFailed: (renew_notice,),
    SelectionDecided: (renew_notice,),
    AwardConfirmed: (renew_record,),
    DeliverableAccepted: (renew_record,),
    ServiceRated: (renew_record,),
    RatingStruck: (renew_record,),
    ContractClosed: (renew_record,),
    ContractTerminated: (renew_record,),
}
