"""The chart of accounts (PAYMENTS 6.3): what lies where, in words. Pure.

An account's code is its family, and for most families a colon and what it is kept for: `escrow:<bill>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.kernel.words import N_
from payments.ledger import AccountType


@dataclass(frozen=True)
class Family:
    """A family of accounts. `label` and `meaning` are catalogue messages; `about` names the object that the code's tail identifies."""

    code: str
    type: AccountType
    label: str
    meaning: str
    about: str | None = None


_A, _L, _I, _E = AccountType.ASSET, AccountType.LIABILITY, AccountType.INCOME, AccountType.EXPENSE

CHART: Final = (
    Family("psp", _A, N_("Balance at the payment provider"),
           N_("What the provider holds for us. It equals the provider's own balance.")),
    Family("bank", _A, N_("Bank account"), N_("Money in our own bank accounts.")),
    Family("treasury_account", _A, N_("Treasury account"),
           N_("Statutory money that arrived on the treasury's own account. It is never ours.")),
    Family("receivable", _A, N_("Money to be got back"),
           N_("What left without a known reason, or is owed to us by an agency after a refund.")),
    Family("dispute_hold", _A, N_("Held back for disputes"),
           N_("What the provider holds back while a payer's bank disputes a payment."), "dispute"),
    Family("escrow", _L, N_("Held for bills"), N_("Service fees held until the result is accepted, one account a bill."),
           "bill"),
    Family("payable", _L, N_("Owed to agencies"), N_("Released money that was not paid out yet, one account an agency."),
           "organisation"),
    Family("refund_pending", _L, N_("On its way back to payers"), N_("Asked back and not yet arrived, one account a refund."),
           "refund"),
    Family("payout_pending", _L, N_("On its way to agencies"), N_("Paid out and not yet arrived, one account a payout."),
           "payout"),
    Family("courier_payable", _L, N_("Owed to the courier"), N_("Courier fees until the next settlement with the carrier.")),
    Family("treasury_payable", _L, N_("Owed to the treasury"), N_("Statutory money on its way to the treasury account; nothing else may touch it.")),
    Family("suspense", _L, N_("Set aside"), N_("Money that fits no open bill, until it is returned.")),
    Family("income", _I, N_("Income of the platform"), N_("Platform fees, where the rule book knows any.")),
    Family("expense", _E, N_("Fees and losses"), N_("What providers charge us, and lost disputes.")),
)  # fmt: skip

FAMILIES: Final[Mapping[str, Family]] = {family.code: family for family in CHART}


def family_of(account: str) -> Family | None:
    """The family of an account code, if the chart knows it."""
    return FAMILIES.get(account.partition(":")[0])


def about(account: str) -> tuple[str, str] | None:
    """The kind and id of the object that an account is kept for: `escrow:<id>` -> ("bill", id)."""
    family = family_of(account)
    tail = account.partition(":")[2]
    return (family.about, tail) if family is not None and family.about and tail else None
