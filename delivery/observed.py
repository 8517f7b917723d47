"""What the carrier reports, folded into one status. Pure.

Reports arrive late, twice, in any order, with codes nobody announced, and some take back earlier ones. So a parcel's
status is never advanced: it is recomputed from all reports. The result depends only on the *set* of reports, not on the
order or number of their arrivals: reports are ordered by their own time and, within one second, by a fixed rank.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """The normalised status of a parcel on its way (EMS-PROTOCOL 3.1)."""

    LABEL_CREATED = "label_created"
    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    RETURNING = "returning"
    RETURNED = "returned"
    LOST = "lost"
    CANCELLED = "cancelled"
    EXCEPTION = "exception"
    UNKNOWN = "unknown"


class SignerClass(StrEnum):
    """Who or what took the parcel, from the carrier's delivery code (EMS-PROTOCOL 3.3)."""

    IN_PERSON = "in_person"
    PROXY = "proxy"
    PICKUP_POINT = "pickup_point"
    UNATTENDED = "unattended"
    OTHER = "other"
    CLAIM = "claim"
    UNSTATED = "unstated"


class NextAction(StrEnum):
    """What should follow a failed attempt (EMS-PROTOCOL 3.4)."""

    RETRY = "retry"
    HOLD = "hold"
    HOLD_OR_RETURN = "hold_or_return"
    RETURN = "return"
    FORWARD = "forward"
    CLAIM = "claim"
    MANUAL = "manual"


TERMINAL: Final = frozenset({Status.DELIVERED, Status.RETURNED, Status.LOST, Status.CANCELLED})
"""Nothing more is expected. None of them is final: any can still be taken back by a reversal."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One report of a carrier, already in our vocabulary. `occurred_at` is aware UTC."""

    carrier: str
    waybill_no: str
    code: str
    occurred_at: datetime
    status: Status | None
    """None: the code only takes back others, or only annotates (an address change keeps the status)."""
    key: str
    """Identity of the report: two arrivals with one key are one report."""
    name: str = ""
    description: str = ""
    office_code: str = ""
    office: str = ""
    region: str = ""
    known: bool = True
    reverses: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    signer_class: SignerClass = SignerClass.UNSTATED
    signer_name: str = ""
    reason: str = ""
    next_action: NextAction | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """The fold of all reports of one waybill."""

    status: Status = Status.LABEL_CREATED
    since: datetime | None = None
    deciding: Observation | None = None
    """The report that gave the status; None while there is none."""
    last_report_at: datetime | None = None
    collected_at: datetime | None = None
    attempts: int = 0
    """Failed attempts that stand."""
    flags: frozenset[str] = frozenset()
    returning: bool = False
    unknown_codes: frozenset[str] = frozenset()
    reversed_keys: frozenset[str] = frozenset()
    unmatched_reversals: frozenset[str] = frozenset()
    """Codes of reversals whose report has not come (yet)."""
    contradictions: tuple[str, ...] = field(default=())
    """Codes that do not fit what stood before them; a reason to ask the carrier again."""

    @property
    def delivered_at(self) -> datetime | None:
        """When it was handed over, while that stands."""
        return self.since if self.status is Status.DELIVERED else None

    @property
    def signer_class(self) -> SignerClass:
        """Who took it, while the delivery stands."""
        standing = self.deciding if self.status is Status.DELIVERED else None
        return standing.signer_class if standing else SignerClass.UNSTATED


# Within one second the natural course of a parcel decides, so that a batch upload of a whole run folds the same way
# however it was cut. A reversal follows what it reverses and precedes what replaces it the next second.
_RANK: Final = {
    Status.UNKNOWN: 0,
    Status.LABEL_CREATED: 1,
    Status.COLLECTED: 2,
    Status.IN_TRANSIT: 3,
    Status.EXCEPTION: 4,
    Status.OUT_FOR_DELIVERY: 5,
    Status.DELIVERY_FAILED: 6,
    Status.AVAILABLE_FOR_PICKUP: 7,
    Status.DELIVERED: 8,
    None: 9,
    Status.RETURNING: 10,
    Status.RETURNED: 11,
    Status.LOST: 12,
    Status.CANCELLED: 13,
}


def in_order(observations: Iterable[Observation]) -> list[Observation]:
    """Each report once, by its own time, then by rank, then by identity."""
    once = {each.key: each for each in observations}
    return sorted(once.values(), key=lambda each: (each.occurred_at, _RANK[each.status], each.code, each.key))


def standing(observations: Iterable[Observation]) -> tuple[list[Observation], frozenset[str], frozenset[str]]:
    """The reports that were not taken back, the keys of those that were, and the codes of reversals that hit nothing."""
    kept: list[Observation] = []
    gone: set[str] = set()
    unmatched: set[str] = set()
    for each in in_order(observations):
        if not each.reverses:
            kept.append(each)
            continue
        target = next((one for one in reversed(kept) if one.code in each.reverses), None)
        if target is None:
            unmatched.add(each.code)
        else:
            kept.remove(target)
            gone.add(target.key)
    return kept, frozenset(gone), frozenset(unmatched)


def fold(observations: Iterable[Observation]) -> Tracking:
    """One status from all reports; the same for every order and repetition of them."""
    reports = list(observations)
    kept, gone, unmatched = standing(reports)
    tracking = Tracking(reversed_keys=gone, unmatched_reversals=unmatched)
    for each in kept:
        tracking = _apply(tracking, each)
    last = max((each.occurred_at for each in reports), default=None)
    return replace(tracking, last_report_at=last)


def _apply(before: Tracking, report: Observation) -> Tracking:
    after = replace(before, flags=before.flags | report.flags)
    if not report.known:
        # An unannounced code between two transit codes is transit anyway; anywhere else it decides nothing.
        return replace(after, unknown_codes=before.unknown_codes | {report.code})
    if report.status is None:
        return after
    if report.status is Status.COLLECTED and before.collected_at is None:
        after = replace(after, collected_at=report.occurred_at)
    if report.status is Status.DELIVERY_FAILED:
        after = replace(after, attempts=before.attempts + 1)
    status = _next_status(before, report.status)
    if status is None:
        return replace(after, contradictions=(*before.contradictions, report.code))
    if status is before.status is Status.RETURNING and report.status is not Status.RETURNING:
        return after
    returning = status is Status.RETURNING
    return replace(after, status=status, since=report.occurred_at, deciding=report, returning=returning)


_ENDS_RETURN: Final = frozenset({Status.RETURNED, Status.LOST})
_AFTER_DELIVERED: Final = frozenset({Status.DELIVERED, Status.RETURNING, Status.RETURNED, Status.LOST})
_AFTER_RETURNED: Final = frozenset({Status.RETURNED, Status.LOST})
_AFTER_LOST: Final = frozenset({Status.LOST, Status.DELIVERED, Status.RETURNING, Status.RETURNED})


def _next_status(before: Tracking, reported: Status) -> Status | None:
    """The status after `reported`, or None where it contradicts what stands."""
    match before.status:
        case Status.RETURNING if reported in _ENDS_RETURN | {Status.RETURNING}:
            return reported
        case Status.RETURNING if reported is Status.DELIVERED:
            return None
        case Status.RETURNING:
            return Status.RETURNING
        case Status.DELIVERED if reported not in _AFTER_DELIVERED:
            return None
        case Status.RETURNED if reported not in _AFTER_RETURNED:
            return None
        case Status.LOST if reported not in _AFTER_LOST:
            return None
        case _:
            return reported
