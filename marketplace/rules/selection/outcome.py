"""What a selection method sees and says: plain values that are stored, published and replayed.

A method is a pure function of `Inputs` and the pinned rule book. Everything it decides by stands in `Inputs`; nothing else may
influence a result, so a stored `Inputs` decides the same for ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app.kernel.words import N_
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.terms import MethodTerms


class ReasonCode(StrEnum):
    """Why a participant stands where it stands. Stored; the public text is in REASON_TEXTS, filled with the reason's facts."""

    DRAWN = "drawn"
    LOWEST = "lowest"
    LOWEST_BY_DRAW = "lowest_by_draw"
    HIGHER_PRICE = "higher_price"
    NEAREST = "nearest"
    NEAREST_BY_DRAW = "nearest_by_draw"
    FARTHER = "farther"
    ONLY_QUOTE = "only_quote"
    HIGHEST_REMOVED = "highest_removed"
    LOWEST_REMOVED = "lowest_removed"
    BELOW_BIG_LIST = "below_big_list"
    NOT_ON_SMALL_LIST = "not_on_small_list"
    ON_SMALL_LIST = "on_small_list"
    CHOSEN = "chosen"
    NOT_CHOSEN_IN_TIME = "not_chosen_in_time"
    TOTAL = "total"
    TOTAL_BY_DRAW = "total_by_draw"
    DRAWN_OF_SHORTLISTED = "drawn_of_shortlisted"
    NOT_SHORTLISTED = "not_shortlisted"
    NAMED = "named"
    NO_QUOTE = "no_quote"
    INVALID_QUOTE = "invalid_quote"
    STEPPED_BACK = "stepped_back"
    NOT_ELIGIBLE = "not_eligible"
    AVOIDED = "avoided"
    FAILED = "failed"


