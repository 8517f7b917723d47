"""Pages of money that leaves: an agency's balance, account, payouts and statements; the operator's queues; disputes; papers."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template
from flask_babel import gettext as _

from app.documents import issued_for
from app.kernel import clock, files
from app.kernel.access import Role
from app.kernel.errors import NotFound
from app.kernel.money import Money
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import Action, action_link, register_actions
from app.web.forms import Form
from app.web.guard import requires, signed_in
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from payments import agency_documents, queries
from payments.late_payment import LatePayment, late_payment
from payments.outgoing_states import BANK_ACCOUNT, PAYMENT_DISPUTE, PAYOUT, DisputeState
from payments.policy import Permission
from payments.queries import agency_money, disputes, held
from payments.queries.agency_statements import agency_statement, first_movement
from payments.services import bank_accounts as accounts
from payments.services import disputes as dispute_services
from payments.services import hand_payouts, payouts
from payments.services.tax_papers import record_tax_paper
from payments.states import BillKind, BillState, Part
from payments.terms import terms
from payments.transfer_order import transfer_order_pdf
from payments.web import money_wording as words
from payments.web.api import bill_json
from payments.web.bank_money_schemas import BecauseIn, NotePayoutBackIn, NoteTransferIn
from payments.web.money_api import account_json, dispute_json, money_json, payout_json
from payments.web.money_api import bp as api
from payments.web.money_schemas import (
    AnswerDisputeIn,
    AskPayoutIn,
    BankAccountIn,
    BankAccountQuery,
    DecideBankAccountIn,
    DecidePayoutIn,
    DisputeQuery,
    EvidenceIn,
    PayoutQuery,
    RejectBankAccountIn,
    RejectPayoutIn,
    SettleLossIn,
    TaxPaperIn,
)
from payments.web.schemas import PageQuery

bp = Blueprint("payments_money", __name__, template_folder="../templates")

_WATCHERS = frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})
NAVIGATION = (
    NavigationItem(
        N_("Payouts and account"), "payments_money.own", "building-bank", frozenset({Role.AGENCY}), order=52
    ),
    NavigationItem(N_("Payouts"), "payments_money.payout_queue", "cash", _WATCHERS, order=53),
    NavigationItem(N_("Agencies' accounts"), "payments_money.account_queue", "building-bank", _WATCHERS, order=54),
    NavigationItem(N_("Disputed payments"), "payments_money.dispute_queue", "alert-triangle", _WATCHERS, order=55),
)

MONEY_ACTIONS = {
    "payout": Action(
        payouts.ask_payout, AskPayoutIn, label=N_("Ask for a payout"),
        explain=N_("The amount is set apart at once. An operator approves it, then it goes to your bank account."),
        done=N_("Asked for. An operator approves it."),
    ),
    "account": Action(
        lambda actor, _agency, command: accounts.enter_bank_account(actor, command), BankAccountIn,
        label=N_("Enter a bank account"),
        explain=N_("Two operators check it, then a cooling-off time runs. Nothing is paid out until the account is in use, and all of your colleagues are told."),
        done=N_("Entered. Two operators check it."),
    ),
}  # fmt: skip
PAYOUT_ACTIONS = {
    "approve": Action(payouts.approve_payout, DecidePayoutIn, done=N_("Approved.")),
    "reject": Action(
        payouts.reject_payout, RejectPayoutIn, explain=N_("The money is the agency's balance again."), danger=True
    ),
    "order": Action(
        hand_payouts.order_transfer,
        explain=N_("From now on somebody may be at the bank with it. The paper shows the whole account number."),
        done=N_("Issued. Print it, have it carried out, and enter the bank's voucher."),
    ),
    "recall_order": Action(
        hand_payouts.recall_order, BecauseIn, danger=True,
        explain=N_("Only when nobody has carried the order out and its paper is destroyed."),
    ),
    "note_transfer": Action(
        hand_payouts.note_transfer, NoteTransferIn,
        explain=N_("The line of the statement by which the money left. Somebody else confirms it; only then it leaves the books."),
        done=N_("Entered. Somebody else must confirm it."),
    ),
    "note_payout_back": Action(
        hand_payouts.note_payout_back, NotePayoutBackIn, label=N_("Enter that it came back"),
        explain=N_("The line of the statement by which the agency's bank sent the money back. Somebody else confirms it."),
        done=N_("Entered. Somebody else must confirm it."),
    ),
}  # fmt: skip
ACCOUNT_ACTIONS = {
    "check": Action(
        accounts.check_bank_account, DecideBankAccountIn, done=N_("Checked. Another operator confirms it.")
    ),
    "confirm": Action(
        accounts.confirm_bank_account, DecideBankAccountIn, done=N_("Confirmed. The cooling-off time runs.")
    ),
    "reject": Action(accounts.reject_bank_account, RejectBankAccountIn, danger=True),
    "withdraw": Action(
        accounts.withdraw_bank_account, explain=N_("The account in use before stays in use."), danger=True
    ),
    "pay_by_transfer": Action(
        hand_payouts.pay_by_transfer, BecauseIn, label=N_("Pay it by bank transfer"),
        explain=N_("For an account that the payment provider cannot pay. Payouts become transfer orders that two persons confirm."),
    ),
    "pay_by_provider": Action(hand_payouts.pay_by_provider, BecauseIn, label=N_("Let the provider pay it again")),
}  # fmt: skip
DISPUTE_ACTIONS = {
    "answer": Action(
        dispute_services.answer_dispute, AnswerDisputeIn, label=N_("Answer the dispute"),
        explain=N_("The answer goes to the payer's bank and cannot be changed afterwards."),
        done=N_("Answered. The payer's bank decides."),
    ),
    "evidence": Action(dispute_services.add_evidence, EvidenceIn, label=N_("Add a file"), done=N_("Added.")),
    "settle_loss": Action(
        dispute_services.settle_loss, SettleLossIn, label=N_("Settle the loss"),
        explain=N_("The frozen money bears the loss, or the platform does. This cannot be taken back."), danger=True,
    ),
}  # fmt: skip
PAPER_ACTIONS = {
    "record": Action(
        record_tax_paper, TaxPaperIn, label=N_("Record an invoice"),
        explain=N_("The paper was issued elsewhere; here its number, amount and file are kept for both sides."),
        done=N_("The paper is recorded."), prefill=lambda actor, bill_id: words.paper_values(queries.bill_page(actor, bill_id)),
    ),
    "correct": Action(
        record_tax_paper, TaxPaperIn, label=N_("Record a red-letter invoice"),
        explain=N_("It undoes the invoice that is not corrected yet, with the same amount."),
        done=N_("The paper is recorded."), prefill=lambda actor, bill_id: words.correction_values(queries.bill_page(actor, bill_id)),
    ),
}  # fmt: skip


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"money_words": words}


# --- the agency -------------------------------------------------------------------------------------------------------


@bp.get("/agency-money")
@requires(Permission.INCOME_READ)
def own() -> str:
    """My agency's balance, account and payouts."""
    organisation_id = current_actor().organisation_id
    assert organisation_id is not None, "the permission belongs to a membership"
    return _agency_page(organisation_id)


