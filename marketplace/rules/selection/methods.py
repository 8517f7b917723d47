"""The seven selection methods (选取方式) by which an owner finds an agency, and what each of them needs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.kernel.words import N_


class Method(StrEnum):
    """Selection methods that a notice may name. Stored."""

    RANDOM = "random"  # 随机选取
    BID_LOW = "bid_low"  # 竞价选取（最低价）
    BID_REF = "bid_ref"  # 竞价最优价、均价选取
    MERIT_CREDIT = "merit_credit"  # 信用择优选取
    MERIT_PLAN = "merit_plan"  # 方案择优选取、询比选取
    COMBINED = "combined"  # 竞价入围后随机选取
    DIRECT = "direct"  # 直接选取


class DrawPurpose(StrEnum):
    """What a frozen draw decides. Stored."""

    SELECTION = "selection"  # who is selected
    TIE = "tie"  # the order of those who are level
    BASE_PERCENT = "base_percent"  # the base percentage of a reference price, and the order of those who are level
    SMALL_LIST = "small_list"  # who stands on the small list, with numbers weighted by credit


METHOD_LABELS: Final[Mapping[str, str]] = {
    Method.RANDOM: N_("Random draw"),
    Method.BID_LOW: N_("Bidding: lowest price"),
    Method.BID_REF: N_("Bidding: nearest to the reference price"),
    Method.MERIT_CREDIT: N_("Merit by credit"),
    Method.MERIT_PLAN: N_("Merit by plan"),
    Method.COMBINED: N_("Bidding, then a draw among the shortlisted"),
    Method.DIRECT: N_("Direct selection"),
}

METHOD_EXPLANATIONS: Final[Mapping[str, str]] = {
    Method.RANDOM: N_("You set the price; an announced public value draws one of the registered agencies."),
    Method.BID_LOW: N_("Agencies hand in sealed quotes; the lowest valid one wins, a tie is drawn."),
    Method.BID_REF: N_("Sealed quotes; the one nearest to a reference price made from all quotes wins."),
    Method.MERIT_CREDIT: N_(
        "The best by credit form the big list; numbers weighted by credit draw the small list; you choose from it."
    ),
    Method.MERIT_PLAN: N_(
        "Sealed quotes with a plan; you score weighted criteria with reasons, the highest total wins."
    ),
    Method.COMBINED: N_("The lowest sealed quotes are shortlisted; an announced public value draws one of them."),
    Method.DIRECT: N_("You name the agency, with the ground that the rules allow; public money needs an approval."),
}

_QUOTING: Final = frozenset({Method.BID_LOW, Method.BID_REF, Method.MERIT_PLAN, Method.COMBINED})
_MERIT: Final = frozenset({Method.MERIT_CREDIT, Method.MERIT_PLAN})


def needs_quotes(method: str) -> bool:
    """Whether agencies hand in sealed quotes with their registration."""
    return method in _QUOTING


def needs_plan(method: str) -> bool:
    """Whether a quote must come with a response plan (方案)."""
    return method == Method.MERIT_PLAN


def may_have_rounds(method: str) -> bool:
    """Whether a notice may announce more than one bidding round."""
    return method == Method.BID_LOW


def needs_registration(method: str) -> bool:
    """Whether the notice opens a registration; a direct selection names its agency instead."""
    return method != Method.DIRECT


def is_merit(method: str) -> bool:
    """Whether the owner decides by merit: longer periods apply."""
    return method in _MERIT
