"""The credit of agencies, computed from the facts on record: scores for selections, and the parts of one score."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import exists, select

from app.kernel.calendar import beijing_date, start_of_day
from app.kernel.db import db
from marketplace.models.agencies import Agency
from marketplace.models.contracts import Contract, Deliverable
from marketplace.models.reviews import DIMENSIONS, Rating
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.credit import CreditFacts, CreditScore, Rater, RatingFact, ServiceFact, credit_score

_HUNDREDTHS = 100


def score_points(agency_ids: Iterable[UUID], on: date) -> Mapping[UUID, int]:
    """Whole credit points (0 to 100) of these agencies on the Beijing day `on`; every given id has an entry.

    The score of a day rests on the facts up to the end of the day before, so it stays the same the whole day.
    A fixed number of statements, however many agencies there are.
    """
    wanted = set(agency_ids)
    return {agency_id: score.points for agency_id, score in scores(wanted, on, rule_book_in_force(on)).items()}


def scores(agency_ids: Iterable[UUID], on: date, book: RuleBook) -> dict[UUID, CreditScore]:
    """The scores of these agencies on `on` with their components, under the parameters of `book`."""
    wanted = set(agency_ids)
    organisations = {
        row.organisation_id: row.id
        for row in db.session.execute(select(Agency.id, Agency.organisation_id).where(Agency.id.in_(wanted)))
    }
    facts = _facts(organisations, on, book)
    known = {agency_id: facts[organisation_id] for organisation_id, agency_id in organisations.items()}
    return {agency_id: credit_score(known.get(agency_id, CreditFacts()), on, book) for agency_id in wanted}


def _facts(organisations: Mapping[UUID, UUID], on: date, book: RuleBook) -> dict[UUID, CreditFacts]:
    since = start_of_day(on - timedelta(days=book.credit_window_days))
    before = start_of_day(on)
    ratings: dict[UUID, list[RatingFact]] = defaultdict(list)
    for rating in db.session.scalars(
        select(Rating).where(
            Rating.agency_organisation_id.in_(organisations), Rating.rated_at >= since, Rating.rated_at < before
        )
    ):
        stars = sum(getattr(rating, name) for name in DIMENSIONS) * _HUNDREDTHS // len(DIMENSIONS)
        fact = RatingFact(
            beijing_date(rating.rated_at), f"contract:{rating.contract_id}", rating.id, Rater.OWNER, stars
        )
        ratings[rating.agency_organisation_id].append(fact)
    services: dict[UUID, list[ServiceFact]] = defaultdict(list)
    returned = exists().where(Deliverable.contract_id == Contract.id, Deliverable.returned_at.is_not(None))
    for row in db.session.execute(
        select(
            Contract.id,
            Contract.agency_organisation_id,
            Contract.accepted_at,
            Contract.delivered_on,
            Contract.deadline_on,
            returned.label("reworked"),
        ).where(
            Contract.agency_organisation_id.in_(organisations),
            Contract.accepted_at >= since,
            Contract.accepted_at < before,
        )
    ):
        on_time = row.deadline_on is None or row.delivered_on <= row.deadline_on
        fact_of_service = ServiceFact(
            beijing_date(row.accepted_at), f"contract:{row.id}", row.id, on_time, not row.reworked
        )
        services[row.agency_organisation_id].append(fact_of_service)
    return {key: CreditFacts(ratings=ratings[key], services=services[key]) for key in organisations}
