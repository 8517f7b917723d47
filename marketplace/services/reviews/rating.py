"""Ratings given: the owner's of the service, the department's of the deliverable it used, the inspection, the agency's of the owner."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.contracts import Contract
from marketplace.models.reviews import DeliverableUse, Rating, RatingRequest
from marketplace.policy import request_parts
from marketplace.queries.rulebooks import rule_book
from marketplace.services.contracts import close_if_done, locked, tell
from marketplace.services.reviews.requests import (
    ask,
    is_on_time,
    locked_request,
    mean_stars,
    request_of,
    reveal,
    reveal_when_settled,
)
from marketplace.states.contract import CONTRACT
from marketplace.states.parts import Part
from marketplace.states.review import RATING_REQUEST, RequestState


@dataclass(frozen=True)
class RateService:
    """The owner's stars from 1 to 5 in each of the five dimensions, and an overall one if given."""

    quality: int
    timeliness: int
    attitude: int
    fee: int
    conformity: int
    comment: str | None = None
    overall: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class RateDeliverable:
    """The department's stars after it has used the deliverable."""

    quality: int
    timeliness: int
    comment: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Inspect:
    """What the operator found at the inspection, in stars."""

    quality: int
    conformity: int
    comment: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class RateOwner:
    """The agency's stars for its owner: answers in time, payment, clear demands."""

    response: int
    payment: int
    clarity: int
    comment: str | None = None
    overall: int | None = None
    version: int | None = None


@use_case
def rate(actor: Actor, contract_id: UUID, command: RateService) -> None:
    """The owner rates the service. Refused after the rating period; shown when the agency has rated too or the time is over."""
    contract, held = locked(actor, contract_id, command.version)
    now = clock.now()
    if contract.rate_by is not None and now > contract.rate_by and contract.rated_at is None:
        raise Refused("rating-period-over", N_("The time for rating this service is over."))
    contract.rated_at = now
    move(contract, CONTRACT, "rate", actor, held)
    assert contract.rate_by is not None  # required once accepted
    _add(actor, contract, "owner", _stars_of(command), command.comment)
    request = ask(contract, "owner", contract.owner_organisation_id, contract.rate_by)
    ask(contract, "agency", contract.agency_organisation_id, contract.rate_by)
    request.settled_at = now
    move(request, RATING_REQUEST, "settle", SYSTEM, (Part.SYSTEM,))
    reveal_when_settled(contract)
    _tell_of_blind_rating(contract, "agency", Part.AGENCY)
    close_if_done(contract)


@use_case
def rate_owner(actor: Actor, request_id: UUID, command: RateOwner) -> None:
    """The agency rates its owner. Raises NotFound, NotAllowed, Outdated, Refused after the rating period."""
    contract = _settle(actor, request_id, "rate_owner", _stars_of(command), command.comment, command.version)
    reveal_when_settled(contract)
    _tell_of_blind_rating(contract, "owner", Part.OWNER)


@use_case
def rate_deliverable(actor: Actor, request_id: UUID, command: RateDeliverable) -> None:
    """The department rates what it has used; public at once."""
    contract = _settle(actor, request_id, "rate_deliverable", _stars_of(command), command.comment, command.version)
    _reveal_own(contract, "department")


@use_case
def inspect(actor: Actor, request_id: UUID, command: Inspect) -> None:
    """The operator enters the outcome of an inspection; public at once."""
    contract = _settle(actor, request_id, "inspect", _stars_of(command), command.comment, command.version)
    _reveal_own(contract, "operator")


@use_case
def deliverable_used(
    contract_id: UUID, department_organisation_id: UUID, case_number: str, *, first_pass: bool, used_at: datetime
) -> None:
    """A department has decided a case with this contract's deliverable: keep the outcome and ask it to rate. Bears a repeat."""
    contract = lock(Contract, contract_id)
    if db.session.scalar(select(DeliverableUse.id).where(DeliverableUse.contract_id == contract_id)):
        return
    db.session.add(
        DeliverableUse(
            contract_id=contract_id,
            agency_organisation_id=contract.agency_organisation_id,
            department_organisation_id=department_organisation_id,
            case_number=case_number,
            first_pass=first_pass,
            used_at=used_at,
        )
    )
    detail = {"case": case_number, "first_pass": first_pass}
    record(contract, "used", SYSTEM, title=N_("Deliverable used in an approval"), detail=detail)
    limit = rule_book(contract.rule_book_version).rating_regulator_wd
    ask(contract, "department", department_organisation_id, work_calendar.current().deadline(clock.now(), limit).at)


def _stars_of(command: RateService | RateDeliverable | Inspect | RateOwner) -> dict[str, int | None]:
    return {name: value for name, value in asdict(command).items() if name not in {"comment", "version"}}


def _settle(
    actor: Actor, request_id: UUID, action: str, stars: dict[str, int | None], comment: str | None, seen: int | None
) -> Contract:
    held = request_parts(actor, get(RatingRequest, request_id))
    if not held:
        raise NotFound
    contract, request = locked_request(request_id, seen)
    if request.state == RequestState.OPEN and clock.now() > request.due_at:
        raise Refused("rating-period-over", N_("The time for rating this service is over."))
    request.settled_at = clock.now()
    move(request, RATING_REQUEST, action, actor, held)
    _add(actor, contract, request.rater, stars, comment)
    return contract


def _add(actor: Actor, contract: Contract, rater: str, stars: dict[str, int | None], comment: str | None) -> None:
    assert actor.user_id is not None
    db.session.add(
        Rating(
            id=new_id(),
            contract_id=contract.id,
            rater=rater,
            agency_organisation_id=contract.agency_organisation_id,
            owner_organisation_id=contract.owner_organisation_id,
            **stars,
            stars=mean_stars(stars),
            comment=comment or "",
            on_time=is_on_time(contract),
            rated_by=actor.user_id,
            rated_at=clock.now(),
        )
    )
    db.session.flush()


def _reveal_own(contract: Contract, rater: str) -> None:
    rating = db.session.scalars(select(Rating).where(Rating.contract_id == contract.id, Rating.rater == rater)).one()
    reveal(contract, rating)


def _tell_of_blind_rating(contract: Contract, waiting: str, side: Part) -> None:
    """Say to the side that has not rated that the other one has, without what it said."""
    request = request_of(contract.id, waiting)
    if request is not None and request.state == RequestState.OPEN:
        tell(
            contract, side, "rating.waiting", N_("The other side has rated %(number)s. You see it once you have rated.")
        )
