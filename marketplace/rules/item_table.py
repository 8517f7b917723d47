"""The item list as a table: its columns, and what a filled-in table would do, with every problem by row and column. Pure."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from app.kernel.money import Money
from app.kernel.words import N_
from marketplace.rules.item_content import ItemContent, problems
from marketplace.rules.item_diff import differences

LABELS: Final[Mapping[str, str]] = {
    "code": N_("Number"),
    "name": N_("Name (Chinese)"),
    "name_en": N_("Name (English)"),
    "category": N_("Category"),
    "approval_served": N_("Approval served"),
    "approvals": N_("Numbers of the approvals"),
    "legal_basis": N_("Legal basis"),
    "commissioner": N_("Who commissions"),
    "self_preparation_allowed": N_("The applicant may prepare it himself"),
    "qualification_text": N_("Qualification, in words"),
    "qualification_rule": N_("Qualification rule"),
    "limit_wd": N_("Time limit in working days"),
    "limit_note": N_("Remark on the time limit"),
    "pricing_mode": N_("Pricing"),
    "guided_min": N_("Lowest government price"),
    "guided_max": N_("Highest government price"),
    "price_document": N_("Price document"),
    "deliverable": N_("Deliverable"),
    "description": N_("Description"),
    "change_note": N_("Reason for the change"),
}
COLUMNS: Final = tuple(LABELS)
INFORMATION: Final[Mapping[str, str]] = {
    "version": N_("Version"),
    "state": N_("State"),
    "effective_from": N_("In force from"),
}
"""What an exported table tells its readers besides the content; read again it means nothing."""
NEEDED: Final = ("name", "name_en", "category", "approval_served", "legal_basis", "qualification_text", "deliverable")
MOST_ROWS: Final = 2000
_YES: Final = frozenset({"yes", "true", "1", "y", "是"})
_NO: Final = frozenset({"no", "false", "0", "n", "否", ""})


@dataclass(frozen=True)
class TableProblem:
    """Something wrong at one place of the table. `row` counts as the spreadsheet does (the headings are row 1); `column` is a
    column key, or the heading as written; `message` is a message id with `params`.
    """

    row: int
    column: str
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class KnownItem:
    """What the list says today under one number: the latest version, whether one is in work, whether it was cancelled."""

    content: ItemContent
    has_draft: bool = False
    is_cancelled: bool = False


@dataclass(frozen=True)
class PlannedRow:
    """What one sound row would do: draft a new item (`code` None), a new version (`changed` names the fields), or nothing."""

    row: int
    code: str | None
    content: ItemContent
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What the whole table would do. It may be applied only without problems."""

    new: tuple[PlannedRow, ...]
    changed: tuple[PlannedRow, ...]
    unchanged: tuple[PlannedRow, ...]
    problems: tuple[TableProblem, ...]


def row_of(code: str, content: ItemContent) -> dict[str, str]:
    """One item as the texts of a table row; read again they give the same content."""
    return {name: getattr(content, name, "") for name in COLUMNS} | {
        "code": code,
        "approvals": ", ".join(content.approvals),
        "self_preparation_allowed": "yes" if content.self_preparation_allowed else "no",
        "qualification_rule": json.dumps(content.qualification_rule, ensure_ascii=False, sort_keys=True),
        "limit_wd": "" if content.limit_wd is None else str(content.limit_wd),
        "guided_min": "" if content.guided_min_fen is None else Money(content.guided_min_fen).yuan,
        "guided_max": "" if content.guided_max_fen is None else Money(content.guided_max_fen).yuan,
    }


def plan(
    table: Sequence[Sequence[str]],
    known: Mapping[str, KnownItem],
    headings: Mapping[str, str],
    words: Mapping[str, Mapping[str, str]],
) -> Plan:
    """What applying `table` (its first row holds the headings) would do to the list `known` by number.

    `headings` maps every accepted heading to its column key; `words` maps, for a column of choices, every accepted word to the choice.
    """
    columns, found = _headings(table, headings)
    if found:
        return Plan((), (), (), tuple(found))
    rows = [
        (number, _cells(columns, line))
        for number, line in enumerate(table[1:], start=2)
        if any(cell.strip() for cell in line)
    ]
    if not rows:
        return Plan((), (), (), (TableProblem(1, "", "empty", N_("The table has no rows below its headings.")),))
    if len(rows) > MOST_ROWS:
        problem = TableProblem(MOST_ROWS + 2, "", "too-many-rows", N_("A table may have at most 2,000 rows."))
        return Plan((), (), (), (problem,))
    return _planned(rows, known, words)


def _headings(
    table: Sequence[Sequence[str]], headings: Mapping[str, str]
) -> tuple[list[str | None], list[TableProblem]]:
    written = [cell.strip() for cell in table[0]] if table else []
    columns = [headings.get(name.lower()) if name else None for name in written]
    found = [
        TableProblem(1, name, "unknown-column", N_("This column is not known."))
        for name, column in zip(written, columns, strict=True)
        if name and column is None
    ]
    twice = [column for column, count in Counter(c for c in columns if c).items() if count > 1]
    found += [TableProblem(1, column, "column-twice", N_("This column stands there twice.")) for column in twice]
    found += [
        TableProblem(1, column, "column-missing", N_("This column is missing."))
        for column in NEEDED
        if column not in columns
    ]
    return columns, found


