"""What one version of a service item says, and everything that may be wrong with it. Pure."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final

from app.kernel.words import N_
from marketplace.rules.categories import Category
from marketplace.rules.qualifications import check_rule
from marketplace.states.catalogue import Commissioner, PricingMode


@dataclasses.dataclass(frozen=True)
class ItemContent:
    """Everything one version of an item says. `limit_wd` None means: by contract. Guided prices in fen.

    `approvals` are the public numbers of the approvals that the service may be a condition of; none named means that the list
    tells them in words only (`approval_served`). `change_note` says why this version differs from the one before.
    """

    name: str
    name_en: str
    category: str
    approval_served: str
    legal_basis: str
    qualification_text: str
    deliverable: str
    limit_wd: int | None = None
    limit_note: str = ""
    commissioner: str = Commissioner.APPLICANT
    self_preparation_allowed: bool = False
    qualification_rule: dict[str, Any] = dataclasses.field(default_factory=dict)
    pricing_mode: str = PricingMode.MARKET
    guided_min_fen: int | None = None
    guided_max_fen: int | None = None
    price_document: str = ""
    description: str = ""
    approvals: tuple[str, ...] = ()
    change_note: str = ""
    version: int | None = None  # not part of the content; what the form carries along


@dataclasses.dataclass(frozen=True)
class ContentProblem:
    """Something wrong in one field; `message` is a message id with `params`."""

    field: str
    code: str
    message: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


LONGEST: Final[Mapping[str, int]] = {
    "name": 120,
    "name_en": 200,
    "approval_served": 200,
    "legal_basis": 500,
    "qualification_text": 300,
    "limit_note": 300,
    "price_document": 300,
    "deliverable": 120,
    "description": 3000,
    "change_note": 500,
}
REQUIRED: Final = ("name", "name_en", "approval_served", "legal_basis", "qualification_text", "deliverable")
LONGEST_LIMIT_WD: Final = 400
MOST_APPROVALS: Final = 40
APPROVAL_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{1,31}")


def problems(content: ItemContent) -> tuple[ContentProblem, ...]:
    """Everything that keeps `content` from being drafted, in the order of the fields; empty when it is sound."""
    found = [*_texts(content), *_choices(content)]
    try:
        check_rule(content.qualification_rule)
    except ValueError:
        found.append(
            ContentProblem("qualification_rule", "qualification-rule", N_("The qualification rule cannot be read."))
        )
    if content.limit_wd is not None and not 1 <= content.limit_wd <= LONGEST_LIMIT_WD:
        message = N_("Write a number of working days between 1 and 400.")
        found.append(ContentProblem("limit_wd", "limit-out-of-range", message))
    found += _prices(content)
    if len(content.approvals) > MOST_APPROVALS or any(not APPROVAL_CODE.fullmatch(c) for c in content.approvals):
        message = N_("Write the numbers of approvals as on the list of powers, for example PL-0101, PL-0102.")
        found.append(ContentProblem("approvals", "approval-code", message))
    return tuple(found)


def _texts(content: ItemContent) -> list[ContentProblem]:
    found = []
    for name, longest in LONGEST.items():
        value = getattr(content, name).strip()
        if not value and name in REQUIRED:
            found.append(ContentProblem(name, "missing", N_("Please fill this in.")))
        elif len(value) > longest:
            found.append(ContentProblem(name, "too-long", N_("This is too long.")))
    return found


def _choices(content: ItemContent) -> list[ContentProblem]:
    found = []
    if content.category not in set(Category):
        found.append(ContentProblem("category", "unknown-category", N_("Choose one of the categories.")))
    for name, choices in (("commissioner", Commissioner), ("pricing_mode", PricingMode)):
        if getattr(content, name) not in set(choices):
            found.append(ContentProblem(name, "unknown-choice", N_("Must be one of the choices.")))
    return found


def _prices(content: ItemContent) -> list[ContentProblem]:
    low, high = content.guided_min_fen, content.guided_max_fen
    if content.pricing_mode != PricingMode.MARKET and high is None:
        return [ContentProblem("guided_max", "price-range-missing", N_("State the highest government price."))]
    if low is not None and high is not None and low > high:
        return [ContentProblem("guided_min", "price-range", N_("The lowest price is above the highest."))]
    return []
