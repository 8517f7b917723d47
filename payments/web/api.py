"""Bills and payments as JSON. Amounts are integer fen, instants UTC."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.actions import actions_of, api_actions
from app.web.guard import requires, signed_in
from app.web.idempotency import at_most_once, idempotent
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from payments import queries, services
from payments.policy import Permission
from payments.ports import GatewayError
from payments.queries import BillView, PaymentView, RefundView
from payments.rules import BillLine
from payments.states import BILL, REFUND
from payments.web.actions import BILL_ACTIONS, REFUND_ACTIONS
from payments.web.schemas import BillQuery, PageQuery, PayIn, RefundQuery

bp = Blueprint("payments_api", __name__, url_prefix="/api")


@bp.get("/bills")
@signed_in
@operation(N_("List bills"), query=BillQuery, tag="bills")
def list_bills() -> Response:
    """A page of the bills that I pay; with `side=payee` of those paid to my organisation; with `side=all` of all."""
    wanted = parsing.query(BillQuery)
    page = queries.bills_page(
        current_actor(), state=wanted["state"], side=wanted["side"] or "payer", number=wanted["page"]
    )
    items = [bill_json(view, brief=True) for view in page.items]
    return page_answer(page, items)


@bp.get("/bills/<uuid:object_id>")
@signed_in
@operation(N_("Read a bill with its lines, attempts and refunds"), tag="bills")
def read_bill(object_id: UUID) -> Response:
    """One bill and what I may do with it now."""
    return jsonify(bill_json(queries.bill_page(current_actor(), object_id)))


@bp.post("/bills/<uuid:object_id>/payments")
@signed_in
@idempotent
@operation(N_("Start to pay a bill"), body=PayIn, tag="bills", status=201, idempotent=True)
def start_payment(object_id: UUID) -> tuple[Response, int]:
    """Start an attempt, or return the one that is live. Needs an `Idempotency-Key`; the payer goes to `cashier_url`."""
    actor = current_actor()
    queries.bill_page(actor, object_id)  # 404 for a stranger, whatever was sent
    command = parsing.body(PayIn)

    def effect() -> dict[str, Any]:
        return {"payment_id": str(services.start_payment(actor, object_id, command))}

    answer = at_most_once(effect)
    assert answer is not None
    payment_id = UUID(answer["payment_id"])
    tell_gateway(payment_id)
    _bill, payment = queries.payment_page(actor, payment_id)
    return jsonify(payment_json(payment)), 201


@bp.get("/payments/<uuid:payment_id>")
@signed_in
@operation(N_("Read an attempt to pay"), tag="bills")
def read_payment(payment_id: UUID) -> Response:
    """One attempt as we know it."""
    return jsonify(payment_json(queries.payment_page(current_actor(), payment_id)[1]))


@bp.post("/payments/<uuid:payment_id>/sync")
@signed_in
@operation(N_("Ask the provider what has become of an attempt"), tag="bills")
def sync_payment(payment_id: UUID) -> Response:
    """Take over the provider's present word on an attempt."""
    actor = current_actor()
    queries.payment_page(actor, payment_id)
    try:
        services.sync_payment(payment_id)
    except GatewayError as failure:
        raise services.GatewayUnreachable from failure
    return jsonify(payment_json(queries.payment_page(actor, payment_id)[1]))


@bp.post("/payments/<uuid:payment_id>/cancel")
@signed_in
@idempotent
@operation(N_("Cancel an attempt"), tag="bills", idempotent=True)
def cancel_payment(payment_id: UUID) -> Response:
    """Close the cashier page of an attempt, unless it has succeeded meanwhile."""
    actor = current_actor()
    services.cancel_payment(actor, payment_id)
    return jsonify(payment_json(queries.payment_page(actor, payment_id)[1]))


@bp.get("/refunds")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("List refunds"), query=RefundQuery, tag="refunds")
def list_refunds() -> Response:
    """A page of all refunds."""
    wanted = parsing.query(RefundQuery)
    page = queries.refunds_page(state=wanted["state"], number=wanted["page"])
    return page_answer(page, [refund_json(r) for r in page.items])


@bp.get("/refunds/<uuid:object_id>")
@signed_in
@operation(N_("Read a refund"), tag="refunds")
def read_refund(object_id: UUID) -> Response:
    """One refund and what I may do with it now."""
    return jsonify(refund_page_json(queries.refund_page(current_actor(), object_id)))