def _cells(columns: Sequence[str | None], line: Sequence[str]) -> dict[str, str]:
    return {column: cell.strip() for column, cell in zip(columns, line, strict=False) if column}


def _planned(
    rows: Sequence[tuple[int, dict[str, str]]],
    known: Mapping[str, KnownItem],
    words: Mapping[str, Mapping[str, str]],
) -> Plan:
    found: list[TableProblem] = []
    kinds: dict[str, list[PlannedRow]] = {"new": [], "changed": [], "unchanged": []}
    code_of_name = {item.content.name: code for code, item in known.items() if not item.is_cancelled}
    seen_codes: dict[str, int] = {}
    seen_names: dict[str, int] = {}
    for number, cells in rows:
        code = cells.get("code", "").upper() or None
        before = known.get(code) if code else None
        content, wrong = _content(number, cells, words, before.content if before else None)
        wrong += _identity(number, code, before, content.name, code_of_name)
        wrong += _twice(number, "code", code, seen_codes) + _twice(number, "name", content.name, seen_names)
        if wrong:
            found += wrong
            continue
        changed = tuple(c.field for c in differences(before.content, content)) if before else ()
        kind = "new" if before is None else "changed" if changed else "unchanged"
        kinds[kind].append(PlannedRow(number, code, content, changed))
    return Plan(tuple(kinds["new"]), tuple(kinds["changed"]), tuple(kinds["unchanged"]), tuple(found))


def _identity(
    row: int, code: str | None, before: KnownItem | None, name: str, code_of_name: Mapping[str, str]
) -> list[TableProblem]:
    if code and before is None:
        message = N_("There is no item with this number. Leave it empty for a new item.")
        return [TableProblem(row, "code", "unknown-code", message)]
    if before is not None and before.is_cancelled:
        return [TableProblem(row, "code", "cancelled", N_("This item was cancelled. Leave the number empty."))]
    if before is not None and before.has_draft:
        message = N_("A new version of this item is already being drafted.")
        return [TableProblem(row, "code", "draft-open", message)]
    holder = code_of_name.get(name)
    if holder is not None and holder != code:
        message = N_("Item %(code)s has this name already.")
        return [TableProblem(row, "name", "name-taken", message, {"code": holder})]
    return []


def _twice(row: int, column: str, value: str | None, seen: dict[str, int]) -> list[TableProblem]:
    if not value:
        return []
    if value in seen:
        message = N_("The same as in row %(row)s.")
        return [TableProblem(row, column, "duplicate", message, {"row": seen[value]})]
    seen[value] = row
    return []


def _content(
    row: int, cells: Mapping[str, str], words: Mapping[str, Mapping[str, str]], before: ItemContent | None
) -> tuple[ItemContent, list[TableProblem]]:
    """The content of a row. A column that the table lacks keeps what the list says."""
    wrong: list[TableProblem] = []

    def refuse(column: str, code: str, message: str) -> None:
        wrong.append(TableProblem(row, column, code, message))

    base = before or ItemContent("", "", "", "", "", "", "")
    values: dict[str, Any] = {}
    for column, cell in cells.items():
        match column:
            case "code":
                continue
            case "category" | "commissioner" | "pricing_mode":
                if cell or column == "category":
                    values[column] = words[column].get(cell.lower(), cell)
            case "self_preparation_allowed":
                if cell.lower() not in _YES | _NO:
                    refuse(column, "not-yes-or-no", N_("Write yes or no."))
                values[column] = cell.lower() in _YES
            case "limit_wd":
                values[column] = _whole(cell, refuse)
            case "guided_min" | "guided_max":
                values[f"{column}_fen"] = _fen(column, cell, refuse)
            case "qualification_rule":
                values[column] = _rule(cell, refuse)
            case "approvals":
                values[column] = tuple(
                    c.upper() for c in cell.replace("，", ",").replace("、", ",").split(",") if c.strip()
                )
                values[column] = tuple(c.strip() for c in values[column])
            case _:
                values[column] = cell
    content = replace(base, **{"change_note": "", **values})
    refused = {problem.column for problem in wrong}
    wrong += [
        TableProblem(row, p.field, p.code, p.message, p.params) for p in problems(content) if p.field not in refused
    ]
    return content, wrong


def _whole(cell: str, refuse: Any) -> int | None:
    if not cell:
        return None
    if not cell.isdecimal() or not cell.isascii() or len(cell) > 4:
        refuse(
            "limit_wd", "limit-not-a-number", N_("Write a whole number of working days, or nothing for “by contract”.")
        )
        return None
    return int(cell)


def _fen(column: str, cell: str, refuse: Any) -> int | None:
    try:
        return Money.from_yuan(cell.replace(",", "")).fen if cell else None
    except ValueError:
        refuse(column, "bad-amount", N_("Write the amount in yuan with at most two decimals, for example 1234.50."))
        return None


def _rule(cell: str, refuse: Any) -> dict[str, Any]:
    try:
        rule = json.loads(cell) if cell else {}
    except ValueError:
        rule = None
    if not isinstance(rule, dict):
        refuse("qualification_rule", "qualification-rule", N_("The qualification rule cannot be read."))
        return {}
    return rule
