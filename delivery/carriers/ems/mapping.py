"""EMS JSON to our models and back. Pure; the code table is `codes.csv`, read once.

`MAPPING_VERSION` is stored with every report, so a mapping fix can be replayed over the raw records.
"""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from delivery.carriers.ems.errors import BadReply
from delivery.observed import NextAction, Observation, SignerClass, Status
from delivery.ports import ActualFee, Booking, LabelSize, ParsedAddress, Party, Report, Shipment
from delivery.rules import signer_in

CARRIER: Final = "ems"
MAPPING_VERSION: Final = "ems/1"
BEIJING: Final = ZoneInfo("Asia/Shanghai")
TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
LABEL_TYPES: Final = {LabelSize.SMALL: "129", LabelSize.MEDIUM: "149", LabelSize.LARGE: "179"}
EXPRESS: Final = "1"
DOCUMENT: Final = "1"
_REVERSAL: Final = "(reversal)"
# Codes that annotate without deciding, and the flag each leaves (EMS-PROTOCOL 3.2).
_ANNOTATIONS: Final = {"756": "redirected", "802": "redirected", "803": "redirected"}
_FLAGS: Final = {
    "013": "intercepted", "993": "intercepted", "208": "handed_over", "713": "at_delivery_office", "741": "after_delivery",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """A row of the table."""

    kind: str
    code: str
    name: str
    status: Status | None
    detail: str
    reverses: frozenset[str]
    domestic: bool

    def hint(self, name: str) -> str:
        """`name=...` out of the detail column."""
        pairs = dict(part.split("=", 1) for part in self.detail.split(";") if "=" in part)
        return pairs.get(name, "")


@cache
def codes() -> Mapping[tuple[str, str], Code]:
    """The table by kind and code. Raises ValueError if a code stands twice: one code, one meaning."""
    text = resources.files(__package__).joinpath("codes.csv").read_text("utf-8")
    table: dict[tuple[str, str], Code] = {}
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        key = (row["kind"], row["code"])
        if key in table:
            raise ValueError(f"{key} stands twice in codes.csv")
        normalised = (
            None if row["normalised"] == _REVERSAL or row["code"] in _ANNOTATIONS else Status(row["normalised"])
        )
        reverses = frozenset(row["reverses"].split("|")) - {""}
        table[key] = Code(*key, row["name_zh"], normalised, row["detail"], reverses, row["scope"] != "international")
    return table


def beijing(moment: datetime) -> str:
    """A moment as the wire writes it: Beijing time without a zone."""
    return moment.astimezone(BEIJING).strftime(TIME_FORMAT)


def from_beijing(text: str) -> datetime:
    """A wire time as aware UTC. Raises ValueError."""
    text = text.strip()
    # written out in full, as the platform does, it is read twenty times as fast
    usual = len(text) == 19 and text[4] == text[7] == "-" and text[10] == " "
    if usual:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING).astimezone(UTC)
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=BEIJING).astimezone(UTC)


# --- requests ---


def _party(party: Party) -> dict[str, object]:
    fields = {"name": party.name, "mobile": party.mobile, "postCode": party.post_code, "prov": party.prov,
              "city": party.city, "county": party.county, "address": party.address}  # fmt: skip
    return {name: value for name, value in fields.items() if value}


def create_body(shipment: Shipment, sender_no: str, project_id: str = "") -> list[dict[str, object]]:
    """020003. Without a window of collection the hall brings its parcels to the on-site counter (`pickupType` 0).

    `project_id` marks government mail; the account manager assigns it.
    """
    order: dict[str, object] = {
        "createdTime": beijing(shipment.created_at),
        "ecommerceUserId": sender_no,
        "logisticsOrderNo": shipment.order_no,
        "senderNo": sender_no,
        "oneBillFlag": "0",
        "contentsAttribute": DOCUMENT,
        "bizProductNo": EXPRESS,
        "weight": str(shipment.weight_g),
        "deliverType": "2",
        "pickupType": "1" if shipment.collect else "0",
        "paymentMode": "2" if shipment.receiver_pays else "1",
        "codFlag": "9",
        "insuranceFlag": "1",
        "receiptFlag": "6" if shipment.wants_receipt else "1",
        "sender": _party(shipment.sender),
        "receiver": _party(shipment.receiver),
        "cargos": [{"cargoName": shipment.contents, "cargoQuantity": "1", "cargoWeight": str(shipment.weight_g)}],
    }
    optional = {"pickupNotes": shipment.remark, "receiverSafetyCode": shipment.receiver_code, "projectId": project_id}
    if shipment.collect:
        optional["pickupPreBeginTime"] = beijing(shipment.collect.begin)
        optional["pickupPreEndTime"] = beijing(shipment.collect.end)
    if shipment.deliver:
        optional["deliverPreDate"] = beijing(shipment.deliver.begin)
        optional["deliverPreEndDate"] = beijing(shipment.deliver.end)
    return [order | {name: value for name, value in optional.items() if value}]


