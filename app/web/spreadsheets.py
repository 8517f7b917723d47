"""Lists as CSV, readable by spreadsheets."""

import csv
import io
from collections.abc import Iterable

from flask import Response
from flask_babel import gettext

_RUN_BY_SPREADSHEETS = "=+-@\t\r"
"""A cell that begins like a formula would be run; it gets an apostrophe in front."""


def csv_answer(name: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Response:
    """Answer with a download: a byte order mark, the translated column heads (message ids) and one line a row."""
    lines = [csv_line(gettext(column) for column in columns), *(csv_line(row) for row in rows)]
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + "".join(lines), mimetype="text/csv; charset=utf-8", headers=headers)


def csv_line(cells: Iterable[str]) -> str:
    """One line with its end, quoted where needed."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell[:1] in _RUN_BY_SPREADSHEETS and cell else cell for cell in cells])
    return line.getvalue()
