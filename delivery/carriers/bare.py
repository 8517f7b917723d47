# ruff: noqa: ARG002 - the port's signatures; nothing is done with the arguments
"""A carrier that offers nothing: the base of all others, which add what they do offer.

So every call has an answer. What is not offered says so at once and sends nothing (EMS-PROTOCOL 0.3).
"""

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from delivery.ports import (
    ActualFee,
    Booking,
    Capability,
    LabelSize,
    ParsedAddress,
    Party,
    Push,
    PushRefused,
    Reply,
    Report,
    Shipment,
    Verdict,
)

T = TypeVar("T")


def not_offered(capability: Capability) -> "Reply[T]":
    """The answer to a question that this carrier does not take."""
    return Reply.failed(Verdict.NOT_OFFERED, capability.value)


class BareCarrier:
    """Every operation of the port, declined."""

    code: ClassVar[str] = ""
    capabilities: frozenset[Capability] = frozenset()

    def book(self, shipment: Shipment) -> Reply[Booking]:
        return not_offered(Capability.BOOK)

    def cancel(self, order_no: str, waybill_no: str, reason: str) -> Reply[None]:
        return not_offered(Capability.CANCEL)

    def label(self, waybill_no: str, size: LabelSize) -> Reply[bytes]:
        return not_offered(Capability.LABEL)

    def track(self, waybill_no: str) -> Reply[tuple[Report, ...]]:
        return not_offered(Capability.TRACK)

    def pickup_range(self, sender: Party) -> Reply[bool]:
        return not_offered(Capability.PICKUP_RANGE)

    def reachable(self, sender: Party, receiver: Party, weight_g: int) -> Reply[bool]:
        return not_offered(Capability.REACHABILITY)

    def estimate(self, sender: Party, receiver: Party, weight_g: int) -> Reply[int]:
        return not_offered(Capability.FEE_ESTIMATE)

    def actual_fee(self, order_no: str, waybill_no: str) -> Reply[ActualFee]:
        return not_offered(Capability.FEE_ACTUAL)

    def parse_address(self, text: str) -> Reply[tuple[ParsedAddress, ...]]:
        return not_offered(Capability.ADDRESS_PARSE)

    def announce_handover(self, waybill_nos: tuple[str, ...]) -> Reply[None]:
        return not_offered(Capability.HANDOVER_NOTICE)

    def subscribe(self, waybill_no: str) -> Reply[None]:
        return not_offered(Capability.SUBSCRIBE)

    def open_push(self, body: bytes, content_type: str) -> Push:
        raise PushRefused("this carrier sends no notices")

    def acknowledge(self, serial_no: str, *, taken: bool) -> Mapping[str, object]:
        return {}
