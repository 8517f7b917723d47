"""The carrier's monthly bill held against our orders: reading the file, prices by zone and weight, differences. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from app.kernel.money import Money
from app.kernel.words import N_


class Zone(StrEnum):
    """How far a parcel goes, as the tariff counts it."""

    CITY = "city"
    PROVINCE = "province"
    NATION = "nation"


class LineKind(StrEnum):
    """What a line of the bill charges."""

    DELIVERY = "delivery"
    RETURN = "return"
    CLAIM = "claim"


class DifferenceKind(StrEnum):
    """Where bill and orders disagree."""

    UNKNOWN = "unknown"
    DOUBLE = "double"
    NOT_BILLED = "not_billed"
    WEIGHT = "weight"
    ZONE = "zone"
    PRICE = "price"
    RETURN = "return"
    CLAIM = "claim"


HEADINGS: Final[Mapping[str, str]] = {
    "邮件号": "waybill_no", "运单号": "waybill_no", "收寄日期": "accepted_on", "重量(克)": "weight_g", "重量（克）": "weight_g",
    "分区": "zone", "类别": "kind", "金额(元)": "fee", "金额（元）": "fee", "waybill_no": "waybill_no", "accepted_on": "accepted_on",
    "weight_g": "weight_g", "zone": "zone", "kind": "kind", "fee": "fee",
}  # fmt: skip
COLUMNS: Final = ("waybill_no", "accepted_on", "weight_g", "zone", "kind", "fee")
ZONES: Final[Mapping[str, Zone]] = {"同城": Zone.CITY, "省内": Zone.PROVINCE, "省外": Zone.NATION} | {
    str(z): z for z in Zone
}
KINDS: Final[Mapping[str, LineKind]] = {
    "寄递": LineKind.DELIVERY, "退回": LineKind.RETURN, "赔付": LineKind.CLAIM, "": LineKind.DELIVERY,
} | {str(k): k for k in LineKind}  # fmt: skip
_DAY: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?: 00:00:00)?")


@dataclass(frozen=True)
class BillLine:
    """One line of the file. `fee_fen` is negative for a compensation."""

    row: int
    waybill_no: str
    kind: LineKind
    accepted_on: date
    weight_g: int
    zone: Zone
    fee_fen: int


@dataclass(frozen=True)
class Problem:
    """What is wrong with a cell; `message` is a catalogue message."""

    row: int
    column: str
    message: str


@dataclass(frozen=True)
class Rate:
    """What the contract says for a zone from a day on."""

    zone: Zone
    valid_from: date
    first_g: int
    first_fen: int
    next_g: int
    next_fen: int
    return_percent: int


@dataclass(frozen=True)
class Order:
    """One parcel that the courier took, as we know it."""

    waybill_no: str
    taken_on: date
    weight_g: int
    zone: Zone
    returned: bool


@dataclass(frozen=True)
class Difference:
    """One disagreement, with both sides in words and in fen."""

    kind: DifferenceKind
    waybill_no: str
    row: int | None
    billed: str
    ours: str
    billed_fen: int
    ours_fen: int


def read_bill(table: Sequence[Sequence[str]], month: str) -> tuple[tuple[BillLine, ...], tuple[Problem, ...]]:
    """The lines of a file, and every problem by row and column. `month` is "2026-03"."""
    heads = [HEADINGS.get(cell.strip(), "") for cell in table[0]] if table else []
    missing = [column for column in COLUMNS if column not in heads]
    if missing:
        return (), tuple(Problem(1, column, N_("This column is missing.")) for column in missing)
    lines: list[BillLine] = []
    problems: list[Problem] = []
    for row, cells in enumerate(table[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        found = {head: cells[place].strip() if place < len(cells) else "" for place, head in enumerate(heads) if head}
        line, wrong = _line(row, found, month)
        problems.extend(wrong)
        if line is not None:
            lines.append(line)
    if not lines and not problems:
        problems.append(Problem(1, "waybill_no", N_("The file has no lines.")))
    return tuple(lines), tuple(problems)


def _line(row: int, cells: Mapping[str, str], month: str) -> tuple[BillLine | None, list[Problem]]:
    day, fee = _day(cells["accepted_on"]), _fen(cells["fee"])
    zone, kind = ZONES.get(cells["zone"]), KINDS.get(cells["kind"])
    weight = int(cells["weight_g"]) if cells["weight_g"].isdecimal() else None
    number = cells["waybill_no"].upper()
    wrong = []
    if not re.fullmatch(r"[A-Z0-9]{8,20}", number):
        wrong.append(Problem(row, "waybill_no", N_("This is no waybill number.")))
    if day is None or f"{day:%Y-%m}" != month:
        wrong.append(Problem(row, "accepted_on", N_("A day of the billed month is expected.")))
    if weight is None or weight > 100_000:
        wrong.append(Problem(row, "weight_g", N_("Whole grams are expected.")))
    if zone is None:
        wrong.append(Problem(row, "zone", N_("同城, 省内 or 省外 is expected.")))
    if kind is None:
        wrong.append(Problem(row, "kind", N_("寄递, 退回 or 赔付 is expected.")))
    if fee is None or (kind is LineKind.CLAIM) != (fee < 0):
        wrong.append(
            Problem(row, "fee", N_("Yuan with at most two decimals are expected; a compensation is negative."))
        )
    if wrong or day is None or weight is None or zone is None or kind is None or fee is None:
        return None, wrong
    return BillLine(row, number, kind, day, weight, zone, fee), []


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    try:
        return date(*(int(each) for each in found.groups())) if found else None
    except ValueError:
        return None


def _fen(text: str) -> int | None:
    try:
        fen = Decimal(text.replace(",", "")) * 100
    except InvalidOperation:
        return None
    return int(fen) if fen.is_finite() and fen == fen.to_integral_value() and abs(fen) < 10**10 else None


def zone_of(hall_region: tuple[str, ...], prov: str, city: str) -> Zone:
    """The zone between a hall and a receiver. `hall_region` are its names from the province down."""
    if not hall_region or hall_region[0] != prov:
        return Zone.NATION
    own_city = hall_region[1] if len(hall_region) > 2 else hall_region[0]
    return Zone.CITY if city == own_city else Zone.PROVINCE


def price(rates: Iterable[Rate], zone: Zone, day: date, weight_g: int) -> int | None:
    """The fee in fen: the first weight, then every further begun step. None without a rate for the day."""
    rate = _rate(rates, zone, day)
    if rate is None:
        return None
    steps = -(-max(weight_g - rate.first_g, 0) // rate.next_g)
    return rate.first_fen + steps * rate.next_fen


def _rate(rates: Iterable[Rate], zone: Zone, day: date) -> Rate | None:
    valid = [rate for rate in rates if rate.zone == zone and rate.valid_from <= day]
    return max(valid, key=lambda rate: rate.valid_from, default=None)


def compare(
    lines: Sequence[BillLine], orders: Sequence[Order], rates: Sequence[Rate], granted: Mapping[str, int]
) -> tuple[Difference, ...]:
    """Every difference between a bill, our orders and the compensations that were granted (waybill to fen)."""
    ours = {order.waybill_no: order for order in orders}
    seen: Counter[tuple[str, LineKind]] = Counter()
    found: list[Difference] = []
    for line in lines:
        seen[line.waybill_no, line.kind] += 1
        if seen[line.waybill_no, line.kind] > 1:
            found.append(_difference(DifferenceKind.DOUBLE, line, "", 0))
        elif line.kind is LineKind.CLAIM:
            found.extend(_claim(line, granted.get(line.waybill_no)))
        else:
            found.extend(_charge(line, ours.get(line.waybill_no), rates))
    found.extend(_not_billed(order, rates) for order in orders if not seen[order.waybill_no, LineKind.DELIVERY])
    found.extend(
        Difference(DifferenceKind.CLAIM, number, None, "", Money(-fen).yuan, 0, -fen)
        for number, fen in granted.items()
        if not seen[number, LineKind.CLAIM]
    )
    return tuple(found)


def _not_billed(order: Order, rates: Sequence[Rate]) -> Difference:
    fen = price(rates, order.zone, order.taken_on, order.weight_g) or 0
    return Difference(
        DifferenceKind.NOT_BILLED, order.waybill_no, None, "", f"{order.taken_on} {order.weight_g} g", 0, fen
    )


def _claim(line: BillLine, granted: int | None) -> list[Difference]:
    if granted is not None and line.fee_fen == -granted:
        return []
    return [_difference(DifferenceKind.CLAIM, line, Money(-granted).yuan if granted else "", -(granted or 0))]


def _charge(line: BillLine, order: Order | None, rates: Sequence[Rate]) -> list[Difference]:
    if order is None:
        return [_difference(DifferenceKind.UNKNOWN, line, "", 0)]
    if line.kind is LineKind.RETURN and not order.returned:
        return [_difference(DifferenceKind.RETURN, line, "", 0)]
    fen = price(rates, order.zone, order.taken_on, order.weight_g) or 0
    if line.kind is LineKind.RETURN:
        rate = _rate(rates, order.zone, order.taken_on)
        fen = fen * (rate.return_percent if rate else 100) // 100
    if line.fee_fen == fen:
        return []
    if line.zone != order.zone:
        return [_difference(DifferenceKind.ZONE, line, order.zone, fen)]
    if line.weight_g != order.weight_g:
        return [_difference(DifferenceKind.WEIGHT, line, f"{order.weight_g} g", fen)]
    return [_difference(DifferenceKind.PRICE, line, Money(fen).yuan, fen)]


def _difference(kind: DifferenceKind, line: BillLine, ours: str, ours_fen: int) -> Difference:
    billed = {DifferenceKind.ZONE: str(line.zone), DifferenceKind.WEIGHT: f"{line.weight_g} g"}.get(
        kind, Money(line.fee_fen).yuan
    )
    return Difference(kind, line.waybill_no, line.row, billed, ours, line.fee_fen, ours_fen)
