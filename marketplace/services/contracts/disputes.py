"""Disputes: they freeze acceptance and the clock until both sides agree on a settlement or the operator records one."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.access import Actor
from app.kernel.calendar import beijing_date
from app.kernel.commands import Plain
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, Refused
from app.kernel.files import Upload
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.contracts import ClockPause, Contract
from marketplace.models.engagement import Dispute
from marketplace.policy import other_side, side_of
from marketplace.queries.contracts.clock import pauses_of
from marketplace.rules.acceptance import is_accepted_by_silence
from marketplace.services.contracts.acceptance import newest_deliverable, send_back, take_over
from marketplace.services.contracts.deadlines import set_deadline
from marketplace.services.contracts.ending import end
from marketplace.services.contracts.evidence import attach
from marketplace.services.contracts.money import award_part, freeze_disputed, unfreeze_disputed
from marketplace.services.contracts.telling import locked, tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.engagement import Settlement, TerminationCause
from marketplace.states.parts import Part

S = ContractState
PAUSE = "dispute"
"""The reason of the pause that a dispute makes."""


@dataclass(frozen=True)
class OpenDispute:
    """What the sides disagree about, with what supports it."""

    reason: str
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class ProposeSettlement:
    """How one side would end the dispute. `agency_fen`: when the contract ends, so much of the held fee is the agency's."""

    settlement: Settlement
    text: str
    agency_fen: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class Mediate:
    """The operator's record of the mediation. `days_count`: the days of the dispute count into the time limit."""

    settlement: Settlement
    text: str
    days_count: bool = False
    agency_fen: int | None = None
    version: int | None = None


@use_case
def open_dispute(actor: Actor, contract_id: UUID, command: OpenDispute) -> None:
    """Declare a dispute: nothing is accepted by silence and the clock stands until it is settled.

    Raises Conflict when silence has accepted the deliverable already.
    """
    contract, held = locked(actor, contract_id, command.version)
    side = side_of(held)
    other = other_side(side)
    if side is None or other is None:
        raise NotAllowed
    now, began_in = clock.now(), contract.state
    if began_in == S.DELIVERED and is_accepted_by_silence(contract.accept_by, contract.acceptance_reminders, now):
        raise Conflict("accepted-by-silence", N_("The time to return this deliverable is over; it counts as accepted."))
    move(contract, CONTRACT, "open_dispute", actor, held, reason=command.reason)
    contract.asked_by = contract.answer_by = None
    dispute = Dispute(
        id=new_id(),
        contract_id=contract.id,
        opened_by=side,
        opened_by_name=actor.name,
        opened_at=now,
        began_in=began_in,
        reason=command.reason,
    )
    db.session.add(dispute)
    attach(actor, contract, side, "dispute", dispute.id, command.file)
    freeze_disputed(contract, dispute.id)
    if began_in != S.DELIVERED:  # a deliverable that was handed in has stopped the clock already
        _stop_clock(contract, actor, side)
    tell(contract, other, "contract.dispute", N_("A dispute was declared: %(number)s"))


def _stop_clock(contract: Contract, actor: Actor, side: Part) -> None:
    today = clock.today()
    for pause in pauses_of(contract.id):
        if pause.outcome == "confirmed" and pause.ends_on is None:
            pause.ends_on, pause.ended_by_name = today, actor.name
    db.session.add(
        ClockPause(
            contract_id=contract.id,
            reason=PAUSE,
            asked_by=side,
            asked_by_name=actor.name,
            asked_at=clock.now(),
            outcome="confirmed",
            starts_on=today,
        )
    )


def open_dispute_of(contract: Contract) -> Dispute:
    """The dispute that is being settled. Raises IllegalTransition when there is none."""
    statement = select(Dispute).where(Dispute.contract_id == contract.id, Dispute.settled_at.is_(None))
    found = db.session.scalars(statement).first()
    if found is None:
        raise IllegalTransition(CONTRACT.name, "settle", contract.state, ())
    return found


