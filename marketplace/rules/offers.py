"""Whether an offer may stand on the shelf: the guards of BUSINESS-RULES 4.2. Pure."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from app.kernel.words import N_
from marketplace.rules.qualifications import Eligibility
from marketplace.states.catalogue import PricingMode


@dataclasses.dataclass(frozen=True, slots=True)
class OfferTerms:
    """What the agency promises: working days, and fen or None when the price is by agreement."""

    promised_limit_wd: int
    price_fen: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class ItemTerms:
    """What the item version in question allows; `limit_wd` None means that the contract sets the limit."""

    is_in_force: bool
    limit_wd: int | None
    pricing_mode: str
    guided_min_fen: int | None
    guided_max_fen: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Objection:
    """Why an offer may not stand. `message` is a message id with `params`; `field` is the input to change, if any."""

    code: str
    message: str
    field: str | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def objections(
    offer: OfferTerms, item: ItemTerms, eligibility: Eligibility, *, agency_is_active: bool, is_closed: bool = False
) -> tuple[Objection, ...]:
    """Everything that keeps the offer off the shelf, the gravest first; empty when it may stand.

    `is_closed`: a measure in force closes this service to the agency.
    """
    found: list[Objection] = []
    if not agency_is_active:
        found.append(Objection("agency-not-active", N_("The agency is not admitted, or is suspended.")))
    if is_closed:
        found.append(Objection("service-closed", N_("This service is closed to the agency by a measure in force.")))
    if not item.is_in_force:
        found.append(
            Objection("item-not-in-force", N_("This version of the service item is no longer in force."), "item_id")
        )
    if not eligibility.is_eligible:
        found.append(Objection("not-qualified", N_("The agency holds no valid certificate that this item asks for.")))
    if item.limit_wd is not None and offer.promised_limit_wd > item.limit_wd:
        message = N_("The promised limit may be at most %(limit)s working days, the limit of the item.")
        found.append(Objection("limit-too-long", message, "promised_limit_wd", {"limit": item.limit_wd}))
    price = _price_objection(offer, item)
    return (*found, price) if price else tuple(found)


def _price_objection(offer: OfferTerms, item: ItemTerms) -> Objection | None:
    if item.pricing_mode == PricingMode.MARKET:
        return None
    if offer.price_fen is None:
        return Objection("price-missing", N_("This item has a government price: state an amount."), "price")
    low, high = item.guided_min_fen, item.guided_max_fen
    if (low is not None and offer.price_fen < low) or (high is not None and offer.price_fen > high):
        message = N_("The price must lie between ¥%(low)s and ¥%(high)s, the government-guided range.")
        return Objection("price-outside-range", message, "price", {"low": _yuan(low), "high": _yuan(high)})
    return None


def _yuan(fen: int | None) -> str:
    return "—" if fen is None else f"{fen // 100}.{fen % 100:02d}"
