"""The credit of agencies, computed from the facts on record: scores for selections, and the parts of one score."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select

from app.kernel import clock
from app.kernel.calendar import beijing_date, start_of_day
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.agencies import Agency, AgencyRecord
from marketplace.models.contracts import Contract, Deliverable
from marketplace.models.credit import CreditSnapshot, Sanction
from marketplace.models.reviews import DeliverableUse, Rating
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.credit import (
    CreditFacts,
    CreditScore,
    DeductionFact,
    Grade,
    Rater,
    RatingFact,
    ServiceFact,
    UseFact,
    credit_score,
    grade_of,
)
from marketplace.states.agency import IN_BUSINESS

_HUNDREDTHS = 100


def score_points(agency_ids: Iterable[UUID], on: date) -> Mapping[UUID, int]:
    """Whole credit points (0 to 100) of these agencies on the Beijing day `on`; every given id has an entry.

    The score of a day rests on the facts up to the end of the day before, so it stays the same the whole day.
    A fixed number of statements, however many agencies there are.
    """
    wanted = set(agency_ids)
    stored = dict(
        db.session.execute(
            select(CreditSnapshot.agency_id, CreditSnapshot.hundredths).where(
                CreditSnapshot.agency_id.in_(wanted), CreditSnapshot.day == on
            )
        ).all()
    )
    computed = scores(wanted - set(stored), on, rule_book_in_force(on))
    points = {agency_id: hundredths // _HUNDREDTHS for agency_id, hundredths in stored.items()}
    return points | {agency_id: score.points for agency_id, score in computed.items()}


def grades(agency_ids: Iterable[UUID], on: date, book: RuleBook) -> dict[UUID, Grade]:
    """The grade of each of these agencies on `on` under the borders of `book`."""
    return {
        agency_id: grade_of(points * _HUNDREDTHS, book) for agency_id, points in score_points(agency_ids, on).items()
    }


def scores(agency_ids: Iterable[UUID], on: date, book: RuleBook) -> dict[UUID, CreditScore]:
    """The scores of these agencies on `on` with their components, under the parameters of `book`."""
    wanted = set(agency_ids)
    organisations = {
        row.organisation_id: row.id
        for row in db.session.execute(select(Agency.id, Agency.organisation_id).where(Agency.id.in_(wanted)))
    }
    facts = facts_of(organisations, on, book)
    known = {agency_id: facts[organisation_id] for organisation_id, agency_id in organisations.items()}
    return {agency_id: credit_score(known.get(agency_id, CreditFacts()), on, book) for agency_id in wanted}


def facts_of(organisation_ids: Iterable[UUID], on: date, book: RuleBook) -> dict[UUID, CreditFacts]:
    """Everything that counts for these organisations on `on`, as it was known at the end of the day before. Four statements.

    What was struck, revoked or repaired later still counts here, so that an old day can be explained as it was.
    """
    wanted = set(organisation_ids)
    since, before = start_of_day(on - timedelta(days=book.credit_window_days)), start_of_day(on)
    ratings, services = _ratings(wanted, since, before), _services(wanted, since, before)
    uses, deductions = _uses(wanted, since, before), _deductions(wanted, since, before)
    return {key: CreditFacts(ratings[key], services[key], uses[key], deductions[key]) for key in wanted}


def _ratings(wanted: set[UUID], since: datetime, before: datetime) -> dict[UUID, list[RatingFact]]:
    found: dict[UUID, list[RatingFact]] = defaultdict(list)
    statement = select(Rating).where(
        Rating.agency_organisation_id.in_(wanted),
        Rating.rater != "agency",
        Rating.revealed_at >= since,
        Rating.revealed_at < before,
        or_(Rating.struck_at.is_(None), Rating.struck_at >= before),
    )
    for row in db.session.scalars(statement):
        assert row.revealed_at is not None
        day, subject = beijing_date(row.revealed_at), f"rating:{row.id}"
        fact = RatingFact(day, subject, row.id, Rater(row.rater), row.stars, row.is_default)
        found[row.agency_organisation_id].append(fact)
    return found


def _services(wanted: set[UUID], since: datetime, before: datetime) -> dict[UUID, list[ServiceFact]]:
    found: dict[UUID, list[ServiceFact]] = defaultdict(list)
    returned = exists().where(Deliverable.contract_id == Contract.id, Deliverable.returned_at.is_not(None))
    columns = (Contract.id, Contract.agency_organisation_id, Contract.accepted_at)
    statement = select(*columns, Contract.delivered_on, Contract.deadline_on, returned.label("reworked")).where(
        Contract.agency_organisation_id.in_(wanted), Contract.accepted_at >= since, Contract.accepted_at < before
    )
    for row in db.session.execute(statement):
        on_time = row.deadline_on is None or row.delivered_on <= row.deadline_on
        fact = ServiceFact(beijing_date(row.accepted_at), f"contract:{row.id}", row.id, on_time, not row.reworked)
        found[row.agency_organisation_id].append(fact)
    return found


def _uses(wanted: set[UUID], since: datetime, before: datetime) -> dict[UUID, list[UseFact]]:
    found: dict[UUID, list[UseFact]] = defaultdict(list)
    statement = select(DeliverableUse).where(
        DeliverableUse.agency_organisation_id.in_(wanted),
        DeliverableUse.used_at >= since,
        DeliverableUse.used_at < before,
    )
    for row in db.session.scalars(statement):
        fact = UseFact(beijing_date(row.used_at), f"contract:{row.contract_id}", row.id, row.first_pass)
        found[row.agency_organisation_id].append(fact)
    return found


def _deductions(wanted: set[UUID], since: datetime, before: datetime) -> dict[UUID, list[DeductionFact]]:
    found: dict[UUID, list[DeductionFact]] = defaultdict(list)
    statement = select(Sanction.id, Sanction.organisation_id, Sanction.decided_at, Sanction.points).where(
        Sanction.organisation_id.in_(wanted),
        Sanction.points > 0,
        Sanction.decided_at >= since,
        Sanction.decided_at < before,
        or_(Sanction.settled_at.is_(None), Sanction.settled_at >= before),
    )
    for row in db.session.execute(statement):
        fact = DeductionFact(beijing_date(row.decided_at), f"sanction:{row.id}", row.id, row.points)
        found[row.organisation_id].append(fact)
    return found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The score of an agency as it was stored on one day."""

    day: date
    formula: str
    rule_book_version: int
    hundredths: int
    grade: str
    parts: list[Any]


