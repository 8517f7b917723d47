"""The fairness monitor: what draws and quotes look like in the mass. Indicators for people to look at, never verdicts."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.identity.queries import organisations_by_ids
from app.kernel import clock
from app.kernel.db import db
from marketplace.models.procurements import Draw, DrawOutcome, DrawRank, Procurement, Registration
from marketplace.models.selection import SelectionRank, SelectionResult
from marketplace.rules.concentration import Luck, luck
from marketplace.rules.selection.methods import Method

DAYS: Final = 365
_FEWEST_DRAWS: Final = 5
_SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class Drawn:
    """An agency in the draws of twelve months: how often it stood first, and how often that was to be expected."""

    organisation_id: UUID
    name: str
    luck: Luck


def draw_luck() -> tuple[Drawn, ...]:
    """Agencies with at least five ranked draws of equal weights, by how far they are from the expectation. Three statements."""
    since = clock.now() - timedelta(days=DAYS)
    rows = db.session.execute(
        select(Registration.organisation_id, Draw.entries, DrawRank.place)
        .join(DrawRank, DrawRank.registration_id == Registration.id)
        .join(Draw, Draw.id == DrawRank.draw_id)
        .join(DrawOutcome, DrawOutcome.draw_id == Draw.id)
        .join(Procurement, Procurement.id == Draw.procurement_id)
        .where(DrawOutcome.ranked_at >= since, Procurement.method == Method.RANDOM.value)
    )
    chances: dict[UUID, list[tuple[int, bool]]] = defaultdict(list)
    for organisation_id, entries, place in rows:
        chances[organisation_id].append((entries, place == 1))
    measured = {key: luck(value) for key, value in chances.items() if len(value) >= _FEWEST_DRAWS}
    shown = sorted(measured, key=lambda key: (-abs(measured[key].deviation), str(key)))[:_SHOWN]
    names = organisations_by_ids(shown)
    return tuple(Drawn(key, names[key].name, measured[key]) for key in shown)


@dataclass(frozen=True, slots=True)
class Together:
    """Two agencies that register for the same procurements: common registrations, and the fewer of their totals."""

    first: str
    second: str
    common: int
    of: int


def registered_together(limit: int = 20) -> tuple[Together, ...]:
    """Pairs that share at least three quarters of the registrations of the less active one (five or more). Two statements."""
    since = clock.now() - timedelta(days=DAYS)
    rows = db.session.execute(
        select(Registration.procurement_id, Registration.organisation_id).where(Registration.registered_at >= since)
    )
    lists: dict[UUID, list[UUID]] = defaultdict(list)
    totals: Counter[UUID] = Counter()
    for procurement_id, organisation_id in rows:
        lists[procurement_id].append(organisation_id)
        totals[organisation_id] += 1
    common: Counter[tuple[UUID, UUID]] = Counter()
    for members in lists.values():
        if len(members) <= _SHOWN:  # a long list says nothing about two of its members
            ordered = sorted(members, key=str)
            common.update((a, b) for n, a in enumerate(ordered) for b in ordered[n + 1 :])
    close = [
        (pair, count, min(totals[pair[0]], totals[pair[1]]))
        for pair, count in common.items()
        if count >= _FEWEST_DRAWS and 4 * count >= 3 * min(totals[pair[0]], totals[pair[1]])
    ]
    close.sort(key=lambda row: (-row[1] / row[2], -row[1], str(row[0])))
    names = organisations_by_ids({one for pair, _, _ in close[:limit] for one in pair})
    return tuple(Together(names[a].name, names[b].name, count, of) for (a, b), count, of in close[:limit])


@dataclass(frozen=True, slots=True)
class LowResult:
    """A result far below its limit. Amounts in fen."""

    procurement_id: UUID
    number: str
    title: str
    price_fen: int
    limit_fen: int


def abnormally_low(limit: int = 20) -> tuple[LowResult, ...]:
    """Results at less than 60 per cent of their ceiling in twelve months, the lowest share first. One statement."""
    since = clock.now() - timedelta(days=DAYS)
    price = func.coalesce(Procurement.award_fen, Procurement.price_fen)
    rows = db.session.execute(
        select(Procurement.id, Procurement.number, Procurement.title, price, Procurement.ceiling_fen)
        .where(
            Procurement.selected_at >= since,
            Procurement.winner_organisation_id.is_not(None),
            price * 10 < Procurement.ceiling_fen * 6,
        )
        .order_by(price * 1.0 / Procurement.ceiling_fen, Procurement.id)
        .limit(limit)
    )
    return tuple(LowResult(row[0], row[1], row[2], row[3], row[4] or 0) for row in rows)


@dataclass(frozen=True, slots=True)
class CloseQuotes:
    """Two opened quotes of one procurement that nearly agree. Amounts in fen."""

    procurement_id: UUID
    number: str
    title: str
    lower_fen: int
    higher_fen: int


def near_identical_quotes(limit: int = 20) -> tuple[CloseQuotes, ...]:
    """Pairs of opened quotes less than one per mille apart in twelve months, the closest first. One statement."""
    since = clock.now() - timedelta(days=DAYS)
    rows = db.session.execute(
        select(SelectionRank.result_id, SelectionRank.price_fen, Procurement.id, Procurement.number, Procurement.title)
        .join(SelectionResult, SelectionResult.id == SelectionRank.result_id)
        .join(Procurement, Procurement.id == SelectionResult.procurement_id)
        .where(SelectionResult.decided_at >= since, SelectionRank.price_fen.is_not(None))
        .order_by(SelectionRank.result_id, SelectionRank.price_fen)
    ).all()
    close = []
    for low, high in pairwise(rows):
        lower, higher = low[1] or 0, high[1] or 0  # NULL was left out above
        if low[0] == high[0] and (higher - lower) * 1000 < higher:
            close.append(CloseQuotes(low[2], low[3], low[4], lower, higher))
    return tuple(sorted(close, key=lambda row: (row.higher_fen - row.lower_fen, row.number))[:limit])
