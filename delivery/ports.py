"""What delivery needs from a carrier, in our words. Implementations: `delivery.carriers.*`.

Calls never raise for what a carrier or the network does: they return a `Reply` whose verdict says whether something
happened over there. That difference matters: a refused booking may be corrected, an uncertain one may already exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, Self, TypeVar, runtime_checkable

from delivery.observed import Observation

T = TypeVar("T")


class Capability(StrEnum):
    """Everything a carrier might offer; what it does not offer is an explicit answer, not an error."""

    BOOK = "book"
    CANCEL = "cancel"
    LABEL = "label"
    TRACK = "track"
    PUSH = "push"
    PICKUP_RANGE = "pickup_range"
    REACHABILITY = "reachability"
    ADDRESS_PARSE = "address_parse"
    FEE_ESTIMATE = "fee_estimate"
    FEE_ACTUAL = "fee_actual"
    HANDOVER_NOTICE = "handover_notice"
    FIND_BY_ORDER = "find_by_order"
    MODIFY = "modify"
    DELIVERY_ESTIMATE = "delivery_estimate"
    PROOF_IMAGE = "proof_image"
    SUBSCRIBE = "subscribe"
    BILL_FILE = "bill_file"
    CHOSEN_DAY = "chosen_day"
    COLLECTION_POINT = "collection_point"


class Verdict(StrEnum):
    """What is known about a call after it."""

    OK = "ok"
    REFUSED = "refused"
    """Answered no. The same call again gets the same answer."""
    UNAVAILABLE = "unavailable"
    """Not reached, or not able now: nothing happened there."""
    UNCERTAIN = "uncertain"
    """Sent, but the answer is lost or unreadable: it may have happened."""
    NOT_OFFERED = "not_offered"


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """What the carrier said, for people and for the log. `text` is the carrier's own and may be empty."""

    code: str
    text: str = ""
    serial_no: str = ""


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A value, or why there is none."""

    verdict: Verdict
    value: T | None = None
    messages: tuple[CarrierMessage, ...] = ()

    @classmethod
    def ok(cls, value: T, *messages: CarrierMessage) -> Self:
        """The call did what was asked."""
        return cls(Verdict.OK, value, messages)

    @classmethod
    def failed(cls, verdict: Verdict, code: str, text: str = "", serial_no: str = "") -> Self:
        """The call did not, or nobody knows."""
        return cls(verdict, None, (CarrierMessage(code, text, serial_no),))

    @property
    def retryable(self) -> bool:
        """Whether asking again may help."""
        return self.verdict in (Verdict.UNAVAILABLE, Verdict.UNCERTAIN)

    @property
    def text(self) -> str:
        """All messages in one line."""
        return "; ".join(f"{each.code} {each.text}".strip() for each in self.messages)


@dataclass(frozen=True, slots=True)
class Party:
    """Sender or receiver. The three region names are full names of GB/T 2260 (浙江省, 杭州市, 西湖区)."""

    name: str = field(repr=False)
    mobile: str = field(repr=False)
    prov: str
    city: str
    county: str
    address: str = field(repr=False)
    post_code: str = ""

    @property
    def full_address(self) -> str:
        """One line, as written on an envelope."""
        return f"{self.prov}{self.city}{self.county}{self.address}"


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, aware UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel to be carried. `order_no` is ours (at most 32 characters) and is the idempotency key of the booking."""

    order_no: str
    sender: Party
    receiver: Party
    contents: str
    weight_g: int
    created_at: datetime
    remark: str = ""
    receiver_code: str = field(default="", repr=False)
    """The pick-up code that the receiver shows; empty when none is asked."""
    receiver_pays: bool = False
    collect: "Window | None" = None
    """When the courier comes to the sender; without it the sender brings the parcel to the counter."""
    deliver: "Window | None" = None
    """When the receiver wishes it."""
    wants_receipt: bool = False
    """Whether the signed receipt comes back on paper."""


@dataclass(frozen=True, slots=True)
class Booking:
    """The carrier took the order. More than one number is possible for one order; all of them are live."""

    waybill_no: str
    other_waybill_nos: tuple[str, ...] = ()
    route_code: str = ""
    package_name: str = ""
    destination_name: str = ""


class LabelSize(StrEnum):
    """Printable size in millimetres."""

    SMALL = "76x129"
    MEDIUM = "76x149"
    LARGE = "100x179"


@dataclass(frozen=True, slots=True)
class ActualFee:
    """What the carrier charges after collection, in fen and grams."""

    postage_fen: int
    weight_g: int


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """A written address taken apart; a proposal to be confirmed by a person."""

    prov: str
    city: str
    county: str
    address: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """One opened notice. It is a hint: possession of the key is all that it proves."""

    serial_no: str
    observation: Observation
    order_no: str
    raw: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """An observation with the carrier's own record, kept so that a better mapping can be replayed over it."""

    observation: Observation
    raw: Mapping[str, object] = field(repr=False)
    mapping_version: str


@runtime_checkable
class Carrier(Protocol):
    """The port. Every call answers; a capability that is missing answers NOT_OFFERED without any traffic."""

    @property
    def code(self) -> str:
        """Short name that is stored with parcels and reports."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What is offered."""

    def book(self, shipment: Shipment) -> Reply[Booking]:
        """Order the carriage and get a waybill number. Repeat only with the same `order_no`."""

    def cancel(self, order_no: str, waybill_no: str, reason: str) -> Reply[None]:
        """Give up a waybill that was not collected."""

    def label(self, waybill_no: str, size: LabelSize) -> Reply[bytes]:
        """The label as PDF."""

    def track(self, waybill_no: str) -> Reply[tuple[Report, ...]]:
        """All reports so far; an empty tuple is "nothing yet", not an error."""

    def pickup_range(self, sender: Party) -> Reply[bool]:
        """Whether the carrier collects there."""

    def reachable(self, sender: Party, receiver: Party, weight_g: int) -> Reply[bool]:
        """Whether the carrier delivers there."""

    def estimate(self, sender: Party, receiver: Party, weight_g: int) -> Reply[int]:
        """Postage in fen, before."""

    def actual_fee(self, order_no: str, waybill_no: str) -> Reply[ActualFee]:
        """Postage and weight, after collection."""

    def parse_address(self, text: str) -> Reply[tuple[ParsedAddress, ...]]:
        """Candidates for a written address."""

    def announce_handover(self, waybill_nos: tuple[str, ...]) -> Reply[None]:
        """Tell that these lie ready at the counter."""

    def subscribe(self, waybill_no: str) -> Reply[None]:
        """Ask for notices about a number; a repeat is no error."""

    def open_push(self, body: bytes, content_type: str) -> Push:
        """Open a notice that claims to come from the carrier. Raises `PushRefused`."""

    def acknowledge(self, serial_no: str, *, taken: bool) -> Mapping[str, object]:
        """The answer the carrier expects to a notice."""


class PushRefused(Exception):
    """A notice that cannot be one of this carrier's: shape, key or fields. `serial_no` is echoed if it could be read."""

    def __init__(self, reason: str, serial_no: str = "") -> None:
        super().__init__(reason)
        self.serial_no = serial_no
