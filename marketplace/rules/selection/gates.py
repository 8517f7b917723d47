"""What a notice must meet before it is published and a pool before it is drawn: limits, periods, smallest pools.

Source: the selection rules of Haizhou and Huizhou (random draw up to a limit, a pool of at least three for public money),
NDRC Order 16/2018 art. 5 (compulsory tendering from one million yuan), and the ban on splitting purchases.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.kernel.calendar import WorkCalendar
from app.kernel.words import N_
from marketplace.rulebook import RuleBook
from marketplace.rules.selection.methods import Method, may_have_rounds, needs_plan, needs_quotes
from marketplace.rules.selection.terms import MethodTerms


class FundSource(StrEnum):
    """Where the money comes from (资金来源)."""

    FISCAL = "fiscal"  # 财政性资金
    SOCIAL = "social"  # 社会资金
    MIXED = "mixed"  # 财政与社会资金


FUND_SOURCE_LABELS: Final[dict[str, str]] = {
    FundSource.FISCAL: N_("Fiscal money"),
    FundSource.SOCIAL: N_("Private money"),
    FundSource.MIXED: N_("Fiscal and private money"),
}


LONGEST_REGISTRATION_DAYS: Final = 180
LONGEST_ROUND_MINUTES: Final = 240
FULL_WEIGHT: Final = 100


@dataclass(frozen=True)
class Finding:
    """Something a notice must change (`blocks`) or should be looked at. `text` is a message id filled by `params`."""

    code: str
    field: str
    text: str
    params: dict[str, str | int]
    blocks: bool = True


def is_public_money(fund_source: str) -> bool:
    """Whether any part of the money is fiscal: then the stricter numbers of the rule book apply."""
    return fund_source != FundSource.SOCIAL


def minimum_pool(book: RuleBook, method: str, fund_source: str) -> int:
    """The fewest qualified agencies with which this method may go on, by fund source."""
    public = is_public_money(fund_source)
    if needs_quotes(method):
        return minimum_quotes(book, method, fund_source)
    if method == Method.MERIT_CREDIT:
        return book.merit_credit_min_registrants
    if method == Method.DIRECT:
        return 1
    return book.random_min_pool_state if public else book.random_min_pool_social


def minimum_quotes(book: RuleBook, method: str, fund_source: str) -> int:
    """The fewest valid quotes with which a method that needs quotes may decide, by fund source."""
    public = is_public_money(fund_source)
    if method == Method.MERIT_PLAN:
        return book.merit_plan_min_plans_state if public else book.merit_plan_min_plans_social
    return book.bid_min_quotes_state if public else book.bid_min_quotes_social


def check_amounts(
    book: RuleBook,
    *,
    fund_source: str,
    budget_fen: int,
    price_fen: int,
    ceiling_fen: int | None,
    method: str = Method.RANDOM,
) -> tuple[Finding, ...]:
    """The money of a notice against its limits; amounts in fen."""
    findings = []
    if price_fen > budget_fen:
        findings.append(Finding("price-above-budget", "price", N_("The service price is above the budget."), {}))
    if ceiling_fen is not None and price_fen > ceiling_fen:
        findings.append(Finding("price-above-ceiling", "price", N_("The service price is above the ceiling."), {}))
    if ceiling_fen is not None and ceiling_fen > budget_fen:
        findings.append(Finding("ceiling-above-budget", "ceiling", N_("The ceiling is above the budget."), {}))
    if budget_fen >= book.tender_limit_fen:
        findings.append(
            Finding(
                "tender-limit",
                "budget",
                N_("From %(limit)s yuan the law demands a tender; the supermarket may not be used."),
                {"limit": _yuan(book.tender_limit_fen)},
            )
        )
    elif method == Method.RANDOM and is_public_money(fund_source) and price_fen >= book.random_max_amount_fen:
        findings.append(
            Finding(
                "random-limit",
                "price",
                N_("With public money a random draw is allowed below %(limit)s yuan; choose bidding."),
                {"limit": _yuan(book.random_max_amount_fen)},
            )
        )
    return tuple(findings)


def check_method(
    book: RuleBook, method: str, terms: MethodTerms, *, fund_source: str, budget_fen: int, ceiling_fen: int | None
) -> tuple[Finding, ...]:
    """The method's own part of a notice: limits of quotes, rounds, list sizes, criteria, ground of a direct selection."""
    if needs_quotes(method):
        return (*_check_limits(terms, budget_fen, ceiling_fen), *_check_bidding(book, method, terms, fund_source))
    if method == Method.MERIT_CREDIT:
        return _check_lists(book, terms)
    return ()


