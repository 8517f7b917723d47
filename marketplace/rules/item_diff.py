"""What differs between two versions of a service item, field by field. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

from marketplace.rules.item_content import ItemContent

FIELDS: Final = (
    "name",
    "name_en",
    "category",
    "approval_served",
    "approvals",
    "legal_basis",
    "commissioner",
    "self_preparation_allowed",
    "qualification_text",
    "qualification_rule",
    "limit_wd",
    "limit_note",
    "pricing_mode",
    "guided_min_fen",
    "guided_max_fen",
    "price_document",
    "deliverable",
    "description",
)
"""What a version says about the service, in the order of its page; the note on the change is not part of it."""


class Piece(NamedTuple):
    """A part of a text, and whether the other version lacks it."""

    text: str
    is_changed: bool


@dataclass(frozen=True)
class FieldChange:
    """One field that differs. The pieces are cut only where both values are texts."""

    field: str
    before: Any
    after: Any
    before_pieces: tuple[Piece, ...] = ()
    after_pieces: tuple[Piece, ...] = ()


def differences(before: ItemContent, after: ItemContent) -> tuple[FieldChange, ...]:
    """Every field in which two versions differ, in the order of `FIELDS`; empty when they say the same."""
    changed = ((name, getattr(before, name), getattr(after, name)) for name in FIELDS)
    return tuple(_change(name, a, b) for name, a, b in changed if a != b)


def _change(name: str, before: Any, after: Any) -> FieldChange:
    if not (isinstance(before, str) and isinstance(after, str)):
        return FieldChange(name, before, after)
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return FieldChange(
        name,
        before,
        after,
        tuple(_pieces((tag, before[a:b]) for tag, a, b, _, _ in steps)),
        tuple(_pieces((tag, after[a:b]) for tag, _, _, a, b in steps)),
    )


def _pieces(steps: Iterator[tuple[str, str]]) -> Iterator[Piece]:
    return (Piece(text, tag != "equal") for tag, text in steps if text)
