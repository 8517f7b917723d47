"""The postings of what leaves: payouts, transfers called back, disputes. Pure; as `payments.ledger`."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from payments.ledger import (
    Account,
    AccountType,
    Entry,
    Posting,
    at_gateway,
    gateway_fees,
    key_of,
    payable,
    receivable,
)
from payments.observed import Movement

DISPUTE_LOSS = Account("expense:dispute_loss", AccountType.EXPENSE)
"""What payers' banks kept and nobody gave back."""


def payout_pending(payout_id: UUID) -> Account:
    """Money on its way to an agency."""
    return Account(f"payout_pending:{payout_id}", AccountType.LIABILITY)


def dispute_hold(dispute_id: UUID) -> Account:
    """Money that a payer's bank has taken back until it is decided whose it is."""
    return Account(f"dispute_hold:{dispute_id}", AccountType.ASSET)


def _posting(
    key: str, kind: str, at: datetime, memo: str, bill_id: UUID | None, entries: Iterable[tuple[Account, int]]
) -> Posting:
    return Posting(key, kind, at, tuple(Entry(account, fen) for account, fen in entries if fen), memo[:300], bill_id)


def payout_held(payout_id: UUID, payee: UUID, amount_fen: int, at: datetime, memo: str) -> Posting:
    """A payout is asked for: its money can no longer be paid out twice."""
    return _posting(f"payout-hold:{payout_id}", "payout-hold", at, memo, None,
                    ((payable(payee), amount_fen), (payout_pending(payout_id), -amount_fen)))  # fmt: skip


def payout_unheld(payout_id: UUID, payee: UUID, amount_fen: int, at: datetime, memo: str) -> Posting:
    """A payout was refused or failed: the money is the agency's balance again."""
    return _posting(f"payout-unhold:{payout_id}", "payout-unhold", at, memo, None,
                    ((payout_pending(payout_id), amount_fen), (payable(payee), -amount_fen)))  # fmt: skip


def payout_moved(gateway: str, movement: Movement, payout_id: UUID, memo: str) -> Posting:
    """The provider took the payout from our balance, or put it back; the sign of the movement tells."""
    kind = "payout" if movement.gross_fen < 0 else "payout_failure"
    return _posting(key_of(gateway, movement), kind, movement.at, memo, None, (
        (at_gateway(gateway), movement.net_fen), (gateway_fees(), movement.fee_fen),
        (payout_pending(payout_id), -movement.gross_fen)))  # fmt: skip


def transfer_back(gateway: str, movement: Movement, payee: UUID, of_debt_fen: int, memo: str) -> Posting:
    """A transfer came back: it ends so much of the agency's debt, the rest is its balance again."""
    return _posting(key_of(gateway, movement), "transfer_reversal", movement.at, memo, None, (
        (at_gateway(gateway), movement.net_fen), (gateway_fees(), movement.fee_fen),
        (receivable(payee), -of_debt_fen), (payable(payee), of_debt_fen - movement.gross_fen)))  # fmt: skip


def dispute_moved(gateway: str, movement: Movement, dispute_id: UUID, memo: str, bill_id: UUID) -> Posting:
    """The payer's bank took the money, or gave it back after we won; the sign of the movement tells."""
    kind = "dispute" if movement.gross_fen < 0 else "dispute_won"
    return _posting(key_of(gateway, movement), kind, movement.at, memo, bill_id, (
        (at_gateway(gateway), movement.net_fen), (gateway_fees(), movement.fee_fen),
        (dispute_hold(dispute_id), -movement.gross_fen)))  # fmt: skip


def dispute_lost(dispute_id: UUID, amount_fen: int, at: datetime, memo: str, bill_id: UUID) -> Posting:
    """The bank keeps the money: a loss, until somebody bears it."""
    return _posting(f"dispute-lost:{dispute_id}", "dispute_lost", at, memo, bill_id,
                    ((DISPUTE_LOSS, amount_fen), (dispute_hold(dispute_id), -amount_fen)))  # fmt: skip


def loss_recovered(
    dispute_id: UUID, bill_id: UUID, shares: Iterable[tuple[Account, int]], at: datetime, memo: str
) -> Posting:
    """The frozen money of a bill bears the loss: the payer has it back already."""
    taken = tuple(shares)
    return _posting(f"dispute-recover:{dispute_id}:{bill_id}", "dispute_recovered", at, memo, bill_id,
                    (*taken, (DISPUTE_LOSS, -sum(fen for _, fen in taken))))  # fmt: skip
