"""Rows as CSV that spreadsheets open as text, never as formulas."""

import csv
import io
from collections.abc import Iterable

from flask import Response
from flask_babel import gettext


def csv_response(name: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> Response:
    """The rows as a file to be saved, with the byte order mark that spreadsheets want. `header` are message ids."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([gettext(cell) for cell in header])
    for row in rows:
        # a cell that begins like a formula would be run by a spreadsheet
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in row])
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text.getvalue(), mimetype="text/csv; charset=utf-8", headers=headers)
