"""Our own cashier page (bank transfer, QR code to scan), and the desk of the clerks who read the bank statement."""

from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import files
from app.kernel.access import Role
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import Action, actions_of, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import requires, signed_in
from app.web.session import current_actor
from payments import services
from payments.policy import Permission
from payments.ports import GatewayError
from payments.queries import bank as queries
from payments.states import BANK_ENTRY, LIVE, PAYMENT, BankEntryState, Part, PaymentState
from payments.web import wording
from payments.web.api import bp as api
from payments.web.bank_schemas import (
    ConfirmEntryIn,
    EnterMovementIn,
    EnterRefundSentIn,
    EntryQuery,
    RejectEntryIn,
    VoucherIn,
    entry_json,
)

bp = Blueprint("payments_bank", __name__, template_folder="../templates")

NAVIGATION = (
    NavigationItem(N_("Bank transfers"), "payments_bank.desk", "building-bank",
                   frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR}), order=53),
)  # fmt: skip
ENTRY_ACTIONS = {
    "confirm": Action(
        services.confirm_entry,
        ConfirmEntryIn,
        done=N_("Confirmed. The money is being credited."),
    ),
    "reject": Action(
        services.reject_entry,
        RejectEntryIn,
        explain=N_("Nothing is credited. The movement can then be entered again as it stands on the statement."),
        danger=True,
    ),
}


# --- the payer's side -------------------------------------------------------------------------------------------------


@bp.get("/pay/cashier/<uuid:payment_id>")
@signed_in
def cashier(payment_id: UUID) -> BaseResponse | str:
    """Account and reference of a transfer, or the QR code; an attempt that is over leads to its own page."""
    actor = current_actor()
    view = queries.own_cashier(actor, payment_id)
    try:
        state = services.sync_payment(payment_id)
    except GatewayError:
        state = PaymentState(view.payment.state)
    if state not in LIVE:
        return redirect(url_for("payments.returned", payment_id=payment_id), 303)
    view = queries.own_cashier(actor, payment_id)
    return render_template(
        "payments/cashier.html",
        view=view,
        is_payer=Part.PAYER in view.bill.parts,
        form=Form(VoucherIn()),
        label=PAYMENT.labels[PaymentState(view.payment.state)],
        tones=wording.TONES,
    )


@bp.post("/pay/cashier/<uuid:payment_id>/voucher")
@signed_in
def hand_in(payment_id: UUID) -> BaseResponse:
    """Hand in the slip of a transfer."""
    actor = current_actor()
    queries.own_cashier(actor, payment_id)
    try:
        services.hand_in_voucher(actor, payment_id, parsing.form(VoucherIn))
    except (NotFound, NotAllowed):
        raise
    except ValidationError:
        flash(_("Choose a file."), "danger")
    except DomainError as refusal:
        flash(_(refusal.detail or refusal.title, **refusal.params), "danger")
    else:
        flash(_("Your voucher was handed in. A clerk compares it with the bank statement."), "success")
    return redirect(url_for("payments_bank.cashier", payment_id=payment_id), 303)


@bp.get("/pay/vouchers/<uuid:voucher_id>")
@signed_in
def voucher(voucher_id: UUID) -> Response:
    """The file of a voucher."""
    return files.send(queries.voucher_file(current_actor(), voucher_id))


# --- the clerks' side -------------------------------------------------------------------------------------------------


@bp.get("/bank-transfers")
@requires(Permission.BILLS_SUPERVISE)
def desk() -> str:
    """What waits: transfers to be found, refunds to be sent, entries to be confirmed; below, all entries."""
    wanted = parsing.query(EntryQuery)
    return render_template(
        "payments/bank_desk.html",
        transfers=queries.waiting_transfers(),
        refunds=queries.waiting_refunds(),
        page=queries.entries_page(state=wanted["state"], number=wanted["page"]),
        form=Form(EntryQuery(only=("state",)), {"state": wanted["state"] or ""}),
        labels=BANK_ENTRY.labels,
        tones=wording.TONES,
        may_enter=current_actor().may(Permission.BANK_ENTER),
    )


@bp.route("/bank-transfers/new", methods=["GET", "POST"])
@requires(Permission.BANK_ENTER)
def enter() -> BaseResponse | str | tuple[str, int]:
    """Enter money that came in."""
    if request.method == "GET":
        known = {name: request.args[name] for name in ("reference", "gateway") if name in request.args}
        return render_template("payments/bank_enter.html", form=Form(EnterMovementIn(), known), refund=None)
    try:
        entry_id = services.enter_movement(current_actor(), parsing.form(EnterMovementIn))
    except (DomainError, ValidationError) as failure:
        return _again(EnterMovementIn(), failure, None)
    return _entered(entry_id)


@bp.route("/bank-transfers/refunds/<uuid:refund_id>", methods=["GET", "POST"])
@requires(Permission.BANK_ENTER)
def enter_refund(refund_id: UUID) -> BaseResponse | str | tuple[str, int]:
    """Enter that a refund was transferred back."""
    refund = queries.waiting_refund(refund_id)
    if request.method == "GET":
        return render_template("payments/bank_enter.html", form=Form(EnterRefundSentIn()), refund=refund)
    try:
        entry_id = services.enter_refund_sent(current_actor(), refund_id, parsing.form(EnterRefundSentIn))
    except (NotFound, NotAllowed):
        raise
    except (DomainError, ValidationError) as failure:
        return _again(EnterRefundSentIn(), failure, refund)
    return _entered(entry_id)


def _again(
    schema: EnterMovementIn | EnterRefundSentIn,
    failure: DomainError | ValidationError,
    refund: queries.WaitingRefund | None,
) -> tuple[str, int]:
    """The form once more, with what was typed and what is wrong with it."""
    if isinstance(failure, NotAllowed):
        raise failure
    form = Form(schema, parsing.form_values(type(schema)), errors_of(failure))
    status = failure.status if isinstance(failure, DomainError) else 422
    return render_template("payments/bank_enter.html", form=form, refund=refund), status


def _entered(entry_id: UUID) -> BaseResponse:
    flash(_("Entered. Somebody else must confirm it."), "success")
    return redirect(url_for("payments_bank.entry", object_id=entry_id), 303)


@bp.get("/bank-entries/<uuid:object_id>")
@requires(Permission.BILLS_SUPERVISE)
def entry(object_id: UUID) -> str:
    """One line of the statement and the decision about it."""
    actor = current_actor()
    view = queries.entry_page(actor, object_id)
    return render_template(
        "payments/bank_entry.html",
        entry=view,
        label=BANK_ENTRY.labels[BankEntryState(view.state)],
        tones=wording.TONES,
        vouchers=queries.vouchers_of(view.payment_id) if view.payment_id else (),
        is_own=view.entered_by == actor.user_id,
        actions=actions_of(
            BANK_ENTRY,
            view.state,
            view.parts,
            href=f"/bank-entries/{view.id}",
            table=ENTRY_ACTIONS,
            version=view.version,
        ),
    )


register_actions(
    bp, api, machine=BANK_ENTRY, path="/bank-entries/<uuid:object_id>", table=ENTRY_ACTIONS, view=queries.entry_page,
    detail="payments_bank.entry", to_json=entry_json, money=True,
)  # fmt: skip
