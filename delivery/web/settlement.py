"""The monthly settlement with the carrier."""

from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import files
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.money import Money
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, ActionView, actions_of, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import requires, signed_in
from app.web.schemas import InputSchema, PlainIn
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from delivery import documents, policy
from delivery.queries.exceptions import MOST_EXPORTED
from delivery.queries.settlement import (
    ZONE_LABELS,
    BillView,
    bill_differences,
    bill_view,
    bill_views,
    bills_statement,
    difference_views,
    differences_statement,
    kinds_of_differences,
    tariff,
)
from delivery.services import settlement
from delivery.states import CARRIER_BILL
from delivery.web.api import api
from delivery.web.blueprint import pages
from delivery.web.labels import inline_pdf
from delivery.web.schemas import ReasonIn
from delivery.web.settlement_schemas import (
    AddTariffIn,
    BillQuery,
    DifferenceQuery,
    HandInBillIn,
    NotePaymentIn,
    ResolveBillDifferenceIn,
    ResolveKindIn,
)

BILLS: Final = "/carrier-bills"
BILL: Final = f"{BILLS}/<uuid:object_id>"
ACTIONS: Final = {
    "compare": Action(settlement.compare_bill, PlainIn, done=N_("Compared.")),
    "confirm": Action(settlement.confirm_bill, PlainIn, done=N_("Confirmed for the platform.")),
    "reopen": Action(settlement.reopen_bill, ReasonIn),
    "countersign": Action(settlement.countersign_bill, PlainIn, done=N_("Confirmed for the carrier.")),
    "order_payment": Action(settlement.order_payment, PlainIn, done=N_("The payment order is issued.")),
    "note_payment": Action(settlement.note_payment, NotePaymentIn, done=N_("Noted.")),
    "discard": Action(settlement.discard_bill, ReasonIn, danger=True),
    "resolve": Action(
        settlement.resolve_bill_difference, ResolveBillDifferenceIn, N_("Settle a difference"), done=N_("Cleared up."),
        prefill=lambda _actor, _id: {"difference_id": request.args.get("difference_id", "")},
    ),
    "resolve_kind": Action(
        settlement.resolve_kind, ResolveKindIn, N_("Settle all of one kind"), done=N_("Cleared up."),
        explain=N_("Every difference of this kind that is still open is settled for the same side. Others stay as they are."),
        prefill=lambda _actor, _id: {"kind": request.args.get("kind", "")},
    ),
}  # fmt: skip
COLUMNS: Final = (
    N_("Kind of difference"), N_("Waybill"), N_("Row"), N_("On the bill"), N_("By our orders"), N_("Billed"), N_("By our orders"),
    N_("Amount agreed"), N_("Reason"),
)  # fmt: skip

LIST_COLUMNS: Final = (
    N_("Billed month"), N_("Number"), N_("Hall"), N_("State"), N_("Bill lines"), N_("Parcels the courier took"), N_("Billed"), N_("By our orders"),
    N_("Amount agreed"), N_("Payment order"), N_("Voucher number"),
)  # fmt: skip


@pages.get(BILLS)
@requires(policy.READ)
def carrier_bills() -> str:
    """Every month's bill; the form and the rates for who settles."""
    return _list(Form(HandInBillIn()), Form(AddTariffIn(), {"return_percent": 100}))


@pages.post(BILLS)
@requires(policy.SETTLE)
def hand_in_bill() -> BaseResponse | tuple[str, int]:
    """Check a file: the dry run."""
    try:
        made = settlement.hand_in(current_actor(), HandInBillIn().load(parsing.form_values(HandInBillIn)))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        return _list(_again(HandInBillIn, failure), Form(AddTariffIn(), {"return_percent": 100})), _status(failure)
    return redirect(url_for("delivery.carrier_bill", object_id=made), 303)


@pages.post(f"{BILLS}/tariff")
@requires(policy.SETTLE)
def add_tariff() -> BaseResponse | tuple[str, int]:
    """Add a rate of the contract."""
    try:
        settlement.add_tariff(current_actor(), parsing.form(AddTariffIn))
    except NotAllowed:
        raise
    except (ValidationError, DomainError) as failure:
        return _list(Form(HandInBillIn()), _again(AddTariffIn, failure)), _status(failure)
    flash(gettext("Done."), "success")
    return redirect(url_for("delivery.carrier_bills"), 303)


def _again(schema: type[InputSchema], failure: ValidationError | DomainError) -> Form:
    typed = {key: value for key, value in parsing.form_values(schema).items() if key != "file"}
    return Form(schema(), typed, errors_of(failure))


