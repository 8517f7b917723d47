"""Money that leaves: payouts, the bank accounts they go to, transfers called back, and disputes of payers' banks."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from payments.outgoing_events import BankAccountActivated, DisputeClosed, PayoutApproved, PayoutFailed
from payments.states import Part


class PayoutState(StrEnum):
    """`submitted` is written before the provider is called; `in_transit`: the agency's bank has been told.

    By hand, `submitted` is a printed transfer order and `in_transit` a voucher that a second person has not confirmed.
    """

    REQUESTED = "requested"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    REVERSED = "reversed"
    REJECTED = "rejected"


UNFINISHED_PAYOUT = (PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.SUBMITTED, PayoutState.IN_TRANSIT)
SENT_PAYOUT = (PayoutState.SUBMITTED, PayoutState.IN_TRANSIT)

PAYOUT = Machine(
    name="payout",
    states=PayoutState,
    initial=PayoutState.REQUESTED,
    transitions=(
        Transition("approve", (PayoutState.REQUESTED,), PayoutState.APPROVED, (Part.OPERATOR,),
                   N_("Approve the payout"), event=PayoutApproved, primary=True),
        Transition("reject", (PayoutState.REQUESTED, PayoutState.APPROVED), PayoutState.REJECTED, (Part.OPERATOR,),
                   N_("Refuse the payout"), needs_reason=True, danger=True),
        Transition("submit", (PayoutState.APPROVED,), PayoutState.SUBMITTED, (Part.SYSTEM,), N_("Payout sent")),
        Transition("postpone", (PayoutState.SUBMITTED,), PayoutState.APPROVED, (Part.SYSTEM,),
                   N_("The balance has not settled yet; the payout is tried again")),
        Transition("order", (PayoutState.APPROVED,), PayoutState.SUBMITTED, (Part.OPERATOR,),
                   N_("Issue the transfer order"), primary=True),
        Transition("recall_order", (PayoutState.SUBMITTED,), PayoutState.APPROVED, (Part.OPERATOR,),
                   N_("Take the transfer order back"), needs_reason=True, danger=True),
        Transition("note_transfer", (PayoutState.SUBMITTED,), PayoutState.IN_TRANSIT, (Part.OPERATOR,),
                   N_("Enter the bank's voucher"), primary=True),
        Transition("reject_voucher", (PayoutState.IN_TRANSIT,), PayoutState.SUBMITTED, (Part.SYSTEM,),
                   N_("The entry of the voucher was rejected")),
        Transition("travel", (PayoutState.SUBMITTED,), PayoutState.IN_TRANSIT, (Part.SYSTEM,),
                   N_("On its way to the bank")),
        Transition("arrive", SENT_PAYOUT, PayoutState.PAID, (Part.SYSTEM,), N_("Paid out")),
        Transition("fail", (*SENT_PAYOUT, PayoutState.PAID), PayoutState.FAILED, (Part.SYSTEM,),
                   N_("The payout failed"), event=PayoutFailed),
        Transition("reverse", (PayoutState.PAID,), PayoutState.REVERSED, (Part.SYSTEM,), N_("The payout was called back")),
    ),
    labels={
        PayoutState.REQUESTED: N_("Waiting for approval"), PayoutState.APPROVED: N_("Payout approved"),
        PayoutState.SUBMITTED: N_("Being sent"), PayoutState.IN_TRANSIT: N_("On its way to the bank"),
        PayoutState.PAID: N_("Paid out"), PayoutState.FAILED: N_("Payout failed"),
        PayoutState.REVERSED: N_("Called back"), PayoutState.REJECTED: N_("Payout refused"),
    },
    requires={
        PayoutState.APPROVED: ("approved_by",), PayoutState.SUBMITTED: ("approved_by", "submitted_at"),
        PayoutState.IN_TRANSIT: ("transfer_ref", "gateway_ref"), PayoutState.PAID: ("transfer_ref", "gateway_ref"),
        PayoutState.REVERSED: ("transfer_ref",),
    },
)  # fmt: skip


class BankAccountState(StrEnum):
    """An account is used once two operators have checked it and the cooling-off time is over."""

    ENTERED = "entered"
    CHECKED = "checked"
    COOLING = "cooling"
    ACTIVE = "active"
    REPLACED = "replaced"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


CHANGING = (BankAccountState.ENTERED, BankAccountState.CHECKED, BankAccountState.COOLING)
"""While an account of an agency is here, nothing is paid out to it."""

BANK_ACCOUNT = Machine(
    name="bank_account",
    states=BankAccountState,
    initial=BankAccountState.ENTERED,
    transitions=(
        Transition("check", (BankAccountState.ENTERED,), BankAccountState.CHECKED, (Part.OPERATOR,),
                   N_("The account is the agency's own"), primary=True),
        Transition("confirm", (BankAccountState.CHECKED,), BankAccountState.COOLING, (Part.OPERATOR,),
                   N_("Confirm the account"), primary=True),
        Transition("activate", (BankAccountState.COOLING,), BankAccountState.ACTIVE, (Part.SYSTEM,),
                   N_("The account is in use"), event=BankAccountActivated, due="usable_at"),
        Transition("replace", (BankAccountState.ACTIVE,), BankAccountState.REPLACED, (Part.SYSTEM,),
                   N_("Another account took its place")),
        Transition("reject", CHANGING, BankAccountState.REJECTED, (Part.OPERATOR,), N_("Refuse the account"),
                   needs_reason=True, danger=True),
        Transition("withdraw", CHANGING, BankAccountState.WITHDRAWN, (Part.PAYEE,), N_("Take the account back"),
                   danger=True),
    ),
    labels={
        BankAccountState.ENTERED: N_("Waiting for the check"), BankAccountState.CHECKED: N_("Checked once"),
        BankAccountState.COOLING: N_("Cooling-off time"), BankAccountState.ACTIVE: N_("In use"),
        BankAccountState.REPLACED: N_("Replaced"), BankAccountState.REJECTED: N_("Account refused"),
        BankAccountState.WITHDRAWN: N_("Taken back"),
    },
    requires={
        BankAccountState.CHECKED: ("checked_by",), BankAccountState.COOLING: ("checked_by", "confirmed_by", "usable_at"),
        BankAccountState.ACTIVE: ("checked_by", "confirmed_by", "usable_at"),
    },
    next_step={
        BankAccountState.ENTERED: N_("An operator compares it with the agency's documents."),
        BankAccountState.CHECKED: N_("Another operator confirms it."),
        BankAccountState.COOLING: N_("Nothing is paid out until the cooling-off time is over."),
    },
)  # fmt: skip


class ReversalState(StrEnum):
    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"


TRANSFER_REVERSAL = Machine(
    name="transfer_reversal",
    states=ReversalState,
    initial=ReversalState.REQUESTED,
    transitions=(
        Transition("finish", (ReversalState.REQUESTED,), ReversalState.DONE, (Part.SYSTEM,), N_("Transfer called back")),
        Transition("refuse", (ReversalState.REQUESTED,), ReversalState.REFUSED, (Part.SYSTEM,),
                   N_("The transfer could not be called back; the debt stays")),
    ),
    labels={
        ReversalState.REQUESTED: N_("Being called back"), ReversalState.DONE: N_("Called back"),
        ReversalState.REFUSED: N_("Could not be called back"),
    },
    requires={ReversalState.DONE: ("gateway_ref",)},
)  # fmt: skip


class DisputeState(StrEnum):
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


OPEN_DISPUTE = (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW)

PAYMENT_DISPUTE = Machine(
    name="payment_dispute",
    states=DisputeState,
    initial=DisputeState.NEEDS_RESPONSE,
    transitions=(
        Transition("review", (DisputeState.NEEDS_RESPONSE,), DisputeState.UNDER_REVIEW, (Part.SYSTEM,),
                   N_("The bank reads our answer")),
        Transition("win", OPEN_DISPUTE, DisputeState.WON, (Part.SYSTEM,), N_("Dispute won: the money is back"),
                   event=DisputeClosed),
        Transition("lose", OPEN_DISPUTE, DisputeState.LOST, (Part.SYSTEM,),
                   N_("Dispute lost: the payer's bank keeps the money"), event=DisputeClosed),
    ),
    labels={
        DisputeState.NEEDS_RESPONSE: N_("Waiting for our answer"), DisputeState.UNDER_REVIEW: N_("The bank decides"),
        DisputeState.WON: N_("Dispute won"), DisputeState.LOST: N_("Dispute lost"),
    },
    next_step={
        DisputeState.NEEDS_RESPONSE: N_("Collect what proves the service and answer before the date."),
        DisputeState.UNDER_REVIEW: N_("The payer's bank decides; the money stays frozen."),
    },
)  # fmt: skip
