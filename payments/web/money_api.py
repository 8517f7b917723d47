"""Money that leaves as JSON. Amounts are integer fen, instants UTC; account numbers are never told."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from payments import queries
from payments.policy import Permission
from payments.queries import agency_money, disputes
from payments.queries.agency_money import BankAccountView, MoneyView, PayoutView
from payments.queries.agency_statements import agency_statement
from payments.queries.disputes import DisputeView, TaxPaperView
from payments.web.money_schemas import BankAccountQuery, DisputeQuery, PayoutQuery

bp = Blueprint("payments_money_api", __name__, url_prefix="/api")


@bp.get("/agency-money/<uuid:object_id>")
@signed_in
@operation(N_("Read an agency's money"), tag="payouts")
def read_money(object_id: UUID) -> Response:
    """Balance, debt, what is frozen and on its way, and the accounts."""
    return jsonify(money_json(agency_money.money_page(current_actor(), object_id)))


@bp.get("/agency-money/<uuid:object_id>/statements/<month>")
@signed_in
@operation(N_("Read an agency's statement of a month"), tag="payouts")
def read_statement(object_id: UUID, month: str) -> Response:
    """Opening and closing balance, sums by kind, and every movement."""
    agency_money.money_page(current_actor(), object_id)
    try:
        found = agency_statement(object_id, date.fromisoformat(f"{month}-01"))
    except ValueError as wrong:
        raise NotFound from wrong
    return jsonify(
        month=month,
        opening_fen=found.opening_fen,
        releases_fen=found.total("release"),
        fees_fen=found.fees_fen,
        refunds_fen=found.total("refund"),
        disputes_fen=found.total("dispute"),
        payouts_fen=found.total("payout"),
        other_fen=found.other_fen,
        closing_fen=found.closing_fen,
        lines=[
            {
                "at": _at(line.at),
                "kind": line.kind,
                "memo": line.memo,
                "amount_fen": line.amount_fen,
                "fee_fen": line.fee_fen,
                "balance_fen": line.balance_fen,
            }
            for line in found.lines
        ],
    )


@bp.get("/payouts")
@requires(Permission.BILLS_SUPERVISE, Permission.INCOME_READ)
@operation(N_("List payouts"), query=PayoutQuery, tag="payouts")
def list_payouts() -> Response:
    """A page of payouts: my agency's, or all of them for those who watch."""
    actor = current_actor()
    wanted = parsing.query(PayoutQuery)
    of = None if actor.may(Permission.BILLS_SUPERVISE) else actor.organisation_id
    page = agency_money.payouts_page(organisation_id=of, state=wanted["state"], number=wanted["page"])
    return page_answer(page, [payout_json(p) for p in page.items])


@bp.get("/payouts/<uuid:object_id>")
@signed_in
@operation(N_("Read a payout"), tag="payouts")
def read_payout(object_id: UUID) -> Response:
    """One payout."""
    return jsonify(payout_json(agency_money.payout_page(current_actor(), object_id)))


@bp.get("/bank-accounts")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("List agencies' bank accounts"), query=BankAccountQuery, tag="payouts")
def list_accounts() -> Response:
    """A page of all accounts, with masked numbers."""
    wanted = parsing.query(BankAccountQuery)
    page = agency_money.bank_accounts_page(state=wanted["state"], number=wanted["page"])
    return page_answer(page, [account_json(a) for a in page.items])


@bp.get("/bank-accounts/<uuid:object_id>")
@signed_in
@operation(N_("Read a bank account"), tag="payouts")
def read_account(object_id: UUID) -> Response:
    """One account, with its masked number."""
    return jsonify(account_json(agency_money.bank_account_page(current_actor(), object_id)))


@bp.get("/disputes")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("List disputed payments"), query=DisputeQuery, tag="disputes")
def list_disputes() -> Response:
    """A page of all disputes."""
    wanted = parsing.query(DisputeQuery)
    page = disputes.disputes_page(state=wanted["state"], number=wanted["page"])
    return page_answer(page, [dispute_json(d) for d in page.items])


@bp.get("/disputes/<uuid:object_id>")
@signed_in
@operation(N_("Read a disputed payment"), tag="disputes")
def read_dispute(object_id: UUID) -> Response:
    """One dispute with its evidence."""
    return jsonify(dispute_json(disputes.dispute_page(current_actor(), object_id)))


@bp.get("/bills/<uuid:object_id>/papers")
@signed_in
@operation(N_("List the tax papers of a bill"), tag="bills")
def list_papers(object_id: UUID) -> Response:
    """Invoices, corrections and fiscal receipts recorded against a bill."""
    view = queries.bill_page(current_actor(), object_id)
    return jsonify(items=[_paper_json(one) for one in disputes.tax_papers_of(view.id)])


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def money_json(view: MoneyView) -> dict[str, Any]:
    """An agency's money as the API answers it."""
    return {
        "organisation_id": str(view.organisation_id),
        "agency": view.agency_name,
        "balance_fen": view.balance.payable_fen,
        "frozen_fen": view.balance.frozen_fen,
        "owed_fen": view.balance.owed_fen,
        "on_its_way_fen": view.balance.on_its_way_fen,
        "blocked": view.balance.block,
        "accounts": [account_json(one) for one in view.accounts],
    }


def payout_json(view: PayoutView) -> dict[str, Any]:
    """A payout as the API answers it."""
    return {
        "id": str(view.id),
        "number": view.number,
        "agency": view.agency_name,
        "account": view.account,
        "amount_fen": view.amount_fen,
        "state": view.state,
        "by_calendar": view.scheduled,
        "requested_at": _at(view.requested_at),
        "arrived_at": _at(view.arrived_at),
        "problem": view.problem,
        "by_bank_transfer": view.by_hand,
        "version": view.version,
    }


def account_json(view: BankAccountView) -> dict[str, Any]:
    """A bank account as the API answers it."""
    return {
        "id": str(view.id),
        "agency": view.agency_name,
        "holder_name": view.holder_name,
        "bank_name": view.bank_name,
        "number": view.masked,
        "state": view.state,
        "entered_at": _at(view.entered_at),
        "usable_at": _at(view.usable_at),
        "by_bank_transfer": view.by_transfer,
        "version": view.version,
    }


def dispute_json(view: DisputeView) -> dict[str, Any]:
    """A dispute as the API answers it."""
    return {
        "id": str(view.id),
        "bill_id": str(view.bill_id),
        "bill_number": view.bill_number,
        "amount_fen": view.amount_fen,
        "reason": view.reason,
        "state": view.state,
        "due_by": _at(view.due_by),
        "answered_at": _at(view.answered_at),
        "loss_settled": view.loss_settled,
        "evidence": [{"name": e.name, "sha256": e.sha256} for e in view.evidence],
        "version": view.version,
    }


def _paper_json(view: TaxPaperView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "kind": view.kind,
        "code": view.code,
        "number": view.number,
        "issued_on": view.issued_on.isoformat(),
        "amount_fen": view.amount_fen,
        "is_undone": view.is_undone,
        "corrects": str(view.corrects_id) if view.corrects_id else None,
    }
