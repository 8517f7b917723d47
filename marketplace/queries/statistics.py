"""Public statistics of the last twelve months, counted from the records; a fixed number of statements."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import mean
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from app.identity.queries import organisations_by_ids
from app.kernel import clock
from app.kernel.calendar import beijing_date, start_of_day
from app.kernel.db import db
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.challenges import Challenge
from marketplace.models.contracts import Contract
from marketplace.models.credit import CreditSnapshot
from marketplace.models.procurements import Procurement, Registration
from marketplace.queries.owners import UNPAID_DAYS, has_unpaid_part
from marketplace.rules.challenges import ChallengeKind
from marketplace.rules.concentration import top_share
from marketplace.states.agency import IN_BUSINESS
from marketplace.states.procurement import ProcurementState
from marketplace.states.registration import RegistrationState

DAYS: Final = 365
_SHOWN: Final = 15
_OFTEN: Final = 3


@dataclass(frozen=True, slots=True)
class Concentration:
    """How the wins of a city or of a service are spread: per mille that went to the four strongest."""

    key: str
    wins: int
    winners: int
    top_four: int


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the year: notices published, results reached."""

    first: date
    notices: int
    results: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Amounts in fen, shares in per mille, `days_to_result` calendar days; None where nothing was counted."""

    since: date
    agencies: int
    owners: int
    notices: int
    results: int
    failures: int
    amount_fen: int
    registrants: float | None
    price_reduction: int | None
    days_to_result: float | None
    delivered: int
    on_time: int | None
    unpaid: int
    complaints: dict[str, int]
    grades: dict[str, int]
    months: tuple[Month, ...]
    by_region: tuple[Concentration, ...]
    by_item: tuple[Concentration, ...]

    @property
    def success(self) -> int | None:
        """Per mille of the finished selections that ended with a result."""
        finished = self.results + self.failures
        return 1000 * self.results // finished if finished else None


def statistics() -> Statistics:
    """Everything of the last twelve months. Nine statements."""
    since = clock.today() - timedelta(days=DAYS)
    begin = start_of_day(since)
    rows = db.session.execute(
        select(
            Procurement.id,
            Procurement.owner_organisation_id,
            Procurement.region_code,
            Procurement.item_version_id,
            Procurement.winner_organisation_id,
            func.coalesce(Procurement.award_fen, Procurement.price_fen).label("award_fen"),
            Procurement.ceiling_fen,
            Procurement.budget_fen,
            Procurement.published_at,
            Procurement.selected_at,
            Procurement.state,
        ).where(Procurement.published_at >= begin)
    ).all()
    won = [row for row in rows if row.winner_organisation_id is not None]
    delivered, on_time = _deliveries(begin)
    return Statistics(
        since=since,
        agencies=_count(Agency.id, Agency.state.in_(IN_BUSINESS)),
        owners=len({row.owner_organisation_id for row in rows}),
        notices=len(rows),
        results=len(won),
        failures=sum(row.state == ProcurementState.FAILED for row in rows),
        amount_fen=sum(row.award_fen for row in won),
        registrants=_registrants(begin, len(rows)),
        price_reduction=_reduction(won),
        days_to_result=_days(won),
        delivered=delivered,
        on_time=1000 * on_time // delivered if delivered else None,
        unpaid=_count(Contract.id, has_unpaid_part(clock.now() - timedelta(days=UNPAID_DAYS))),
        complaints=_complaints(begin),
        grades=_grades(),
        months=_months(rows, since),
        by_region=_spread((row.region_code[:4] + "00", row.winner_organisation_id) for row in won),
        by_item=_spread(_items(won)),
    )


def _count(column: Any, *conditions: Any) -> int:
    return db.session.scalar(select(func.count(column)).where(*conditions)) or 0


def _deliveries(begin: datetime) -> tuple[int, int]:
    row = db.session.execute(
        select(func.count(), func.count().filter(Contract.delivered_on <= Contract.deadline_on)).where(
            Contract.accepted_at >= begin
        )
    ).one()
    return int(row[0]), int(row[1])


def _registrants(begin: datetime, notices: int) -> float | None:
    if not notices:
        return None
    total = db.session.scalar(
        select(func.count())
        .select_from(Registration)
        .join(Procurement, Procurement.id == Registration.procurement_id)
        .where(Procurement.published_at >= begin, Registration.state != RegistrationState.WITHDRAWN)
    )
    return (total or 0) / notices


def _reduction(won: Iterable[Any]) -> int | None:
    """How far below its limit (the ceiling, else the budget) a result lies on average, in per mille."""
    shares = [1000 - 1000 * row.award_fen // (row.ceiling_fen or row.budget_fen) for row in won]
    return round(mean(shares)) if shares else None


def _days(won: Iterable[Any]) -> float | None:
    days = [(row.selected_at - row.published_at) / timedelta(days=1) for row in won if row.selected_at is not None]
    return mean(days) if days else None


def _complaints(begin: datetime) -> dict[str, int]:
    """Complaints filed since `begin`, by where they stand."""
    rows = db.session.execute(
        select(Challenge.state, func.count())
        .where(Challenge.kind == ChallengeKind.COMPLAINT.value, Challenge.filed_at >= begin)
        .group_by(Challenge.state)
    )
    return {state: int(count) for state, count in rows}


def _grades() -> dict[str, int]:
    newest = select(func.max(CreditSnapshot.day)).scalar_subquery()
    rows = db.session.execute(
        select(CreditSnapshot.grade, func.count()).where(CreditSnapshot.day == newest).group_by(CreditSnapshot.grade)
    )
    return {grade: int(count) for grade, count in rows}


def _months(rows: Iterable[Any], since: date) -> tuple[Month, ...]:
    notices: Counter[date] = Counter()
    results: Counter[date] = Counter()
    for row in rows:
        notices[beijing_date(row.published_at).replace(day=1)] += 1
        if row.selected_at is not None:
            results[beijing_date(row.selected_at).replace(day=1)] += 1
    months = sorted(month for month in notices | results if month >= since.replace(day=1))
    return tuple(Month(month, notices[month], results[month]) for month in months)


def _items(won: Iterable[Any]) -> Iterable[tuple[str, UUID]]:
    rows = list(won)
    names: dict[UUID, str] = dict(
        db.session.execute(
            select(ItemVersion.id, ItemVersion.name).where(ItemVersion.id.in_({row.item_version_id for row in rows}))
        ).all()
    )
    return ((names[row.item_version_id], row.winner_organisation_id) for row in rows)


def _spread(wins: Iterable[tuple[str, UUID]]) -> tuple[Concentration, ...]:
    found: dict[str, Counter[UUID]] = defaultdict(Counter)
    for key, winner in wins:
        found[key][winner] += 1
    rows = [
        Concentration(key, sum(counts.values()), len(counts), top_share(counts) or 0) for key, counts in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.wins, row.key))[:_SHOWN])


@dataclass(frozen=True, slots=True)
class Pair:
    """An owner and an agency that meet often: wins of this agency among all results of this owner."""

    owner_name: str
    agency_name: str
    wins: int
    results: int


def frequent_pairs(limit: int = 20) -> tuple[Pair, ...]:
    """Owner and agency pairs with at least three common results in twelve months, the most frequent first. Two statements."""
    since = clock.now() - timedelta(days=DAYS)
    rows = db.session.execute(
        select(Procurement.owner_organisation_id, Procurement.winner_organisation_id, func.count())
        .where(Procurement.selected_at >= since, Procurement.winner_organisation_id.is_not(None))
        .group_by(Procurement.owner_organisation_id, Procurement.winner_organisation_id)
    ).all()
    results: Counter[UUID] = Counter()
    for owner, _, count in rows:
        results[owner] += count
    often = [(owner, winner, count) for owner, winner, count in rows if winner is not None and count >= _OFTEN]
    frequent = sorted(often, key=lambda row: (-row[2] / results[row[0]], str(row[0])))
    shown = frequent[:limit]
    names = organisations_by_ids({one for row in shown for one in row[:2]})
    return tuple(Pair(names[owner].name, names[winner].name, count, results[owner]) for owner, winner, count in shown)