@use_case
def propose_settlement(actor: Actor, contract_id: UUID, command: ProposeSettlement) -> None:
    """Propose how to end the dispute; it replaces an earlier proposal, and the other side may agree."""
    contract, held = locked(actor, contract_id, command.version)
    side = side_of(held)
    other = other_side(side)
    if side is None or other is None:
        raise NotAllowed
    dispute = open_dispute_of(contract)
    _check(contract, dispute, command.settlement, command.agency_fen)
    dispute.proposed_by, dispute.proposed_by_name, dispute.proposed_at = side, actor.name, clock.now()
    dispute.proposal, dispute.proposal_text = command.settlement, command.text
    dispute.proposed_agency_fen = command.agency_fen
    contract.asked_by = side
    detail = {"settlement": str(command.settlement)}
    record(contract, "settlement_proposed", actor, title=N_("Settlement proposed"), reason=command.text, detail=detail)
    tell(contract, other, "contract.settlement", N_("A settlement of the dispute was proposed: %(number)s"))


def _check(contract: Contract, dispute: Dispute, settlement: Settlement, agency_fen: int | None) -> None:
    if agency_fen is not None and settlement is not Settlement.TERMINATE:
        raise Refused("agency-part", N_("A part goes to the agency only when the contract ends."), field="agency_fen")
    if settlement is Settlement.ACCEPT and dispute.began_in != S.DELIVERED:
        raise Refused("nothing-to-accept", N_("Nothing was handed in that could be accepted."), field="settlement")
    if settlement is Settlement.ACCEPT:
        newest_deliverable(contract)


@use_case
def agree_settlement(actor: Actor, contract_id: UUID, command: Plain) -> None:
    """Agree to the other side's proposal; it is carried out at once. Raises NotAllowed for its proposer."""
    contract, held = locked(actor, contract_id, command.version)
    dispute = open_dispute_of(contract)
    if dispute.proposal is None or Part.COUNTERPARTY not in held:
        raise NotAllowed
    text = dispute.proposal_text or ""
    dispute.agency_fen = dispute.proposed_agency_fen
    _settle(actor, contract, held, Settlement(dispute.proposal), "agreement", text, days_count=False)


@use_case
def mediate(actor: Actor, contract_id: UUID, command: Mediate) -> None:
    """Record the result of the mediation; it is carried out at once."""
    contract, held = locked(actor, contract_id, command.version)
    if Part.OPERATOR not in held:
        raise NotAllowed
    dispute = open_dispute_of(contract)
    _check(contract, dispute, command.settlement, command.agency_fen)
    dispute.agency_fen = command.agency_fen
    _settle(actor, contract, held, command.settlement, "mediation", command.text, days_count=command.days_count)


def _settle(
    actor: Actor,
    contract: Contract,
    held: frozenset[Part],
    settlement: Settlement,
    how: str,
    text: str,
    *,
    days_count: bool,
) -> None:
    dispute = open_dispute_of(contract)
    dispute.settlement, dispute.settled_how, dispute.settlement_text = settlement, how, text
    dispute.settled_at, dispute.settled_by_name, dispute.days_count = clock.now(), actor.name, days_count
    contract.asked_by = None
    _end_pause(contract, actor, days_count=days_count)
    unfreeze_disputed(contract, dispute.id)
    if dispute.agency_fen is not None:
        award_part(contract, dispute.agency_fen)
    if settlement is Settlement.TERMINATE:
        end(actor, contract, held, "settle_terminate", TerminationCause.DISPUTE, text)
    elif settlement is Settlement.ACCEPT:
        take_over(actor, contract, held, ("settle_accept", "settle_accept_part"))
    else:
        move(contract, CONTRACT, "settle_continue", actor, held, reason=text)
        if dispute.began_in == S.DELIVERED:
            send_back(actor, contract, text)
        else:
            set_deadline(contract, work_calendar.current())
    for side in (Part.OWNER, Part.AGENCY):
        tell(contract, side, "contract.dispute-settled", N_("The dispute is settled: %(number)s"))


def _end_pause(contract: Contract, actor: Actor, *, days_count: bool) -> None:
    for pause in pauses_of(contract.id):
        if pause.reason == PAUSE and pause.ends_on is None:
            pause.ends_on, pause.ended_by_name = beijing_date(clock.now()), actor.name
            if days_count:
                pause.outcome = "refused"
    db.session.flush()
