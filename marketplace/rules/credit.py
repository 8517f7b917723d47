"""The credit of an agency (信用评价): a published formula over the facts of the last twelve months, in exact arithmetic.

`CREDIT/1`: 100 points to begin with. Ratings make up 60 of them, performance (on time, without rework, approvals passed the
first time) 25, conduct 15; the shares are rule-book parameters. Every fact counts the less the older it is, in a straight line
from its full weight on its day to nothing at the end of the window. Means are smoothed: every mean begins with as many
imagined facts as the rule book's smallest number of ratings, at its starting value, so that one bad (or one bought) rating does
not decide. Points deducted for violations are taken from the conduct part, which never falls below nothing.

Each component is rounded down to hundredths of a point before the sum, so that what the page shows adds up, and a better
rating can never lower the score. Source: BUSINESS-RULES of the field, credit model and grades of Putian, Yuyao and others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final
from uuid import UUID

from app.kernel.words import N_
from marketplace.rulebook import RuleBook

FORMULA: Final = "CREDIT/1"
_HUNDREDTHS: Final = 100
_STAR: Final = 20  # points of a hundred that one star is worth


class Rater(StrEnum):
    """Who rates an agency's service, in the order of the rule book's weights."""

    OWNER = "owner"
    DEPARTMENT = "department"
    OPERATOR = "operator"


class Grade(StrEnum):
    """Credit grades (信用等级), best first."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Component(StrEnum):
    """What a score is added up from."""

    RATING = "rating"
    ON_TIME = "on_time"
    WITHOUT_REWORK = "without_rework"
    FIRST_PASS = "first_pass"  # noqa: S105 - an approval passed, not a password
    CONDUCT = "conduct"


