"""Result notices and notices of failed selections: the list, its export, and one notice as a sheet to be printed."""

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from app.documents import issued_for
from app.kernel.clock import BEIJING
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.forms import Form
from app.web.guard import public
from app.web.regions import region_name
from marketplace.queries import results
from marketplace.queries.results import OUTCOME_LABELS, ResultRow
from marketplace.rules.selection.gates import FUND_SOURCE_LABELS
from marketplace.rules.selection.methods import METHOD_LABELS
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, ProcurementState
from marketplace.web.csv_lines import csv_response
from marketplace.web.pages.procurements.words import WORDS
from marketplace.web.schemas.results import ResultQuery

bp = Blueprint("marketplace_results", __name__, template_folder="../../templates")

NAVIGATION = (NavigationItem(N_("Results"), "marketplace_results.index", "award", order=21),)


@bp.get("/results")
@public
def index() -> str:
    """Every published result, the newest first."""
    return render_template(
        "marketplace/results.html",
        page=results.results(parsing.query(ResultQuery)),
        form=Form(ResultQuery(), request.args.to_dict()),
        failures=FAILURE_TEXTS,
        outcomes=OUTCOME_LABELS,
        **WORDS,
    )


@bp.get("/results.csv")
@public
def export() -> Response:
    """The filtered list with every published field; up to 10,000 lines."""
    header = (
        *(N_("Number"), N_("Project"), N_("Project code"), N_("Title"), N_("Project owner"), N_("Selection method")),
        *(N_("State"), N_("Winner"), N_("Unified social credit code"), N_("Address"), N_("Winning amount (yuan)")),
        *(
            N_("Remark on the amount"),
            N_("Selected at"),
            N_("Registration until"),
            N_("Service item"),
            N_("Fund source"),
        ),
        *(N_("Region"), N_("Cause of failure")),
    )
    rows = results.results_for_export(parsing.query(ResultQuery))
    return csv_response("results.csv", header, (tuple(_cells(row)) for row in rows))


def _cells(row: ResultRow) -> Iterator[str]:
    yield from (row.number, row.project_name, row.project_code or "", row.title, row.owner_name)
    yield gettext(METHOD_LABELS[row.method])
    yield gettext(PROCUREMENT.labels[ProcurementState(row.state)])
    yield from (row.winner_name, row.credential, row.winner_address)
    yield f"{row.amount_fen // 100}.{row.amount_fen % 100:02d}" if row.amount_fen is not None else ""
    yield row.amount_note
    for moment in (row.selected_at, row.registration_ends_at):
        yield moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""
    yield row.item_name
    yield gettext(FUND_SOURCE_LABELS[row.fund_source])
    yield region_name(row.region_code)
    yield gettext(FAILURE_TEXTS[row.failure_code]) if row.failure_code and not row.winner_name else ""


@bp.get("/procurements/<uuid:object_id>/result")
@public
def result(object_id: UUID) -> str:
    """One result notice with every published field, as a sheet to be printed."""
    row = results.result_notice(object_id)
    letters = [p for p in issued_for(f"procurement:{row.id}") if p.kind == "award-letter" and p.revoked_at is None]
    return render_template(
        "marketplace/result.html", result=row, letters=letters, failures=FAILURE_TEXTS, outcomes=OUTCOME_LABELS, **WORDS
    )
