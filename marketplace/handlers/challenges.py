"""What happens to challenges when their matter goes away."""

from sqlalchemy import ColumnElement, select

from app.kernel.db import db, use_case
from app.kernel.outbox import Handlers
from marketplace.events.agencies import AgencyReturned
from marketplace.events.procurements import ProcurementFailed, ProcurementStopped, WinnerLost
from marketplace.models.challenges import Challenge
from marketplace.services import challenges
from marketplace.states.challenge import OPEN


@use_case
def end_challenges_without_a_matter(event: ProcurementStopped | ProcurementFailed | WinnerLost) -> None:
    """What no longer stands cannot be challenged any more: a withdrawn notice, the list of a failed selection, a lost result."""
    _settle(Challenge.procurement_id == event.procurement_id)


@use_case
def end_objections_to_decided_admission(event: AgencyReturned) -> None:
    """A rejected admission leaves nothing to object to."""
    _settle(Challenge.agency_id == event.agency_id)


def _settle(condition: ColumnElement[bool]) -> None:
    wanted = (condition, Challenge.state.in_(OPEN))
    for challenge_id in db.session.scalars(select(Challenge.id).where(*wanted).order_by(Challenge.id)).all():
        challenges.settle(challenge_id)


HANDLERS: Handlers = {
    ProcurementStopped: (end_challenges_without_a_matter,),
    ProcurementFailed: (end_challenges_without_a_matter,),
    WinnerLost: (end_challenges_without_a_matter,),
    AgencyReturned: (end_objections_to_decided_admission,),
}
