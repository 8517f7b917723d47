"""Facts that the marketplace tells to others, one aggregate a module."""

from .agencies import (
    AgencyAdmitted,
    AgencyDetailsChanged,
    AgencyReturned,
    AgencyStandingChanged,
    AgencySubmitted,
    QualificationChanged,
)
from .catalogue import ItemCancelled, ItemVersionPublished
from .listings import ListingPublished, ListingWithdrawn

__all__ = [
    "AgencyAdmitted",
    "AgencyDetailsChanged",
    "AgencyReturned",
    "AgencyStandingChanged",
    "AgencySubmitted",
    "ItemCancelled",
    "ItemVersionPublished",
    "ListingPublished",
    "ListingWithdrawn",
    "QualificationChanged",
]
