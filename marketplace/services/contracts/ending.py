"""Contracts that end before their time."""

from uuid import UUID

from sqlalchemy import select

from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, use_case
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.contracts import ContractTerminated
from marketplace.models.contracts import Contract
from marketplace.services.contracts.telling import Reasoned, locked, tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

S = ContractState


@use_case
def terminate(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """End a contract that one side does not sign; the operator says why."""
    contract, held = locked(actor, contract_id, command.version)
    _terminate(actor, contract, held, command.reason)


@use_case
def terminate_unsigned(procurement_id: UUID, agency_organisation_id: UUID, reason: str) -> None:
    """End the unsigned contract of a winner that was lost (struck out after it had confirmed), if there is one."""
    found = db.session.scalars(
        select(Contract.id).where(
            Contract.procurement_id == procurement_id,
            Contract.agency_organisation_id == agency_organisation_id,
            Contract.state.in_((S.TO_SIGN_AGENCY, S.TO_SIGN_OWNER)),
        )
    ).all()
    for contract_id in found:
        _terminate(SYSTEM, lock(Contract, contract_id), frozenset({Part.SYSTEM}), reason)


def _terminate(actor: Actor, contract: Contract, held: frozenset[Part], reason: str) -> None:
    event = ContractTerminated(contract_id=contract.id, procurement_id=contract.procurement_id)
    move(contract, CONTRACT, "terminate", actor, held, reason=reason, event=event)
    for side in (Part.OWNER, Part.AGENCY):
        tell(contract, side, "contract.terminated", N_("Contract %(number)s was terminated"))