def snapshot(agency_id: UUID, day: date) -> Snapshot | None:
    """What counted for an agency on `day`, if it was stored. One statement."""
    row = db.session.scalar(
        select(CreditSnapshot).where(CreditSnapshot.agency_id == agency_id, CreditSnapshot.day == day)
    )
    if row is None:
        return None
    return Snapshot(row.day, row.formula, row.rule_book_version, row.hundredths, row.grade, row.parts)


def history(agency_id: UUID, days: int = 90) -> tuple[tuple[date, int], ...]:
    """(day, hundredths) of the stored scores of the last `days` days, oldest first. One statement."""
    rows = db.session.execute(
        select(CreditSnapshot.day, CreditSnapshot.hundredths)
        .where(CreditSnapshot.agency_id == agency_id, CreditSnapshot.day > clock.today() - timedelta(days=days))
        .order_by(CreditSnapshot.day)
    )
    return tuple((row.day, row.hundredths) for row in rows)


def parts_json(score: CreditScore) -> list[dict[str, Any]]:
    """The components of a score with every fact, in plain values: what a snapshot stores and the interface answers."""
    return [
        {
            "component": str(part.component),
            "maximum": part.maximum,
            "points": part.points,
            "facts": [
                {
                    "on": line.fact.on.isoformat(),
                    "subject": line.fact.subject,
                    "value": line.value_percent,
                    "weight_permille": line.weight_permille,
                }
                for line in part.lines
            ],
        }
        for part in score.components
    ]


@dataclass(frozen=True, slots=True)
class Listed:
    """An agency of the red list with its score in hundredths of a point."""

    agency_id: UUID
    name: str
    region_code: str
    hundredths: int


def red_list(limit: int = 50) -> tuple[Listed, ...]:
    """The agencies with the best stored scores of the newest day, of grade A and no longer provisional. Two statements."""
    day = db.session.scalar(select(CreditSnapshot.day).order_by(CreditSnapshot.day.desc()).limit(1))
    book = rule_book_in_force()
    rows = db.session.execute(
        select(CreditSnapshot.agency_id, Agency.name, Agency.region_code, CreditSnapshot.hundredths)
        .join(Agency, Agency.id == CreditSnapshot.agency_id)
        .join(AgencyRecord, AgencyRecord.agency_id == Agency.id)
        .where(
            CreditSnapshot.day == day,
            CreditSnapshot.grade == Grade.A.value,
            AgencyRecord.rating_count >= book.credit_min_ratings,
            Agency.state.in_(IN_BUSINESS),
        )
        .order_by(CreditSnapshot.hundredths.desc(), Agency.name)
        .limit(limit)
    )
    return tuple(Listed(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class AgencyCredit:
    """The credit page of one agency: the score of a day with its components, and whether that day was stored."""

    agency_id: UUID
    organisation_id: UUID
    name: str
    score: CreditScore
    stored: Snapshot | None
    history: tuple[tuple[date, int], ...]

    @property
    def points(self) -> int:
        """What counts on the day, in hundredths: the stored score where there is one."""
        return self.stored.hundredths if self.stored else self.score.hundredths

    @property
    def is_reproduced(self) -> bool:
        """Whether computing the stored day again gives the stored score."""
        return self.stored is None or self.stored.hundredths == self.score.hundredths


def agency_credit(agency_id: UUID, on: date) -> AgencyCredit:
    """The score of an agency on `on`, explained. Raises NotFound for one that the public does not know. Nine statements at most."""
    agency = db.session.get(Agency, agency_id)
    if agency is None or agency.admitted_at is None:
        raise NotFound
    stored = snapshot(agency_id, on)
    book = rule_book(stored.rule_book_version) if stored else rule_book_in_force(on)
    score = scores([agency_id], on, book)[agency_id]
    return AgencyCredit(agency_id, agency.organisation_id, agency.name, score, stored, history(agency_id))
