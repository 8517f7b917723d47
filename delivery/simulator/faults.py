"""Fault rules: what goes wrong, where, how often. A rule matches calls (`api`) or pushes (`push`) and then fires."""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Fault(StrEnum):
    """Everything that can go wrong; the group says where it applies."""

    # request: whole call
    CONNECT_REFUSED = "connect_refused"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    SLOW_DRIP = "slow_drip"
    HTTP_500 = "http_500"
    HTTP_502 = "http_502"
    HTTP_503 = "http_503"
    HTTP_504 = "http_504"
    BLOCK_PAGE = "block_page"
    TRUNCATED = "truncated"
    EMPTY_BODY = "empty_body"
    BOM = "bom"
    GBK = "gbk"
    EMPTY_RET_CODE = "empty_ret_code"
    RET_BODY_OBJECT = "ret_body_object"
    RET_BODY_LIST = "ret_body_list"
    SYSTEM_ERROR = "system_error"
    RATE_LIMIT = "rate_limit"
    # create
    DUPLICATE_SAME = "duplicate_same"
    DUPLICATE_REFUSED = "duplicate_refused"
    DUPLICATE_SECOND = "duplicate_second"
    NO_WAYBILL = "no_waybill"
    NO_ROUTE = "no_route"
    COMMA_NUMBERS = "comma_numbers"
    # label
    LABEL_NOT_FOUND = "label_not_found"
    LABEL_EXPIRED = "label_expired"
    LABEL_NOT_PDF = "label_not_pdf"
    LABEL_EMPTY = "label_empty"
    LABEL_NOT_READY = "label_not_ready"
    # track
    TRACK_EMPTY = "track_empty"
    TRACK_NO_INFORMATION = "track_no_information"
    TRACK_SHUFFLED = "track_shuffled"
    TRACK_NO_OFFICE = "track_no_office"
    TRACK_UNKNOWN_CODE = "track_unknown_code"
    TRACK_SAME_SECOND = "track_same_second"
    TRACK_LATE_FIRST = "track_late_first"
    TRACK_EXTRA_FIELDS = "track_extra_fields"
    # push
    PUSH_DUPLICATE = "push_duplicate"
    PUSH_OUT_OF_ORDER = "push_out_of_order"
    PUSH_DELAYED = "push_delayed"
    PUSH_DROPPED = "push_dropped"
    PUSH_BURST = "push_burst"
    PUSH_NEW_SERIAL = "push_new_serial"
    PUSH_WITH_SUFFIX = "push_with_suffix"
    PUSH_WITHOUT_PREFIX = "push_without_prefix"
    PUSH_WRONG_KEY = "push_wrong_key"
    PUSH_FLIPPED_BYTE = "push_flipped_byte"
    PUSH_RESPLICED = "push_respliced"
    PUSH_REPLAY = "push_replay"
    PUSH_UNKNOWN_WAYBILL = "push_unknown_waybill"
    PUSH_OTHER_CUSTOMER = "push_other_customer"
    PUSH_FORM = "push_form"
    PUSH_SENDER_NO = "push_sender_no"
    PUSH_CALLBACK_SLOW = "push_callback_slow"
    PUSH_CALLBACK_500 = "push_callback_500"
    PUSH_CALLBACK_S00001 = "push_callback_s00001"
    # clock: at once, when the rule is made
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"
    CLOCK_MIDNIGHT = "clock_midnight"


PUSH_FAULTS = frozenset(fault for fault in Fault if fault.startswith("push_"))
AT_ONCE = frozenset({Fault.CONNECT_REFUSED, Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND, Fault.CLOCK_MIDNIGHT})
"""What a rule of these does happens when it is made, not at a call."""
UNSEEN_ANSWERS = {
    Fault.PUSH_CALLBACK_SLOW: "ReadTimeout", Fault.PUSH_CALLBACK_500: "500 None", Fault.PUSH_CALLBACK_S00001: "200 S00001",
}  # fmt: skip
"""The customer did take the push, but its answer did not come through: it is sent again."""


PUSH_METHOD = "040002"


def _direction(text: str) -> str:
    if text not in ("", "request", "push"):
        raise ValueError("direction is request or push")
    return text


@dataclass
class FaultRule:
    """Fires `count` times (without end when None) with `probability`, for calls or pushes that match."""

    id: int
    fault: Fault
    api_code: str = ""
    sender_no: str = ""
    waybill_no: str = ""
    direction: str = ""
    """"request" or "push"; empty means both."""
    probability: float = 1.0
    count: int | None = None
    seconds: float = 30.0
    seed: int = 1
    fired: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    @classmethod
    def of(cls, number: int, record: dict[str, Any]) -> Self:
        """A rule from JSON. Raises ValueError or TypeError on what it does not know."""
        match = record.pop("match", {})
        fault = Fault(record.pop("fault"))
        rule = cls(
            number,
            fault,
            api_code=str(match.pop("apiCode", "")),
            sender_no=str(match.pop("senderNo", "")),
            waybill_no=str(match.pop("waybill", "")),
            direction=_direction(str(match.pop("direction", ""))),
            **record,
        )
        if match:
            raise ValueError(f"unknown match {sorted(match)}")
        rule.dice = random.Random(rule.seed)
        return rule

    def fires(self, *, api_code: str, sender_no: str, waybill_no: str) -> bool:
        """Whether it applies now; counts when it does."""
        direction = "push" if api_code == PUSH_METHOD else "request"
        wanted = ((self.api_code, api_code), (self.sender_no, sender_no), (self.waybill_no, waybill_no),
                  (self.direction, direction))  # fmt: skip
        if any(want and want != have for want, have in wanted):
            return False
        if self.count is not None and self.fired >= self.count:
            return False
        if self.dice.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def to_json(self) -> dict[str, Any]:
        """What the admin route shows."""
        return {
            "id": self.id,
            "fault": self.fault,
            "match": {
                "apiCode": self.api_code,
                "senderNo": self.sender_no,
                "waybill": self.waybill_no,
                "direction": self.direction,
            },
            "probability": self.probability,
            "count": self.count,
            "seconds": self.seconds,
            "seed": self.seed,
            "fired": self.fired,
        }
