"""Paying several bills together, and the printed bill."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import files
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.inbox import once
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import signed_in
from app.web.idempotency import at_most_once, idempotent
from app.web.operations import operation
from app.web.session import current_actor
from payments import queries, rules, services
from payments.documents import bill_pdf
from payments.web.api import bp as api
from payments.web.api import payment_json, tell_gateway
from payments.web.schemas import BasketChoice, BasketQuery, PayTogetherBodyIn, PayTogetherIn, pay_form

bp = Blueprint("payments_counter", __name__, template_folder="../templates")


@bp.get("/pay/basket")
@signed_in
def basket() -> BaseResponse | str:
    """The chosen bills with all their items and one sum; says why where they cannot share a payment."""
    chosen = _chosen()
    if not chosen:
        flash(_("Choose at least one bill."), "warning")
        return redirect(url_for("payments.counter", side="payer"), 303)
    bills = queries.basket(current_actor(), chosen)
    total_fen = sum(bill.amount_fen for bill in bills)
    refusal = _refusal(bills)
    form = pay_form(bills[0].kind, total_fen, language()) if refusal is None else None
    if form is None and refusal is None:
        refusal = _("This cannot be paid that way here. Choose another way to pay.")
    return render_template(
        "payments/basket.html", bills=bills, total_fen=total_fen, refusal=refusal, form=form and _by_name(form)
    )


def _chosen() -> list[UUID]:
    try:
        found: list[UUID] = parsing.query(BasketQuery)["bill"]
    except ValidationError:
        raise NotFound from None
    return found


def _by_name(form: Any) -> dict[str, Any]:
    return {field.name: field for field in form.fields}


def _refusal(bills: tuple[queries.BillView, ...]) -> str | None:
    """Why these bills cannot share a payment, in words."""
    payers = {(bill.payer_organisation_id, bill.payer_user_id) for bill in bills}
    try:
        rules.check_together({bill.kind for bill in bills}, payers, len(bills))
    except DomainError as refusal:
        return str(_(refusal.detail, **refusal.params))
    if any(bill.state != "open" for bill in bills):
        return str(_("One of these bills is already paid or no longer due."))
    return None


def language() -> str:
    """The language in which the cashier page speaks to this reader."""
    return "en" if str(get_locale()).startswith("en") else "zh"


@bp.post("/pay/basket")
@signed_in
def pay_together() -> BaseResponse:
    """Start one payment for the chosen bills and go to the cashier."""
    actor = current_actor()
    wanted: BasketChoice = parsing.form(PayTogetherIn)
    queries.basket(actor, wanted.bill)  # 404 for a stranger's bill

    def effect() -> dict[str, Any]:
        return {"payment_id": str(services.start_joint_payment(actor, wanted.bill, wanted.start))}

    key = request.form.get("idempotency_key")
    sent = {"bill": sorted(map(str, wanted.bill)), "method": wanted.method, "language": wanted.language}
    try:
        answer = once(actor, "basket:pay", key, sent, effect) if key else effect()
    except (NotFound, NotAllowed):
        raise
    except DomainError as refusal:
        flash(_(refusal.detail or refusal.title, **refusal.params), "danger")
        return redirect(url_for("payments_counter.basket", bill=wanted.bill), 303)
    assert answer is not None
    return to_cashier(UUID(answer["payment_id"]))


def to_cashier(payment_id: UUID) -> BaseResponse:
    """Tell the provider and send the payer to the cashier; where it does not answer, to the page that waits for it."""
    tell_gateway(payment_id)
    _seen, payment = queries.payment_page(current_actor(), payment_id)
    return redirect(payment.cashier_url or url_for("payments.returned", payment_id=payment_id), 303)


@api.post("/payments")
@signed_in
@idempotent
@operation(N_("Start to pay several bills together"), body=PayTogetherBodyIn, tag="bills", status=201, idempotent=True)
def start_joint_payment() -> tuple[Response, int]:
    """Start one attempt for these bills, or return the one that is live. Needs an `Idempotency-Key`."""
    actor = current_actor()
    wanted: BasketChoice = parsing.body(PayTogetherBodyIn)
    queries.basket(actor, wanted.bill)

    def effect() -> dict[str, Any]:
        return {"payment_id": str(services.start_joint_payment(actor, wanted.bill, wanted.start))}

    answer = at_most_once(effect)
    assert answer is not None
    payment_id = UUID(answer["payment_id"])
    tell_gateway(payment_id)
    _bill, payment = queries.payment_page(actor, payment_id)
    return jsonify(payment_json(payment)), 201


@bp.get("/bills/<uuid:object_id>/bill.pdf")
@signed_in
def printed(object_id: UUID) -> Response:
    """The bill on paper, with its payment code and QR."""
    view = queries.bill_page(current_actor(), object_id)
    headers = {"Content-Disposition": f'inline; filename="{view.number}.pdf"'}
    return files.harden(Response(bill_pdf(view), mimetype="application/pdf", headers=headers))
