"""What becomes of a procurement whose contract ended before its time: another agency of the ranking, or a closed file."""

from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import ProcurementFailed
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Procurement
from marketplace.policy import parts
from marketplace.services.awards import next_in_ranking, released_reserve
from marketplace.services.procurements import locked, tell
from marketplace.states.contract import ContractState
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, FailureCode, ProcurementState
from marketplace.states.registration import REGISTRATION

_P = ProcurementState
_SYSTEM = (Part.SYSTEM,)


@use_case
def follow_end(procurement_id: UUID, agency_organisation_id: UUID, *, was_signed: bool) -> bool:
    """Follow a contract that ended: a signed one ends the service, an unsigned one asks the next of the ranking.

    False when the procurement has gone on without this agency already.
    """
    procurement = lock(Procurement, procurement_id)
    if was_signed:
        return move(procurement, PROCUREMENT, "terminate", SYSTEM, _SYSTEM, already_ok=True)
    if procurement.state != _P.CONFIRMED or procurement.winner_organisation_id != agency_organisation_id:
        return False
    move(procurement, PROCUREMENT, "lose_contract", SYSTEM, _SYSTEM, public=True)
    _look_for_next(procurement)
    return True


@use_case
def select_again(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Select another agency after the contract ended: the same published ranking goes on without the agency that left.

    Fails the procurement when nobody of it is left.
    """
    procurement = locked(actor, procurement_id, command.version)
    move(procurement, PROCUREMENT, "select_again", actor, parts(actor, procurement), public=True)
    _call_back_reserve(procurement)
    _look_for_next(procurement)


@use_case
def close_ended(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Close the file of an ended contract. Raises Conflict while its accounts are not settled."""
    procurement = locked(actor, procurement_id, command.version)
    unsettled = select(Contract.id).where(
        Contract.procurement_id == procurement.id,
        Contract.state == ContractState.TERMINATED,
        Contract.settled_at.is_(None),
    )
    if procurement.state == _P.TERMINATED and db.session.scalar(unsettled.limit(1)):
        raise Conflict("accounts-open", N_("The accounts of the ended contract are not settled yet."))
    move(procurement, PROCUREMENT, "close_ended", actor, parts(actor, procurement))
    procurement.finished_at = clock.now()


def _call_back_reserve(procurement: Procurement) -> None:
    """The reserve was released when the contract was signed. Who no longer wants to may step back."""
    for row in released_reserve(procurement):
        move(row, REGISTRATION, "stand_by", SYSTEM, _SYSTEM)
        row.decided_at = None
        tell(
            procurement,
            row.organisation_id,
            "procurement.reserve",
            N_("You are in reserve again: %(title)s"),
            N_("The contract of %(number)s ended before its time. Step back if you can no longer take the work."),
        )


def _look_for_next(procurement: Procurement) -> None:
    procurement.award_document_id = None
    procurement.winner_registration_id = procurement.winner_organisation_id = None
    procurement.publicity_ends_at = procurement.confirm_by = procurement.awarded_at = procurement.confirmed_at = None
    db.session.flush()
    if next_in_ranking(procurement) is None:
        procurement.failure_code = FailureCode.RANKING_EXHAUSTED
        event = ProcurementFailed(procurement_id=procurement.id, failure_code=FailureCode.RANKING_EXHAUSTED)
        move(procurement, PROCUREMENT, "fail", SYSTEM, _SYSTEM, event=event)
