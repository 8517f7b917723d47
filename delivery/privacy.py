"""What each part sees of a receiver, and until when (PIPL art. 6: only what the task needs). Pure.

One table that the reads obey, the privacy page prints and a test walks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from delivery.states import ParcelState, Part


class Field(StrEnum):
    """What is known about a receiver."""

    NAME = "name"
    MOBILE = "mobile"
    ADDRESS = "address"
    CODE = "pickup_code"


class Sight(StrEnum):
    """How much of it is shown."""

    FULL = "full"
    MASKED = "masked"
    NOTHING = "nothing"


AT_WORK: Final[Mapping[Part, Mapping[Field, Sight]]] = {
    Part.APPLICANT: {Field.NAME: Sight.FULL, Field.MOBILE: Sight.FULL, Field.ADDRESS: Sight.FULL, Field.CODE: Sight.FULL},
    Part.SUPERVISOR: {Field.NAME: Sight.FULL, Field.MOBILE: Sight.FULL, Field.ADDRESS: Sight.FULL, Field.CODE: Sight.NOTHING},
    Part.POST: {Field.NAME: Sight.FULL, Field.MOBILE: Sight.MASKED, Field.ADDRESS: Sight.FULL, Field.CODE: Sight.NOTHING},
    Part.HALL: {Field.NAME: Sight.FULL, Field.MOBILE: Sight.MASKED, Field.ADDRESS: Sight.FULL, Field.CODE: Sight.NOTHING},
}  # fmt: skip
"""While the parcel is theirs to work on; everybody else, and they at other times, see masks."""
OTHERS: Final[Mapping[Field, Sight]] = {
    Field.NAME: Sight.MASKED, Field.MOBILE: Sight.MASKED, Field.ADDRESS: Sight.MASKED, Field.CODE: Sight.NOTHING,
}  # fmt: skip
_RANK: Final = (Sight.NOTHING, Sight.MASKED, Sight.FULL)


@dataclass(frozen=True, slots=True)
class Window:
    """Where a parcel stands in time."""

    state: str
    ended_at: datetime | None
    """When it was delivered, closed or cancelled; None while it is under way."""


def at_work(window: Window, now: datetime, seen_days: int) -> bool:
    """Whether staff need the receiver: from the moment the papers are ready until some days after the end."""
    if window.state == ParcelState.CREATED:
        return False
    return window.ended_at is None or now - window.ended_at < timedelta(days=seen_days)


def sight_of(parts: Iterable[Part], what: Field, window: Window, now: datetime, seen_days: int) -> Sight:
    """The most that any of the parts may see of one field now."""
    held = set(parts)
    best = OTHERS[what]
    for part in held & set(AT_WORK):
        if part is Part.APPLICANT or at_work(window, now, seen_days):
            best = max(best, AT_WORK[part][what], key=_RANK.index)
    return best


def may_erase(window: Window, now: datetime, kept_days: int) -> bool:
    """Whether the retention period is over."""
    return window.ended_at is not None and now - window.ended_at >= timedelta(days=kept_days)
