"""Words and choices of the pages about money that leaves."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.money import Money
from app.web.actions import Action, ActionView, action_link, actions_of
from payments.models.tax_papers import TAX_PAPER_LABELS, TaxPaperKind
from payments.outgoing_states import BANK_ACCOUNT, PAYOUT, BankAccountState, DisputeState, PayoutState
from payments.policy import Permission
from payments.queries import BillView
from payments.queries.agency_money import BankAccountView, MoneyView, PayoutView
from payments.queries.disputes import DisputeView, tax_papers_of
from payments.services.payout_steps import BLOCKED
from payments.states import BillKind, Part


def _(message: str) -> str:
    return str(gettext(message))


TONES = {
    PayoutState.REQUESTED: "waiting", PayoutState.APPROVED: "active", PayoutState.SUBMITTED: "active",
    PayoutState.IN_TRANSIT: "active", PayoutState.PAID: "success", PayoutState.FAILED: "danger",
    PayoutState.REVERSED: "warning", PayoutState.REJECTED: "neutral",
    BankAccountState.ENTERED: "waiting", BankAccountState.CHECKED: "waiting", BankAccountState.COOLING: "active",
    BankAccountState.ACTIVE: "success", BankAccountState.REPLACED: "neutral", BankAccountState.WITHDRAWN: "neutral",
    DisputeState.NEEDS_RESPONSE: "danger", DisputeState.UNDER_REVIEW: "active", DisputeState.WON: "success",
    DisputeState.LOST: "danger",
}  # fmt: skip


def block_text(block: str | None) -> str | None:
    """Why nothing is paid out now, in words that say what to do."""
    return next((_(text) for known, text in BLOCKED.items() if known == block), None)


def problem_text(problem: str | None) -> str | None:
    """Why a payout waits or failed, in words that say what happens next."""
    if problem is None:
        return None
    return {
        "not-settled": _("The money of the payers has not settled at the payment provider yet. It is tried again by itself."),
        "not-settled-there": _("The money has not settled in the agency's account yet. It is tried again by itself."),
        "account-unknown": _("The payment provider does not know the bank account yet. It is tried again by itself."),
        "account-changing": _("The bank account is being changed. Nothing is paid out until the new one is in use."),
        "frozen": _("A dispute has frozen money of this balance. Nothing is paid out until it is settled."),
        "no-account": _("There is no bank account in use. Enter one first."),
        "not-called-back": _("The bank sent the money back and it could not be fetched yet. Please look after it."),
        "never-arrived": _("The payment provider never received it. It is sent again."),
        "returned-by-bank": _("The agency's bank sent the money back."),
        "account_closed": _("The bank account is closed."),
        "no_account": _("The bank does not know this account."),
    }.get(problem, _("The bank did not take the payout."))  # fmt: skip


def kind_text(kind: str) -> str:
    """What a movement of an agency's money is."""
    return {
        "release": _("Held money released"), "withhold": _("Debt withheld"), "refund-hold": _("Taken back for a refund"),
        "refund-debt": _("Taken back for a refund"), "refund-unhold": _("Refund taken back"),
        "transfer_reversal": _("Transfer called back"), "dispute_recovered": _("Loss of a dispute"),
        "payout-hold": _("Payout"), "payout-unhold": _("Payout came back"),
    }.get(kind, kind)  # fmt: skip


def reason_text(reason: str) -> str:
    """Why a payer's bank disputes, by the provider's code."""
    return {
        "fraudulent": _("The payer says that it did not pay this"),
        "product_not_received": _("The payer says that nothing was delivered"),
        "product_unacceptable": _("The payer says that the service was not as agreed"),
        "duplicate": _("The payer says that it paid twice"),
        "credit_not_processed": _("The payer says that a refund did not come"),
    }.get(reason, _("General reason"))  # fmt: skip


def paper_text(kind: str) -> str:
    """The name of a tax paper."""
    return _(TAX_PAPER_LABELS[TaxPaperKind(kind)])


