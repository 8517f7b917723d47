"""Bank accounts that payouts go to. Only the last four digits are shown, as the real API does."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.errors import invalid
from payments.simulator.words import Json, new_id, token

REFUSALS = {
    "000111111113": ("account_closed", "The bank account has been closed."),
    "000111111116": ("no_account", "The bank account details on file are probably incorrect. No bank account could be located with those details."),
    "000222222227": ("insufficient_funds", "Your Stripe account has insufficient funds to cover the payout."),
    "000333333335": ("debit_not_authorized", "Debit transactions are not approved on your bank account."),
    "000444444440": ("invalid_currency", "The bank was unable to process this payout because of its currency."),
}  # fmt: skip
"""Test account numbers to which payouts fail, with the code, as in Stripe's own documentation. Others arrive."""

GOOD_NUMBER = "000123456789"


def new_bank_account(backend: Backend, data: Json | str, owner: str, metadata: Json) -> Json:
    """Store a bank account of the account acted for. Raises Stripe's refusals of what is no bank account."""
    if isinstance(data, str):
        raise invalid("The simulator takes bank account details, not tokens.", param="external_account")
    if data.get("object") != "bank_account":
        raise invalid("The simulator pays out to bank accounts only.", param="external_account[object]")
    number = str(data["account_number"]).replace(" ", "")
    if not number.isalnum() or not 8 <= len(number) <= 34:
        raise invalid(
            "Invalid account number: it must contain 8 to 34 letters and digits.",
            param="external_account[account_number]",
            code="account_number_invalid",
        )
    return backend.store.add(
        {
            "id": new_id("bank_account"),
            "object": "bank_account",
            "account": owner,
            "account_holder_name": data.get("account_holder_name"),
            "account_holder_type": data.get("account_holder_type"),
            "account_type": None,
            "available_payout_methods": ["standard"],
            "bank_name": "STRIPE TEST BANK",
            "country": data["country"],
            "currency": (data.get("currency") or "cny").lower(),
            "default_for_currency": False,
            "fingerprint": token(16),
            "future_requirements": None,
            "last4": number[-4:],
            "metadata": metadata,
            "requirements": None,
            "routing_number": data.get("routing_number"),
            "status": "new",
            "_number": number,
        }
    )


def default_bank_account(backend: Backend, currency: str) -> Json:
    """Where payouts go when no destination is named. The platform's own account has one from the beginning."""
    found = backend.store.every("bank_account", currency=currency, default_for_currency=1)
    if found:
        return found[-1]
    if backend.store.account:
        raise invalid(f"Sorry, you don't have any external accounts in that currency ({currency}).", param="currency")
    return platform_bank_account(backend, GOOD_NUMBER, currency)


def platform_bank_account(backend: Backend, number: str, currency: str = "cny") -> Json:
    """Name the platform's own bank account, which its owner does on Stripe's site and not through the API."""
    for former in backend.store.every("bank_account", currency=currency, default_for_currency=1):
        backend.change(former, default_for_currency=False)
    details = {"object": "bank_account", "account_number": number, "country": "HK", "currency": currency}
    made = new_bank_account(backend, details, "acct_1SimulatedPlatform", {})
    backend.change(made, default_for_currency=True)
    return made