@bp.get("/agency-money/<uuid:object_id>")
@signed_in
def agency(object_id: UUID) -> str:
    """The money of one agency, for itself and those who watch."""
    return _agency_page(object_id)


def _agency_page(organisation_id: UUID) -> str:
    actor = current_actor()
    view = agency_money.money_page(actor, organisation_id)
    number = parsing.query(PageQuery)["page"]
    return render_template(
        "payments/agency_money.html",
        view_money=view,
        page=agency_money.payouts_page(organisation_id=organisation_id, state=None, number=number),
        months=words.months(clock.today(), first_movement(organisation_id)),
        payout_labels=PAYOUT.labels,
        account_labels=BANK_ACCOUNT.labels,
        tones=words.TONES,
        actions=words.money_actions(actor, view, MONEY_ACTIONS),
        is_own=Part.PAYEE in view.parts,
    )


@bp.get("/agency-money/account")
@requires(Permission.INCOME_READ)
def own_account() -> str:
    """Where notices about the account lead: my agency's page."""
    return own()


@bp.get("/agency-money/<uuid:object_id>/statements/<month>")
@signed_in
def statement(object_id: UUID, month: str) -> str:
    """The statement of a month, to be read or printed."""
    view = agency_money.money_page(current_actor(), object_id)
    return render_template(
        "payments/agency_statement.html",
        view_money=view,
        statement=agency_statement(object_id, _month(month)),
        is_over=_is_over(month),
        kinds=agency_documents.KIND_WORDS,
    )


