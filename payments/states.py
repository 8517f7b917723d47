"""Bills, attempts to pay them, and refunds: the states and who may change them."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from payments.events import (
    BankEntryConfirmed,
    BillPaid,
    BillRefunded,
    BillVoided,
    HeldMoneyReleased,
    PaymentFailed,
    PaymentSucceeded,
    RefundApproved,
    RefundFailed,
    RefundRejected,
)


class Part(StrEnum):
    """What an actor can be towards a bill. `OPENER` is the domain that opened it, acting through a service."""

    PAYER = "payer"
    PAYEE = "payee"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    OPENER = "opener"
    SYSTEM = "system"


class BillKind(StrEnum):
    """Three flows of money that are never mixed (BUSINESS-RULES 4.7).

    A service fee is held until acceptance. A courier fee is owed to the carrier at once. Statutory money goes to the
    treasury account and is never held.
    """

    SERVICE_FEE = "service_fee"
    COURIER_FEE = "courier_fee"
    STATUTORY_FEE = "statutory_fee"


KIND_LABELS = {
    BillKind.SERVICE_FEE: N_("Agency service fee"),
    BillKind.COURIER_FEE: N_("Courier fee"),
    BillKind.STATUTORY_FEE: N_("Statutory fee"),
}


class BillState(StrEnum):
    OPEN = "open"
    PAID = "paid"
    RELEASED = "released"
    REFUNDED = "refunded"
    VOID = "void"


BILL = Machine(
    name="bill",
    states=BillState,
    initial=BillState.OPEN,
    transitions=(
        Transition("pay", (BillState.OPEN,), BillState.PAID, (Part.SYSTEM,), N_("Payment received"), event=BillPaid),
        Transition("void", (BillState.OPEN,), BillState.VOID, (Part.OPERATOR, Part.OPENER), N_("Cancel the bill"),
                   event=BillVoided, needs_reason=True, danger=True),
        Transition("release", (BillState.PAID,), BillState.RELEASED, (Part.OPENER,), N_("Held money released"),
                   event=HeldMoneyReleased),
        Transition("refund_rest", (BillState.PAID,), BillState.RELEASED, (Part.SYSTEM,),
                   N_("The part that was not released went back to the payer"), event=BillRefunded),
        Transition("refund", (BillState.PAID,), BillState.REFUNDED, (Part.SYSTEM,), N_("Money returned to the payer"),
                   event=BillRefunded),
        Transition("refund_returned", (BillState.REFUNDED, BillState.RELEASED), BillState.PAID, (Part.SYSTEM,),
                   N_("The refund came back; the money is held again")),
    ),
    labels={
        BillState.OPEN: N_("To be paid"), BillState.PAID: N_("Paid"), BillState.RELEASED: N_("Released to the agency"),
        BillState.REFUNDED: N_("Refunded"), BillState.VOID: N_("Bill cancelled"),
    },
    requires={BillState.PAID: ("paid_at",), BillState.RELEASED: ("paid_at", "released_at")},
    next_step={
        BillState.OPEN: N_("The payer pays the whole amount."),
        BillState.PAID: N_("The money is held until the result is accepted."),
    },
)  # fmt: skip


class PaymentState(StrEnum):
    """States of one attempt. What the gateway reports is folded in `payments.observed` and taken over here."""

    NEW = "new"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    SURPLUS = "surplus"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


LIVE = (PaymentState.NEW, PaymentState.PENDING)
"""An attempt that may still take money: at most one for each bill."""

_OVER = (PaymentState.FAILED, PaymentState.CANCELED, PaymentState.EXPIRED)


class Standing(StrEnum):
    """What an attempt is to each of the bills that it pays together. The database allows one live and one credited."""

    LIVE = "live"
    CREDITED = "credited"
    SET_ASIDE = "set_aside"
    OVER = "over"


PAYMENT = Machine(
    name="payment",
    states=PaymentState,
    initial=PaymentState.NEW,
    transitions=(
        Transition("offer", (PaymentState.NEW,), PaymentState.PENDING, (Part.SYSTEM,), N_("Cashier page opened")),
        Transition("succeed", (*LIVE, *_OVER), PaymentState.SUCCEEDED, (Part.SYSTEM,), N_("Payment succeeded"),
                   event=PaymentSucceeded),
        Transition("set_aside", (*LIVE, *_OVER), PaymentState.SURPLUS, (Part.SYSTEM,),
                   N_("Money received that fits no open bill; set aside")),
        Transition("fail", LIVE, PaymentState.FAILED, (Part.SYSTEM,), N_("Payment failed"), event=PaymentFailed),
        Transition("cancel", LIVE, PaymentState.CANCELED, (Part.SYSTEM,), N_("Payment cancelled"), event=PaymentFailed),
        Transition("expire", LIVE, PaymentState.EXPIRED, (Part.SYSTEM,), N_("Payment expired"), event=PaymentFailed),
    ),
    labels={
        PaymentState.NEW: N_("Being prepared"), PaymentState.PENDING: N_("Waiting for the payer"),
        PaymentState.SUCCEEDED: N_("Payment succeeded"), PaymentState.SURPLUS: N_("Set aside"),
        PaymentState.FAILED: N_("Payment failed"), PaymentState.CANCELED: N_("Payment cancelled"),
        PaymentState.EXPIRED: N_("Payment expired"),
    },
    requires={PaymentState.PENDING: ("session_ref", "cashier_url"), PaymentState.SUCCEEDED: ("payment_ref", "succeeded_at"),
              PaymentState.SURPLUS: ("payment_ref", "succeeded_at")},
)  # fmt: skip


class RefundState(StrEnum):
    """`submitted` is written before the gateway is called: from then on nobody can take the refund back."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"


