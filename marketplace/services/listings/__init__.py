"""Use cases of the shelf (上架): an agency's offers, and their standing when certificates, items or the agency change."""

from .offers import (
    approve,
    change,
    create,
    publish,
    restore,
    return_offer,
    submit,
    suspend,
    take_back,
    take_off,
)
from .standing import expire_due, remind_of_expiry, review_agency, review_item
from .terms import Offer, item_in_force, own_agency

__all__ = [
    "Offer",
    "approve",
    "change",
    "create",
    "expire_due",
    "item_in_force",
    "own_agency",
    "publish",
    "remind_of_expiry",
    "restore",
    "return_offer",
    "review_agency",
    "review_item",
    "submit",
    "suspend",
    "take_back",
    "take_off",
]
