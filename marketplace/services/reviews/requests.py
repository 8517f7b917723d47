"""Requests to rate: opened when a service is accepted or its deliverable used, settled by a rating, by default or by the clock.

Owner and agency rate each other blind: neither rating is shown before both are in or the time is over, so that none is an answer
to the other (anti-retaliation). A department's rating and an inspection are shown at once.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.identity.notices import notify
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Role
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.contracts import ServiceRated
from marketplace.models.contracts import Contract
from marketplace.models.reviews import DIMENSIONS, Rating, RatingRequest
from marketplace.queries.agencies import agency_id_of_organisation
from marketplace.queries.contracts import pauses_of, reading_of
from marketplace.queries.credit import scores
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.credit import Grade
from marketplace.rules.inspection import is_inspected
from marketplace.states.parts import Part
from marketplace.states.review import RATING_REQUEST, RequestState

_LATE_STARS = 2
_SYSTEM = (Part.SYSTEM,)
MUTUAL = ("owner", "agency")


@use_case
def open_requests(contract_id: UUID) -> None:
    """Ask both sides to rate each other, and the operator where the service falls under the inspection. Bears a repeat."""
    contract = lock(Contract, contract_id)
    assert contract.rate_by is not None  # accepted
    ask(contract, "owner", contract.owner_organisation_id, contract.rate_by)
    ask(contract, "agency", contract.agency_organisation_id, contract.rate_by)
    book = rule_book(contract.rule_book_version)
    grade = _grade(contract)
    if is_inspected(contract.id, book.credit_inspection_percent[list(Grade).index(grade)]):
        due = work_calendar.current().deadline(clock.now(), book.rating_regulator_wd).at
        ask(contract, "operator", None, due)


def _grade(contract: Contract) -> Grade:
    agency_id = agency_id_of_organisation(contract.agency_organisation_id)
    if agency_id is None:
        return Grade.A
    return scores([agency_id], clock.today(), rule_book(contract.rule_book_version))[agency_id].grade


def ask(contract: Contract, rater: str, organisation_id: UUID | None, due_at: datetime) -> RatingRequest:
    """The request of one side of one contract: found, or opened and told."""
    found = request_of(contract.id, rater)
    if found is not None:
        return found
    request = RatingRequest(
        id=new_id(),
        thread_id=contract.thread_id,
        contract_id=contract.id,
        rater=rater,
        asked_organisation_id=organisation_id,
        agency_organisation_id=contract.agency_organisation_id,
        owner_organisation_id=contract.owner_organisation_id,
        number=contract.number,
        title=contract.title,
        opened_at=clock.now(),
        due_at=due_at,
        state=RequestState.OPEN,
    )
    db.session.add(request)
    db.session.flush()
    record(request, "asked", SYSTEM, title=N_("Rating asked for"), detail={"number": contract.number})
    _tell(request, "rating.asked", N_("Please rate: %(title)s"))
    return request


def request_of(contract_id: UUID, rater: str) -> RatingRequest | None:
    """The request of one side of a contract, locked."""
    return db.session.scalar(
        select(RatingRequest)
        .where(RatingRequest.contract_id == contract_id, RatingRequest.rater == rater)
        .with_for_update()
    )


def _tell(request: RatingRequest, kind: str, subject: str) -> None:
    notify(
        to_organisation=request.asked_organisation_id,
        to_role=Role.OPERATOR if request.asked_organisation_id is None else None,
        kind=kind,
        subject=subject,
        text=N_("Contract %(number)s: rate by the deadline shown on the page; afterwards the published rule applies."),
        link=f"/rating-requests/{request.id}",
        thread_id=request.thread_id,
        params={"number": request.number, "title": request.title},
    )


def is_on_time(contract: Contract) -> bool:
    """Whether the clock of a delivered contract was kept."""
    reading = reading_of(contract, pauses_of(contract.id))
    return reading is None or not reading.is_overdue


def mean_stars(stars: dict[str, int | None]) -> int:
    """The mean of the stars that were given, in hundredths."""
    given = [value for value in stars.values() if value is not None]
    return sum(given) * 100 // len(given)


# --- what the clock does ------------------------------------------------------------------------------------------


@use_case
def settle_due(request_id: UUID) -> bool:
    """Close a request whose time is over: a silent owner's becomes the default rating, the others lapse. False when not due."""
    contract, request = locked_request(request_id)
    if request.state != RequestState.OPEN or clock.now() <= request.due_at:
        return False
    request.settled_at = clock.now()
    stars = rule_book(contract.rule_book_version).rating_default_stars
    if request.rater == "owner" and stars:
        _add_default(contract, stars)
        move(request, RATING_REQUEST, "default", SYSTEM, _SYSTEM, detail={"stars": stars})
    else:
        move(request, RATING_REQUEST, "lapse", SYSTEM, _SYSTEM)
    reveal_when_settled(contract)
    return True


