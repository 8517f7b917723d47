"""Pages of the item list as a table: the file to take along, and the import with its dry run."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.paging import page_of
from app.kernel.spreadsheets import CSV_TYPE, XLSX_TYPE, csv_of, xlsx_of
from app.kernel.timeline import object_entries
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.session import current_actor
from marketplace.documents.item_list import table_rows
from marketplace.policy import Permission
from marketplace.queries import item_imports as queries
from marketplace.queries.catalogue import listed_contents
from marketplace.rules.item_table import LABELS
from marketplace.services import item_imports
from marketplace.states.catalogue import ITEM_IMPORT, ItemImportState, ItemVersionState
from marketplace.web.api.item_imports import bp as api
from marketplace.web.market_actions import IMPORT_ACTIONS, import_actions, import_json, problem_words
from marketplace.web.schemas.catalogue import HandInIn, ImportQuery

bp = Blueprint("marketplace_item_imports", __name__, template_folder="../../templates")
OBJECT_HREF = {"item_import": lambda object_id: f"/catalogue/imports/{object_id}"}


@bp.get("/services.csv")
@public
def csv_file() -> Response:
    """The list in force as CSV."""
    return _file("csv", csv_of(_rows()), CSV_TYPE)


@bp.get("/services.xlsx")
@public
def xlsx_file() -> Response:
    """The list in force as an XLSX workbook."""
    return _file("xlsx", xlsx_of(_rows(), gettext("Service list")), XLSX_TYPE)


def _rows() -> list[list[str]]:
    return list(table_rows(e for e in listed_contents() if e.state == ItemVersionState.PUBLISHED))


def _file(suffix: str, content: bytes, media_type: str) -> Response:
    name = f"service-items-{clock.today():%Y%m%d}.{suffix}"
    return Response(content, mimetype=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.get("/catalogue/imports")
@requires(Permission.CATALOGUE_MANAGE)
def imports() -> str:
    """Every table that was handed in, and the form for the next."""
    return _page(Form(HandInIn()))


@bp.post("/catalogue/imports")
@requires(Permission.CATALOGUE_MANAGE)
def check() -> BaseResponse:
    """Check a table: the dry run."""
    raw = parsing.form_values(HandInIn)
    try:
        made = item_imports.check(current_actor(), HandInIn().load(raw))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = failure.status if isinstance(failure, DomainError) else 422
        return Response(_page(Form(HandInIn(), {}, errors_of(failure))), status, mimetype="text/html")
    return redirect(url_for(".one", object_id=made), 303)


def _page(form: Form) -> str:
    asked = parsing.query(ImportQuery)
    page = page_of(queries.imports_statement(), number=asked["page"])
    return render_template(
        "marketplace/item_imports.html", form=form, page=page, labels=ITEM_IMPORT.labels, columns=LABELS
    )


@bp.get("/catalogue/imports/<uuid:object_id>")
@requires(Permission.CATALOGUE_MANAGE)
def one(object_id: UUID) -> str:
    """One table: what it would do today, and every problem by row and column."""
    actor = current_actor()
    view = queries.import_view(actor, object_id)
    found = item_imports.planned(view.table) if view.state == ItemImportState.CHECKED and not view.problems else None
    return render_template(
        "marketplace/item_import.html",
        view=view,
        plan=found,
        problems=[_shown(p) for p in view.problems],
        actions=import_actions(actor, view),
        entries=object_entries("item_import", view.id, actor),
        labels=ITEM_IMPORT.labels,
        next_step=ITEM_IMPORT.next_step[ItemImportState(view.state)],
        columns=LABELS,
    )


def _shown(problem: dict[str, Any]) -> dict[str, Any]:
    column = problem["column"]
    return {
        "row": problem["row"],
        "column": gettext(LABELS[column]) if column in LABELS else column,
        "message": problem_words(problem),
    }


register_actions(
    bp,
    api,
    path="/catalogue/imports/<uuid:object_id>",
    table=IMPORT_ACTIONS,
    view=queries.import_view,
    detail="marketplace_item_imports.one",
    to_json=import_json,
    machine=ITEM_IMPORT,
)