@bp.get("/agency-money/<uuid:object_id>/statements/<month>.csv")
@signed_in
def statement_csv(object_id: UUID, month: str) -> Response:
    """The same as CSV."""
    agency_money.money_page(current_actor(), object_id)
    found = agency_statement(object_id, _month(month))
    rows = [["", _("Opening balance"), "", "", "", Money(found.opening_fen).yuan]]
    for line in found.lines:
        received, paid = max(line.amount_fen, 0), max(-line.amount_fen, 0)
        rows.append([clock.beijing_day(line.at).isoformat(), words.kind_text(line.kind), line.memo,
                     Money(received).yuan, Money(paid).yuan, Money(line.balance_fen).yuan])  # fmt: skip
    rows.append(["", _("Closing balance"), "", "", "", Money(found.closing_fen).yuan])
    columns = (N_("Day"), N_("Kind"), N_("What for"), N_("Received"), N_("Paid"), N_("Balance"))
    return csv_answer(f"statement-{month}.csv", columns, rows)


@bp.get("/agency-money/<uuid:object_id>/statements/<month>.pdf")
@signed_in
def statement_paper(object_id: UUID, month: str) -> Response:
    """The numbered paper of a month that is over, with its check code."""
    agency_money.money_page(current_actor(), object_id)
    if not _is_over(month):
        raise NotFound
    papers = issued_for(agency_documents.statement_subject(object_id, _month(month)))
    if not papers:
        raise NotFound
    return files.send(papers[0].file_id)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as wrong:
        raise NotFound from wrong


def _is_over(month: str) -> bool:
    return _month(month) < clock.today().replace(day=1)


# --- payouts ----------------------------------------------------------------------------------------------------------


@bp.get("/payouts")
@requires(Permission.BILLS_SUPERVISE)
def payout_queue() -> str:
    """All payouts, the newest first."""
    wanted = parsing.query(PayoutQuery)
    return render_template(
        "payments/payouts.html",
        page=agency_money.payouts_page(organisation_id=None, state=wanted["state"], number=wanted["page"]),
        form=Form(PayoutQuery(only=("state",)), {"state": wanted["state"] or ""}),
        labels=PAYOUT.labels,
        tones=words.TONES,
    )


@bp.get("/payouts/<uuid:object_id>")
@signed_in
def payout(object_id: UUID) -> str:
    """One payout and the decision about it."""
    actor = current_actor()
    view = agency_money.payout_page(actor, object_id)
    mine = actor.user_id is not None and actor.user_id in (view.requested_by, view.first_approved_by)
    return render_template(
        "payments/payout.html",
        payout=view,
        label=PAYOUT.labels[view.state],  # type: ignore[index]
        tones=words.TONES,
        is_own=mine,
        actions=words.payout_actions(view, PAYOUT_ACTIONS),
        may_print=view.by_hand and view.state in ("submitted", "in_transit") and actor.may(Permission.PAYOUT_DECIDE),
        papers=issued_for(f"payout:{view.id}"),
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )


