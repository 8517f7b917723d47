"""The JSON of the hall's desk and of the settlement: exceptions, days, claims, bills, rates."""

from typing import Any
from uuid import UUID

from flask import Response, jsonify
from flask_babel import gettext

from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from delivery import policy
from delivery.queries.claims import claim_view, claim_views, claims_statement
from delivery.queries.exceptions import exceptions_statement
from delivery.queries.hall_days import day_view, day_views, days_statement
from delivery.queries.settlement import (
    DifferenceView,
    bill_view,
    bill_views,
    bills_statement,
    difference_views,
    differences_statement,
    tariff,
)
from delivery.queries.tasks import TaskView, task_views
from delivery.web.api import TAG, api
from delivery.web.claims import claim_json
from delivery.web.days import day_json
from delivery.web.desk_schemas import ClaimQuery, DayQuery, ExceptionQuery
from delivery.web.settlement import bill_json
from delivery.web.settlement_schemas import BillQuery, DifferenceQuery

__all__ = ["api"]


@api.get("/delivery/exceptions")
@requires(policy.READ)
@operation(N_("List parcel exceptions"), query=ExceptionQuery, tag=TAG)
def list_exceptions() -> Response:
    """The hall's, the most urgent first; for oversight every hall's."""
    wanted, number = parsing.query(ExceptionQuery)
    page = page_of(exceptions_statement(current_actor(), wanted), number=number, scalars=False)
    return page_answer(page, [_task_json(each) for each in task_views(page.items)])


def _task_json(task: TaskView) -> dict[str, Any]:
    return {
        "id": str(task.id), "kind": task.kind, "title": gettext(task.title), "fact": task.fact, "way_out": gettext(task.way_out),
        "parcel_id": str(task.parcel_id), "parcel": task.number, "raised_at": task.raised_at.isoformat(), "due_at": task.due_at.isoformat(),
        "overdue": task.overdue, "owner": task.owner_name, "resolved_at": task.resolved_at and task.resolved_at.isoformat(),
        "resolution": task.resolution,
    }  # fmt: skip


@api.get("/delivery/days")
@requires(policy.READ)
@operation(N_("List closed days"), query=DayQuery, tag=TAG)
def list_days() -> Response:
    """The days of the hall, newest first; for oversight every hall's."""
    actor, asked = current_actor(), parsing.query(DayQuery)
    page = page_of(days_statement(actor, asked["state"], asked["first"], asked["last"]), number=asked["page"])
    return page_answer(page, [day_json(each) for each in day_views(page.items, actor)])


@api.get("/delivery/days/<uuid:object_id>")
@signed_in
@operation(N_("Show a closed day"), tag=TAG)
def show_day(object_id: UUID) -> Response:
    return jsonify(day_json(day_view(current_actor(), object_id)))


@api.get("/carrier-claims")
@requires(policy.READ)
@operation(N_("List claims against the carrier"), query=ClaimQuery, tag=TAG)
def list_claims() -> Response:
    """The claims of the hall, newest first; for oversight every hall's."""
    actor, asked = current_actor(), parsing.query(ClaimQuery)
    page = page_of(claims_statement(actor, asked["state"], asked["ground"]), number=asked["page"])
    return page_answer(page, [claim_json(each) for each in claim_views(page.items, actor)])


@api.get("/carrier-claims/<uuid:object_id>")
@signed_in
@operation(N_("Show a claim against the carrier"), tag=TAG)
def show_claim(object_id: UUID) -> Response:
    return jsonify(claim_json(claim_view(current_actor(), object_id)))


@api.get("/carrier-bills")
@requires(policy.READ)
@operation(N_("List monthly bills of the carrier"), query=BillQuery, tag=TAG)
def list_bills() -> Response:
    """The bills of the hall, the newest month first; for oversight every hall's."""
    actor, asked = current_actor(), parsing.query(BillQuery)
    page = page_of(bills_statement(actor, asked["state"], asked["month"]), number=asked["page"])
    return page_answer(page, [bill_json(each) for each in bill_views(page.items, actor)])


@api.get("/carrier-bills/<uuid:object_id>")
@signed_in
@operation(N_("Show a monthly bill of the carrier"), tag=TAG)
def show_bill(object_id: UUID) -> Response:
    """The bill with its problems; its differences are a list of their own."""
    view = bill_view(current_actor(), object_id)
    problems = [
        {name: gettext(said) if name == "message" else said for name, said in each.items()} for each in view.problems
    ]
    return jsonify(bill_json(view) | {"problems": problems})


@api.get("/carrier-bills/<uuid:object_id>/differences")
@signed_in
@operation(N_("List the differences of a monthly bill"), query=DifferenceQuery, tag=TAG)
def list_differences(object_id: UUID) -> Response:
    """Where bill and orders disagree, open ones first."""
    view, asked = bill_view(current_actor(), object_id), parsing.query(DifferenceQuery)
    page = page_of(differences_statement(view.id, asked["kind"]), number=asked["page"])
    return page_answer(page, [_difference_json(each) for each in difference_views(page.items)])


def _difference_json(found: DifferenceView) -> dict[str, Any]:
    return {
        "id": str(found.id), "kind": found.kind, "label": gettext(found.label), "waybill_no": found.waybill_no, "row": found.row,
        "billed": found.billed, "ours": found.ours, "billed_fen": found.billed_fen, "ours_fen": found.ours_fen,
        "agreed_fen": found.agreed_fen, "reason": found.reason, "resolved_by": found.resolved_name,
    }  # fmt: skip


@api.get("/carrier-tariffs")
@requires(policy.READ)
@operation(N_("List the rates of the contract with the carrier"), tag=TAG)
def list_tariffs() -> Response:
    """Every rate, the newest first; rates are added, never changed."""
    rates = [
        {
            "zone": rate.zone, "valid_from": rate.valid_from.isoformat(), "first_g": rate.first_g, "first_fen": rate.first_fen,
            "next_g": rate.next_g, "next_fen": rate.next_fen, "return_percent": rate.return_percent, "basis": rate.basis,
        }
        for rate in tariff()
    ]  # fmt: skip
    return jsonify(items=rates)
