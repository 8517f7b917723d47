"""Shares of held money: what may be released now, the platform's fee on it, and where a refund is taken from. Pure, in fen."""

from dataclasses import dataclass

from app.kernel.money import Money


@dataclass(frozen=True)
class BillMoney:
    """Where the money of one bill lies. `held`: in escrow, of which `frozen` may not move; `released`: gross, of which
    `fee` went to the platform; `returned`: refunded out of what had been released, of which `fee_returned` by the platform.
    """

    held: int
    frozen: int = 0
    released: int = 0
    fee: int = 0
    returned: int = 0
    fee_returned: int = 0

    @property
    def free(self) -> int:
        """What may be released or refunded out of escrow now."""
        return max(0, self.held - self.frozen)

    @property
    def returnable(self) -> int:
        """What a refund could still take back of what was released."""
        return self.released - self.returned


def platform_fee(amount_fen: int, basis_points: int, cap_fen: int) -> int:
    """The platform's fee on so much released money; a cap of 0 is none."""
    fee = Money(amount_fen).percent(basis_points).fen
    return min(fee, cap_fen) if cap_fen else fee


def fee_of_part(standing: BillMoney, amount_fen: int, basis_points: int, cap_fen: int) -> int:
    """The fee of the next part, so that all parts together bear exactly the fee of their sum."""
    whole = platform_fee(standing.released + amount_fen, basis_points, cap_fen)
    return max(0, whole - platform_fee(standing.released, basis_points, cap_fen))


@dataclass(frozen=True)
class RefundShares:
    """From where a refund is taken: escrow first, then the agency and, in proportion, the platform's fee."""

    from_held: int
    from_agency: int
    from_fee: int

    @property
    def total(self) -> int:
        return self.from_held + self.from_agency + self.from_fee


def refund_shares(standing: BillMoney, amount_fen: int) -> RefundShares | None:
    """Split a refund; None when the bill never received so much or a part of it is frozen or gone back already.

    The platform gives back its fee in proportion to what is taken back of the released money, rounded down, so that a
    full refund returns the whole fee and no sequence of partial ones returns more.
    """
    from_held = min(amount_fen, standing.free)
    rest = amount_fen - from_held
    if amount_fen < 1 or rest > standing.returnable:
        return None
    if rest == 0:
        return RefundShares(from_held, 0, 0)
    whole_fee = standing.fee * (standing.returned + rest) // standing.released
    from_fee = min(rest, whole_fee - standing.fee_returned)
    return RefundShares(from_held, rest - from_fee, from_fee)


@dataclass(frozen=True)
class FreezeShares:
    """How a freeze falls on the money of a bill: on what is held, and on what its agency has already received."""

    of_held: int
    of_balance: int


def freeze_shares(standing: BillMoney, amount_fen: int) -> FreezeShares:
    """Freeze held money first; what is missing is frozen in the agency's balance, up to what was released to it."""
    of_held = min(amount_fen, standing.free)
    return FreezeShares(of_held, min(amount_fen - of_held, standing.returnable))
