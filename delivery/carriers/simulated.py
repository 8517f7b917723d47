# ruff: noqa: ARG002 - the port's signatures; this carrier does not need every argument
"""A carrier without a wire, behind the same port: for every test that is not about EMS.

It has no clock of its own: a test lets things happen with `report`. `behave` makes the next calls fail in the ways that
matter to a caller.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final

from delivery.carriers.bare import BareCarrier
from delivery.carriers.ems import mapping
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
from delivery.rules import check_digit
from delivery.simulator.addresses import take_apart

BLANK_PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
OFFERED: Final = frozenset(Capability) - {
    Capability.FIND_BY_ORDER, Capability.MODIFY, Capability.DELIVERY_ESTIMATE, Capability.PROOF_IMAGE,
    Capability.SUBSCRIBE, Capability.BILL_FILE, Capability.COLLECTION_POINT,
}  # fmt: skip


@dataclass
class _Order:
    order_no: str
    shipment: Shipment
    cancelled: bool = False
    reports: list[Report] = field(default_factory=list)


class SimulatedCarrier(BareCarrier):
    """In-process fake. `live_waybills` is what a test about double bookings counts."""

    code = "ems"
    capabilities = OFFERED

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._one_at_a_time = Lock()
        self._failures: list[tuple[str, Verdict, bool]] = []
        self.handed_over: list[str] = []
        self.calls: list[str] = []
        self.duplicates = "same"
        """What a repeated order number gets: "same" number, "refuse", or a "second" number."""

    def behave(self, operation: str, verdict: Verdict, *, after_processing: bool = False, times: int = 1) -> None:
        """Let the next `times` calls of `operation` end with `verdict`, before or after they have had their effect."""
        self._failures += [(operation, verdict, after_processing)] * times

    def report(self, waybill_no: str, op_code: str, at: datetime, **fields: str) -> Report:
        """Let something happen to a parcel; `fields` are wire fields such as `deliverCode`."""
        report = mapping.report({"opCode": op_code, "opTime": mapping.beijing(at), **fields}, waybill_no)
        if report is None:
            raise ValueError("not an event")
        self._orders[waybill_no].reports.append(report)
        return report

    def forget(self, waybill_no: str) -> None:
        """Take all reports of a parcel away, as if they had never been."""
        self._orders[waybill_no].reports.clear()

    def live_waybills(self, order_no: str) -> list[str]:
        """Numbers of this order that could still be carried."""
        return [no for no, each in self._orders.items() if each.order_no == order_no and not each.cancelled]

    def book(self, shipment: Shipment) -> Reply[Booking]:
        failure = self._failure("book")
        if failure and not failure[1]:
            return Reply.failed(failure[0], "simulated")
        known = self.live_waybills(shipment.order_no)
        if known and self.duplicates == "refuse":
            return Reply.failed(Verdict.REFUSED, "B00001", "订单号重复")
        waybill_no = known[0] if known and self.duplicates == "same" else self._new_number()
        self._orders.setdefault(waybill_no, _Order(shipment.order_no, shipment))
        if failure:
            return Reply.failed(failure[0], "simulated")
        return Reply.ok(
            Booking(waybill_no, route_code="380D-56-04-17", package_name="模拟集包", destination_name="模拟")
        )

    def cancel(self, order_no: str, waybill_no: str, reason: str) -> Reply[None]:
        failure = self._failure("cancel")
        if failure:
            return Reply.failed(failure[0], "simulated")
        order = self._orders.get(waybill_no)
        if order is None or order.order_no != order_no:
            return Reply.failed(Verdict.REFUSED, "B00001", "订单不存在")
        if any(each.observation.code == "203" for each in order.reports):
            return Reply.failed(Verdict.REFUSED, "B00001", "已收寄")
        order.cancelled = True
        return Reply.ok(None)

    def label(self, waybill_no: str, size: LabelSize) -> Reply[bytes]:
        failure = self._failure("label")
        if failure:
            return Reply.failed(failure[0], "simulated")
        if waybill_no not in self._orders or self._orders[waybill_no].cancelled:
            return Reply.failed(Verdict.REFUSED, "B00001", "运单不存在")
        return Reply.ok(BLANK_PDF)

    def track(self, waybill_no: str) -> Reply[tuple[Report, ...]]:
        failure = self._failure("track")
        if failure:
            return Reply.failed(failure[0], "simulated")
        order = self._orders.get(waybill_no)
        return Reply.ok(tuple(order.reports) if order else ())

    def pickup_range(self, sender: Party) -> Reply[bool]:
        return Reply.ok("#SIM:UNREACHABLE" not in sender.address)

    def reachable(self, sender: Party, receiver: Party, weight_g: int) -> Reply[bool]:
        return Reply.ok("#SIM:UNREACHABLE" not in receiver.address)

    def estimate(self, sender: Party, receiver: Party, weight_g: int) -> Reply[int]:
        return Reply.ok(1200 if sender.prov == receiver.prov else 2000)

    def actual_fee(self, order_no: str, waybill_no: str) -> Reply[ActualFee]:
        order = self._orders.get(waybill_no)
        if order is None or not order.reports:
            return Reply.failed(Verdict.REFUSED, "B00001", "尚未收寄")
        near = order.shipment.sender.prov == order.shipment.receiver.prov
        return Reply.ok(ActualFee(1200 if near else 2000, order.shipment.weight_g))

    def parse_address(self, text: str) -> Reply[tuple[ParsedAddress, ...]]:
        found = take_apart(text)
        if not (found["provName"] and found["cityName"]):
            return Reply.ok(())
        parts = (found["provName"], found["cityName"], found["countyName"], found["address"])
        return Reply.ok((ParsedAddress(*parts),))

    def announce_handover(self, waybill_nos: tuple[str, ...]) -> Reply[None]:
        self.handed_over += waybill_nos
        return Reply.ok(None)

    def open_push(self, body: bytes, content_type: str) -> Push:
        """A push of this carrier is the event as plain JSON: `{"serialNo": ..., "event": {...}}`."""
        try:
            record = json.loads(body)
            event = record["event"]
            seen = mapping.observation(event, event["waybillNo"])
        except (ValueError, KeyError, TypeError) as error:
            raise PushRefused("not an event") from error
        return Push(str(record.get("serialNo", "")), seen, str(event.get("orderNo", "")), event)

    def acknowledge(self, serial_no: str, *, taken: bool) -> Mapping[str, object]:
        return {"serialNo": serial_no, "code": "00000" if taken else "S00001"}

    def _failure(self, operation: str) -> tuple[Verdict, bool] | None:
        with self._one_at_a_time:  # several questions may be under way
            self.calls.append(operation)
            found = next((each for each in self._failures if each[0] == operation), None)
            if found is None:
                return None
            self._failures.remove(found)
            return found[1], found[2]

    def _new_number(self) -> str:
        serial = f"{len(self._orders) + 1:08d}"
        return f"10{serial}{check_digit(serial)}60"
