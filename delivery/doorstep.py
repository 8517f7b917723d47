"""What a courier records at the door, judged as values: who may take a paper, when a record counts, what time it was.

Nothing here looks at a clock or a table. The same rules run on the handset, where they warn, and on the server, where
they decide. Pure.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from delivery.observed import NextAction, SignerClass, Status
from delivery.rules import WhoMaySign

UPLOAD_LIMIT: Final = 20
"""Records in one upload (EMS-PROTOCOL 7.5)."""
SKEW_TOLERATED: Final = timedelta(minutes=5)
"""A handset's clock may be this wrong before it is mentioned."""
OLDEST_RECORD: Final = timedelta(days=7)
"""A handset that was away longer is looked at by a person."""


class RecordKind(StrEnum):
    """What a courier recorded."""

    DELIVERED = "delivered"
    FAILED = "failed"
    CODE_LOCKED = "code_locked"


class Signer(StrEnum):
    """Who took the parcel, as the courier saw it."""

    SELF = "self"
    AGENT = "agent"
    FAMILY = "family"
    RECEPTION = "reception"
    UNATTENDED = "unattended"


SIGNER_CLASSES: Final[Mapping[Signer, SignerClass]] = {
    Signer.SELF: SignerClass.IN_PERSON,
    Signer.AGENT: SignerClass.PROXY,
    Signer.FAMILY: SignerClass.OTHER,
    Signer.RECEPTION: SignerClass.PICKUP_POINT,
    Signer.UNATTENDED: SignerClass.UNATTENDED,
}
"""Family is not a proxy: for papers of identity only somebody whom the receiver named may sign (BUSINESS-RULES 3.2-9)."""


class IdType(StrEnum):
    """Documents by which a person may show who they are (EMS-PROTOCOL 7.6)."""

    RESIDENT_CARD = "resident_card"
    HOUSEHOLD_BOOK = "household_book"
    MILITARY_OR_POLICE = "military_or_police"
    TRAVEL_PERMIT = "travel_permit"
    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"


class FailReason(StrEnum):
    """Why a parcel was not delivered."""

    ABSENT = "absent"
    UNREACHABLE = "unreachable"
    ASKED_LATER = "asked_later"
    WRONG_ADDRESS = "wrong_address"
    MOVED = "moved"
    NOBODY_OF_THAT_NAME = "nobody_of_that_name"
    REFUSED = "refused"
    NOT_IDENTIFIED = "not_identified"
    COLLECTS = "collects"
    DAMAGED = "damaged"
    NO_ACCESS = "no_access"


class NextStep(StrEnum):
    """What follows a failed attempt."""

    TRY_AGAIN = "try_again"
    CALL = "call"
    KEEP = "keep"
    RETURN = "return"


REASON_CODES: Final[Mapping[FailReason, str]] = {
    FailReason.ABSENT: "103", FailReason.UNREACHABLE: "123", FailReason.ASKED_LATER: "105", FailReason.WRONG_ADDRESS: "101",
    FailReason.MOVED: "118", FailReason.NOBODY_OF_THAT_NAME: "102", FailReason.REFUSED: "104", FailReason.NOT_IDENTIFIED: "113",
    FailReason.COLLECTS: "115", FailReason.DAMAGED: "108", FailReason.NO_ACCESS: "114",
}  # fmt: skip
"""The carrier's own number of each reason (BUSINESS-RULES 3.3)."""

DEFAULT_NEXT: Final[Mapping[FailReason, NextStep]] = {
    FailReason.ABSENT: NextStep.TRY_AGAIN, FailReason.UNREACHABLE: NextStep.TRY_AGAIN, FailReason.ASKED_LATER: NextStep.TRY_AGAIN,
    FailReason.WRONG_ADDRESS: NextStep.CALL, FailReason.MOVED: NextStep.CALL, FailReason.NOBODY_OF_THAT_NAME: NextStep.CALL,
    FailReason.REFUSED: NextStep.RETURN, FailReason.NOT_IDENTIFIED: NextStep.CALL, FailReason.COLLECTS: NextStep.KEEP,
    FailReason.DAMAGED: NextStep.RETURN, FailReason.NO_ACCESS: NextStep.TRY_AGAIN,
}  # fmt: skip

NEXT_ACTIONS: Final[Mapping[NextStep, NextAction]] = {
    NextStep.TRY_AGAIN: NextAction.RETRY, NextStep.CALL: NextAction.MANUAL, NextStep.KEEP: NextAction.HOLD,
    NextStep.RETURN: NextAction.RETURN,
}  # fmt: skip