@bp.get("/payouts/<uuid:object_id>/order.pdf")
@requires(Permission.PAYOUT_DECIDE)
def transfer_order(object_id: UUID) -> Response:
    """The transfer order for the bank. It is made anew each time and kept nowhere: it shows the whole account number."""
    paper = hand_payouts.read_order(current_actor(), object_id)
    headers = {"Content-Disposition": f'inline; filename="{paper.number}.pdf"', "Cache-Control": "no-store"}
    return Response(transfer_order_pdf(paper), mimetype="application/pdf", headers=headers)


@bp.get("/payouts/<uuid:object_id>/advice")
@signed_in
def payout_advice(object_id: UUID) -> Response:
    """The numbered advice of a payout that arrived."""
    return _paper(f"payout:{agency_money.payout_page(current_actor(), object_id).id}")


@bp.get("/refunds/<uuid:object_id>/receipt")
@signed_in
def refund_receipt(object_id: UUID) -> Response:
    """The numbered receipt of a refund that succeeded."""
    return _paper(f"refund:{queries.refund_page(current_actor(), object_id).id}")


def _paper(subject: str) -> Response:
    papers = issued_for(subject)
    if not papers:
        raise NotFound
    return files.send(papers[-1].file_id)


# --- bank accounts ----------------------------------------------------------------------------------------------------


@bp.get("/bank-accounts")
@requires(Permission.BILLS_SUPERVISE)
def account_queue() -> str:
    """Accounts of all agencies, the newest first."""
    wanted = parsing.query(BankAccountQuery)
    return render_template(
        "payments/bank_accounts.html",
        page=agency_money.bank_accounts_page(state=wanted["state"], number=wanted["page"]),
        form=Form(BankAccountQuery(only=("state",)), {"state": wanted["state"] or ""}),
        labels=BANK_ACCOUNT.labels,
        tones=words.TONES,
    )


@bp.get("/bank-accounts/<uuid:object_id>")
@signed_in
def account(object_id: UUID) -> str:
    """One account: who entered it, what proves it, and the next step."""
    actor = current_actor()
    view = agency_money.bank_account_page(actor, object_id)
    return render_template(
        "payments/bank_account.html",
        account=view,
        label=BANK_ACCOUNT.labels[view.state],  # type: ignore[index]
        next_step=BANK_ACCOUNT.next_step.get(view.state),  # type: ignore[call-overload]
        tones=words.TONES,
        is_checker=view.checked_by is not None and view.checked_by == actor.user_id,
        actions=words.account_actions(actor, view, ACCOUNT_ACTIONS),
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )  # fmt: skip


@bp.get("/bank-accounts/<uuid:object_id>/proof")
@signed_in
def account_proof(object_id: UUID) -> Response:
    """What proves an account, as it was uploaded."""
    return files.send(agency_money.bank_account_page(current_actor(), object_id).proof_file_id)


# --- disputes ---------------------------------------------------------------------------------------------------------


@bp.get("/disputes")
@requires(Permission.BILLS_SUPERVISE)
def dispute_queue() -> str:
    """Disputes of payers' banks, those that must be answered first."""
    wanted = parsing.query(DisputeQuery)
    return render_template(
        "payments/disputes.html",
        page=disputes.disputes_page(state=wanted["state"], number=wanted["page"]),
        form=Form(DisputeQuery(only=("state",)), {"state": wanted["state"] or ""}),
        labels=PAYMENT_DISPUTE.labels,
        tones=words.TONES,
    )


@bp.get("/disputes/<uuid:object_id>")
@signed_in
def dispute(object_id: UUID) -> str:
    """One dispute: what is frozen, until when we answer, our evidence and the decision."""
    actor = current_actor()
    view = disputes.dispute_page(actor, object_id)
    state = DisputeState(view.state)
    return render_template(
        "payments/dispute.html",
        dispute=view,
        label=PAYMENT_DISPUTE.labels[state],
        next_step=PAYMENT_DISPUTE.next_step.get(state),
        tones=words.TONES,
        actions=words.dispute_actions(actor, view, DISPUTE_ACTIONS),
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )


