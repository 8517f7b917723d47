"""What a city may set about money, as far as payments need it. The rule book that holds it lives in a domain above."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

from flask import Flask, current_app

EXTENSION: Final = "payments.terms"


@dataclass(frozen=True)
class Terms:
    """The parameters in force on one Beijing day. Amounts in fen, rates in ten-thousandths, `_days` calendar days.

    A cap of 0 is none. `payout_days` are days of the month (31 also means the last one of a shorter month).
    """

    platform_fee_bp: int = 0
    platform_fee_cap_fen: int = 0
    late_interest_bp: int = 5
    payout_days: tuple[int, ...] = (5, 15, 25)
    payout_min_fen: int = 10_000
    bank_cooling_days: int = 3
    invoice_remind_days: int = 7
    dispute_alarm_days: int = 3


def use_terms(app: Flask, terms_on: Callable[[date | None], Terms]) -> None:
    """Have payments ask here for the parameters of a Beijing day (None: of today)."""
    app.extensions[EXTENSION] = terms_on


def terms(on: date | None = None) -> Terms:
    """The parameters in force on a Beijing day (today); the defaults where no domain above sets them."""
    terms_on = current_app.extensions.get(EXTENSION)
    return cast("Callable[[date | None], Terms]", terms_on)(on) if terms_on is not None else Terms()
