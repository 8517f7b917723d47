"""The owner's rating of a finished service: one contract, one rating, within the rule book's limit."""

from dataclasses import dataclass
from uuid import UUID

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, use_case
from app.kernel.errors import Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.contracts import ServiceRated
from marketplace.models.reviews import Rating
from marketplace.queries.contracts import pauses_of, reading_of
from marketplace.services.contracts import close_if_done, locked, tell
from marketplace.states.contract import CONTRACT
from marketplace.states.parts import Part


@dataclass(frozen=True)
class RateService:
    """Stars from 1 to 5 in each of the five dimensions."""

    quality: int
    timeliness: int
    attitude: int
    fee: int
    conformity: int
    comment: str | None = None
    version: int | None = None


@use_case
def rate(actor: Actor, contract_id: UUID, command: RateService) -> None:
    """Rate the service. Refused after the rating period; public at once."""
    contract, held = locked(actor, contract_id, command.version)
    now = clock.now()
    if contract.rate_by is not None and now > contract.rate_by and contract.rated_at is None:
        raise Refused("rating-period-over", N_("The time for rating this service is over."))
    contract.rated_at = now
    move(contract, CONTRACT, "rate", actor, held)
    reading = reading_of(contract, pauses_of(contract.id))
    assert reading is not None
    assert actor.user_id is not None
    stars = (command.quality, command.timeliness, command.attitude, command.fee, command.conformity)
    db.session.add(
        Rating(
            contract_id=contract.id,
            agency_organisation_id=contract.agency_organisation_id,
            owner_organisation_id=contract.owner_organisation_id,
            quality=command.quality,
            timeliness=command.timeliness,
            attitude=command.attitude,
            fee=command.fee,
            conformity=command.conformity,
            comment=command.comment or "",
            on_time=not reading.is_overdue,
            rated_by=actor.user_id,
            rated_at=now,
        )
    )
    overall = sum(stars) * 100 // len(stars)
    record(
        contract,
        "rated",
        actor,
        title=N_("Rating published"),
        detail={"stars": f"{overall / 100:.2f}"},
        public=True,
        event=ServiceRated(
            contract_id=contract.id,
            agency_organisation_id=contract.agency_organisation_id,
            overall=overall,
            on_time=not reading.is_overdue,
        ),
    )
    tell(contract, Part.AGENCY, "contract.rated", N_("Your service was rated: %(number)s"))
    close_if_done(contract)
