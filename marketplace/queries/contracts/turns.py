"""Whose turn it is in a contract, and until when."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from marketplace.models.contracts import Contract
from marketplace.policy import other_side
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

if TYPE_CHECKING:
    from marketplace.queries.contracts.detail import ContractView

S = ContractState


TURN_OF_STATE: dict[str, Part | None] = {
    S.TO_DRAFT: Part.OWNER,
    S.TO_SIGN_AGENCY: Part.AGENCY,
    S.TO_SIGN_OWNER: Part.OWNER,
    S.RUNNING: Part.AGENCY,
    S.PAUSE_ASKED: Part.COUNTERPARTY,
    S.EXTENSION_ASKED: Part.COUNTERPARTY,
    S.TERMINATION_ASKED: Part.COUNTERPARTY,
    S.PAUSED: None,
    S.DISPUTE: Part.COUNTERPARTY,
    S.DELIVERED: Part.OWNER,
    S.ACCEPTED: Part.OWNER,
    S.RATED: None,
    S.CLOSED: None,
    S.TERMINATED: None,
}


def due_of(contract: Contract | ContractView) -> datetime | date | None:
    """The moment (or the Beijing date) until which the present state should have been left."""
    dates: dict[str, datetime | date | None] = {
        S.TO_DRAFT: contract.sign_by,
        S.TO_SIGN_AGENCY: contract.sign_by,
        S.TO_SIGN_OWNER: contract.sign_by,
        S.RUNNING: contract.deadline_on,
        S.PAUSE_ASKED: contract.answer_by,
        S.EXTENSION_ASKED: contract.answer_by,
        S.TERMINATION_ASKED: contract.answer_by,
        S.DELIVERED: contract.accept_by,
        S.ACCEPTED: contract.rate_by,
    }
    return dates.get(contract.state)


def turn_of(contract: Contract | ContractView) -> Part | None:
    """The side whose step is next, if it is a side's."""
    waiting = TURN_OF_STATE[contract.state]
    return other_side(contract.asked_by) if waiting is Part.COUNTERPARTY else waiting


def state_label(state: str) -> str:
    """The catalogue message of a contract's state."""
    return CONTRACT.labels[S(state)]
