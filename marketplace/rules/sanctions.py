"""The ladder of measures (处理阶梯): which violation is how grave, and what may follow from it; pure.

Source: the negative list of Hukou, the suspensions of Huizhou, the removal causes of Tangshan, BUSINESS-RULES 2.12. Numbers
(points, months, counts that make a violation) are rule-book parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.kernel.words import N_
from marketplace.rulebook import RuleBook


class Side(StrEnum):
    """Whose violation it is."""

    AGENCY = "agency"
    OWNER = "owner"


class Level(StrEnum):
    """How grave a violation is."""

    LIGHT = "light"  # 轻微
    GENERAL = "general"  # 一般
    SERIOUS = "serious"  # 严重


class Kind(StrEnum):
    """What a measure does beside the points it takes."""

    REMIND = "remind"  # 提醒
    WARN = "warn"  # 通报扣分
    SUSPEND_SERVICE = "suspend_service"  # 暂停单项服务
    SUSPEND = "suspend"  # 暂停全部服务
    REMOVE = "remove"  # 清退
    BLACKLIST = "blacklist"  # 列入失信名单
    NOTICE = "notice"  # 公开通报(业主)
    REPORT = "report"  # 移送财政、纪检(业主)
    SCRUTINY = "scrutiny"  # 提高审查级别(业主)


class Ground(StrEnum):
    """What was violated."""

    LATE_REPLY = "late_reply"
    MISSING_FILING = "missing_filing"
    GAVE_UP = "gave_up"
    LATE_DELIVERY = "late_delivery"
    EXTRA_FEE = "extra_fee"
    EXPIRED_CERTIFICATE = "expired_certificate"
    QUALITY = "quality"
    FALSE_MATERIAL = "false_material"
    LENT_QUALIFICATION = "lent_qualification"
    COLLUSION = "collusion"
    SUBCONTRACT = "subcontract"
    BRIBERY = "bribery"
    DESIGNATION = "designation"
    SPLIT_PURCHASE = "split_purchase"
    REFUSAL_TO_SIGN = "refusal_to_sign"
    LATE_PAYMENT = "late_payment"
    UNREASONABLE_CONDITIONS = "unreasonable_conditions"


LEVEL_LABELS: Final[Mapping[str, str]] = {
    Level.LIGHT: N_("Light violation"),
    Level.GENERAL: N_("General violation"),
    Level.SERIOUS: N_("Serious violation"),
}
KIND_LABELS: Final[Mapping[str, str]] = {
    Kind.REMIND: N_("Reminder"),
    Kind.WARN: N_("Public warning"),
    Kind.SUSPEND_SERVICE: N_("Suspension of one service"),
    Kind.SUSPEND: N_("Suspension of all services"),
    Kind.REMOVE: N_("Removal from the supermarket"),
    Kind.BLACKLIST: N_("Blacklist"),
    Kind.NOTICE: N_("Public notice"),
    Kind.REPORT: N_("Report to finance and discipline"),
    Kind.SCRUTINY: N_("Closer scrutiny of notices"),
}


@dataclass(frozen=True)
class Violation:
    """A ground: whose it is, how grave at least, and its words (a message id)."""

    side: Side
    level: Level
    label: str


VIOLATIONS: Final[Mapping[Ground, Violation]] = {
    Ground.LATE_REPLY: Violation(Side.AGENCY, Level.LIGHT, N_("Late reply")),
    Ground.MISSING_FILING: Violation(Side.AGENCY, Level.LIGHT, N_("Filing missing")),
    Ground.GAVE_UP: Violation(Side.AGENCY, Level.GENERAL, N_("Awards given up")),
    Ground.LATE_DELIVERY: Violation(Side.AGENCY, Level.GENERAL, N_("Delivery far behind the limit")),
    Ground.EXTRA_FEE: Violation(Side.AGENCY, Level.GENERAL, N_("Fee beyond the contract")),
    Ground.EXPIRED_CERTIFICATE: Violation(Side.AGENCY, Level.GENERAL, N_("Work with an expired certificate")),
    Ground.QUALITY: Violation(Side.AGENCY, Level.GENERAL, N_("Verified complaints about quality")),
    Ground.FALSE_MATERIAL: Violation(Side.AGENCY, Level.SERIOUS, N_("False material or report")),
    Ground.LENT_QUALIFICATION: Violation(Side.AGENCY, Level.SERIOUS, N_("Lent or borrowed qualification")),
    Ground.COLLUSION: Violation(Side.AGENCY, Level.SERIOUS, N_("Collusion")),
    Ground.SUBCONTRACT: Violation(Side.AGENCY, Level.SERIOUS, N_("Forbidden subcontract")),
    Ground.BRIBERY: Violation(Side.AGENCY, Level.SERIOUS, N_("Bribery")),
    Ground.DESIGNATION: Violation(Side.OWNER, Level.SERIOUS, N_("Designated agency")),
    Ground.SPLIT_PURCHASE: Violation(Side.OWNER, Level.GENERAL, N_("Split purchase")),
    Ground.REFUSAL_TO_SIGN: Violation(Side.OWNER, Level.GENERAL, N_("Refusal to sign")),
    Ground.LATE_PAYMENT: Violation(Side.OWNER, Level.GENERAL, N_("Late payment")),
    Ground.UNREASONABLE_CONDITIONS: Violation(Side.OWNER, Level.LIGHT, N_("Unreasonable conditions")),
}
_ORDER: Final = tuple(Level)
_ALLOWED: Final[Mapping[tuple[Side, Level], frozenset[Kind]]] = {
    (Side.AGENCY, Level.LIGHT): frozenset({Kind.REMIND, Kind.WARN}),
    (Side.AGENCY, Level.GENERAL): frozenset({Kind.WARN, Kind.SUSPEND_SERVICE, Kind.SUSPEND}),
    (Side.AGENCY, Level.SERIOUS): frozenset({Kind.SUSPEND_SERVICE, Kind.SUSPEND, Kind.REMOVE, Kind.BLACKLIST}),
    (Side.OWNER, Level.LIGHT): frozenset({Kind.REMIND, Kind.NOTICE}),
    (Side.OWNER, Level.GENERAL): frozenset({Kind.NOTICE, Kind.SCRUTINY}),
    (Side.OWNER, Level.SERIOUS): frozenset({Kind.NOTICE, Kind.REPORT, Kind.SCRUTINY}),
}
WITH_TERM: Final = frozenset({Kind.SUSPEND_SERVICE, Kind.SUSPEND, Kind.SCRUTINY})
"""These need a number of months; the others stand until they are revoked or repaired, or fade."""


@dataclass(frozen=True)
class Problem:
    """What contradicts the ladder: the field, and a message id with its parameters."""

    field: str
    text: str
    params: Mapping[str, int]


def check_sanction(
    book: RuleBook, *, ground: Ground, level: Level, kind: Kind, points: int, months: int | None, has_item: bool
) -> Problem | None:
    """The first thing about a proposed measure that the ladder does not allow; None when all is in order."""
    violation = VIOLATIONS[ground]
    if _ORDER.index(level) < _ORDER.index(violation.level):
        return Problem("level", N_("This violation is graver than that."), {})
    if kind not in _ALLOWED[violation.side, level]:
        return Problem("kind", N_("The ladder does not provide this measure for a violation of this level."), {})
    if (kind is Kind.SUSPEND_SERVICE) != has_item:
        return Problem("item_id", N_("Name the service for the suspension of one service, and only for that."), {})
    return _points(book, violation.side, level, points) or _months(book, level, kind, months)


def _points(book: RuleBook, side: Side, level: Level, points: int) -> Problem | None:
    least, most = (0, 0) if side is Side.OWNER else _range_of(book, level)
    if least <= points <= most:
        return None
    return Problem(
        "points", N_("For this level %(least)s to %(most)s points are taken."), {"least": least, "most": most}
    )


def _range_of(book: RuleBook, level: Level) -> tuple[int, int]:
    return {
        Level.LIGHT: book.credit_points_light,
        Level.GENERAL: book.credit_points_general,
        Level.SERIOUS: book.credit_points_serious,
    }[level]


def _months(book: RuleBook, level: Level, kind: Kind, months: int | None) -> Problem | None:
    if kind not in WITH_TERM:
        return None if months is None else Problem("months", N_("This measure has no term."), {})
    least, most = book.credit_suspend_months_serious if level is Level.SERIOUS else book.credit_suspend_months
    if months is not None and least <= months <= most:
        return None
    return Problem("months", N_("The term is %(least)s to %(most)s months."), {"least": least, "most": most})


def last_day(starts_on: date, months: int) -> date:
    """The last day of a term of whole months (Civil Code art. 202: the day of the last month that answers the first day).

    A month without that day ends on its last day.
    """
    month = starts_on.month - 1 + months
    year, month = starts_on.year + month // 12, month % 12 + 1
    for day in range(starts_on.day, 27, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    return date(year, month, starts_on.day)