def _check_limits(terms: MethodTerms, budget_fen: int, ceiling_fen: int | None) -> tuple[Finding, ...]:
    if ceiling_fen is None:
        text = N_("Bidding needs a ceiling: the highest price that a quote may name.")
        return (Finding("ceiling-missing", "ceiling", text, {}),)
    if terms.floor_fen is not None and not 0 < terms.floor_fen <= min(ceiling_fen, budget_fen):
        return (Finding("floor-above-ceiling", "floor", N_("The lowest limit must lie below the ceiling."), {}),)
    return ()


def _check_bidding(book: RuleBook, method: str, terms: MethodTerms, fund_source: str) -> tuple[Finding, ...]:
    most = book.bid_rounds_max if may_have_rounds(method) else 1
    if not 1 <= terms.rounds <= most:
        text = N_("This method has at most %(most)s bidding rounds.")
        return (Finding("too-many-rounds", "rounds", text, {"most": most}),)
    if not 1 <= terms.round_minutes <= LONGEST_ROUND_MINUTES:
        text = N_("A bidding round lasts between 1 and %(most)s minutes.")
        return (Finding("bad-round", "round_minutes", text, {"most": LONGEST_ROUND_MINUTES}),)
    if method == Method.COMBINED:
        fewest = minimum_quotes(book, method, fund_source)
        if terms.small_list is None or terms.small_list < max(2, fewest):
            text = N_("The shortlist takes at least %(fewest)s agencies, so that the draw has a choice.")
            return (Finding("shortlist-too-small", "small_list", text, {"fewest": max(2, fewest)}),)
    return _check_criteria(terms) if method == Method.MERIT_PLAN else ()


def _check_criteria(terms: MethodTerms) -> tuple[Finding, ...]:
    judged = [criterion for criterion in terms.criteria if not criterion.is_price]
    if not judged:
        text = N_("Name at least one criterion besides the price.")
        return (Finding("criteria-missing", "criteria", text, {}),)
    names = [criterion.name.strip() for criterion in terms.criteria]
    if len(set(names)) < len(names) or not all(names) or sum(c.is_price for c in terms.criteria) > 1:
        text = N_("Every criterion needs its own name, and the price stands on the list once.")
        return (Finding("criteria-unclear", "criteria", text, {}),)
    if any(c.weight < 1 for c in terms.criteria) or sum(c.weight for c in terms.criteria) != FULL_WEIGHT:
        text = N_("The weights are whole per cent above zero and add up to 100.")
        return (Finding("weights-not-100", "criteria", text, {}),)
    return ()


def _check_lists(book: RuleBook, terms: MethodTerms) -> tuple[Finding, ...]:
    if terms.big_list is None or terms.small_list is None:
        text = N_("Merit by credit needs the sizes of the big and the small list.")
        return (Finding("lists-missing", "big_list", text, {}),)
    if not 2 <= terms.small_list <= terms.big_list or terms.big_list < book.merit_credit_min_registrants:
        text = N_("The small list takes at least two agencies and no more than the big list.")
        return (Finding("lists-unfit", "small_list", text, {}),)
    return ()


def check_split(
    book: RuleBook, *, budget_fen: int, earlier_fen: int, earlier_numbers: tuple[str, ...]
) -> tuple[Finding, ...]:
    """A warning when this and the owner's earlier purchases of the same item for the same project pass the tender limit."""
    if not earlier_numbers or earlier_fen + budget_fen < book.random_max_amount_fen:
        return ()
    text = N_(
        "Together with %(numbers)s this comes to %(total)s yuan. Purchases may not be split to stay below a limit."
    )
    params: dict[str, str | int] = {"numbers": ", ".join(earlier_numbers), "total": _yuan(earlier_fen + budget_fen)}
    return (Finding("split-purchase", "budget", text, params, blocks=False),)


def registration_days(book: RuleBook, method: str) -> int:
    """Full working days for which the registration stays open at least: longer where a plan must be written."""
    return book.notice_registration_min_wd_merit if needs_plan(method) else book.notice_registration_min_wd


def check_registration_period(
    book: RuleBook, calendar: WorkCalendar, *, opens_on: date, ends_on: date, method: str = Method.RANDOM
) -> tuple[Finding, ...]:
    """Registration must stay open for the rule book's working days: the deadline lies after that many full ones.

    Raises UnknownYear when the calendar of a year is not known yet.
    """
    if (ends_on - opens_on).days > LONGEST_REGISTRATION_DAYS:
        far = N_("Registration may stay open for at most %(days)s days.")
        return (Finding("period-too-long", "registration_ends_at", far, {"days": LONGEST_REGISTRATION_DAYS}),)
    earliest = calendar.add_working_days(opens_on, registration_days(book, method))
    if ends_on >= earliest:
        return ()
    text = N_("Registration must stay open for at least %(days)s working days: until %(earliest)s or later.")
    return (
        Finding(
            "period-too-short",
            "registration_ends_at",
            text,
            {"days": registration_days(book, method), "earliest": earliest.isoformat()},
        ),
    )


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}" if fen % 100 == 0 else f"{fen / 100:,.2f}"
