"""Lists of procurements as CSV, readable by spreadsheets."""

from collections.abc import Iterable, Iterator

from flask import Response
from flask_babel import gettext

from app.kernel.clock import BEIJING
from app.kernel.words import N_
from app.web.regions import region_name
from app.web.spreadsheets import csv_answer
from marketplace.queries.procurements import ProcurementRow
from marketplace.rules.categories import CATEGORY_LABELS
from marketplace.rules.selection.gates import FUND_SOURCE_LABELS
from marketplace.rules.selection.methods import METHOD_LABELS, Method
from marketplace.states.procurement import PROCUREMENT, ProcurementState


def csv_of(rows: Iterable[ProcurementRow]) -> Response:
    """The rows as a file to be saved, with the byte order mark that spreadsheets want."""
    return csv_answer("procurements.csv", _COLUMNS, (_csv_cells(row) for row in rows))


_COLUMNS = (
    *(
        N_("Number"),
        N_("Title"),
        N_("State"),
        N_("Project owner"),
        N_("Service item"),
        N_("Category"),
        N_("Region"),
    ),
    *(
        N_("Service price (yuan)"),
        N_("Time limit (working days)"),
        N_("Selection method"),
        N_("Fund source"),
        N_("Published"),
        N_("Registration until"),
        N_("Winner"),
    ),
)


def _csv_cells(row: ProcurementRow) -> Iterator[str]:
    yield from (
        row.number,
        row.title,
        gettext(PROCUREMENT.labels[ProcurementState(row.state)]),
        row.owner_name,
        row.item_name,
    )
    yield gettext(CATEGORY_LABELS.get(row.category, row.category))  # type: ignore[call-overload]  # the key is the value of the enum
    yield region_name(row.region_code)
    yield f"{row.price_fen // 100}.{row.price_fen % 100:02d}"
    yield str(row.limit_wd)
    yield gettext(METHOD_LABELS[Method(row.method)])
    yield gettext(FUND_SOURCE_LABELS[row.fund_source])
    for moment in (row.published_at, row.registration_ends_at):
        yield moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""
    yield row.winner_name
