"""Plain sentences: what has happened to a bill and what happens next, so that nobody wonders whether they have paid."""

from dataclasses import dataclass

from flask_babel import gettext

from payments import chart
from payments.queries import BillView, PaymentView
from payments.rules import BANK_TRANSFER, METHOD_LABELS
from payments.states import UNFINISHED_REFUND, BillKind, BillState, Part, PaymentState, RefundState


def _(message: str) -> str:
    return str(gettext(message))


TONES = {
    BillState.OPEN: "waiting", BillState.PAID: "success", BillState.RELEASED: "success",
    BillState.REFUNDED: "neutral", BillState.VOID: "neutral",
    PaymentState.NEW: "waiting", PaymentState.PENDING: "waiting", PaymentState.SUCCEEDED: "success",
    PaymentState.SURPLUS: "warning", PaymentState.FAILED: "danger", PaymentState.CANCELED: "neutral",
    PaymentState.EXPIRED: "neutral",
    "entered": "waiting", "confirmed": "success",
    "requested": "waiting", "approved": "active", "submitted": "active", "rejected": "neutral",
}  # fmt: skip


@dataclass(frozen=True)
class Story:
    """What happened, and what happens next. Both translated."""

    happened: str
    following: str


def story_of(bill: BillView) -> Story:
    """The two sentences at the top of a bill's page."""
    state = BillState(bill.state)
    if state is BillState.OPEN:
        return _open(bill)
    if state is BillState.VOID:
        return Story(_("This bill was cancelled. Nothing is due."), _("There is nothing to do."))
    if state is BillState.REFUNDED:
        return Story(_("The whole amount was returned to the payer."), _("There is nothing to do."))
    if state is BillState.RELEASED:
        return Story(
            _("The result was accepted and the money was released to the agency."),
            _("It stands in the agency's balance and is paid out from there."),
        )
    return Story(_("The whole amount was received. You do not need to pay again."), _after_payment(bill))


def story_of_code(bill: BillView) -> Story:
    """The same for whoever holds the printed bill."""
    if bill.state != BillState.OPEN:
        return story_of(bill)
    live = bill.live_payment
    if live is None:
        return Story(_("This bill is due."), _("Choose how to pay. You need no account."))
    if len(live.bills) > 1 or live.method == BANK_TRANSFER:
        return Story(_("The payer is paying this bill at this moment."), _("You do not need to pay it."))
    return _waiting(live, is_payer=True)


def _after_payment(bill: BillView) -> str:
    if any(refund.state in UNFINISHED_REFUND for refund in bill.refunds):
        return _("A refund is under way. The money stays where it is until the refund is decided and sent.")
    return {
        BillKind.SERVICE_FEE: _("The money is held until the result is accepted, then it goes to the agency."),
        BillKind.COURIER_FEE: _("The courier fee is settled with the courier; the parcel goes its way."),
        BillKind.STATUTORY_FEE: _("The fee goes straight to the treasury account."),
    }[BillKind(bill.kind)]


def _open(bill: BillView) -> Story:
    live = bill.live_payment
    if live is not None:
        return _waiting(live, is_payer=Part.PAYER in bill.parts)
    last = bill.payments[0] if bill.payments else None
    following = (
        _("Choose how to pay. You will be taken to the cashier of the payment provider and brought back here.")
        if Part.PAYER in bill.parts
        else _("The payer pays the whole amount at the payment counter.")
    )
    if last is None:
        return Story(_("Nothing has been paid yet."), following)
    if last.state == PaymentState.SURPLUS:
        return Story(
            _("We received money that does not fit this bill. It is set aside and will be returned."),
            _("The bill itself is still due."),
        )
    return Story(_("The last attempt did not go through and nothing was charged."), following)