def _add_default(contract: Contract, stars: int) -> None:
    on_time = is_on_time(contract)
    values: dict[str, int | None] = dict.fromkeys(DIMENSIONS, stars)
    if not on_time:
        values["timeliness"] = min(stars, _LATE_STARS)
    db.session.add(
        Rating(
            id=new_id(),
            contract_id=contract.id,
            rater="owner",
            agency_organisation_id=contract.agency_organisation_id,
            owner_organisation_id=contract.owner_organisation_id,
            **values,
            stars=mean_stars(values),
            on_time=on_time,
            is_default=True,
            rated_by=None,
            rated_at=clock.now(),
        )
    )
    db.session.flush()


@use_case
def remind(request_id: UUID) -> bool:
    """Remind once, on the last working day."""
    request = lock(RatingRequest, request_id)
    if request.state != RequestState.OPEN or request.reminded_at is not None:
        return False
    request.reminded_at = clock.now()
    record(request, "reminded", SYSTEM, title=N_("Reminded to rate"))
    _tell(request, "rating.reminder", N_("Today is the last day to rate: %(title)s"))
    return True


def due_ids(limit: int = 200) -> list[UUID]:
    """Open requests whose time is over."""
    statement = select(RatingRequest.id).where(
        RatingRequest.state == RequestState.OPEN, RatingRequest.due_at < clock.now()
    )
    return list(db.session.scalars(statement.order_by(RatingRequest.due_at).limit(limit)))


def reminder_ids(limit: int = 200) -> list[UUID]:
    """Open requests that end within a day and were not reminded of."""
    statement = select(RatingRequest.id).where(
        RatingRequest.state == RequestState.OPEN,
        RatingRequest.reminded_at.is_(None),
        RatingRequest.due_at < clock.now() + timedelta(hours=24),
        RatingRequest.due_at >= clock.now(),
    )
    return list(db.session.scalars(statement.order_by(RatingRequest.due_at).limit(limit)))


# --- showing both ratings together --------------------------------------------------------------------------------


def reveal_when_settled(contract: Contract) -> None:
    """Show the ratings of owner and agency once neither side can rate any more."""
    db.session.flush()
    waiting = db.session.scalar(
        select(RatingRequest.id).where(
            RatingRequest.contract_id == contract.id,
            RatingRequest.rater.in_(MUTUAL),
            RatingRequest.state == RequestState.OPEN,
        )
    )
    if waiting is not None:
        return
    hidden = select(Rating).where(
        Rating.contract_id == contract.id, Rating.rater.in_(MUTUAL), Rating.revealed_at.is_(None)
    )
    for rating in db.session.scalars(hidden).all():
        reveal(contract, rating)


def reveal(contract: Contract, rating: Rating) -> None:
    """Make a rating public, tell the rated side and let what rests on it follow."""
    rating.revealed_at = clock.now()
    is_service = rating.rater != "agency"
    event = ServiceRated(contract.id, contract.agency_organisation_id, rating.stars, rating.on_time)
    record(
        contract,
        "rated" if is_service else "owner_rated",
        SYSTEM,
        title=N_("Rating published") if is_service else N_("Rating of the owner published"),
        detail={"stars": f"{rating.stars / 100:.2f}"},
        public=True,
        event=event if is_service else None,
    )
    notify(
        to_organisation=rating.rated_organisation_id,
        kind="rating.published",
        subject=N_("A rating of you is public: %(title)s"),
        text=N_("Contract %(number)s was rated %(stars)s of 5. You may reply, and appeal in time."),
        link=f"/ratings/{rating.id}",
        thread_id=contract.thread_id,
        params={"number": contract.number, "title": contract.title, "stars": f"{rating.stars / 100:.2f}"},
    )


def locked_request(request_id: UUID, seen: int | None = None) -> tuple[Contract, RatingRequest]:
    """The contract and the request, locked in this order, so that two sides who rate at once see each other."""
    contract = lock(Contract, get(RatingRequest, request_id).contract_id)
    return contract, lock(RatingRequest, request_id, seen=seen)