def cancel_body(order_no: str, waybill_no: str, reason: str) -> dict[str, object]:
    """020006."""
    return {"logisticsOrderNo": order_no, "waybillNo": waybill_no, "cancelReason": reason}


def label_body(waybill_no: str, size: LabelSize, *, as_link: bool = False) -> dict[str, object]:
    """010004, answered with Base64, or with the address of a PDF."""
    body: dict[str, object] = {"waybillNo": waybill_no, "type": LABEL_TYPES[size]}
    return body | {"getURL": "1"} if as_link else body


def track_body(waybill_no: str) -> dict[str, object]:
    """040001, forward direction."""
    return {"waybillNo": waybill_no, "direction": "0"}


def range_body(sender: Party, sender_no: str) -> dict[str, object]:
    """030005 for an agreement customer in real time."""
    return {"address": sender.address, "prov": sender.prov, "city": sender.city, "county": sender.county,
            "bizProductNo": EXPRESS, "type": "2", "senderNo": sender_no}  # fmt: skip


def reach_body(sender: Party, receiver: Party, weight_g: int) -> dict[str, object]:
    """060002."""
    sides = {"receiver": receiver, "sender": sender}
    places = {f"{side}{part.capitalize()}": getattr(party, part) for side, party in sides.items()
              for part in ("prov", "city", "county", "address")}  # fmt: skip
    return {"baseProductNo": EXPRESS, "contentsAttribute": DOCUMENT, "weight": str(weight_g)} | places


def estimate_body(sender: Party, receiver: Party, weight_g: int, product_code: str) -> dict[str, object]:
    """050005."""
    return {"productCode": product_code, "weight": str(weight_g), "senderInfo": sender.full_address,
            "receiveInfo": receiver.full_address}  # fmt: skip


# --- replies ---


def json_value(body: object) -> object:
    """`retBody` comes as JSON text, as an object or as a list; empty is None. Raises BadReply on broken JSON text."""
    if not isinstance(body, str):
        return body
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise BadReply("retBody is not JSON") from error


def one_object(body: object) -> Mapping[str, object]:
    """The object of `retBody`, alone or as the only item of a list. Raises BadReply."""
    value = json_value(body)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise BadReply("retBody is not one object")
    return value


def _text(record: Mapping[str, object], *names: str) -> str:
    return next((str(record[name]).strip() for name in names if record.get(name) is not None), "")


def booking(body: object) -> Booking:
    """020003's answer. Raises BadReply where no waybill number is in it."""
    record = one_object(body)
    numbers = [each.strip() for each in _text(record, "waybillNo").split(",") if each.strip()]
    if not numbers:
        raise BadReply("success without a waybill number")
    return Booking(
        waybill_no=numbers[0],
        other_waybill_nos=tuple(numbers[1:]),
        route_code=_text(record, "routeCode"),
        package_name=_text(record, "packageCodeName", "packageCode"),
        destination_name=_text(record, "markDestinationName", "markDestinationCode"),
    )


def reports(body: object, waybill_no: str) -> tuple[Report, ...]:
    """040001's answer; items that are not events are left out, an empty list is no information yet. Raises BadReply."""
    value = json_value(body)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and "responseItems" in value[0]:
        value = value[0]
    if isinstance(value, dict) and value and "responseItems" not in value:
        raise BadReply("no responseItems")
    items = value.get("responseItems") if isinstance(value, dict) else value
    if items in (None, ""):
        return ()
    if not isinstance(items, list):
        raise BadReply("responseItems is not a list")
    found = (report(item, waybill_no) for item in items if isinstance(item, dict))
    return tuple(each for each in found if each is not None)


def report(item: Mapping[str, object], waybill_no: str) -> Report | None:
    """One event with its raw record, or None where it has no code or no readable time."""
    try:
        return Report(observation(item, waybill_no), dict(item), MAPPING_VERSION)
    except (KeyError, ValueError):
        return None