def _waiting(live: PaymentView, *, is_payer: bool) -> Story:
    if not is_payer:
        return Story(
            _("The payer has started a payment."), _("It is confirmed here as soon as the provider reports it.")
        )
    if live.state == PaymentState.NEW:
        return Story(
            _("Your payment was started, but the payment provider has not answered yet. Nothing was charged."),
            _("We try again by ourselves. You can leave this page and come back."),
        )
    if live.method == BANK_TRANSFER:
        return Story(
            problem_text(live.problem)
            if live.problem
            else _("You chose to pay by bank transfer. Nothing has arrived yet."),
            _("Transfer the exact amount with the reference, and hand in the slip. Two clerks then confirm it."),
        )
    if live.problem:
        return Story(problem_text(live.problem), _("You can go back to the cashier and try again there."))
    return Story(
        _("A payment was started and the provider has not reported success yet."),
        _("If you have paid, this is confirmed here within a minute. If not, go on at the cashier."),
    )


def refund_story(state: str) -> str:
    """What happens next with a refund, or how it ended."""
    return {
        RefundState.REQUESTED: _("Another operator approves or refuses it."),
        RefundState.APPROVED: _("It is sent to the payment provider within a minute."),
        RefundState.SUBMITTED: _("It was sent, and the payment provider has not answered yet. It is asked again by itself."),
        RefundState.PENDING: _("The payment provider has taken it. Money to wallets may take some days; the payer is told when it has arrived."),
        RefundState.SUCCEEDED: _("The money is back with the payer. There is nothing to do."),
        RefundState.FAILED: _("The money did not reach the payer and lies where it lay before. Ask for the refund again."),
        RefundState.REJECTED: _("Nothing goes back. The reason stands in the timeline."),
    }[RefundState(state)]  # fmt: skip


def problem_text(problem: str) -> str:
    """What went wrong with an attempt, in words that say what to do."""
    known = {
        "generic_decline": _("The bank declined the card and nothing was charged. Try another card or method."),
        "card_declined": _("The bank declined the card and nothing was charged. Try another card or method."),
        "insufficient_funds": _("The card does not have enough money and nothing was charged."),
        "expired_card": _("The card has expired and nothing was charged."),
        "incorrect_cvc": _("The security code of the card was wrong and nothing was charged."),
        "payment_intent_authentication_failure": _("The payment was not authorised and nothing was charged."),
        "being-confirmed": _("Your transfer was found on the bank statement. A second person confirms it."),
        "never-arrived": _("The payment provider could not be reached and nothing was charged. Start again."),
        "refused-by-gateway": _("The payment provider refused the request and nothing was charged. Please tell us."),
        "unknown-at-gateway": _("The payment provider does not know this attempt. Please start again."),
    }
    return known.get(problem, _("The payment did not go through and nothing was charged."))


def misfit_text(misfit: str) -> str:
    """Why received money was set aside."""
    return {
        "amount": _("The amount differs from the bill."),
        "currency": _("The currency differs from the bill."),
        "bill_closed": _("The bill was already paid or cancelled."),
        "another_attempt": _("Another attempt on the bill was under way."),
    }.get(misfit, "")


def method_text(method: str | None) -> str:
    """The name of a payment method."""
    return _(METHOD_LABELS[method]) if method in METHOD_LABELS else _("Chosen at the cashier")


def standing_text(standing: str) -> str:
    """What a payment of several bills is to one of them."""
    return {
        "live": _("Waiting for the payer"),
        "credited": _("Credited"),
        "set_aside": _("Set aside, going back to the payer"),
        "over": _("Not paid in this attempt"),
    }.get(standing, standing)


def where_it_goes(kind: str) -> str:
    """Where the money of a kind of bill goes, so that nobody has to ask."""
    return {
        BillKind.SERVICE_FEE: _("Held on a separate account until you accept the result, then paid to the agency."),
        BillKind.COURIER_FEE: _("Settled with the courier. It is not held."),
        BillKind.STATUTORY_FEE: _("Goes straight to the treasury account. The platform never holds it."),
    }[BillKind(kind)]


def receiver_text(kind: str) -> str:
    """Who receives the money of a bill that names no agency."""
    return {BillKind.STATUTORY_FEE: _("Treasury account"), BillKind.COURIER_FEE: _("Courier")}.get(BillKind(kind), "")


