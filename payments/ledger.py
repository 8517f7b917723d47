"""Double entry: the posting of each business fact, as data. Pure.

Every posting balances: its entries sum to zero, debits positive, credits negative, all in whole fen. The key of a posting
makes it happen once; for money that moved at a gateway it is the gateway's own id of the movement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from payments.observed import Movement
from payments.states import BillKind

CNY = "CNY"
BANK_ACCOUNTS = {"bank": "bank:main", "bank_treasury": "treasury_account", "stripe_treasury": "treasury_account:stripe"}
"""Gateways whose money does not lie with a provider of ours: our bank account, and the treasury's own accounts."""

TREASURY_GATEWAYS = ("bank_treasury", "stripe_treasury")
"""The gateways whose money lies on the treasury's own account: statutory money goes there, and no other money does."""


class AccountType(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"


class Unbalanced(ValueError):
    """The entries of a posting do not sum to zero."""


class Misrouted(ValueError):
    """Statutory money outside the treasury's account, or other money on it."""


@dataclass(frozen=True)
class Account:
    """A place where money lies. `may_overdraw`: its balance may stand on the wrong side."""

    code: str
    type: AccountType
    owner_organisation_id: UUID | None = None
    may_overdraw: bool = False
    currency: str = CNY


@dataclass(frozen=True)
class Entry:
    """One side of a posting: debit positive, credit negative, in fen."""

    account: Account
    amount_fen: int
    bill_id: UUID | None = None


@dataclass(frozen=True)
class Posting:
    """One immutable transaction of the ledger."""

    key: str
    kind: str
    effective_at: datetime
    entries: tuple[Entry, ...]
    memo: str
    bill_id: UUID | None = None

    def __post_init__(self) -> None:
        currencies = {entry.account.currency for entry in self.entries}
        if len(currencies) > 1 or sum(entry.amount_fen for entry in self.entries) != 0:
            raise Unbalanced(f"{self.key}: entries do not sum to zero")
        if any(type(entry.amount_fen) is not int for entry in self.entries):
            raise Unbalanced(f"{self.key}: an amount is a whole number of fen")  # SQLite would store 0.5 as it is
        if not self.entries or any(entry.amount_fen == 0 for entry in self.entries):
            raise Unbalanced(f"{self.key}: an entry moves nothing")


def at_gateway(code: str, currency: str = CNY) -> Account:
    """Our balance at a gateway. May be negative: a refund can exceed what has settled."""
    family = BANK_ACCOUNTS.get(code, f"psp:{code}")
    return Account(_named(family, currency), AccountType.ASSET, may_overdraw=True, currency=currency)


def suspense(currency: str = CNY) -> Account:
    """Money that fits no open bill, until it is returned."""
    return Account(_named("suspense:unmatched", currency), AccountType.LIABILITY, currency=currency)


def gateway_fees(currency: str = CNY) -> Account:
    """What gateways charge us for moving money."""
    return Account(_named("expense:psp_fee", currency), AccountType.EXPENSE, may_overdraw=True, currency=currency)


def receivable(organisation_id: UUID) -> Account:
    """What an agency owes us: money refunded after it was released, until it is withheld from what comes next."""
    return Account(f"receivable:{organisation_id}", AccountType.ASSET, organisation_id)


PLATFORM_FEE = Account("income:platform_fee", AccountType.INCOME)
"""What the platform keeps of released fees."""


def _named(code: str, currency: str) -> str:
    return code if currency == CNY else f"{code}:{currency}"


def escrow(bill_id: UUID) -> Account:
    """Money held for one bill until acceptance."""
    return Account(f"escrow:{bill_id}", AccountType.LIABILITY)


def payable(organisation_id: UUID) -> Account:
    """What belongs to an agency and has not been paid out."""
    return Account(f"payable:{organisation_id}", AccountType.LIABILITY, organisation_id)


def refund_pending(refund_id: UUID) -> Account:
    """Money on its way back to a payer."""
    return Account(f"refund_pending:{refund_id}", AccountType.LIABILITY)


COURIER = Account("courier_payable", AccountType.LIABILITY)
"""Courier fees, owed to the carrier with the next settlement."""
TREASURY = Account("treasury_payable", AccountType.LIABILITY)
"""Statutory money, owed to the treasury account at once; nothing else may touch it."""


def destination(kind: BillKind, bill_id: UUID) -> Account:
    """Where a paid bill's money lies first. Only service fees are held."""
    return {BillKind.SERVICE_FEE: escrow(bill_id), BillKind.COURIER_FEE: COURIER, BillKind.STATUTORY_FEE: TREASURY}[
        kind
    ]


def key_of(gateway: str, movement: Movement) -> str:
    """The posting key of a gateway's movement."""
    return f"{gateway}:{movement.ref}"


def _posting(
    key: str, kind: str, at: datetime, memo: str, bill_id: UUID | None, entries: Iterable[tuple[Account, int]]
) -> Posting:
    return Posting(key, kind, at, tuple(Entry(account, fen) for account, fen in entries if fen), memo, bill_id)


@dataclass(frozen=True)
class Credit:
    """The part of a payment that one bill takes, in fen, and the account where it lies first."""

    bill_id: UUID
    account: Account
    amount_fen: int


def charge_settled(gateway: str, movement: Movement, shares: Sequence[Credit], memo: str) -> Posting:
    """Credit the bills of a payment, each with its part; the platform bears the gateway's fee, so all of it is held.

    One movement at the gateway is one posting, however many bills it pays. Raises Unbalanced when the parts are not the
    whole amount, Misrouted where statutory money would lie with us or other money with the treasury.
    """
    _check_route(gateway, shares)
    sides = (
        Entry(at_gateway(gateway), movement.net_fen),
        Entry(gateway_fees(), movement.fee_fen),
        *(Entry(credit.account, -credit.amount_fen, credit.bill_id) for credit in shares),
    )
    alone = shares[0].bill_id if len(shares) == 1 else None
    return Posting(
        key_of(gateway, movement), "charge", movement.at, tuple(e for e in sides if e.amount_fen), memo, alone
    )


def _check_route(gateway: str, shares: Iterable[Credit]) -> None:
    """Statutory money is on the treasury's own account from its first moment; it is never held (BUSINESS-RULES 4.7)."""
    is_treasury = gateway in TREASURY_GATEWAYS
    families = {credit.account.code.partition(":")[0] for credit in shares} - {"suspense"}
    if families - ({"treasury_payable"} if is_treasury else {"escrow", "courier_payable"}):
        raise Misrouted(f"{sorted(families)} at {gateway}")


def charge_set_aside(gateway: str, movement: Movement, memo: str, bill_id: UUID | None = None) -> Posting:
    """Keep money that fits no open bill where it is seen."""
    return _posting(key_of(gateway, movement), "suspense", movement.at, memo, bill_id, (
        (at_gateway(gateway, movement.currency), movement.net_fen), (gateway_fees(movement.currency), movement.fee_fen),
        (suspense(movement.currency), -movement.gross_fen)))  # fmt: skip


def released(
    bill_id: UUID, number: int, payee: UUID, amount_fen: int, fee_fen: int, at: datetime, memo: str
) -> Posting:
    """Acceptance: the `number`-th part of the held money becomes the agency's, less the platform's fee."""
    return _posting(f"accept:{bill_id}:{number}", "release", at, memo, bill_id, (
        (escrow(bill_id), amount_fen), (payable(payee), fee_fen - amount_fen), (PLATFORM_FEE, -fee_fen)))  # fmt: skip


def debt_withheld(key: str, payee: UUID, amount_fen: int, at: datetime, memo: str, bill_id: UUID | None) -> Posting:
    """What an agency owes is taken from what has just become its own."""
    return _posting(f"withhold:{key}", "withhold", at, memo, bill_id,
                    ((payable(payee), amount_fen), (receivable(payee), -amount_fen)))  # fmt: skip


def assigned(unmatched_id: UUID, gateway: str, shares: Sequence[Credit], at: datetime, memo: str) -> Posting:
    """Money that was set aside belongs to these bills after all. Raises Misrouted as `charge_settled` does."""
    _check_route(gateway, shares)
    total = sum(credit.amount_fen for credit in shares)
    sides = (Entry(suspense(), total), *(Entry(c.account, -c.amount_fen, c.bill_id) for c in shares))
    alone = shares[0].bill_id if len(shares) == 1 else None
    return Posting(f"assign:{unmatched_id}", "assign", at, sides, memo, alone)


def given_back(gateway: str, movement: Movement, memo: str) -> Posting:
    """Money that was set aside left our account, back to its sender."""
    return _posting(key_of(gateway, movement), "given_back", movement.at, memo, None, (
        (at_gateway(gateway), movement.net_fen), (gateway_fees(), movement.fee_fen),
        (suspense(), -movement.gross_fen)))  # fmt: skip


def refund_held(
    refund_id: UUID, shares: Iterable[tuple[Account, int]], at: datetime, memo: str, bill_id: UUID | None
) -> Posting:
    """A refund is asked for: its money can no longer be released or refunded twice. `shares`: from where how much."""
    taken = tuple(shares)
    return _posting(f"refund-hold:{refund_id}", "refund-hold", at, memo, bill_id,
                    (*taken, (refund_pending(refund_id), -sum(fen for _, fen in taken))))  # fmt: skip


def refund_owed(
    refund_id: UUID, shares: Iterable[tuple[Account, int]], at: datetime, memo: str, bill_id: UUID | None
) -> Posting:
    """A refund of released money is approved: what the agency no longer has with us becomes its debt."""
    taken = tuple(shares)
    return _posting(f"refund-debt:{refund_id}", "refund-debt", at, memo, bill_id,
                    (*taken, (refund_pending(refund_id), -sum(fen for _, fen in taken))))  # fmt: skip


def refund_unheld(
    refund_id: UUID, shares: Iterable[tuple[Account, int]], at: datetime, memo: str, bill_id: UUID | None
) -> Posting:
    """A refund was refused or failed: the money lies where it lay before."""
    given = tuple(shares)
    return _posting(f"refund-unhold:{refund_id}", "refund-unhold", at, memo, bill_id, (
        (refund_pending(refund_id), sum(fen for _, fen in given)), *((a, -fen) for a, fen in given)))  # fmt: skip


def refund_moved(gateway: str, movement: Movement, refund_id: UUID, memo: str, bill_id: UUID | None) -> Posting:
    """The gateway took a refund from our balance, or put a failed one back; the sign of the movement tells."""
    return _posting(key_of(gateway, movement), movement.kind, movement.at, memo, bill_id, (
        (at_gateway(gateway), movement.net_fen), (gateway_fees(), movement.fee_fen),
        (refund_pending(refund_id), -movement.gross_fen)))  # fmt: skip


def missing_out(currency: str = CNY) -> Account:
    """Money that left a gateway for a reason nobody knows yet."""
    return Account(_named("receivable:unmatched", currency), AccountType.ASSET, currency=currency)


def unexplained(gateway: str, movement: Movement, memo: str) -> Posting:
    """Take over a movement that no fact of ours explains: what came in is set aside, what went out is to be found."""
    other = suspense(movement.currency) if movement.gross_fen > 0 else missing_out(movement.currency)
    return _posting(key_of(gateway, movement), "unexplained", movement.at, memo, None, (
        (at_gateway(gateway, movement.currency), movement.net_fen), (gateway_fees(movement.currency), movement.fee_fen),
        (other, -movement.gross_fen)))  # fmt: skip


_TRANSIENT = {"refund_pending": "refund", "payout_pending": "payout", "dispute_hold": "dispute"}


def subject_of(posting: Posting) -> str | None:
    """The fact behind a posting, told by the account of the refund, payout or dispute that it touches, else its bill."""
    for entry in posting.entries:
        family, _, name = entry.account.code.partition(":")
        if name and family in _TRANSIENT:
            return f"{_TRANSIENT[family]}:{name}"
    return f"bill:{posting.bill_id}" if posting.bill_id else None


def stands_wrong(account: Account, balance_fen: int) -> bool:
    """Tell whether a balance (debit positive) stands on a side where this account may never stand."""
    if account.may_overdraw:
        return False
    debit_side = account.type in (AccountType.ASSET, AccountType.EXPENSE)
    return balance_fen < 0 if debit_side else balance_fen > 0
