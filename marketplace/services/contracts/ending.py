"""Contracts that end before their time: unsigned, by agreement, or because of a breach that was not mended."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import Upload
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.contracts import ContractTerminated
from marketplace.models.contracts import Contract
from marketplace.models.engagement import BreachNotice
from marketplace.policy import other_side, side_of
from marketplace.queries.rulebooks import rule_book
from marketplace.services.contracts.evidence import attach
from marketplace.services.contracts.money import settle_if_ended
from marketplace.services.contracts.telling import Reasoned, locked, tell
from marketplace.states.contract import CLOCK_RUNS, CONTRACT, UNSIGNED, ContractState
from marketplace.states.engagement import BreachKind, TerminationCause
from marketplace.states.parts import Part

S = ContractState
_IN_FORCE = (*CLOCK_RUNS, S.PAUSED, S.DELIVERED, S.DISPUTE, S.ACCEPTED, S.RATED)


@dataclass(frozen=True)
class NotifyBreach:
    """What the other side does not do, with what supports it. `cure_wd`: more working days than the rules give at least."""

    kind: BreachKind
    facts: str
    cure_wd: int | None = None
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class EndNotice:
    """The notice falls away: the breach was mended, or the sender takes it back."""

    mended: bool
    reason: str
    version: int | None = None


@use_case
def terminate(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """End a contract that one side does not sign; the operator says why."""
    contract, held = locked(actor, contract_id, command.version)
    end(actor, contract, held, "terminate", TerminationCause.UNSIGNED, command.reason)


@use_case
def leave_unsigned(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """Leave a contract that the other side did not sign in time. Raises Conflict before the period is over."""
    contract, held = locked(actor, contract_id, command.version)
    if contract.state in UNSIGNED and clock.now() <= contract.sign_by:
        raise Conflict("signing-open", N_("The other side may still sign until the deadline."))
    fault = other_side(side_of(held))
    end(actor, contract, held, "leave_unsigned", TerminationCause.UNSIGNED, command.reason, at_fault=fault)


@use_case
def terminate_unsigned(procurement_id: UUID, agency_organisation_id: UUID, reason: str) -> None:
    """End the unsigned contract of a winner that was lost (struck out after it had confirmed), if there is one."""
    found = db.session.scalars(
        select(Contract.id).where(
            Contract.procurement_id == procurement_id,
            Contract.agency_organisation_id == agency_organisation_id,
            Contract.state.in_(UNSIGNED),
        )
    ).all()
    for contract_id in found:
        contract = lock(Contract, contract_id)
        if contract.state in UNSIGNED:
            end(SYSTEM, contract, frozenset({Part.SYSTEM}), "terminate", TerminationCause.UNSIGNED, reason)


def end(
    actor: Actor,
    contract: Contract,
    held: frozenset[Part],
    action: str,
    cause: TerminationCause,
    reason: str,
    at_fault: Part | None = None,
) -> None:
    """End the contract by this edge, settle what can be settled at once and tell both sides."""
    contract.terminated_at, contract.termination_cause = clock.now(), cause
    event = ContractTerminated(
        contract_id=contract.id,
        procurement_id=contract.procurement_id,
        agency_organisation_id=contract.agency_organisation_id,
        was_signed=contract.signed_at is not None,
        cause=cause,
        at_fault=at_fault,
    )
    move(contract, CONTRACT, action, actor, held, reason=reason, event=event, detail={"cause": str(cause)})
    for notice in open_notices(contract):
        notice.ended_at, notice.ended_how = clock.now(), "terminated"
    settle_if_ended(contract)
    for side in (Part.OWNER, Part.AGENCY):
        tell(contract, side, "contract.terminated", N_("Contract %(number)s was terminated"))


# --- breach -----------------------------------------------------------------------------------------------------


def open_notices(contract: Contract) -> list[BreachNotice]:
    """The notices of breach that have not ended, oldest first."""
    statement = (
        select(BreachNotice)
        .where(BreachNotice.contract_id == contract.id, BreachNotice.ended_at.is_(None))
        .order_by(BreachNotice.sent_at)
    )
    return list(db.session.scalars(statement))


@use_case
def notify_breach(actor: Actor, contract_id: UUID, command: NotifyBreach) -> None:
    """Give the other side notice of its breach and time to mend it. Raises Conflict while an own notice is open."""
    contract, held = locked(actor, contract_id, command.version)
    side = side_of(held)
    other = other_side(side)
    if side is None or other is None:
        raise NotAllowed
    if contract.state not in _IN_FORCE:
        raise Conflict("not-in-force", N_("This contract is not in force."))
    if any(one.sent_by == side for one in open_notices(contract)):
        raise Conflict("notice-open", N_("Your notice of breach is still open. End it before you send another."))
    least = rule_book(contract.rule_book_version).breach_cure_wd
    days = command.cure_wd if command.cure_wd is not None else least
    if days < least:
        raise Refused(
            "cure-period",
            N_("The other side has at least %(least)s working days to mend the breach."),
            field="cure_wd",
            params={"least": least},
        )
    now = clock.now()
    notice = BreachNotice(
        id=new_id(),
        contract_id=contract.id,
        kind=command.kind,
        facts=command.facts,
        sent_by=side,
        sent_by_name=actor.name,
        sent_at=now,
        cure_by=work_calendar.current().deadline(now, days).at,
    )
    db.session.add(notice)
    attach(actor, contract, side, "breach", notice.id, command.file)
    detail = {"kind": str(command.kind), "days": days}
    record(contract, "breach_notice", actor, title=N_("Notice of breach sent"), reason=command.facts, detail=detail)
    tell(contract, other, "contract.breach", N_("A notice of breach was sent to you: %(number)s"))


@use_case
def end_notice(actor: Actor, contract_id: UUID, command: EndNotice) -> None:
    """The sender says that the breach was mended, or takes the notice back. Raises NotFound without an own open notice."""
    contract, held = locked(actor, contract_id, command.version)
    side = side_of(held)
    notice = next((one for one in open_notices(contract) if one.sent_by == side), None)
    other = other_side(side)
    if notice is None or other is None:
        raise NotFound
    notice.ended_at, notice.end_text = clock.now(), command.reason
    notice.ended_how = "mended" if command.mended else "withdrawn"
    record(contract, "breach_ended", actor, title=N_("Notice of breach ended"), reason=command.reason)
    tell(contract, other, "contract.breach-ended", N_("The notice of breach has ended: %(number)s"))


@use_case
def terminate_for_breach(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """End the contract because the other side did not mend its breach in time. Raises Conflict before that."""
    contract, held = locked(actor, contract_id, command.version)
    side = side_of(held)
    own = [one for one in open_notices(contract) if one.sent_by == side]
    edge = CONTRACT.edge("terminate_for_breach", contract.state)
    if edge is not None and set(edge.who) & held and not any(clock.now() > one.cure_by for one in own):
        raise Conflict(
            "no-unmended-breach",
            N_("A contract ends for a breach only after a notice of breach and the time to mend it."),
        )
    cause = TerminationCause.BREACH
    end(actor, contract, held, "terminate_for_breach", cause, command.reason, at_fault=other_side(side))
