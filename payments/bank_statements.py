"""Bank statements as files: reading their rows, and finding out what each line is to us. Pure; amounts in whole fen.

The columns are those that the custody bank's export has: day or instant of booking (Beijing time), direction (收/支 or
in/out), amount in yuan, serial number, counterparty, and what the sender wrote (附言).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from app.kernel.clock import BEIJING
from app.kernel.words import N_
from payments.bank_states import LineVerdict

MOST_LINES: Final = 5_000
MOST_PROBLEMS: Final = 500
COLUMNS: Final = ("moved_at", "direction", "amount", "bank_ref", "counterparty", "reference")
HEADINGS: Final = {
    "交易日期": "moved_at", "交易时间": "moved_at", "记账日期": "moved_at", "date": "moved_at",
    "借贷标志": "direction", "收支方向": "direction", "收支": "direction", "direction": "direction",
    "金额": "amount", "交易金额": "amount", "amount": "amount",
    "交易流水号": "bank_ref", "流水号": "bank_ref", "serial": "bank_ref",
    "对方户名": "counterparty", "对方单位": "counterparty", "counterparty": "counterparty",
    "附言": "reference", "摘要": "reference", "用途": "reference", "reference": "reference",
}  # fmt: skip
TEMPLATE: Final = ("交易时间", "收支", "金额", "交易流水号", "对方户名", "附言")
_DIRECTIONS: Final = {"收": "in", "贷": "in", "收入": "in", "贷方": "in", "in": "in", "支": "out", "借": "out", "支出": "out",
                      "借方": "out", "out": "out"}  # fmt: skip
_MOMENT: Final = re.compile(
    r"(\d{4})[-/年.]?(\d{1,2})[-/月.]?(\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?)?"
)
_NUMBERS: Final = re.compile(r"(?:JK|CK|YH)-?\d{4}-?\d{6,}")
_CODE: Final = re.compile(r"(?:\d[ -]?){19}\d")
NOON: Final = time(12, 0)
"""When a line was booked that names only its day."""


@dataclass(frozen=True)
class StatementLine:
    """One movement as the bank tells it; `amount_fen` is positive, `direction` "in" or "out"."""

    row: int
    bank_ref: str
    direction: str
    amount_fen: int
    moved_at: datetime
    counterparty: str
    reference: str


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row of a file; the message is a catalogue message."""

    row: int
    column: str
    message: str


