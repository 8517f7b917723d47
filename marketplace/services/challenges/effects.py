"""What follows from an upheld challenge, in the same transaction as its decision."""

from uuid import UUID

from app.kernel.access import Actor
from app.kernel.db import db, lock
from app.kernel.errors import Refused
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.challenges import Challenge
from marketplace.models.procurements import Procurement, Registration
from marketplace.rules.challenges import Effect
from marketplace.services import agencies, awards
from marketplace.services.challenges.commands import Uphold
from marketplace.services.procurements import tell
from marketplace.states.parts import Part
from marketplace.states.registration import REGISTRATION

_SYSTEM = (Part.SYSTEM,)


def take_effect(
    actor: Actor, challenge: Challenge, command: Uphold, procurement: Procurement | None, agency: Agency | None
) -> None:
    """Do what the decision orders. Raises Refused when the excluded agency is not one of the frozen list."""
    reason = f"{challenge.number}: {command.public_summary.strip()}"
    if command.effect is Effect.REJECT_ADMISSION:
        assert agency is not None, "the rules offer this for admissions only"
        agencies.uphold_objection(actor, agency.id, reason)
    if procurement is None:
        return
    if command.effect is Effect.EXCLUDE:
        exclude(actor, procurement, command.excluded_registration_id, reason)
    elif command.effect is Effect.RESELECT:
        awards.cancel_result(procurement, actor, reason)
    elif command.effect is Effect.REPUBLISH:
        awards.cancel_selection(procurement, actor, reason)
    elif command.effect is Effect.VOID:
        awards.annul(procurement, actor, reason)
    db.session.flush()


def exclude(actor: Actor, procurement: Procurement, registration_id: UUID | None, reason: str) -> None:
    """Leave one agency of the frozen list out; it keeps its place and is skipped, so the order of the others stays."""
    registration = lock(Registration, registration_id) if registration_id else None
    if registration is None or registration.procurement_id != procurement.id:
        raise Refused(
            "excluded-missing",
            N_("Choose the agency of the frozen list that is excluded."),
            field="excluded_registration_id",
        )
    if REGISTRATION.edge("exclude", registration.state) is None:
        raise Refused(
            "not-to-exclude",
            N_("This agency cannot be excluded; to take the result from the winner, cancel the result."),
            field="excluded_registration_id",
        )
    move(registration, REGISTRATION, "exclude", actor, _SYSTEM, reason=reason)
    tell(
        procurement,
        registration.organisation_id,
        "procurement.excluded",
        N_("Excluded: %(title)s"),
        N_("Your agency was excluded from %(number)s after a challenge. The reasons stand in the decision."),
    )