REASON_TEXTS: Final[Mapping[str, str]] = {
    ReasonCode.DRAWN: N_("Place %(place)s of %(entries)s in the draw."),
    ReasonCode.LOWEST: N_("%(price_fen)s yuan: the lowest valid quote."),
    ReasonCode.LOWEST_BY_DRAW: N_(
        "%(price_fen)s yuan: level with %(others)s other quotes; place %(drawn)s in the draw between them."
    ),
    ReasonCode.HIGHER_PRICE: N_("%(price_fen)s yuan: %(more_fen)s yuan above the lowest valid quote."),
    ReasonCode.NEAREST: N_(
        "%(price_fen)s yuan: nearest to the reference price of %(reference_fen)s yuan (%(distance_fen)s yuan away)."
    ),
    ReasonCode.NEAREST_BY_DRAW: N_(
        "%(price_fen)s yuan: %(distance_fen)s yuan from the reference price of %(reference_fen)s yuan, level with others; placed by draw."
    ),
    ReasonCode.FARTHER: N_(
        "%(price_fen)s yuan: %(distance_fen)s yuan from the reference price of %(reference_fen)s yuan; nearer quotes precede."
    ),
    ReasonCode.ONLY_QUOTE: N_("%(price_fen)s yuan: the only valid quote, which the rules accept with private money."),
    ReasonCode.HIGHEST_REMOVED: N_("%(price_fen)s yuan: the highest quote is removed and cannot win."),
    ReasonCode.LOWEST_REMOVED: N_("%(price_fen)s yuan: the lowest quote is removed and cannot win."),
    ReasonCode.BELOW_BIG_LIST: N_("Credit %(points)s: below the big list, which ends at %(limit)s."),
    ReasonCode.NOT_ON_SMALL_LIST: N_(
        "Credit %(points)s, %(tickets)s numbers: place %(drawn)s in the draw, the small list has %(size)s places."
    ),
    ReasonCode.ON_SMALL_LIST: N_(
        "Credit %(points)s, %(tickets)s numbers: place %(drawn)s in the draw, on the small list; the owner chose another."
    ),
    ReasonCode.CHOSEN: N_(
        "Credit %(points)s, %(tickets)s numbers: place %(drawn)s in the draw; chosen from the small list: %(why)s"
    ),
    ReasonCode.NOT_CHOSEN_IN_TIME: N_(
        "Credit %(points)s, %(tickets)s numbers: first of the small list by draw; the owner did not choose in time."
    ),
    ReasonCode.TOTAL: N_("%(total)s of 100 points in the comparison."),
    ReasonCode.TOTAL_BY_DRAW: N_("%(total)s of 100 points in the comparison, level with others; placed by draw."),
    ReasonCode.DRAWN_OF_SHORTLISTED: N_(
        "%(price_fen)s yuan: shortlisted; place %(drawn)s of %(entries)s in the draw among the shortlisted."
    ),
    ReasonCode.NOT_SHORTLISTED: N_("%(price_fen)s yuan: not shortlisted; the shortlist ends at %(limit_fen)s yuan."),
    ReasonCode.NAMED: N_("Named by the owner in a direct selection: %(why)s"),
    ReasonCode.NO_QUOTE: N_("No sealed quote was handed in before the deadline."),
    ReasonCode.INVALID_QUOTE: N_("The quote does not count: %(why)s"),
    ReasonCode.STEPPED_BACK: N_(
        "Stepped back or was excluded after the list was frozen; the order of the others stays."
    ),
    ReasonCode.NOT_ELIGIBLE: N_("Did not meet every condition of the notice at the deadline."),
    ReasonCode.AVOIDED: N_("Left out because of an avoidance."),
    ReasonCode.FAILED: N_("Took part as the rules ask for; the selection failed as a whole."),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A machine reason: its code and the facts that fill its text. Facts ending in `_fen` are money, the others plain."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The message id."""
        return REASON_TEXTS[self.code]


class Standing(StrEnum):
    """Whether an entrant may be selected."""

    LISTED = "listed"  # on the frozen list
    STRUCK = "struck"  # stepped back or excluded after the freeze: keeps its place and is skipped
    INELIGIBLE = "ineligible"
    AVOIDED = "avoided"


@dataclass(frozen=True, slots=True)
class Score:
    """One criterion's points (0..100) for one entrant, with the reason that the owner must give."""

    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Entrant:
    """One registration as the method sees it. `price_fen` is its effective quote, `points` its credit (0..100) at the freeze."""

    registration_id: UUID
    uscc: str
    standing: str = Standing.LISTED
    price_fen: int | None = None
    invalid_because: str | None = None
    points: int | None = None
    scores: tuple[Score, ...] = ()

    @property
    def has_valid_quote(self) -> bool:
        """Whether a price was opened that counts."""
        return self.price_fen is not None and self.invalid_because is None


@dataclass(frozen=True, slots=True)
class DrawFiles:
    """A completed draw: both public files as text. The order is computed from them again, never taken from a table."""

    draw_txt: str
    beacon_txt: str
    is_demonstration: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The owner's pick from the small list; `registration_id` None: no pick in time, so the draw order decides."""

    registration_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a decision is made from."""

    method: str
    fund_source: str
    seats: int
    terms: MethodTerms
    ceiling_fen: int | None
    entrants: tuple[Entrant, ...]
    draw: DrawFiles | None = None
    choice: Choice | None = None
    is_scored: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values with entrants in the order of their codes: one spelling for one set of facts."""
        return {
            "protocol": "GMSELECT/1",
            "method": self.method,
            "fund_source": self.fund_source,
            "seats": self.seats,
            "terms": self.terms.to_json(),
            "ceiling_fen": self.ceiling_fen,
            "entrants": [_entrant_json(entrant) for entrant in in_order(self.entrants)],
            "draw": None
            if self.draw is None
            else {
                "draw_txt": self.draw.draw_txt,
                "beacon_txt": self.draw.beacon_txt,
                "is_demonstration": self.draw.is_demonstration,
            },
            "choice": None
            if self.choice is None
            else {"registration_id": _text(self.choice.registration_id), "reason": self.choice.reason},
            "is_scored": self.is_scored,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Inputs":
        """What `to_json` wrote."""
        draw, choice = data["draw"], data["choice"]
        return cls(
            method=data["method"],
            fund_source=data["fund_source"],
            seats=data["seats"],
            terms=MethodTerms.from_json(data["terms"]),
            ceiling_fen=data["ceiling_fen"],
            entrants=tuple(_entrant_of(row) for row in data["entrants"]),
            draw=DrawFiles(**draw) if draw else None,
            choice=Choice(_uuid(choice["registration_id"]), choice["reason"]) if choice else None,
            is_scored=data["is_scored"],
        )


def _entrant_json(entrant: Entrant) -> dict[str, Any]:
    return {
        "registration_id": str(entrant.registration_id),
        "uscc": entrant.uscc,
        "standing": str(entrant.standing),
        "price_fen": entrant.price_fen,
        "invalid_because": entrant.invalid_because,
        "points": entrant.points,
        "scores": [{"points": score.points, "reason": score.reason} for score in entrant.scores],
    }


def _entrant_of(row: Mapping[str, Any]) -> Entrant:
    scores = tuple(Score(**score) for score in row["scores"])
    return Entrant(**{**row, "registration_id": UUID(row["registration_id"]), "scores": scores})


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None


@dataclass(frozen=True, slots=True)
class Placing:
    """What became of one entrant. `place` is its place in the published ranking; None: it has none and can never follow."""

    registration_id: UUID
    uscc: str
    place: int | None
    reason: Reason
    price_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision: every entrant's placing, the winners in order, or why it failed. `facts` are the method's own numbers."""

    placings: tuple[Placing, ...]
    winners: tuple[UUID, ...]
    failure: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the order of the ranking; what is stored, published and compared by a replay."""
        return {
            "winners": [str(winner) for winner in self.winners],
            "failure": self.failure,
            "facts": dict(self.facts),
            "placings": [
                {
                    "registration_id": str(row.registration_id),
                    "uscc": row.uscc,
                    "place": row.place,
                    "price_fen": row.price_fen,
                    "reason": {"code": str(row.reason.code), "facts": dict(row.reason.facts)},
                }
                for row in self.placings
            ],
        }


@dataclass(frozen=True, slots=True)
class NeedsDraw:
    """The method cannot go on without an announced public value; `tickets` lists who stands in the draw with what weight."""

    purpose: DrawPurpose
    seats: int
    tickets: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class NeedsOwner:
    """The owner has to compare: score every one of `candidates`, or choose one of them."""

    candidates: tuple[UUID, ...]
    is_choice: bool


Step = NeedsDraw | NeedsOwner | Outcome


def in_order(entrants: Iterable[Entrant]) -> tuple[Entrant, ...]:
    """Entrants by their codes, so that the order in which they came in can never matter."""
    return tuple(sorted(entrants, key=lambda entrant: entrant.uscc))


def listed(inputs: Inputs) -> tuple[Entrant, ...]:
    """Those on the frozen list, the ones that were struck later included: they keep their places and are skipped."""
    return tuple(e for e in in_order(inputs.entrants) if e.standing in {Standing.LISTED, Standing.STRUCK})


def quoted(inputs: Inputs) -> tuple[Entrant, ...]:
    """Those on the frozen list with a quote that counts."""
    return tuple(e for e in listed(inputs) if e.has_valid_quote)


def conclude(
    inputs: Inputs, ranking: Iterable[tuple[Entrant, Reason]], unplaced: Mapping[UUID, Reason], **facts: Any
) -> Outcome:
    """The outcome of a complete ranking: places in its order, winners the first who still stand, a reason for everybody.

    `unplaced` names those on the list who got no place and why; those who never stood on it are added here.
    """
    placings = []
    winners: list[UUID] = []
    for place, (entrant, reason) in enumerate(ranking, start=1):
        struck = entrant.standing == Standing.STRUCK
        shown = Reason(ReasonCode.STEPPED_BACK) if struck else reason
        placings.append(Placing(entrant.registration_id, entrant.uscc, place, shown, entrant.price_fen))
        if not struck and len(winners) < inputs.seats:
            winners.append(entrant.registration_id)
    placed = {row.registration_id for row in placings}
    for entrant in in_order(inputs.entrants):
        if entrant.registration_id not in placed:
            reason = unplaced.get(entrant.registration_id) or _why_without_place(entrant)
            placings.append(Placing(entrant.registration_id, entrant.uscc, None, reason, entrant.price_fen))
    failure = None if winners else "ranking_exhausted"
    return Outcome(tuple(placings), tuple(winners), failure, facts)


def failed(inputs: Inputs, failure: str, **facts: Any) -> Outcome:
    """No decision is possible; everybody is told at least what was wrong with their own part."""
    placings = tuple(
        Placing(e.registration_id, e.uscc, None, _why_failed(e), e.price_fen) for e in in_order(inputs.entrants)
    )
    return Outcome(placings, (), failure, facts)


def _why_failed(entrant: Entrant) -> Reason:
    took_part = entrant.standing == Standing.LISTED and entrant.has_valid_quote
    return Reason(ReasonCode.FAILED) if took_part else _why_without_place(entrant)


def _why_without_place(entrant: Entrant) -> Reason:
    if entrant.standing == Standing.INELIGIBLE:
        return Reason(ReasonCode.NOT_ELIGIBLE)
    if entrant.standing == Standing.AVOIDED:
        return Reason(ReasonCode.AVOIDED)
    if entrant.standing == Standing.STRUCK:
        return Reason(ReasonCode.STEPPED_BACK)
    if entrant.invalid_because is not None:
        return Reason(ReasonCode.INVALID_QUOTE, {"why": entrant.invalid_because})
    return Reason(ReasonCode.NO_QUOTE)