def account_text(gateway: str) -> str:
    """Where a gateway's money lies, as the clerks know it."""
    return {
        "bank": _("Our own account"),
        "bank_treasury": _("Treasury account"),
        "stripe": _("Payment provider"),
        "stripe_treasury": _("Payment provider, the treasury's account"),
        "alipay": _("Alipay"),
        "wechat_pay": _("WeChat Pay"),
    }.get(gateway, gateway)


def method_note(method: str) -> str:
    """One line under a way to pay."""
    return {
        "alipay": _("You are taken to Alipay and back."),
        "wechat_pay": _("You scan a code with your phone."),
        "card": _("You type the card at the provider; it never reaches us."),
        "bank_transfer": _(
            "For large amounts. You transfer at your bank and hand in the slip; it takes about one working day."
        ),
    }.get(method, "")


def posting_text(kind: str) -> str:
    """What a posting of the ledger is."""
    return {
        "charge": _("Payment received"),
        "suspense": _("Money set aside"),
        "assign": _("Set-aside money assigned to a bill"),
        "given_back": _("Set-aside money returned"),
        "release": _("Held money released"),
        "refund-hold": _("Refund asked for"),
        "refund-unhold": _("Refund taken back"),
        "refund": _("Refund sent"),
        "refund_failure": _("Refund came back"),
        "unexplained": _("Unexplained movement"),
        "withhold": _("Debt withheld"),
        "refund-debt": _("Refund of released money"),
        "transfer_reversal": _("Transfer called back"),
        "payout-hold": _("Payout asked for"),
        "payout-unhold": _("Payout came back"),
        "payout": _("Payout sent"),
        "payout_failure": _("Payout came back"),
        "dispute": _("Money taken by the payer's bank"),
        "dispute_won": _("Dispute won"),
        "dispute_lost": _("Dispute lost"),
        "dispute_recovered": _("Loss of a dispute"),
    }.get(kind, kind)


def family_text(family: str) -> str:
    """What an account family holds."""
    known = chart.FAMILIES.get(family)
    return _(known.label) if known is not None else family


def movement_text(kind: str) -> str:
    """What moved at a gateway."""
    return {
        "charge": _("Payments"),
        "refund": _("Refunds"),
        "refund_failure": _("Refunds that came back"),
        "transfer": _("Transfers to agencies"),
        "payout": _("Payouts to bank accounts"),
        "fee": _("Fees of the provider"),
        "other": _("Other movements"),
    }.get(kind, kind)


def difference_text(what: str) -> str:
    """What a mismatch is about: a movement or posting is named by the word of its kind, which stands first."""
    kind, _space, rest = what.partition(" ")
    named = {
        "transfer": _("Transfer to an agency"),
        "fee": _("Fee of the provider"),
        "other": _("Other movement"),
        "sum(net)": _("All movements together"),
        "sum(entries)": _("All entries of the posting together"),
    }.get(kind) or posting_text(kind)
    return what if named == kind else f"{named} {rest}".strip()


def reference_text(kind: str) -> str:
    """What a gateway's id names."""
    return {
        "gateway_movement": _("Provider's balance entry"),
        "gateway_session": _("Provider's cashier session"),
        "gateway_payment": _("Provider's payment"),
        "gateway_refund": _("Provider's refund"),
        "gateway_object": _("Provider's object"),
    }.get(kind, kind)


def fact_text(kind: str) -> str:
    """What an object behind a posting is."""
    return {
        "bill": _("Bill"),
        "payment": _("Payment attempt"),
        "refund": _("Refund"),
        "payout": _("Payout"),
        "dispute": _("Payment dispute"),
        "mismatch": _("Mismatch"),
        "unmatched_money": _("Unmatched money"),
        "organisation": _("Agency"),
        "contract": _("Contract"),
        "case": _("Approval case"),
        "procurement": _("Procurement"),
        "parcel": _("Parcel"),
    }.get(kind, kind)
