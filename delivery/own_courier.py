"""The hall's own couriers as a carrier: their numbers, and their records as reports.

A parcel within the city may be brought by the hall's own people. Nobody else reports about it then, so what they record
on their handsets is told in the same words as an outside carrier's reports, and is folded and judged by the same rules.
Pure.
"""

import hashlib
from datetime import datetime
from typing import Final

from delivery.doorstep import FOLLOWING, NEXT_ACTIONS, REASON_CODES, FailReason, NextStep
from delivery.observed import Observation, SignerClass, Status
from delivery.ports import Report

OWN_CARRIER: Final = "hall"
NUMBER_SERIES: Final = "ZS"
MAPPING_VERSION: Final = "hall-1"


def is_own_number(waybill_no: str) -> bool:
    """Whether a number is of our own series: no outside carrier knows it."""
    return waybill_no.startswith(f"{NUMBER_SERIES}-")


def out_for_delivery(waybill_no: str, round_number: str, at: datetime) -> Report:
    """The courier set out with it."""
    return _report(waybill_no, "702", "投递中", Status.OUT_FOR_DELIVERY, at, round_number)


def delivered(waybill_no: str, record: str, at: datetime, signer: SignerClass, signer_name: str) -> Report:
    """Somebody or something took it."""
    return _report(
        waybill_no, "704", "妥投", Status.DELIVERED, at, record, signer_class=signer, signer_name=signer_name
    )


def failed(waybill_no: str, record: str, at: datetime, reason: FailReason, step: NextStep) -> tuple[Report, ...]:
    """The attempt failed, and where the parcel stands after it."""
    action, cause = NEXT_ACTIONS[step], REASON_CODES[reason]
    first = _report(waybill_no, "705", "未妥投", Status.DELIVERY_FAILED, at, record, reason=cause, next_action=action)
    match FOLLOWING.get(step):
        case Status.AVAILABLE_FOR_PICKUP:
            return first, _report(waybill_no, "723", "存局待领", Status.AVAILABLE_FOR_PICKUP, at, record)
        case Status.RETURNING:
            return first, _report(waybill_no, "708", "退回", Status.RETURNING, at, record)
        case _:
            return (first,)


def _report(
    waybill_no: str, code: str, name: str, status: Status, at: datetime, source: str, **facts: object
) -> Report:
    key = hashlib.sha256(f"{waybill_no}|{code}|{source}".encode()).hexdigest()
    seen = Observation(OWN_CARRIER, waybill_no, code, at, status, key, name=name, office="本厅投递组", **facts)  # type: ignore[arg-type]
    return Report(seen, {"source": source, "code": code}, MAPPING_VERSION)
