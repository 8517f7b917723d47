"""Sealed quotes: handing in, and the opening of all of them at once. Their keys are made by `services.tender_keys`."""

from marketplace.services.quotes.commands import GiveShare, HandIn, PlainQuote
from marketplace.services.quotes.opening import give_share, overdue_opening, remind_holders
from marketplace.services.quotes.quoting import hand_in, seal_for_agency, withdraw_quote

__all__ = [
    "GiveShare",
    "HandIn",
    "PlainQuote",
    "give_share",
    "hand_in",
    "overdue_opening",
    "remind_holders",
    "seal_for_agency",
    "withdraw_quote",
]