@bp.get("/income")
@requires(Permission.INCOME_READ)
@operation(N_("Read my agency's balance and statement"), query=PageQuery, tag="books")
def read_income() -> Response:
    """Balance, money held and due, and a page of the statement."""
    organisation_id = current_actor().organisation_id
    assert organisation_id is not None, "the permission belongs to a membership"
    income = queries.income_of(organisation_id)
    lines = queries.statement_page(f"payable:{organisation_id}", parsing.query(PageQuery)["page"])
    return jsonify(
        balance_fen=income.balance_fen,
        held_fen=income.held_fen,
        due_fen=income.due_fen,
        statement=[_line_json(line) for line in lines.items],
        page=lines.number,
        pages=lines.pages,
    )


def tell_gateway(payment_id: UUID) -> bool:
    """Send a stored attempt at once, if the gateway answers; the outbox sends it otherwise. Return whether it did."""
    try:
        services.send_payment(payment_id)
    except GatewayError:
        return False
    return True


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def bill_json(view: BillView, *, brief: bool = False) -> dict[str, Any]:
    """The bill as the API answers it."""
    shown: dict[str, Any] = {
        "id": str(view.id),
        "number": view.number,
        "kind": view.kind,
        "title": view.title,
        "state": view.state,
        "version": view.version,
        "subject": view.subject,
        "thread_id": str(view.thread_id),
        "amount_fen": view.amount_fen,
        "held_fen": view.held_fen,
        "currency": "CNY",
        "payer": view.payer_name,
        "payee": view.payee_name,
        "opened_at": _at(view.opened_at),
        "due_at": _at(view.due_at),
        "is_overdue": view.is_overdue,
        "paid_at": _at(view.paid_at),
        "released_at": _at(view.released_at),
    }
    if brief:
        return shown
    possible = actions_of(
        BILL, view.state, view.parts, href=f"/bills/{view.id}", table=BILL_ACTIONS, version=view.version
    )
    return shown | {
        "pay_code": view.pay_code,
        "lines": [line_json(line) for line in view.lines],
        "payments": [payment_json(p) for p in view.payments],
        "refunds": [refund_json(r) for r in view.refunds],
        "actions": api_actions(possible),
    }


def line_json(line: BillLine) -> dict[str, Any]:
    """One item of a bill."""
    return {
        "title": line.title,
        "amount_fen": line.amount_fen,
        "basis": line.basis,
        "standard": line.standard,
        "reduction_fen": line.reduction_fen,
        "reduction": line.reduction,
    }


def payment_json(view: PaymentView) -> dict[str, Any]:
    """An attempt as the API answers it."""
    return {
        "id": str(view.id),
        "bill_id": str(view.bill_id),
        "number": view.number,
        "attempt": view.attempt,
        "bills": [
            {"id": str(b.id), "number": b.number, "amount_fen": b.amount_fen, "standing": b.standing}
            for b in view.bills
        ],
        "state": view.state,
        "method": view.method,
        "amount_fen": view.amount_fen,
        "started_at": _at(view.started_at),
        "succeeded_at": _at(view.succeeded_at),
        "expires_at": _at(view.expires_at),
        "cashier_url": view.cashier_url,
        "problem": view.problem,
    }


def refund_json(view: RefundView) -> dict[str, Any]:
    """A refund as the API answers it."""
    return {
        "id": str(view.id),
        "bill_id": str(view.bill_id),
        "bill_number": view.bill_number,
        "amount_fen": view.amount_fen,
        "state": view.state,
        "reason": view.reason,
        "requested_at": _at(view.requested_at),
        "finished_at": _at(view.finished_at),
        "version": view.version,
    }


def refund_page_json(view: RefundView) -> dict[str, Any]:
    """A refund with what the actor may do."""
    possible = actions_of(
        REFUND, view.state, view.parts, href=f"/refunds/{view.id}", table=REFUND_ACTIONS, version=view.version
    )
    return refund_json(view) | {"actions": api_actions(possible)}


def _line_json(line: queries.StatementLine) -> dict[str, Any]:
    return {
        "at": _at(line.effective_at),
        "kind": line.kind,
        "memo": line.memo,
        "bill_id": str(line.bill_id) if line.bill_id else None,
        "amount_fen": line.amount_fen,
        "balance_fen": line.balance_fen,
    }
