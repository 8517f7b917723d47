"""What changed between two versions of a notice, and whether the change is substantive (实质性变更).

A substantive change alters what is bought, for how much, who may apply or how one is chosen: agencies that read the old notice
decided on other facts, so the registration period starts again. Everything is substantive unless it is listed as minor; a field
that is added to the notice later is therefore substantive until somebody decides otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.kernel.words import N_

PATH_LABELS: Final[Mapping[str, str]] = {
    "title": N_("Title of the notice"),
    "project.name": N_("Project"),
    "project.code": N_("Project code"),
    "project.region": N_("Region of the project"),
    "project.place": N_("Place"),
    "project.scale": N_("Scale"),
    "item.code": N_("Service item"),
    "item.name": N_("Service item"),
    "item.version": N_("Version of the item list"),
    "item.approval_served": N_("Approval served"),
    "serves_approval_case": N_("Condition of an approval"),
    "content": N_("What is to be done"),
    "deliverable": N_("Deliverable"),
    "limit_wd": N_("Time limit of the service (working days)"),
    "money.fund_source": N_("Fund source"),
    "money.budget_fen": N_("Budget"),
    "money.ceiling_fen": N_("Ceiling price"),
    "money.price_fen": N_("Service price"),
    "money.note": N_("Remark on the amount"),
    "qualification_rule": N_("Qualification"),
    "demanded_region": N_("Only agencies registered in"),
    "avoided": N_("Agencies to be avoided"),
    "selection.method": N_("Selection method"),
    "selection.terms.floor_fen": N_("Lowest limit of a quote"),
    "selection.terms.rounds": N_("Bidding rounds"),
    "selection.terms.round_minutes": N_("Length of a further round (minutes)"),
    "selection.terms.big_list": N_("Size of the big list"),
    "selection.terms.small_list": N_("Size of the small list"),
    "selection.terms.criteria": N_("Criteria and their weights"),
    "selection.seats": N_("Seats"),
    "selection.witness": N_("A witness is present at the draw"),
    "selection.sources": N_("Public values announced"),
    "contacts.name": N_("Contact person"),
    "contacts.phone": N_("Telephone"),
    "contacts.complaint_phone": N_("Telephone for complaints"),
    "registration_ends_at": N_("Registration until"),
    "owner": N_("Project owner"),
    "round": N_("Round"),
    "rule_book": N_("Rule book"),
}
"""Labels of the fields of a notice's frozen content, by dotted path; a path without a label is shown as it is."""

MINOR: Final[frozenset[str]] = frozenset(
    {
        "title",
        "project.code",
        "money.note",
        "selection.witness",
        "contacts.name",
        "contacts.phone",
        "contacts.complaint_phone",
        "item.approval_served",
        "owner",
    }
)
"""Corrections that change no decision of an agency."""

FOLLOWING: Final[frozenset[str]] = frozenset(
    {"number", "round", "rule_book", "registration_ends_at", "questions_close_at", "serves_approval_case"}
)
"""What the publication itself sets anew; it is no change by the owner. A later deadline only gives everybody more time."""

_AMOUNTS: Final = "_fen"


@dataclass(frozen=True)
class Change:
    """One changed field: its dotted path, both values as frozen (None: not there), and whether it is substantive."""

    path: str
    old: Any
    new: Any
    is_substantive: bool

    @property
    def label(self) -> str:
        """Message id of the field, or its path."""
        return PATH_LABELS.get(self.path, self.path)

    @property
    def is_amount(self) -> bool:
        """Whether the values are amounts in fen."""
        return self.path.endswith(_AMOUNTS)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every difference between two frozen contents, in the order of the new notice."""
    before, after = _flat(old), _flat(new)
    paths = [*after, *(path for path in before if path not in after)]
    return tuple(
        Change(path, before.get(path), after.get(path), _is_substantive(path))
        for path in paths
        if before.get(path) != after.get(path)
    )


def restarts_period(found: tuple[Change, ...]) -> bool:
    """Whether the registration period starts again."""
    return any(change.is_substantive for change in found)


def by_the_owner(found: tuple[Change, ...]) -> tuple[Change, ...]:
    """The changes that the owner made; the others follow from the publication."""
    return tuple(change for change in found if change.path not in FOLLOWING)


def _is_substantive(path: str) -> bool:
    return path not in MINOR and path not in FOLLOWING


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted path. A qualification rule and lists are one value: their parts mean nothing alone."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and path != "qualification_rule":
            found.update(_flat(value, f"{path}."))
        else:
            found[path] = value
    return found
