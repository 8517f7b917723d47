"""Pages of payments: the counter, a bill, the way to the cashier and back, income and refunds."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.documents import issued_for
from app.kernel import clock, files, work_calendar
from app.kernel.access import Role
from app.kernel.calendar import UnknownYear
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.inbox import once
from app.kernel.timeline import object_entries, thread_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import actions_of, register_actions
from app.web.forms import Form
from app.web.guard import requires, signed_in
from app.web.session import current_actor
from payments import pay_codes, queries, services
from payments.documents import RECEIPT
from payments.policy import Permission
from payments.ports import GatewayError
from payments.queries.counter import due_groups
from payments.states import (
    BILL,
    KIND_LABELS,
    LIVE,
    PAYMENT,
    REFUND,
    UNFINISHED_REFUND,
    BillKind,
    BillState,
    Part,
    PaymentState,
)
from payments.web import wording
from payments.web.actions import BILL_ACTIONS, REFUND_ACTIONS
from payments.web.api import bill_json, refund_page_json
from payments.web.api import bp as api
from payments.web.counter import language, to_cashier
from payments.web.schemas import AskRefundIn, BillQuery, PageQuery, PayFormIn, RefundQuery, pay_form

bp = Blueprint("payments", __name__, template_folder="../templates")

_PAYERS = frozenset({Role.OWNER, Role.AGENCY, Role.APPLICANT, Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})
_WATCHERS = frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})

NAVIGATION = (
    NavigationItem(N_("Payment counter"), "payments.counter", "credit-card", _PAYERS, order=50),
    NavigationItem(N_("Income"), "payments.income", "wallet", frozenset({Role.AGENCY}), order=51),
    NavigationItem(N_("Refunds"), "payments.refunds", "arrow-back-up", _WATCHERS, order=52),
    NavigationItem(N_("Books"), "books.overview", "scale", _WATCHERS, order=53),
)


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"payments_words": wording}


# --- the counter ------------------------------------------------------------------------------------------------------


@bp.get("/bills")
@signed_in
def counter() -> str:
    """All that is due, and what was paid: my bills, those to my agency, or all of them for supervision."""
    actor = current_actor()
    wanted = parsing.query(BillQuery)
    sides = _sides()
    side = wanted["side"] if wanted["side"] in dict(sides) else sides[0][0]
    return render_template(
        "payments/counter.html",
        page=queries.bills_page(actor, state=wanted["state"], side=side, number=wanted["page"]),
        total_due_fen=queries.total_due_fen(actor),
        groups=due_groups(actor) if side == "payer" and wanted["page"] == 1 and not wanted["state"] else (),
        form=Form(BillQuery(only=("state",)), {"state": wanted["state"] or ""}),
        side=side,
        sides=sides,
        labels=BILL.labels,
        kinds=KIND_LABELS,
        tones=wording.TONES,
    )


def _sides() -> tuple[tuple[str, str], ...]:
    actor = current_actor()
    if actor.may(Permission.BILLS_SUPERVISE):
        return (("all", _("All bills")),)
    if actor.has(Role.AGENCY):
        return (("payee", _("Paid to us")), ("payer", _("To be paid by us")))
    return (("payer", _("To be paid by us")),)


@bp.get("/bills/<uuid:object_id>")
@signed_in
def bill(object_id: UUID) -> str:
    """One bill: what happened, what happens next, whose turn; lines, ways to pay, attempts, refunds, timeline."""
    actor = current_actor()
    view = queries.bill_page(actor, object_id)
    is_payer = Part.PAYER in view.parts
    return render_template(
        "payments/bill.html",
        bill=view,
        story=wording.story_of(view),
        state_label=BILL.labels[BillState(view.state)],
        kind_label=KIND_LABELS[BillKind(view.kind)],
        tones=wording.TONES,
        is_payer=is_payer,
        may_ask_refund=view.state in (BillState.PAID, BillState.RELEASED)
        and actor.may(Permission.REFUND_DECIDE)
        and not _refunding(view),
        pay_form=pay_form(view.kind, view.amount_fen, language()) if is_payer else None,
        pay_code=pay_codes.printed(view.pay_code),
        actions=actions_of(
            BILL, view.state, view.parts, href=f"/bills/{view.id}", table=BILL_ACTIONS, version=view.version
        ),
        payment_labels=PAYMENT.labels,
        refund_labels=REFUND.labels,
        documents=issued_for(f"bill:{view.id}"),
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
        days_left=_days_left(view),
    )


def _days_left(view: queries.BillView) -> int | None:
    if view.state != BillState.OPEN:
        return None
    try:
        return work_calendar.current().count_working_days(clock.today(), clock.beijing_day(view.due_at))
    except UnknownYear:
        return None


def _refunding(view: queries.BillView) -> bool:
    return any(r.state in UNFINISHED_REFUND for r in view.refunds)


@bp.post("/bills/<uuid:object_id>/pay")
@signed_in
def pay(object_id: UUID) -> BaseResponse:
    """Start to pay and go to the cashier; where the provider does not answer, to the page that waits for it."""
    actor = current_actor()
    queries.bill_page(actor, object_id)  # 404 for a stranger, whatever was typed
    command = parsing.form(PayFormIn)

    def effect() -> dict[str, Any]:
        return {"payment_id": str(services.start_payment(actor, object_id, command))}

    key = request.form.get("idempotency_key")
    try:
        answer = once(actor, f"bill:{object_id}:pay", key, _typed(), effect) if key else effect()
    except (NotFound, NotAllowed):
        raise
    except DomainError as refusal:
        flash(_(refusal.detail or refusal.title, **refusal.params), "danger")
        return redirect(url_for("payments.bill", object_id=object_id), 303)
    assert answer is not None
    return to_cashier(UUID(answer["payment_id"]))


def _typed() -> dict[str, Any]:
    """What was sent, without the token that belongs to the form and not to the request."""
    return {name: value for name, value in request.form.items() if name != "csrf_token"}


@bp.get("/bills/<uuid:object_id>/receipt")
@signed_in
def receipt(object_id: UUID) -> Response:
    """The receipt of a paid bill as PDF."""
    view = queries.bill_page(current_actor(), object_id)
    paper = next((paper for paper in issued_for(f"bill:{view.id}") if paper.kind == RECEIPT), None)
    if paper is None:
        raise NotFound
    return files.send(paper.file_id)


# --- back from the cashier --------------------------------------------------------------------------------------------


@bp.get("/pay/return/<uuid:payment_id>")
@signed_in
def returned(payment_id: UUID) -> str:
    """Where the cashier sends the payer back to. The address proves nothing: the provider is asked."""
    return render_template("payments/returned.html", **_progress(payment_id))


@bp.get("/pay/return/<uuid:payment_id>/progress")
@signed_in
def progress(payment_id: UUID) -> str:
    """The part of that page that asks again until the provider has said how it ended."""
    return render_template("payments/progress.html", **_progress(payment_id))


def _progress(payment_id: UUID) -> dict[str, Any]:
    actor = current_actor()
    queries.payment_page(actor, payment_id)
    try:
        services.sync_payment(payment_id)
        answers = True
    except GatewayError:
        answers = False
    view, payment = queries.payment_page(actor, payment_id)
    return {
        "bill": view,
        "payment": payment,
        "answers": answers,
        "waiting": payment.state in LIVE,
        "label": PAYMENT.labels[PaymentState(payment.state)],
        "tones": wording.TONES,
        "is_payer": Part.PAYER in view.parts,
        "documents": issued_for(f"bill:{view.id}"),
    }


@bp.post("/pay/<uuid:payment_id>/refresh")
@signed_in
def refresh(payment_id: UUID) -> BaseResponse:
    """Ask the provider now."""
    view, _payment = queries.payment_page(current_actor(), payment_id)
    try:
        services.sync_payment(payment_id)
    except GatewayError:
        flash(_(services.GatewayUnreachable.title), "warning")
    else:
        flash(_("The provider was asked; below is its answer."), "success")
    return redirect(url_for("payments.bill", object_id=view.id), 303)


@bp.post("/pay/<uuid:payment_id>/cancel")
@signed_in
def cancel(payment_id: UUID) -> BaseResponse:
    """Give an attempt up, so that the bill can be paid in another way."""
    actor = current_actor()
    view, _payment = queries.payment_page(actor, payment_id)
    try:
        ended = services.cancel_payment(actor, payment_id)
    except (NotFound, NotAllowed):
        raise
    except DomainError as refusal:
        flash(_(refusal.detail or refusal.title, **refusal.params), "warning")
    else:
        paid = ended is PaymentState.SUCCEEDED
        flash(_("This attempt had already succeeded; the bill is paid.") if paid else _("The attempt was cancelled."),
              "success")  # fmt: skip
    return redirect(url_for("payments.bill", object_id=view.id), 303)


# --- refunds ----------------------------------------------------------------------------------------------------------


@bp.get("/refunds")
@requires(Permission.BILLS_SUPERVISE)
def refunds() -> str:
    """All refunds, those that wait for a decision first to be seen."""
    wanted = parsing.query(RefundQuery)
    return render_template(
        "payments/refunds.html",
        page=queries.refunds_page(state=wanted["state"], number=wanted["page"]),
        form=Form(RefundQuery(only=("state",)), {"state": wanted["state"] or ""}),
        labels=REFUND.labels,
        tones=wording.TONES,
    )


@bp.get("/refunds/<uuid:object_id>")
@signed_in
def refund(object_id: UUID) -> str:
    """One refund and the decision about it."""
    actor = current_actor()
    view = queries.refund_page(actor, object_id)
    return render_template(
        "payments/refund.html",
        refund=view,
        label=REFUND.labels[view.state],  # type: ignore[index]
        tones=wording.TONES,
        actions=actions_of(
            REFUND, view.state, view.parts, href=f"/refunds/{view.id}", table=REFUND_ACTIONS, version=view.version
        ),
        is_own=view.requested_by is not None and view.requested_by == actor.user_id,
        entries=tuple(reversed(object_entries("refund", view.id, actor))),
    )


@bp.route("/bills/<uuid:object_id>/refund", methods=["GET", "POST"])
@requires(Permission.REFUND_DECIDE)
def ask_refund(object_id: UUID) -> BaseResponse | str:
    """Ask for the money of a paid bill to go back; somebody else approves."""
    actor = current_actor()
    view = queries.bill_page(actor, object_id)
    if request.method == "GET":
        return render_template("payments/ask_refund.html", bill=view, form=Form(AskRefundIn()))
    wanted = parsing.form(AskRefundIn)

    def effect() -> dict[str, Any]:
        return {"refund_id": str(services.refund(actor, object_id, wanted["reason"], wanted["amount_fen"]))}

    key = request.form.get("idempotency_key")
    answer = once(actor, f"bill:{object_id}:refund", key, _typed(), effect) if key else effect()
    assert answer is not None
    flash(_("The refund was asked for. Somebody else must approve it."), "success")
    return redirect(url_for("payments.refund", object_id=answer["refund_id"]), 303)


# --- money of an agency --------------------------------------------------------------------------------


@bp.get("/income")
@requires(Permission.INCOME_READ)
def income() -> str:
    """The agency's balance, what is held and due, its statement and its bills."""
    actor = current_actor()
    assert actor.organisation_id is not None, "the permission belongs to a membership"
    number = parsing.query(PageQuery)["page"]
    return render_template(
        "payments/income.html",
        income=queries.income_of(actor.organisation_id),
        statement=queries.statement_page(f"payable:{actor.organisation_id}", number),
        held=queries.bills_page(actor, state=BillState.PAID, side="payee"),
        labels=BILL.labels,
        tones=wording.TONES,
    )


register_actions(
    bp, api, machine=BILL, path="/bills/<uuid:object_id>", table=BILL_ACTIONS, view=queries.bill_page,
    detail="payments.bill", to_json=bill_json, money=True,
)  # fmt: skip
register_actions(
    bp, api, machine=REFUND, path="/refunds/<uuid:object_id>", table=REFUND_ACTIONS, view=queries.refund_page,
    detail="payments.refund", to_json=refund_page_json, money=True,
)  # fmt: skip