@bp.get("/disputes/<uuid:object_id>/evidence/<uuid:evidence_id>")
@signed_in
def dispute_evidence(object_id: UUID, evidence_id: UUID) -> Response:
    """A file of our answer."""
    view = disputes.dispute_page(current_actor(), object_id)
    found = next((one for one in view.evidence if one.id == evidence_id), None)
    if found is None:
        raise NotFound
    return files.send(found.file_id)


# --- tax papers -------------------------------------------------------------------------------------------------------


@bp.get("/bills/<uuid:object_id>/papers/<uuid:paper_id>")
@signed_in
def tax_paper(object_id: UUID, paper_id: UUID) -> Response:
    """The file of an invoice or a fiscal receipt, for both sides of the bill."""
    view = queries.bill_page(current_actor(), object_id)
    found = next((one for one in disputes.tax_papers_of(view.id) if one.id == paper_id), None)
    if found is None or found.file_id is None:
        raise NotFound
    return files.send(found.file_id)


@bp.app_template_global()
def papers_of_bill(view: queries.BillView) -> dict[str, Any]:
    """What the page of a bill shows of tax papers: the records, and what the reader may record."""
    actor = current_actor()
    papers = disputes.tax_papers_of(view.id)
    is_fiscal = view.kind == BillKind.STATUTORY_FEE
    part = Part.OPERATOR if is_fiscal else Part.PAYEE
    may = actor.may(Permission.INVOICE_RECORD) and part in view.parts and view.paid_at is not None
    names = ["record"] if may and view.kind != BillKind.COURIER_FEE else []
    if may and any(one.kind == "invoice" and not one.is_undone for one in papers):
        names.append("correct")
    href = f"/bills/{view.id}/papers"
    return {"papers": papers, "actions": [action_link(href, name, PAPER_ACTIONS[name]) for name in names]}


@bp.app_template_global()
def money_of_bill(view: queries.BillView) -> dict[str, Any]:
    """What the page of a bill shows of held money, its parts and freezes, and of interest when it is late."""
    rate = terms(clock.beijing_day(view.opened_at)).late_interest_bp
    is_held = view.kind == BillKind.SERVICE_FEE and view.paid_at is not None
    return {
        "money": held.standing_of(view.id) if is_held else None,
        "releases": held.releases_of(view.id) if is_held else (),
        "freezes": held.freezes_of(view.id) if is_held else (),
        "late": _late(view, rate),
        "rate": rate,
    }


def _late(view: queries.BillView, rate: int) -> LatePayment:
    if view.kind != BillKind.SERVICE_FEE or view.state == BillState.VOID:
        return LatePayment(0, 0)
    paid_on = clock.beijing_day(view.paid_at) if view.paid_at else None
    return late_payment(view.amount_fen, clock.beijing_day(view.due_at), paid_on, clock.today(), rate)


register_actions(
    bp, api, path="/agency-money/<uuid:object_id>", table=MONEY_ACTIONS, view=agency_money.money_page,
    detail="payments_money.agency", to_json=money_json, money=True, name="agency_money",
)  # fmt: skip
register_actions(
    bp, api, machine=PAYOUT, path="/payouts/<uuid:object_id>", table=PAYOUT_ACTIONS, view=agency_money.payout_page,
    detail="payments_money.payout", to_json=payout_json, money=True,
)  # fmt: skip
register_actions(
    bp, api, machine=BANK_ACCOUNT, path="/bank-accounts/<uuid:object_id>", table=ACCOUNT_ACTIONS,
    view=agency_money.bank_account_page, detail="payments_money.account", to_json=account_json, money=True,
)  # fmt: skip
register_actions(
    bp, api, machine=PAYMENT_DISPUTE, path="/disputes/<uuid:object_id>", table=DISPUTE_ACTIONS,
    view=disputes.dispute_page, detail="payments_money.dispute", to_json=dispute_json, money=True,
)  # fmt: skip
register_actions(
    bp, api, path="/bills/<uuid:object_id>/papers", table=PAPER_ACTIONS, view=queries.bill_page, detail="payments.bill",
    to_json=bill_json, money=True, name="tax_paper",
)  # fmt: skip
