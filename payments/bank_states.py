"""Imported statements of bank accounts, and money on them that fits no open bill: the states and who may change them."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from payments.events import StatementApplied
from payments.states import Part


class StatementState(StrEnum):
    """`checked` is the dry run: nothing of a statement counts before a second person takes it over."""

    CHECKED = "checked"
    APPLIED = "applied"
    DISCARDED = "discarded"


BANK_STATEMENT = Machine(
    name="bank_statement",
    states=StatementState,
    initial=StatementState.CHECKED,
    transitions=(
        Transition("apply", (StatementState.CHECKED,), StatementState.APPLIED, (Part.OPERATOR,),
                   N_("Take the statement over"), event=StatementApplied, primary=True),
        Transition("discard", (StatementState.CHECKED,), StatementState.DISCARDED, (Part.OPERATOR,),
                   N_("Put the statement away"), needs_reason=True, danger=True),
    ),
    labels={
        StatementState.CHECKED: N_("Checked, waits for a second person"), StatementState.APPLIED: N_("Taken into the books"),
        StatementState.DISCARDED: N_("Put away"),
    },
    requires={StatementState.APPLIED: ("applied_by", "applied_by_name", "applied_at")},
    next_step={StatementState.CHECKED: N_("Somebody other than the one who handed it in reads the rows and takes it over.")},
)  # fmt: skip


class LineVerdict(StrEnum):
    """What a line of a statement is to us."""

    KNOWN = "known"
    CONFIRMS = "confirms"
    DIFFERS = "differs"
    PAYMENT = "payment"
    PAYMENT_AMOUNT = "payment_amount"
    REFUND = "refund"
    PAYOUT = "payout"
    PAYOUT_BACK = "payout_back"
    GIVEN_BACK = "given_back"
    UNMATCHED = "unmatched"
    UNKNOWN_OUT = "unknown_out"


NEW_ENTRY = (
    LineVerdict.PAYMENT, LineVerdict.PAYMENT_AMOUNT, LineVerdict.REFUND, LineVerdict.PAYOUT, LineVerdict.PAYOUT_BACK,
    LineVerdict.GIVEN_BACK, LineVerdict.UNMATCHED,
)  # fmt: skip
"""Lines that become an entry of ours when the statement is taken over."""

VERDICT_LABELS = {
    LineVerdict.KNOWN: N_("Known, agrees"),
    LineVerdict.CONFIRMS: N_("Entered by hand, is confirmed by this line"),
    LineVerdict.DIFFERS: N_("Known with another amount"),
    LineVerdict.PAYMENT: N_("Pays an announced transfer"),
    LineVerdict.PAYMENT_AMOUNT: N_("For an announced transfer, but another amount"),
    LineVerdict.REFUND: N_("Sends a refund"),
    LineVerdict.PAYOUT: N_("Pays an agency out"),
    LineVerdict.PAYOUT_BACK: N_("The agency's bank sent a payout back"),
    LineVerdict.GIVEN_BACK: N_("Returns unmatched money"),
    LineVerdict.UNMATCHED: N_("Came in without a known reference"),
    LineVerdict.UNKNOWN_OUT: N_("Went out for no reason that we know"),
}


class UnmatchedState(StrEnum):
    """Two persons decide about money whose payer or purpose nobody knows; until then it lies in suspense."""

    OPEN = "open"
    ASSIGNING = "assigning"
    RETURNING = "returning"
    ASSIGNED = "assigned"
    TO_SEND = "to_send"
    RETURNED = "returned"


UNDECIDED = (UnmatchedState.OPEN, UnmatchedState.ASSIGNING, UnmatchedState.RETURNING)
IN_SUSPENSE = (*UNDECIDED, UnmatchedState.TO_SEND)
"""The money still lies in the suspense account."""

UNMATCHED_MONEY = Machine(
    name="unmatched_money",
    states=UnmatchedState,
    initial=UnmatchedState.OPEN,
    transitions=(
        Transition("assign", (UnmatchedState.OPEN,), UnmatchedState.ASSIGNING, (Part.OPERATOR,),
                   N_("Assign it to a bill"), needs_reason=True, primary=True),
        Transition("confirm_assignment", (UnmatchedState.ASSIGNING,), UnmatchedState.ASSIGNED, (Part.OPERATOR,),
                   N_("Confirm the assignment"), primary=True),
        Transition("give_back", (UnmatchedState.OPEN,), UnmatchedState.RETURNING, (Part.OPERATOR,),
                   N_("Return it to its sender"), needs_reason=True),
        Transition("confirm_return", (UnmatchedState.RETURNING,), UnmatchedState.TO_SEND, (Part.OPERATOR,),
                   N_("Confirm the return"), primary=True),
        Transition("decline", (UnmatchedState.ASSIGNING, UnmatchedState.RETURNING), UnmatchedState.OPEN,
                   (Part.OPERATOR,), N_("Do not decide it like this"), needs_reason=True),
        Transition("recall", (UnmatchedState.TO_SEND,), UnmatchedState.OPEN, (Part.OPERATOR,),
                   N_("Do not send it back after all"), needs_reason=True),
        Transition("sent", (UnmatchedState.TO_SEND,), UnmatchedState.RETURNED, (Part.SYSTEM,),
                   N_("Returned to its sender")),
    ),
    labels={
        UnmatchedState.OPEN: N_("Nobody knows whose it is"), UnmatchedState.ASSIGNING: N_("Assignment to be confirmed"),
        UnmatchedState.RETURNING: N_("Return to be confirmed"), UnmatchedState.ASSIGNED: N_("Assigned to a bill"),
        UnmatchedState.TO_SEND: N_("To be transferred back"), UnmatchedState.RETURNED: N_("Returned to its sender"),
    },
    requires={
        UnmatchedState.ASSIGNING: ("bill_id", "proposed_by", "reason"), UnmatchedState.RETURNING: ("proposed_by", "reason"),
        UnmatchedState.ASSIGNED: ("bill_id", "payment_id", "proposed_by", "decided_by", "decided_at"),
        UnmatchedState.TO_SEND: ("proposed_by", "decided_by", "decided_at"),
        UnmatchedState.RETURNED: ("proposed_by", "decided_by", "decided_at"),
    },
    next_step={
        UnmatchedState.OPEN: N_("Find out who sent it and what for: assign it to a bill, or return it."),
        UnmatchedState.ASSIGNING: N_("Somebody other than the one who proposed it compares bill and statement and confirms."),
        UnmatchedState.RETURNING: N_("Somebody other than the one who proposed it confirms."),
        UnmatchedState.TO_SEND: N_("Transfer it back to the account it came from, and enter the line of the statement."),
    },
)  # fmt: skip