def months(today: date, first: date | None) -> list[str]:
    """The months from that of the first movement to the present one, which comes first, as statements are asked for."""
    found, day = [f"{today:%Y-%m}"], today.replace(day=1)
    while first is not None and day > first:
        day = (day - timedelta(days=1)).replace(day=1)
        found.append(f"{day:%Y-%m}")
    return found


def money_actions(actor: Actor, view: MoneyView, table: Mapping[str, Action]) -> list[ActionView]:
    """What somebody may do about an agency's money now."""
    href = f"/agency-money/{view.organisation_id}"
    names = []
    is_own = Part.PAYEE in view.parts
    may_ask = (is_own and actor.may(Permission.PAYOUT_ASK)) or actor.may(Permission.PAYOUT_DECIDE)
    if may_ask and view.balance.block is None and view.balance.payable_fen > 0:
        names.append("payout")
    if is_own and actor.may(Permission.BANK_ACCOUNT_ENTER) and view.changing is None:
        names.append("account")
    return [action_link(href, name, table[name], primary=name == "payout") for name in names]


def dispute_actions(actor: Actor, view: DisputeView, table: Mapping[str, Action]) -> list[ActionView]:
    """What somebody may do about a dispute now."""
    if not actor.may(Permission.DISPUTE_ANSWER):
        return []
    names = []
    if view.state == DisputeState.NEEDS_RESPONSE and view.answered_at is None:
        names += ["answer", "evidence"]
    if view.state == DisputeState.LOST and view.loss_settled is None:
        names.append("settle_loss")
    return [
        action_link(f"/disputes/{view.id}", n, table[n], primary=n == "answer", version=view.version) for n in names
    ]


def paper_values(bill: BillView) -> dict[str, Any]:
    """First values of the form that records a paper."""
    kind = TaxPaperKind.FISCAL_RECEIPT if bill.kind == BillKind.STATUTORY_FEE else TaxPaperKind.INVOICE
    return {"kind": str(kind), "issued_on": clock.today().isoformat(), "amount_fen": Money(bill.amount_fen).yuan}


def correction_values(bill: BillView) -> dict[str, Any]:
    """First values of the form that records a correction: of the latest invoice that stands."""
    standing = [one for one in tax_papers_of(bill.id) if one.kind == TaxPaperKind.INVOICE and not one.is_undone]
    values = {"kind": str(TaxPaperKind.RED_INVOICE), "issued_on": clock.today().isoformat()}
    if standing:
        values |= {"corrects": str(standing[-1].id), "amount_fen": Money(standing[-1].amount_fen).yuan}
    return values


_BY_HAND = frozenset({"order", "recall_order", "note_transfer"})


def payout_actions(view: PayoutView, table: Mapping[str, Action]) -> tuple[ActionView, ...]:
    """What may be done about a payout; the steps by hand only where people transfer the money."""
    href = f"/payouts/{view.id}"
    edges = actions_of(PAYOUT, view.state, view.parts, href=href, table=table, version=view.version)
    if not view.by_hand:
        return tuple(one for one in edges if one.name not in _BY_HAND)
    if view.state == PayoutState.PAID and Part.OPERATOR in view.parts:
        return (*edges, action_link(href, "note_payout_back", table["note_payout_back"], version=view.version))
    return edges


def account_actions(actor: Actor, view: BankAccountView, table: Mapping[str, Action]) -> tuple[ActionView, ...]:
    """What may be done about a bank account, with the way in which an account in use is paid."""
    href = f"/bank-accounts/{view.id}"
    edges = actions_of(BANK_ACCOUNT, view.state, view.parts, href=href, table=table, version=view.version)
    if view.state != BankAccountState.ACTIVE or not actor.may(Permission.BANK_ACCOUNT_CHECK):
        return edges
    name = "pay_by_provider" if view.by_transfer else "pay_by_transfer"
    return (*edges, action_link(href, name, table[name], version=view.version))
