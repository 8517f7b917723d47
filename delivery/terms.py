"""The numbers of delivery that a city sets in its rule book, as delivery reads them. Pure.

The rule book belongs to a domain above; its manifest calls `provide`. Without one the defaults below hold.
Units: `_wd` working days, `_days` calendar days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FeeMode(StrEnum):
    """Who pays the postage, and when (BUSINESS-RULES 3.1)."""

    GOVERNMENT = "government"
    """政府月结: the hall's agreement number is billed monthly."""
    PREPAID = "prepaid"
    """寄付: the applicant pays at the payment counter before the parcel leaves."""
    ON_DELIVERY = "on_delivery"
    """到付: the receiver pays the courier."""


LONGEST_KEPT: Final = 30
"""No collection point keeps a parcel longer, whatever a city sets."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Every number of delivery that may differ between cities."""

    serve_alarm_wd: tuple[int, ...] = (3, 1, 0)
    """Alarms so many working days before the statutory last day of service."""
    fee_modes: tuple[str, ...] = (FeeMode.GOVERNMENT,)
    """The ways of paying that are offered; the first is the one without a choice."""
    packing_waits_for_fee: bool = True
    code_tries: int = 5
    letter_longest_days: int = 90
    complaint_reply_wd: int = 5
    complaint_close_days: int = 10
    receiver_seen_days: int = 30
    """Staff see a receiver until this long after the delivery."""
    receiver_kept_days: int = 180
    """Then the receiver is erased: six months, in which a decision can be brought before a court."""
    link_days: int = 60
    choose_day_days: int = 7
    """So many days ahead a receiver chooses a day, or an applicant has originals collected; the post keeps a parcel a week."""
    attempts: int = 3
    """After so many failed attempts a person decides what follows (BUSINESS-RULES 3.4)."""
    silence_closes_days: int = 10
    """A delivery closes by itself after this; longer than the carrier is watched for taking it back."""
    collection_notice_minutes: int = 30
    """The post is told this long before the carrier comes what is to go."""
    round_stops: int = 200
    point_kept_days: int = 7
    """How long a collection point keeps a parcel where the hall has agreed on nothing else."""
    not_collected_hours: int = 24
    """A parcel that the carrier has not reported after the hand-over is looked at (BUSINESS-RULES 3.4)."""
    stalled_hours: int = 72
    """The same for one that has moved and fell silent (EMS-PROTOCOL 3.5)."""
    return_kept_days: int = 7
    """A returned parcel waits for its receiver at the hall so long (BUSINESS-RULES 3.2, step 10)."""
    claim_answer_days: int = 7
    """The carrier answers a claim within (BUSINESS-RULES 3.4)."""


DEFAULTS: Final = Terms()
_provider: list[Callable[[], Terms]] = []


def provide(terms: Callable[[], Terms]) -> None:
    """Let the domain that keeps the rule book say what holds today."""
    _provider[:] = [terms]


def in_force() -> Terms:
    """The terms of today."""
    return _provider[0]() if _provider else DEFAULTS
