"""When a later last day may be asked for. Pure; all limits are working days."""

from app.kernel.errors import Refused
from app.kernel.words import N_
from marketplace.rulebook import RuleBook


def most_days(limit_wd: int, granted_wd: int, book: RuleBook) -> int:
    """How many working days may still be granted in all under the rule book's share of the agreed limit."""
    return max(0, limit_wd * book.extension_max_percent // 100 - granted_wd)


def check_extension(days_wd: int, limit_wd: int, granted_wd: int, times: int, book: RuleBook) -> None:
    """Raises Refused when the contract was extended often enough, or the days are none or too many."""
    if times >= book.extension_max_times:
        raise Refused("extension-times", N_("This contract has been extended as often as the rules allow."))
    most = most_days(limit_wd, granted_wd, book)
    if not 1 <= days_wd <= most:
        raise Refused(
            "extension-days",
            N_("Between 1 and %(most)s working days can be asked for in this contract."),
            field="days_wd",
            params={"most": most},
        )