FOLLOWING: Final[Mapping[NextStep, Status]] = {
    NextStep.KEEP: Status.AVAILABLE_FOR_PICKUP,
    NextStep.RETURN: Status.RETURNING,
}
"""Where a parcel stands after a failed attempt, beyond the failure itself."""


class CodeCheck(StrEnum):
    """What the server found about the pick-up code of a record."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "none"


class Doubt(StrEnum):
    """Why a person has to look at a record before it counts."""

    SIGNER_NOT_ALLOWED = "signer_not_allowed"
    UNATTENDED = "unattended"
    NOT_IDENTIFIED = "not_identified"
    CODE_WRONG = "code_wrong"
    CODE_LOCKED = "code_locked"
    NO_SIGNATURE = "no_signature"
    TIME = "time"
    HANDSET_GIVEN_UP = "handset_given_up"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a record of a delivery shows."""

    signer: Signer
    signer_name: str
    code: CodeCheck
    has_id: bool
    """Type and last four characters of a document were taken down."""
    has_signature: bool
    is_named: bool = True
    """Whether the letter of authority in force names this agent; true where none names anybody."""


def doubts(who_may_sign: WhoMaySign, evidence: Evidence, *, locked: bool) -> tuple[Doubt, ...]:
    """Why this delivery does not count by itself; empty when it does.

    The receiver in person shows the pick-up code or a document. Somebody else needs to be allowed, the code, which only
    the receiver could have given them, a document of their own and a name. Nobody else ends the service of a paper.
    """
    found: list[Doubt] = []
    match evidence.signer:
        case Signer.SELF:
            if evidence.code is not CodeCheck.RIGHT and not evidence.has_id:
                found.append(Doubt.NOT_IDENTIFIED)
        case Signer.AGENT:
            if who_may_sign is not WhoMaySign.AGENT or not evidence.is_named:
                found.append(Doubt.SIGNER_NOT_ALLOWED)
            if evidence.code is not CodeCheck.RIGHT or not evidence.has_id or not evidence.signer_name:
                found.append(Doubt.NOT_IDENTIFIED)
        case Signer.UNATTENDED:
            found.append(Doubt.UNATTENDED)
        case _:
            found.append(Doubt.SIGNER_NOT_ALLOWED)
    if evidence.code is CodeCheck.WRONG:
        found.append(Doubt.CODE_WRONG)
    if locked:
        found.append(Doubt.CODE_LOCKED)
    if not evidence.has_signature and evidence.signer is not Signer.UNATTENDED:
        found.append(Doubt.NO_SIGNATURE)
    return tuple(found)


# --- pick-up codes ---


def code_hint(stop_id: str, code: str) -> str:
    """Eight bits of the code for a handset without a connection, as two hexadecimal digits.

    It catches 255 of 256 wrong codes at the door and still leaves some four thousand codes possible, so that whoever
    reads the handset's memory does not learn the code. The server compares the whole code when the record arrives.
    """
    return hashlib.sha256(f"{stop_id}:{code}".encode()).hexdigest()[:2]


def check_code(expected: str, typed: str | None) -> CodeCheck:
    """Compare in constant time. An empty code is none, not a wrong one."""
    if not typed:
        return CodeCheck.NONE
    same = secrets.compare_digest(expected.encode(), typed.strip().encode())
    return CodeCheck.RIGHT if same else CodeCheck.WRONG


# --- what time it was ---


@dataclass(frozen=True, slots=True)
class Timing:
    """A moment of the device's clock, brought to the server's."""

    occurred_at: datetime
    offset: timedelta
    """Server minus device."""
    is_skewed: bool
    is_absurd: bool


def timing(
    device_at: datetime, noted_offset: timedelta, sent_at: datetime, received_at: datetime, set_out_at: datetime
) -> Timing:
    """When a record was made, by the server's clock.

    `device_at` and `sent_at` are the device's clock, `noted_offset` the error that it knew of when it made the record. A
    wrong clock is put right and mentioned. One that was turned between record and upload is read by the error noted at
    the record. What lies outside the round, or more than a week back, is absurd: kept, but for a person to judge.
    """
    measured = received_at - sent_at
    turned = abs(noted_offset - measured) > SKEW_TOLERATED
    offset = noted_offset if turned else measured
    occurred = device_at + offset
    ahead = occurred - received_at > SKEW_TOLERATED
    before = occurred < set_out_at - SKEW_TOLERATED
    old = received_at - occurred > OLDEST_RECORD
    is_skewed = turned or abs(offset) > SKEW_TOLERATED
    return Timing(min(occurred, received_at), offset, is_skewed, ahead or before or old)