def read_statement(
    table: Sequence[Sequence[str]], first_day: date, last_day: date
) -> tuple[tuple[StatementLine, ...], tuple[Problem, ...]]:
    """The lines of a file and every problem by row and column. A statement without movements has only its headings."""
    heads = [HEADINGS.get(cell.strip().lower(), "") for cell in table[0]] if table else []
    missing = [column for column in COLUMNS if column not in heads]
    if missing:
        return (), tuple(Problem(1, column, N_("This column is missing.")) for column in missing)
    if len(table) > MOST_LINES + 1:
        return (), (Problem(1, "", N_("The file has too many lines. Hand it in for fewer days.")),)
    lines: list[StatementLine] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for row, cells in enumerate(table[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        found: dict[str, str] = {}
        for place, head in enumerate(heads):
            text = cells[place].strip() if place < len(cells) else ""
            if head and (text or head not in found):
                found[head] = text
        line, wrong = _line(row, found, first_day, last_day)
        if line is not None and line.bank_ref in seen:
            wrong = [Problem(row, "bank_ref", N_("This serial number stands in the file twice."))]
        elif line is not None:
            seen.add(line.bank_ref)
            lines.append(line)
        problems.extend(wrong)
    return tuple(lines), tuple(problems)


def _line(
    row: int, cells: Mapping[str, str], first_day: date, last_day: date
) -> tuple[StatementLine | None, list[Problem]]:
    moved_at, fen = _moment(cells["moved_at"]), _fen(cells["amount"])
    direction = _DIRECTIONS.get(cells["direction"].lower())
    wrong = []
    if moved_at is None or not first_day <= moved_at.astimezone(BEIJING).date() <= last_day:
        wrong.append(Problem(row, "moved_at", N_("A day within the days of the statement is expected.")))
    if direction is None:
        wrong.append(Problem(row, "direction", N_("收 or 支 is expected.")))
    if fen is None or fen <= 0:
        wrong.append(Problem(row, "amount", N_("Yuan above zero with at most two decimals are expected.")))
    if not re.fullmatch(r"[A-Za-z0-9_\-]{1,60}", cells["bank_ref"]):
        wrong.append(Problem(row, "bank_ref", N_("The bank's serial number is missing or is none.")))
    if wrong or moved_at is None or direction is None or fen is None:
        return None, wrong
    return StatementLine(row, cells["bank_ref"], direction, fen, moved_at, cells["counterparty"][:120],
                         cells["reference"][:200]), []  # fmt: skip


def _moment(text: str) -> datetime | None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
    try:
        on = date(year or 0, month or 0, day or 0)
        at = NOON if hour is None else time(hour, minute or 0, second or 0)
    except ValueError:
        return None
    return datetime.combine(on, at, BEIJING).astimezone(UTC)


def _fen(text: str) -> int | None:
    try:
        fen = Decimal(text.replace(",", "").removeprefix("¥")) * 100
    except InvalidOperation:
        return None
    return int(fen) if fen.is_finite() and fen == fen.to_integral_value() and abs(fen) < 10**13 else None


def numbers_in(text: str) -> frozenset[str]:
    """Numbers of payments (JK), payouts (CK) and entries (YH) in what a sender wrote, in our way of writing them."""
    return frozenset(_hyphened(found) for found in _NUMBERS.findall(re.sub(r"\s", "", text.upper())))


def _hyphened(found: str) -> str:
    bare = found.replace("-", "")
    return f"{bare[:2]}-{bare[2:6]}-{bare[6:]}"


def codes_in(text: str) -> frozenset[str]:
    """Payment codes of bills in what a sender wrote; whether such a code exists is another question."""
    return frozenset(re.sub(r"[ -]", "", found) for found in _CODE.findall(text))


V = LineVerdict


# --- what a line is to us ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KnownLine:
    """What we have under the serial number of a line: an entry, or a posting where payments do not come by entries."""

    id: UUID
    direction: str
    amount_fen: int
    is_confirmed: bool


@dataclass(frozen=True)
class Awaited:
    """Something of ours that waits for a line: its verdict, the words that name it, and the amount (fen) it waits for."""

    id: UUID
    verdict: LineVerdict
    names: frozenset[str]
    amount_fen: int

    @property
    def direction(self) -> str:
        return "in" if self.verdict in (V.PAYMENT, V.PAYOUT_BACK) else "out"


@dataclass(frozen=True)
class Judged:
    """A line with its verdict and what it names."""

    line: StatementLine
    verdict: LineVerdict
    matched_id: UUID | None = None


def judge(
    lines: Sequence[StatementLine], known: Mapping[str, KnownLine], awaited: Sequence[Awaited]
) -> tuple[Judged, ...]:
    """Say of every line what it is to us.

    A known serial number decides first. Else the line must name what waits for it, and only a transfer of a payer may then
    have another amount (it is set aside and goes back). Nothing is ever matched by its amount alone, and nothing twice.
    """
    found = []
    left = list(awaited)
    for line in lines:
        entry = known.get(line.bank_ref)
        judged = _of_known(line, entry) if entry is not None else _of_new(line, left)
        if judged.matched_id is not None:
            left = [_after(judged, one) for one in left if one.id != judged.matched_id or judged.verdict is V.PAYOUT]
        found.append(judged)
    return tuple(found)


def _after(judged: Judged, one: Awaited) -> Awaited:
    """A payout that this line paid may come back by a later one."""
    return replace(one, verdict=V.PAYOUT_BACK) if one.id == judged.matched_id else one


def _of_known(line: StatementLine, entry: KnownLine) -> Judged:
    if (entry.direction, entry.amount_fen) != (line.direction, line.amount_fen):
        return Judged(line, V.DIFFERS, entry.id)
    return Judged(line, V.KNOWN if entry.is_confirmed else V.CONFIRMS, entry.id)


def _of_new(line: StatementLine, awaited: Sequence[Awaited]) -> Judged:
    said = numbers_in(line.reference) | codes_in(line.reference)
    named = [one for one in awaited if one.direction == line.direction and one.names & said]
    exact = next((one for one in named if one.amount_fen == line.amount_fen), None)
    if exact is not None:
        return Judged(line, exact.verdict, exact.id)
    other = next((one for one in named if one.verdict is V.PAYMENT), None)
    if other is not None:
        return Judged(line, V.PAYMENT_AMOUNT, other.id)
    return Judged(line, V.UNMATCHED if line.direction == "in" else V.UNKNOWN_OUT)
