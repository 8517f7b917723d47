"""Tables in and out of spreadsheets: CSV and XLSX as rows of texts, with formulas made harmless."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final

import python_calamine
import xlsxwriter

from app.kernel.errors import Refused
from app.kernel.words import N_

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_UNPACKED: Final = 60 * 1024 * 1024
CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARK: Final = "'"

Row = Sequence[str]


def harmless(cell: str) -> str:
    """The text as a spreadsheet may open it: what would be a formula is quoted with an apostrophe."""
    bare = cell.lstrip(_MARK)
    return _MARK + cell if bare.startswith(_DANGEROUS) else cell


def as_written(cell: str) -> str:
    """The text that `harmless` was given."""
    return cell[1:] if cell.startswith(_MARK) and cell.lstrip(_MARK).startswith(_DANGEROUS) else cell


def csv_of(rows: Iterable[Row]) -> bytes:
    """CSV in UTF-8 with a byte order mark, so that spreadsheets read the Chinese."""
    target = io.StringIO()
    csv.writer(target).writerows([harmless(cell) for cell in row] for row in rows)
    return target.getvalue().encode("utf-8-sig")


def xlsx_of(rows: Iterable[Row], title: str) -> bytes:
    """One sheet of texts with the headings held in place."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, harmless(cell), bold if number == 0 else None)
    return target.getvalue()


def read_table(name: str, content: bytes) -> list[list[str]]:
    """The first sheet of an XLSX file, or a CSV file in UTF-8 or GB 18030. Raises Refused for anything else."""
    if len(content) > MOST_BYTES:
        raise Refused("table-too-large", N_("The table is larger than 5 MiB."), field="file")
    is_workbook = content.startswith(b"PK")
    rows = _workbook(content) if is_workbook else _text(name, content)
    return [[as_written(cell) for cell in row] for row in rows]


def _workbook(content: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                raise Refused("table-too-large", N_("The table is larger than 5 MiB."), field="file")
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (zipfile.BadZipFile, python_calamine.CalamineError, IndexError) as failure:
        raise _unreadable() from failure
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _text(name: str, content: bytes) -> list[list[str]]:
    if b"\x00" in content or not name.lower().endswith((".csv", ".txt")):
        raise _unreadable()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return [list(row) for row in csv.reader(io.StringIO(content.decode(encoding)), strict=True)]
        except UnicodeDecodeError:
            continue
        except csv.Error as failure:
            raise _unreadable() from failure
    raise _unreadable()


def _unreadable() -> Refused:
    return Refused(
        "table-unreadable", N_("This is no table that can be read: choose a CSV or XLSX file."), field="file"
    )
