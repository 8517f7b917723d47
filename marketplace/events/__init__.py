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
from .contracts import ContractClosed, ContractSigned, ContractTerminated, DeliverableAccepted, ServiceRated
from .listings import ListingPublished, ListingWithdrawn

__all__ = [
    "AgencyAdmitted",
    "AgencyDetailsChanged",
    "AgencyReturned",
    "AgencyStandingChanged",
    "AgencySubmitted",
    "ContractClosed",
    "ContractSigned",
    "ContractTerminated",
    "DeliverableAccepted",
    "ItemCancelled",
    "ItemVersionPublished",
    "ListingPublished",
    "ListingWithdrawn",
    "QualificationChanged",
    "ServiceRated",
]
