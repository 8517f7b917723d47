"""Lists people work on: the owner's own procurements, and everything for those who run and watch the supermarket."""

from typing import Any
from uuid import UUID

from flask import Response, render_template, request

from app.kernel.errors import NotAllowed
from app.kernel.paging import Page
from app.web import parsing
from app.web.forms import Form
from app.web.guard import requires, signed_in
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries.procurements import ProcurementRow, WorkListFilter
from marketplace.web.pages.procurements.exports import csv_of
from marketplace.web.pages.procurements.words import WORDS, bp
from marketplace.web.schemas.procurements import WorkListQuery


@bp.get("/procurements/mine")
@signed_in
def mine() -> str:
    """My organisation's procurements, drafts included, with filters that live in the address."""
    owner = _own_organisation()
    wanted = parsing.query(WorkListQuery)
    page = procurements.procurements_of_owner(owner, wanted)
    return _page(page, wanted, supervising=False, unfinished=procurements.unfinished_forms(owner))


@bp.get("/procurements/mine.csv")
@signed_in
def export_mine() -> Response:
    """My organisation's filtered list as CSV; up to 10,000 lines."""
    return csv_of(procurements.work_list_for_export(parsing.query(WorkListQuery), _own_organisation()))


@bp.get("/procurements/all")
@requires(Permission.PROCUREMENT_SUPERVISE)
def supervise() -> str:
    """Every procurement in every state, for those who run and watch the supermarket."""
    wanted = parsing.query(WorkListQuery)
    return _page(procurements.procurements_to_supervise(wanted), wanted, supervising=True)


@bp.get("/procurements/all.csv")
@requires(Permission.PROCUREMENT_SUPERVISE)
def export_all() -> Response:
    """The supervisor's filtered list as CSV; up to 10,000 lines."""
    return csv_of(procurements.work_list_for_export(parsing.query(WorkListQuery)))


def _own_organisation() -> UUID:
    organisation_id = current_actor().organisation_id
    if organisation_id is None:
        raise NotAllowed
    return organisation_id


def _page(page: Page[ProcurementRow], wanted: WorkListFilter, *, supervising: bool, unfinished: Any = ()) -> str:
    return render_template(
        "marketplace/my_procurements.html",
        page=page,
        wanted=wanted,
        form=Form(WorkListQuery(), request.args.to_dict()),
        supervising=supervising,
        unfinished=unfinished,
        **WORDS,
    )
