"""The few types and identifiers every module of the simulator shares."""

from __future__ import annotations

import secrets
import string
from typing import Any

Json = dict[str, Any]

_ALPHABET = string.ascii_letters + string.digits

PREFIX = {
    "checkout.session": "cs_test_a1",
    "payment_intent": "pi_3",
    "charge": "ch_3",
    "refund": "re_3",
    "balance_transaction": "txn_3",
    "event": "evt_1",
    "webhook_endpoint": "we_1",
    "customer": "cus_",
    "payment_method": "pm_1",
    "transfer": "tr_1",
    "transfer_reversal": "trr_1",
    "account": "acct_1",
    "payment": "py_1",
    "payment_refund": "pyr_1",
    "payout": "po_1",
    "dispute": "du_1",
    "bank_account": "ba_1",
    "file": "file_1",
}
"""How an identifier of each object type begins."""


def token(length: int) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_id(kind: str) -> str:
    """A fresh identifier in Stripe's shape (``pi_3...``, ``cs_test_a1...``)."""
    return PREFIX[kind] + token(56 if kind == "checkout.session" else 22)