def event_key(waybill_no: str, item: Mapping[str, object]) -> str:
    """SHA-256 over what makes an event this event: a repeated notice may come with another serial number."""
    parts = (waybill_no, *(_text(item, name) for name in
             ("opCode", "opTime", "opOrgCode", "deliverCode", "attemptDeliveryCode")))  # fmt: skip
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def observation(item: Mapping[str, object], waybill_no: str) -> Observation:
    """An event in our vocabulary. Raises KeyError or ValueError without a code or a readable time."""
    op_code = _text(item, "opCode")
    if not op_code:
        raise ValueError("an event without opCode")
    row = codes().get(("opCode", op_code))
    described = _text(item, "opDesc")
    plain = Observation(
        carrier=CARRIER,
        waybill_no=waybill_no,
        code=op_code,
        occurred_at=from_beijing(str(item["opTime"])),
        status=row.status if row else Status.UNKNOWN,
        key=event_key(waybill_no, item),
        name=_text(item, "opName") or (row.name if row else ""),
        description=described,
        office_code=_text(item, "opOrgCode"),
        office=_text(item, "opOrgName"),
        region=_text(item, "opOrgProvName") + _text(item, "opOrgCity"),
        known=row is not None,
        reverses=row.reverses if row else frozenset(),
        flags=frozenset(flag for flag in (_FLAGS.get(op_code), _ANNOTATIONS.get(op_code)) if flag),
    )
    match op_code:
        case "704" | "748":
            return _delivered(plain, item, described)
        case "705":
            return _not_delivered(plain, item)
        case _:
            return plain


def _delivered(plain: Observation, item: Mapping[str, object], described: str) -> Observation:
    row = codes().get(("deliverCode", _text(item, "deliverCode")))
    if row is None:
        # 748: the receiver opened the locker with the code from the message; who it was is not stated.
        return replace(plain, signer_name=signer_in(described))
    signer = SignerClass(row.hint("handover"))
    name = f"{plain.name}：{row.name}"
    seen = replace(plain, name=name, reason=row.name, status=row.status, signer_class=signer)
    return replace(seen, signer_name=signer_in(described))


def _not_delivered(plain: Observation, item: Mapping[str, object]) -> Observation:
    row = codes().get(("attemptDeliveryCode", _text(item, "attemptDeliveryCode")))
    if row is None:
        return replace(plain, reason="other", next_action=NextAction.MANUAL)
    name = f"{plain.name}：{row.name}"
    return replace(
        plain, name=name, status=row.status, reason=row.hint("reason"), next_action=NextAction(row.hint("next"))
    )


def fen(amount: object) -> int:
    """Yuan on the wire, as text or number, in fen. Raises BadReply."""
    try:
        value = Decimal(str(amount)) * 100
        whole = value == value.to_integral_value()
    except InvalidOperation as error:
        raise BadReply("an amount that is no number") from error
    if not whole:
        raise BadReply("an amount finer than a fen")
    return int(value)


def estimated_fen(body: object) -> int:
    """050005: what is really charged, else the total. Raises BadReply."""
    record = one_object(body)
    return fen(_text(record, "realFee", "totalFee", "standardFee"))


def actual_fee(body: object) -> ActualFee:
    """050001. Raises BadReply."""
    record = one_object(body)
    weight = _text(record, "realWeight", "weight") or "0"
    try:
        return ActualFee(fen(_text(record, "postageTotal")), int(Decimal(weight)))
    except InvalidOperation as error:
        raise BadReply("a weight that is no number") from error


def in_range(body: object) -> bool:
    """030005: status 0 is in range, 1 is out; anything else could not be told. Raises BadReply."""
    status = _text(one_object(body), "status")
    if status not in ("0", "1"):
        raise BadReply(f"pickup range status {status}")
    return status == "0"


def parsed_addresses(body: object, written: str) -> tuple[ParsedAddress, ...]:
    """060001 without wrong candidates: at least two of the region names must occur in what was written. Raises BadReply."""
    value = json_value(body)
    items: Sequence[object] = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    found: list[ParsedAddress] = []
    for item in items:
        if not isinstance(item, dict):
            continue
        regions = [_text(item, f"{part}Name", part) for part in ("prov", "city", "county")]
        if sum(bool(name) and name.rstrip("省市区县") in written for name in regions) >= 2:
            prov, city, county = regions
            found.append(ParsedAddress(prov, city, county, _text(item, "address"), _text(item, "countyCode")))
    return tuple(found)
