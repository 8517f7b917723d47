"""Ratings: who is asked, what is given, when it is shown, and what the rated side may say to it."""

from marketplace.services.reviews.answers import (
    AppealRating,
    Reply,
    appeal,
    dismiss_appeal,
    grant_appeal,
    reply,
    withdraw_appeal,
)
from marketplace.services.reviews.rating import (
    Inspect,
    RateDeliverable,
    RateOwner,
    RateService,
    deliverable_used,
    inspect,
    rate,
    rate_deliverable,
    rate_owner,
)
from marketplace.services.reviews.requests import due_ids, open_requests, remind, reminder_ids, settle_due

__all__ = [
    "AppealRating",
    "Inspect",
    "RateDeliverable",
    "RateOwner",
    "RateService",
    "Reply",
    "appeal",
    "deliverable_used",
    "dismiss_appeal",
    "due_ids",
    "grant_appeal",
    "inspect",
    "open_requests",
    "rate",
    "rate_deliverable",
    "rate_owner",
    "remind",
    "reminder_ids",
    "reply",
    "settle_due",
    "withdraw_appeal",
]
