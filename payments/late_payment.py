"""Interest on late payments by the Regulations on Payment to Small and Medium Enterprises (Order 802, art. 17). Pure."""

from dataclasses import dataclass
from datetime import date

from app.kernel.money import Money


@dataclass(frozen=True)
class LatePayment:
    """How late a payment is on one day: calendar days and the interest so far in fen (0 and 0 when in time)."""

    days: int
    interest_fen: int


def late_payment(
    amount_fen: int, due_on: date, paid_on: date | None, today: date, daily_basis_points: int
) -> LatePayment:
    """Interest of an amount due on a Beijing day, for every calendar day after it up to payment or today.

    `daily_basis_points` are ten-thousandths a day (5 = 0.05 %). Simple interest, rounded half up to a fen once at the end.
    """
    days = max(0, ((paid_on or today) - due_on).days)
    return LatePayment(days, Money(amount_fen).percent(daily_basis_points * days).fen)