UNFINISHED_REFUND = (RefundState.REQUESTED, RefundState.APPROVED, RefundState.SUBMITTED, RefundState.PENDING)
SENT_REFUND = (RefundState.SUBMITTED, RefundState.PENDING)
"""A refund that the gateway may know of."""

REFUND = Machine(
    name="refund",
    states=RefundState,
    initial=RefundState.REQUESTED,
    transitions=(
        Transition("approve", (RefundState.REQUESTED,), RefundState.APPROVED, (Part.OPERATOR,),
                   N_("Approve the refund"), event=RefundApproved, primary=True),
        Transition("reject", (RefundState.REQUESTED, RefundState.APPROVED), RefundState.REJECTED, (Part.OPERATOR,),
                   N_("Refuse the refund"), event=RefundRejected, needs_reason=True, danger=True),
        Transition("submit", (RefundState.APPROVED,), RefundState.SUBMITTED, (Part.SYSTEM,), N_("Refund sent")),
        Transition("wait", (RefundState.SUBMITTED,), RefundState.PENDING, (Part.SYSTEM,),
                   N_("The payment provider has taken the refund")),
        Transition("succeed", SENT_REFUND, RefundState.SUCCEEDED, (Part.SYSTEM,), N_("Refund succeeded")),
        Transition("fail", (*SENT_REFUND, RefundState.SUCCEEDED), RefundState.FAILED, (Part.SYSTEM,),
                   N_("Refund failed"), event=RefundFailed),
    ),
    labels={
        RefundState.REQUESTED: N_("Waiting for approval"), RefundState.APPROVED: N_("Refund approved"),
        RefundState.SUBMITTED: N_("Being sent"), RefundState.PENDING: N_("On its way"), RefundState.SUCCEEDED: N_("Refunded"),
        RefundState.FAILED: N_("Refund failed"), RefundState.REJECTED: N_("Refund refused"),
    },
    requires={RefundState.SUBMITTED: ("submitted_at", "approved_by"), RefundState.PENDING: ("gateway_ref",),
              RefundState.SUCCEEDED: ("gateway_ref",)},
)  # fmt: skip


