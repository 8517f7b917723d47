"""Delivery decisions as functions of values: numbers, scans, masks, deadlines, and what a delivery means. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from delivery.observed import TERMINAL, SignerClass, Status, Tracking

_S10_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)
_WAYBILL: Final = re.compile(r"\d{13}|[A-Z]{2}\d{9}[A-Z]{2}")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_LONG_DIGITS: Final = re.compile(r"\d{7,}")
_SIGNER: Final = re.compile(r"(?:签收人|代收人)[:：]?\s*([一-鿿·]{2,12})")


def check_digit(serial: str) -> str:
    """The UPU S10 check digit of eight digits; EMS numbers that begin with 10 or 11 use it too."""
    remainder = 11 - sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {10: "0", 11: "5"}.get(remainder, str(remainder))


def is_waybill_no(text: str) -> bool:
    """13 digits, or the international form. The prefix is only a hint and is not looked at."""
    return _WAYBILL.fullmatch(text) is not None


def has_sound_check_digit(waybill_no: str) -> bool:
    """Whether the check digit agrees, where the number has one we know. For a warning, never for a refusal."""
    if waybill_no[:2] in ("10", "11") and waybill_no.isdigit():
        return check_digit(waybill_no[2:10]) == waybill_no[10]
    if waybill_no[:2].isalpha():
        return check_digit(waybill_no[2:10]) == waybill_no[10]
    return True


def normal_scan(raw: str) -> str:
    """What a scanner or a hurried hand typed, as the code it means.

    Full-width characters become half-width, control characters and blanks go, a label's web address gives its last part.
    """
    text = unicodedata.normalize("NFKC", raw)
    text = "".join(each for each in text if unicodedata.category(each)[0] not in "CZ").strip()
    if "://" in text:
        text = text.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
    return text.upper()


# --- what may be shown of a person (GB/T 41833: part of the name, at least six digits of the phone, the house unit) ---


def masked_name(name: str) -> str:
    """The first character and a star for each other: 张**; with two or more characters the last is never shown."""
    return name[:1] + "*" * max(len(name) - 1, 1) if name else ""


def masked_mobile(mobile: str) -> str:
    """Three digits, stars, two digits: six are hidden."""
    return f"{mobile[:3]}******{mobile[-2:]}" if len(mobile) >= 11 else "*" * len(mobile)


def masked_address(prov: str, city: str, county: str, address: str) -> str:
    """Down to the county, then the street as far as its first number."""
    return f"{prov}{city}{county}{street_of(address)}***"


def street_of(address: str) -> str:
    """The street of an address, as far as its first number; at most twelve characters."""
    return re.split(r"[\d０-９一二三四五六七八九十]", address, maxsplit=1)[0][:12]


def masked_text(text: str) -> str:
    """Carrier prose without telephone numbers: couriers write theirs into the description."""
    return _LONG_DIGITS.sub(lambda found: found[0][:3] + "*" * (len(found[0]) - 5) + found[0][-2:], text)


def is_mobile(text: str) -> bool:
    """A mainland mobile number of eleven digits."""
    return _MOBILE.fullmatch(text) is not None


def signer_in(description: str) -> str:
    """The signer's name where the carrier's prose states one."""
    found = _SIGNER.search(description)
    return found[1] if found else ""


# --- deciding what a delivery means ---


class WhoMaySign(StrEnum):
    """Whom the applicant allowed to take the parcel."""

    SELF = "self"
    AGENT = "agent"


class Verdict(StrEnum):
    """What follows from a delivery report."""

    CLOSE = "close"
    ASK_STAFF = "ask_staff"


def judge_delivery(who_may_sign: WhoMaySign, signer: SignerClass) -> Verdict:
    """Only the receiver in person, or a proxy where one was allowed, ends the service of a document by itself.

    Lockers, letter boxes, door mats and unstated signers are looked at by a person (EMS-PROTOCOL 3.3).
    """
    if signer is SignerClass.IN_PERSON:
        return Verdict.CLOSE
    if signer is SignerClass.PROXY and who_may_sign is WhoMaySign.AGENT:
        return Verdict.CLOSE
    return Verdict.ASK_STAFF


# --- the poller's patience ---

POLL_FLOOR: Final = timedelta(seconds=30)
POLL_CEILING: Final = timedelta(hours=2)
SETTLED_POLL: Final = timedelta(hours=12)
"""A finished parcel is still asked about: 743 takes a delivery back hours later."""
WATCH_AFTER_END: Final = timedelta(days=7)
TOLD_BY_PUSH: Final = 6
"""News that a notice announced counts like so many quiet answers: a carrier that tells by itself is asked after half an
hour instead of half a minute. Notices that stop coming are made up for by the doubling pauses as before."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast this installation polls; a demonstration polls seconds where a live one polls minutes."""

    floor: timedelta = POLL_FLOOR
    ceiling: timedelta = POLL_CEILING


def next_poll(now: datetime, tracking: Tracking, quiet_polls: int, pace: Pace) -> datetime | None:
    """When to ask next, or None when nothing is expected any more.

    A parcel that changes is asked about again soon; each quiet answer doubles the pause up to the ceiling. A parcel out
    for delivery is asked about four times as often.
    """
    if tracking.status in TERMINAL:
        ended = tracking.since or now
        return now + min(SETTLED_POLL, pace.ceiling * 6) if now - ended < WATCH_AFTER_END else None
    pause = min(pace.floor * (1 << min(quiet_polls, 12)), pace.ceiling)
    if tracking.status is Status.OUT_FOR_DELIVERY:
        pause = max(pause / 4, pace.floor)
    return now + pause


# --- alarms ---

NOT_COLLECTED_AFTER: Final = timedelta(hours=24)
STALLED_AFTER: Final = timedelta(hours=72)


class Alarm(StrEnum):
    """A silence that a person should look into."""

    NOT_COLLECTED = "not_collected"
    STALLED = "stalled"


def alarm(
    now: datetime,
    handed_over_at: datetime,
    tracking: Tracking,
    *,
    not_collected: timedelta = NOT_COLLECTED_AFTER,
    stalled: timedelta = STALLED_AFTER,
) -> Alarm | None:
    """The alarm that is due, if any (BUSINESS-RULES 3.4, EMS-PROTOCOL 3.5). The rule book sets both spans of silence."""
    if tracking.status in TERMINAL or tracking.status is Status.AVAILABLE_FOR_PICKUP:
        return None
    if tracking.collected_at is None and tracking.status is Status.LABEL_CREATED:
        return Alarm.NOT_COLLECTED if now - handed_over_at >= not_collected else None
    last = max(tracking.last_report_at or handed_over_at, handed_over_at)
    return Alarm.STALLED if now - last >= stalled else None


def retry_delay(attempts: int, pace: Pace) -> timedelta:
    """The pause before asking an unreachable carrier again: doubling, at most fifteen minutes."""
    return min(pace.floor / 3 * (1 << min(attempts, 10)), timedelta(minutes=15))


def sources_disagree(carrier_says: str, second: Status) -> bool:
    """Whether a second source tells something that the carrier does not, and that somebody must know.

    The second source may lag behind: it disagrees only where it has an end that the carrier has not, or the carrier has
    another end. Its answers cannot tell a redelivery from a delivery, so a failed attempt alone is no disagreement.
    """
    ends = {Status.DELIVERED, Status.RETURNED, Status.RETURNING, Status.LOST, Status.CANCELLED}
    return second in ends and second != carrier_says and (carrier_says, second) not in _ONE_STORY


_ONE_STORY: Final = frozenset({(Status.RETURNED, Status.RETURNING), (Status.RETURNING, Status.RETURNED)})
