"""Paying with the code of a printed bill: no account, no name, only what stands on the paper anyway."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.identity import rate_limits
from app.kernel.errors import DomainError, NotFound
from app.web import parsing
from app.web.forms import Form
from app.web.guard import public
from payments import pay_codes, queries, services
from payments.ports import GatewayError
from payments.queries import BillView
from payments.states import BILL, KIND_LABELS, BillKind, BillState
from payments.web import wording
from payments.web.api import tell_gateway
from payments.web.counter import language
from payments.web.schemas import CodeQuery, PayFormIn, pay_form

bp = Blueprint("payments_by_code", __name__, template_folder="../templates")
LOOK_UPS = rate_limits.Limit("pay-code-network", 200, rate_limits.QUARTER_HOUR)


@bp.get("/pay/code")
@public
def ask() -> BaseResponse | str | tuple[str, int]:
    """Ask for the code; a slip of the pen is told at once."""
    if not request.args.get("code", "").strip():
        return _ask("", None)
    typed = parsing.query(CodeQuery)["code"]
    code = pay_codes.read(typed)
    if code is None:
        return _ask(typed, _("This is no payment code. Compare the twenty digits with those on the bill.")), 422
    return redirect(url_for("payments_by_code.bill", code=code), 303)


def _ask(typed: str, problem: str | None) -> str:
    return render_template("payments/code.html", form=Form(CodeQuery(), {"code": typed}), problem=problem)


@bp.get("/pay/code/<code>")
@public
def bill(code: str) -> str | tuple[str, int]:
    """The bill of this code and the ways to pay it. Whoever comes back from the cashier sees here how it ended."""
    try:
        view = _find(code)
    except NotFound:
        return _ask(code[:60], _("No bill has this payment code.")), 404
    if view.live_payment is not None:
        view = _asked_again(view, view.live_payment.id)
    is_payable = view.state == BillState.OPEN and view.live_payment is None
    return render_template(
        "payments/code_bill.html",
        bill=view,
        payer=masked(view.payer_name),
        printed_code=pay_codes.printed(view.pay_code),
        story=wording.story_of_code(view),
        state_label=BILL.labels[BillState(view.state)],
        kind_label=KIND_LABELS[BillKind(view.kind)],
        tones=wording.TONES,
        form=pay_form(view.kind, view.amount_fen, language(), by_code=True) if is_payable else None,
    )


def _find(code: str) -> BillView:
    """Look a code up; counted, so that nobody tries codes. Raises NotFound, TooManyRequests."""
    rate_limits.attempt(LOOK_UPS, rate_limits.network_of(request.remote_addr))
    if pay_codes.read(code) != code:
        raise NotFound
    return queries.bill_by_code(code)


def _asked_again(view: BillView, payment_id: UUID) -> BillView:
    try:
        services.sync_payment(payment_id)
    except GatewayError:
        return view
    return queries.bill_by_code(view.pay_code)


def masked(name: str) -> str:
    """A name of which a stranger reads only the ends: 江城**公司, 王*."""
    if len(name) <= 3:
        return name[:1] + "*" * (len(name) - 1)
    return f"{name[:2]}**{name[-2:]}"


@bp.post("/pay/code/<code>/pay")
@public
def pay(code: str) -> BaseResponse:
    """Start to pay and go to the cashier, which leads back to the page of the code."""
    view = _find(code)
    command = parsing.form(PayFormIn)
    here = url_for("payments_by_code.bill", code=view.pay_code)
    try:
        payment_id = services.start_payment_by_code(view.pay_code, command)
    except DomainError as refusal:
        flash(_(refusal.detail or refusal.title, **refusal.params), "danger")
        return redirect(here, 303)
    tell_gateway(payment_id)
    live = queries.bill_by_code(view.pay_code).live_payment
    ours = live is None or live.scan_text or live.cashier_url is None or len(live.bills) > 1
    return redirect(here if ours else live.cashier_url, 303)  # type: ignore[union-attr,arg-type]