class MismatchKind(StrEnum):
    """How the books and a gateway can differ (PAYMENTS 6.3): `ours` against `theirs`."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    CURRENCY = "currency"
    STUCK = "stuck"


MISMATCH_LABELS = {
    MismatchKind.MISSING_HERE: N_("Missing in our books"),
    MismatchKind.MISSING_THERE: N_("Missing at the provider"),
    MismatchKind.AMOUNT: N_("Different amount"),
    MismatchKind.CURRENCY: N_("Different currency"),
    MismatchKind.STUCK: N_("Got stuck on the way"),
}


class MismatchState(StrEnum):
    OPEN = "open"
    BOOKED = "booked"
    CLOSED = "closed"
    RESOLVED = "resolved"


UNFINISHED_MISMATCH = (MismatchState.OPEN, MismatchState.BOOKED)

MISMATCH = Machine(
    name="mismatch",
    states=MismatchState,
    initial=MismatchState.OPEN,
    transitions=(
        Transition("book", (MismatchState.OPEN,), MismatchState.BOOKED, (Part.OPERATOR,),
                   N_("Write it into the books as unexplained"), needs_reason=True),
        Transition("close", UNFINISHED_MISMATCH, MismatchState.CLOSED, (Part.OPERATOR,),
                   N_("Close with an explanation"), needs_reason=True, primary=True),
        Transition("reopen", (MismatchState.CLOSED,), MismatchState.OPEN, (Part.OPERATOR,),
                   N_("Open again"), needs_reason=True),
        Transition("resolve", (MismatchState.OPEN,), MismatchState.RESOLVED, (Part.SYSTEM,),
                   N_("Both sides agree now")),
        Transition("recur", (MismatchState.RESOLVED, MismatchState.CLOSED), MismatchState.OPEN, (Part.SYSTEM,),
                   N_("The difference is there again")),
    ),
    labels={
        MismatchState.OPEN: N_("To be explained"), MismatchState.BOOKED: N_("Booked, to be checked by somebody else"),
        MismatchState.CLOSED: N_("Explained and closed"), MismatchState.RESOLVED: N_("Gone by itself"),
    },
    requires={MismatchState.CLOSED: ("note", "closed_by", "closed_at"), MismatchState.BOOKED: ("booked_by",)},
    next_step={
        MismatchState.OPEN: N_("Somebody finds out why, and closes it with an explanation."),
        MismatchState.BOOKED: N_("Somebody other than the one who booked it checks and closes it."),
    },
)  # fmt: skip


class DayState(StrEnum):
    OPEN = "open"
    SIGNED = "signed"
    CLOSED = "closed"


DAY_CLOSE = Machine(
    name="day_close",
    states=DayState,
    initial=DayState.OPEN,
    transitions=(
        Transition("sign", (DayState.OPEN,), DayState.SIGNED, (Part.OPERATOR,), N_("Sign the day"), primary=True),
        Transition("confirm", (DayState.SIGNED,), DayState.CLOSED, (Part.OPERATOR,), N_("Confirm and close the day"),
                   primary=True),
        Transition("send_back", (DayState.SIGNED,), DayState.OPEN, (Part.OPERATOR,), N_("Send back"),
                   needs_reason=True),
        Transition("reopen", (DayState.CLOSED,), DayState.OPEN, (Part.OPERATOR,), N_("Open the day again"),
                   needs_reason=True, danger=True),
    ),
    labels={
        DayState.OPEN: N_("Not closed"), DayState.SIGNED: N_("Signed, to be confirmed by a second person"),
        DayState.CLOSED: N_("Closed"),
    },
    requires={
        DayState.SIGNED: ("figures", "signed_by", "signed_at", "bank_in_fen", "bank_out_fen"),
        DayState.CLOSED: ("figures", "signed_by", "signed_at", "confirmed_by", "confirmed_at"),
    },
    next_step={
        DayState.OPEN: N_("Somebody compares the three sides and signs."),
        DayState.SIGNED: N_("A second person reads the same figures and confirms."),
    },
)  # fmt: skip


class BankEntryState(StrEnum):
    ENTERED = "entered"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


BANK_ENTRY = Machine(
    name="bank_entry",
    states=BankEntryState,
    initial=BankEntryState.ENTERED,
    transitions=(
        Transition("confirm", (BankEntryState.ENTERED,), BankEntryState.CONFIRMED, (Part.OPERATOR,),
                   N_("Confirm the bank entry"), event=BankEntryConfirmed, primary=True),
        Transition("reject", (BankEntryState.ENTERED,), BankEntryState.REJECTED, (Part.OPERATOR,),
                   N_("Reject the bank entry"), needs_reason=True, danger=True),
    ),
    labels={
        BankEntryState.ENTERED: N_("Waiting for a second person"), BankEntryState.CONFIRMED: N_("Confirmed"),
        BankEntryState.REJECTED: N_("Entry rejected"),
    },
    requires={BankEntryState.CONFIRMED: ("decided_by", "decided_at"), BankEntryState.REJECTED: ("decided_by", "decided_at")},
    next_step={BankEntryState.ENTERED: N_("Somebody else compares the entry with the bank statement and confirms it.")},
)  # fmt: skip
