"""Refusals of the payments domain that have a code of their own."""

from app.kernel.errors import Conflict, DomainError, Refused
from app.kernel.words import N_


class BadNotice(DomainError):
    """A notice that is not the gateway's: wrong signature, too old, from the future, or not readable."""

    code = "bad-notice"
    title = N_("The notice was not accepted")
    status = 400


def not_payable() -> Conflict:
    """Refuse to pay a bill that is not open."""
    return Conflict("bill-not-payable", N_("This bill cannot be paid: it is already paid or no longer due."))


def not_offered() -> Refused:
    """Refuse a method by which this kind of money cannot be paid here."""
    return Refused(
        "method-not-offered", N_("This cannot be paid that way here. Choose another way to pay."), field="method"
    )


def entered_twice() -> Conflict:
    """Refuse a second entry of one movement of the bank."""
    return Conflict("bank-entry-twice", N_("This movement was already entered."))


def own_entry() -> Refused:
    """Refuse the confirmation of one's own entry."""
    return Refused("same-person", N_("A bank entry is confirmed by somebody other than the one who entered it."))


def attempt_finished() -> Conflict:
    """Refuse to act on an attempt that is over."""
    return Conflict("attempt-finished", N_("This attempt is already finished."))


def another_attempt(number: str) -> Conflict:
    """Refuse to pay bills together while one of them is being paid in another attempt."""
    return Conflict("bill-in-another-attempt",
                    N_("Bill %(number)s is being paid in another attempt. Finish or cancel that attempt first."),
                    params={"number": number})  # fmt: skip


def attempt_under_way() -> Conflict:
    """Refuse to cancel a bill that may be paid at this moment."""
    return Conflict("attempt-under-way", N_("Somebody may be paying this bill right now. Cancel that attempt first."))


def nothing_to_refund() -> Conflict:
    """Refuse a refund where no money is held."""
    return Conflict("nothing-to-refund", N_("There is no held money on this bill that could go back."))


def more_than_held() -> Conflict:
    """Refuse to move more of a bill's money than may move now."""
    return Conflict("more-than-held", N_("That is more than may move now: a part is frozen, released or gone back."))


def refund_under_way() -> Conflict:
    """Refuse a second refund while one is under way."""
    return Conflict("refund-under-way", N_("A refund of this bill is already under way."))


def same_person() -> Refused:
    """Refuse the approval of one's own request."""
    return Refused("same-person", N_("A refund is approved by somebody other than the one who asked for it."))