COMPONENT_LABELS: Final[dict[str, str]] = {
    Component.RATING: N_("Ratings"),
    Component.ON_TIME: N_("Delivered on time"),
    Component.WITHOUT_REWORK: N_("Accepted without rework"),
    Component.FIRST_PASS: N_("Approvals passed the first time"),
    Component.CONDUCT: N_("Conduct"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that counts from the Beijing day `on`. `subject` names its object ("contract:<uuid>"), `id` its row."""

    on: date
    subject: str
    id: UUID


@dataclass(frozen=True, slots=True)
class RatingFact(Fact):
    """A rating; `stars` in hundredths (100 to 500). A default rating was entered by the rule, because nobody rated."""

    rater: Rater
    stars: int
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class ServiceFact(Fact):
    """An accepted service: whether the clock was kept, and whether no version was returned."""

    on_time: bool
    without_rework: bool


@dataclass(frozen=True, slots=True)
class UseFact(Fact):
    """A deliverable that an approving department has used: whether the approval passed the first time."""

    first_pass: bool


@dataclass(frozen=True, slots=True)
class DeductionFact(Fact):
    """Points taken away for a violation; positive."""

    points: int


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """Everything the score of one agency rests on; the order does not matter."""

    ratings: Sequence[RatingFact] = ()
    services: Sequence[ServiceFact] = ()
    uses: Sequence[UseFact] = ()
    deductions: Sequence[DeductionFact] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One fact in a component: its value (0 to 100, or the points taken away) and what is left of its weight in per mille."""

    fact: Fact
    value: Fraction
    weight: Fraction

    @property
    def value_percent(self) -> str:
        """The value with one decimal at most."""
        return f"{float(self.value):g}"

    @property
    def weight_permille(self) -> int:
        """The weight with which it counts today, in per mille of a fresh rating by an owner."""
        return int(self.weight * 1000)


@dataclass(frozen=True, slots=True)
class ComponentScore:
    """One component: the points it could bring and those it brings, in hundredths of a point, and the facts behind it."""

    component: Component
    maximum: int
    points: int
    lines: tuple[Line, ...]

    @property
    def label(self) -> str:
        """Message id of the component."""
        return COMPONENT_LABELS[self.component]


@dataclass(frozen=True, slots=True)
class CreditScore:
    """The score of one agency on one day; `hundredths` of a point from 0 to 10000.

    `is_provisional`: fewer ratings than the rule book asks for; the starting value still carries most of it.
    """

    on: date
    formula: str
    hundredths: int
    grade: Grade
    is_provisional: bool
    components: tuple[ComponentScore, ...]

    @property
    def points(self) -> int:
        """Whole points, rounded down."""
        return self.hundredths // _HUNDREDTHS


def credit_score(facts: CreditFacts, on: date, book: RuleBook) -> CreditScore:
    """The score on the Beijing day `on` under the formula's parameters in `book`. Facts after `on` do not count."""
    rating_share, performance_share, conduct_share = book.credit_shares
    on_time, without_rework, first_pass = (
        Fraction(performance_share * part, sum(book.credit_performance_shares))
        for part in book.credit_performance_shares
    )
    services = [(fact, decay(fact.on, on, book)) for fact in facts.services]
    components = (
        _mean(Component.RATING, Fraction(rating_share), _ratings(facts.ratings, on, book), book),
        _mean(Component.ON_TIME, on_time, _shares((f, f.on_time, w) for f, w in services), book),
        _mean(Component.WITHOUT_REWORK, without_rework, _shares((f, f.without_rework, w) for f, w in services), book),
        _mean(
            Component.FIRST_PASS,
            first_pass,
            _shares((f, f.first_pass, decay(f.on, on, book)) for f in facts.uses),
            book,
        ),
        _conduct(Fraction(conduct_share), facts.deductions, on, book),
    )
    total = sum(component.points for component in components)
    own = sum(1 for line in components[0].lines if isinstance(line.fact, RatingFact) and not line.fact.is_default)
    return CreditScore(on, FORMULA, total, grade_of(total, book), own < book.credit_min_ratings, components)


def grade_of(hundredths: int, book: RuleBook) -> Grade:
    """The grade of a score in hundredths of a point: exactly on a border belongs to the better grade."""
    borders = zip((Grade.A, Grade.B, Grade.C), book.credit_grades_from, strict=True)
    return next((grade for grade, border in borders if hundredths >= border * _HUNDREDTHS), Grade.D)


def decay(fact_day: date, on: date, book: RuleBook) -> Fraction:
    """What is left of a fact's weight: 1 on its day, in a straight line to 0 at the end of the window; 0 before its day."""
    age = (on - fact_day).days
    if age < 0 or age >= book.credit_window_days:
        return Fraction(0)
    return Fraction(book.credit_window_days - age, book.credit_window_days)


def _ratings(ratings: Iterable[RatingFact], on: date, book: RuleBook) -> tuple[Line, ...]:
    """An owner's fresh rating has the weight 1, those of the others in the proportion of the rule book."""
    weights = dict(zip(Rater, book.rating_weights, strict=True))
    owner = weights[Rater.OWNER]
    lines = []
    for fact in ratings:
        weight = decay(fact.on, on, book) * Fraction(weights[fact.rater], owner)
        if fact.is_default:
            weight *= Fraction(book.rating_default_weight_percent, 100)
        lines.append(Line(fact, Fraction(fact.stars * _STAR, _HUNDREDTHS), weight))
    return _counting(lines)


def _shares(facts: Iterable[tuple[Fact, bool, Fraction]]) -> tuple[Line, ...]:
    return _counting(Line(fact, Fraction(100 if good else 0), weight) for fact, good, weight in facts)


def _counting(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines that still weigh something, newest first."""
    return tuple(sorted((line for line in lines if line.weight), key=lambda line: (line.fact.on, line.fact.id)))[::-1]


def _mean(component: Component, share: Fraction, lines: tuple[Line, ...], book: RuleBook) -> ComponentScore:
    start = Fraction(book.credit_start_percent * book.credit_min_ratings)
    weight = book.credit_min_ratings + sum((line.weight for line in lines), Fraction(0))
    value = start + sum((line.value * line.weight for line in lines), Fraction(0))
    mean = value / weight if weight else Fraction(book.credit_start_percent)
    return ComponentScore(component, int(share * _HUNDREDTHS), int(share * mean), lines)


def _conduct(share: Fraction, deductions: Iterable[DeductionFact], on: date, book: RuleBook) -> ComponentScore:
    lines = _counting(Line(fact, Fraction(fact.points), decay(fact.on, on, book)) for fact in deductions)
    taken = sum((line.value * line.weight for line in lines), Fraction(0))
    left = max(Fraction(0), share - taken)
    return ComponentScore(Component.CONDUCT, int(share * _HUNDREDTHS), int(left * _HUNDREDTHS), lines)
