"""What a notice says about its selection method (选取条件): limits, rounds, list sizes, criteria, the ground of a direct selection."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.kernel.words import N_


class DirectGround(StrEnum):
    """Why an agency may be chosen directly (直接选取理由). Stored."""

    SMALL_AMOUNT = "small_amount"  # 小额
    EMERGENCY = "emergency"  # 应急
    CONTINUITY = "continuity"  # 后续服务
    AFTER_FAILURES = "after_failures"  # 两次流标后
    OWN_CHOICE = "own_choice"  # 社会资金自主选择


DIRECT_GROUND_LABELS: Final[Mapping[str, str]] = {
    DirectGround.SMALL_AMOUNT: N_("Small amount"),
    DirectGround.EMERGENCY: N_("Emergency: no time for another method"),
    DirectGround.CONTINUITY: N_("Continues an earlier service that only its agency can go on with"),
    DirectGround.AFTER_FAILURES: N_("The selection failed twice"),
    DirectGround.OWN_CHOICE: N_("Private money: the owner's own choice"),
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a comparison. `weight` is per cent; the price criterion is scored by the machine, never by hand."""

    name: str
    weight: int
    is_price: bool = False


@dataclass(frozen=True, slots=True)
class MethodTerms:
    """The method's part of a notice; what a method does not use stays at its default.

    `floor_fen` is the lowest price a quote may name (最低限价); `rounds` and `round_minutes` belong to bidding; `big_list` and
    `small_list` are numbers of agencies (大名单、小名单; a draw after bidding uses `small_list` alone).
    """

    floor_fen: int | None = None
    rounds: int = 1
    round_minutes: int = 30
    big_list: int | None = None
    small_list: int | None = None
    criteria: tuple[Criterion, ...] = ()
    direct_ground: str | None = None
    direct_uscc: str | None = None
    direct_reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values, as the database and the frozen notice hold them."""
        return {
            "floor_fen": self.floor_fen,
            "rounds": self.rounds,
            "round_minutes": self.round_minutes,
            "big_list": self.big_list,
            "small_list": self.small_list,
            "criteria": [{"name": c.name, "weight": c.weight, "is_price": c.is_price} for c in self.criteria],
            "direct_ground": self.direct_ground,
            "direct_uscc": self.direct_uscc,
            "direct_reason": self.direct_reason,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "MethodTerms":
        """What `to_json` wrote; an empty mapping is a method without terms."""
        values = dict(data)
        criteria = tuple(Criterion(**row) for row in values.pop("criteria", ()))
        return cls(criteria=criteria, **values)