def _status(failure: ValidationError | DomainError) -> int:
    return failure.status if isinstance(failure, DomainError) else 422


def _list(form: Form, tariff_form: Form) -> str:
    actor, asked = current_actor(), parsing.query(BillQuery)
    page = page_of(bills_statement(actor, asked["state"], asked["month"]), number=asked["page"])
    return render_template(
        "delivery/bills.html", page=page, bills=bill_views(page.items, actor), form=form, tariff_form=tariff_form,
        query=Form(BillQuery(), request.args.to_dict()),
        tariff=tariff(), zones=ZONE_LABELS, may_settle=actor.may(policy.SETTLE),
    )  # fmt: skip


@pages.get(f"{BILLS}.csv")
@requires(policy.READ)
def carrier_bills_csv() -> Response:
    """The filtered bills as a table."""
    actor, asked = current_actor(), parsing.query(BillQuery)
    rows = db.session.scalars(bills_statement(actor, asked["state"], asked["month"]).limit(MOST_EXPORTED)).all()
    lines = [
        (view.month, view.number, view.hall_name, gettext(view.state_label), str(view.line_count), str(view.ours_count or ""),
         *(Money(fen).yuan if fen is not None else "" for fen in (view.billed_fen, view.ours_fen, view.agreed_fen)),
         view.payment_order_no or "", view.voucher_no or "")
        for view in bill_views(rows, actor)
    ]  # fmt: skip
    return csv_answer("carrier-bills.csv", LIST_COLUMNS, lines)


@pages.get(BILL)
@signed_in
def carrier_bill(object_id: UUID) -> str:
    """One bill: problems, totals, differences, both confirmations."""
    actor = current_actor()
    view = bill_view(actor, object_id)
    asked = parsing.query(DifferenceQuery)
    page = page_of(differences_statement(object_id, asked["kind"]), number=asked["page"])
    return render_template(
        "delivery/bill.html", bill=view, actions=bill_actions(view, actor), page=page, differences=difference_views(page.items),
        kinds=kinds_of_differences(object_id), form=Form(DifferenceQuery(only=("kind",)), {"kind": asked["kind"] or ""}),
        entries=object_entries("carrier-bill", view.id, actor), may_resolve=actor.may(policy.SETTLE) and view.state == "compared",
    )  # fmt: skip


def bill_actions(view: BillView, actor: Actor) -> tuple[ActionView, ...]:
    """Who confirmed for one side is not offered the other's; a file with problems can only be put away."""
    found = actions_of(
        CARRIER_BILL, view.state, view.parts, href=f"{BILLS}/{view.id}", table=ACTIONS, version=view.version
    )
    hidden = {"countersign"} if view.confirmed_by == actor.user_id else set()
    hidden |= {"compare"} if view.problems else set()
    return tuple(each for each in found if each.name not in hidden)


@pages.get(f"{BILL}/differences.csv")
@signed_in
def bill_differences_csv(object_id: UUID) -> Response:
    """The differences as a table for the carrier."""
    view = bill_view(current_actor(), object_id)
    rows = [
        (gettext(each.label), each.waybill_no, str(each.row or ""), *(gettext(side) if side else "" for side in (each.billed, each.ours)), Money(each.billed_fen).yuan,
         Money(each.ours_fen).yuan, Money(each.agreed_fen).yuan if each.agreed_fen is not None else "", each.reason or "")
        for each in bill_differences(object_id)
    ]  # fmt: skip
    return csv_answer(f"differences-{view.number}.csv", COLUMNS, rows)


@pages.get(f"{BILL}/payment-order.pdf")
@signed_in
def payment_order_file(object_id: UUID) -> Response:
    """The issued payment order."""
    view = bill_view(current_actor(), object_id)
    issued = documents.issued_payment_order(object_id)
    if issued is None:
        raise NotFound
    return inline_pdf(files.content(issued), f"{view.payment_order_no}.pdf")


def bill_json(view: BillView) -> dict[str, Any]:
    return {
        "id": str(view.id), "number": view.number, "month": view.month, "state": view.state, "version": view.version,
        "state_label": gettext(view.state_label), "lines": view.line_count, "billed_fen": view.billed_fen,
        "hall": view.hall_name, "ours_count": view.ours_count, "ours_fen": view.ours_fen, "agreed_fen": view.agreed_fen, "payment_order_no": view.payment_order_no,
    }  # fmt: skip


register_actions(
    pages,
    api,
    path=BILL,
    table=ACTIONS,
    machine=CARRIER_BILL,
    detail="delivery.carrier_bill",
    to_json=bill_json,
    view=bill_view,
)
