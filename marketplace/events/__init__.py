"""Facts that the marketplace tells to others, one aggregate a module."""

from .agencies import (
    AgencyAdmitted,
    AgencyDetailsChanged,
    AgencyReturned,
    AgencyStandingChanged,
    AgencySubmitted,
    PractitionerChanged,
    QualificationChanged,
)
from .catalogue import ItemCancelled, ItemVersionPublished, ItemVersionScheduled
from .contracts import ContractClosed, ContractSigned, ContractTerminated, DeliverableAccepted, ServiceRated
from .credit import RatingStruck, SanctionChanged
from .listings import ListingPublished, ListingWithdrawn
from .procurements import (
    AwardConfirmed,
    AwardIssued,
    NoticeReturned,
    NoticeRevised,
    NoticeSubmitted,
    ProcurementFailed,
    ProcurementPublished,
    ProcurementStopped,
    RegistrationClosed,
    SelectionDecided,
    WinnerLost,
)

__all__ = [
    "AgencyAdmitted",
    "AgencyDetailsChanged",
    "AgencyReturned",
    "AgencyStandingChanged",
    "AgencySubmitted",
    "AwardConfirmed",
    "AwardIssued",
    "ContractClosed",
    "ContractSigned",
    "ContractTerminated",
    "DeliverableAccepted",
    "ItemCancelled",
    "ItemVersionPublished",
    "ItemVersionScheduled",
    "ListingPublished",
    "ListingWithdrawn",
    "NoticeReturned",
    "NoticeRevised",
    "NoticeSubmitted",
    "PractitionerChanged",
    "ProcurementFailed",
    "ProcurementPublished",
    "ProcurementStopped",
    "QualificationChanged",
    "RatingStruck",
    "RegistrationClosed",
    "SanctionChanged",
    "SelectionDecided",
    "ServiceRated",
    "WinnerLost",
]
