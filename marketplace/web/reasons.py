"""Machine reasons in the reader's words: money in yuan, totals without idle zeros, everything else as it stands."""

from decimal import Decimal
from typing import Any

from flask_babel import gettext

from app.kernel.money import Money
from marketplace.rules.selection.outcome import Reason


def reason_text(reason: Reason) -> str:
    """The translated reason. A quote's fault is itself a message; an owner's own words stand as they were written."""
    return str(gettext(reason.text) % {name: _shown(name, value) for name, value in reason.facts.items()})


def _shown(name: str, value: Any) -> str:
    if name.endswith("_fen") and isinstance(value, int):
        return Money(value).grouped
    if name == "total":
        return f"{Decimal(value).normalize():f}"
    return str(gettext(value)) if name == "why" and value else str(value)
