"""What does not fit between the books and a gateway. Pure: two lists in, differences out; amounts in whole fen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from payments import ledger
from payments.observed import Movement
from payments.states import MismatchKind

NOT_SENT: timedelta = timedelta(minutes=10)
"""After this an attempt or refund that was never sent is stuck, although it is asked about every minute."""
NO_END: timedelta = timedelta(minutes=30)
"""After this beyond its own end an attempt without an outcome is stuck."""
NO_REFUND: timedelta = timedelta(days=10)
"""Asynchronous refunds arrive within days (PAYMENTS 4); a longer one is stuck."""
NOT_FOLDED: timedelta = timedelta(minutes=10)
"""After this a stored notice that was not folded is stuck."""
OVERLAP: timedelta = timedelta(hours=1)
"""The list of notices is read again this far behind the cursor (PAYMENTS 6.5)."""
LISTABLE: timedelta = timedelta(days=30)
"""A gateway lists its notices this long."""

BALANCE = "balance"
"""The `ref` of the difference between the sum of all movements and the balance."""


@dataclass(frozen=True)
class Booked:
    """What a posting of ours moved at the gateway: its key, the net amount (debit positive) and its currency."""

    key: str
    net_fen: int
    currency: str
    posted_at: datetime
    effective_at: datetime
    memo: str
    bill_id: UUID | None


@dataclass(frozen=True)
class Difference:
    """One thing that stands differently: `ref` names it for both sides; None where a side has nothing."""

    kind: MismatchKind
    ref: str
    what: str
    ours_fen: int | None
    theirs_fen: int | None
    currency: str = ledger.CNY
    at: datetime | None = None
    bill_id: UUID | None = None


@dataclass(frozen=True)
class Told:
    """What a gateway told in one sitting: every movement of our balance, and the balance itself (fen, CNY).

    `spans` are the instants (from, until before) that an account's statements cover; None where it tells of all of them.
    """

    gateway: str
    started_at: datetime
    movements: Sequence[Movement]
    balance_fen: int
    spans: tuple[tuple[datetime, datetime], ...] | None = None

    @property
    def net_fen(self) -> int:
        return sum(movement.net_fen for movement in self.movements if movement.currency == ledger.CNY)

    def covers(self, posting: Booked) -> bool:
        """Whether this posting must be among the movements: it was there when the gateway was asked, and is covered."""
        if posting.posted_at > self.started_at:
            return False
        return self.spans is None or any(since <= posting.effective_at < until for since, until in self.spans)


def differences(told: Told, booked: Mapping[str, Booked]) -> tuple[Difference, ...]:
    """Compare every movement with the posting of its key, both ways, and the sum of the movements with the balance.

    A posting written after the gateway was asked cannot be missing there, nor one of days that no statement covers.
    """
    found = []
    seen = set()
    for movement in told.movements:
        key = ledger.key_of(told.gateway, movement)
        seen.add(key)
        difference = _of(movement, booked.get(key))
        if difference is not None:
            found.append(difference)
    found += [
        Difference(MismatchKind.MISSING_THERE, key.partition(":")[2], posting.memo, posting.net_fen, None,
                   posting.currency, posting.effective_at, posting.bill_id)
        for key, posting in booked.items()
        if key not in seen and told.covers(posting)
    ]  # fmt: skip
    if told.net_fen != told.balance_fen:
        found.append(Difference(MismatchKind.AMOUNT, BALANCE, "sum(net)", told.net_fen, told.balance_fen))
    return tuple(found)


def _of(movement: Movement, posting: Booked | None) -> Difference | None:
    what = f"{movement.kind} {movement.object_ref}".strip()
    if posting is None:
        return Difference(MismatchKind.MISSING_HERE, movement.ref, what, None, movement.net_fen, movement.currency,
                          movement.at)  # fmt: skip
    kind = None
    if posting.currency != movement.currency:
        kind = MismatchKind.CURRENCY
    elif posting.net_fen != movement.net_fen:
        kind = MismatchKind.AMOUNT
    if kind is None:
        return None
    return Difference(kind, movement.ref, posting.memo, posting.net_fen, movement.net_fen, movement.currency,
                      movement.at, posting.bill_id)  # fmt: skip


def ours_of(told: Told, booked: Mapping[str, Booked]) -> int:
    """Our balance at the gateway by the books, as it stood when the gateway was asked (fen, CNY)."""
    keys = {ledger.key_of(told.gateway, movement) for movement in told.movements}
    return sum(
        posting.net_fen
        for key, posting in booked.items()
        if posting.currency == ledger.CNY and (key in keys or told.covers(posting))
    )


def counts(found: Iterable[Difference]) -> dict[MismatchKind, int]:
    """How many differences there are of each kind."""
    tally = dict.fromkeys(MismatchKind, 0)
    for difference in found:
        tally[difference.kind] += 1
    return tally
