"""Requests for change (变更申请): their kinds, and the difference that the operator reads. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.kernel.words import N_


class ChangeKind(StrEnum):
    """What a request changes; each kind had its own form in the field's practice."""

    BASIC = "basic"
    REPRESENTATIVE = "representative"
    QUALIFICATION = "qualification"
    STAFF = "staff"


CHANGE_LABELS: Final[dict[ChangeKind, str]] = {
    ChangeKind.BASIC: N_("Basic data"),
    ChangeKind.REPRESENTATIVE: N_("Legal representative"),
    ChangeKind.QUALIFICATION: N_("Qualification certificate"),
    ChangeKind.STAFF: N_("Practising staff"),
}
BASIC_FIELDS: Final[dict[str, str]] = {
    "name": N_("Name as on the licence"),
    "kind": N_("Kind of body"),
    "region_code": N_("Seat"),
    "address": N_("Registered address"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that changes; `label` is a message id."""

    name: str
    label: str
    before: str
    after: str


def differences(
    labels: Mapping[str, str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """The fields of `labels` whose value changes, in their order."""
    return tuple(
        Difference(name, label, str(before.get(name) or ""), str(after.get(name) or ""))
        for name, label in labels.items()
        if str(before.get(name) or "") != str(after.get(name) or "")
    )
