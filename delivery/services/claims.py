"""Claims against the carrier (索赔): filed with an amount, answered, paid; an unanswered one comes before a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import terms as rule_book
from delivery.models.desk import Claim
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.policy import must_see_hall, must_see_parcel
from delivery.services.tasks import drop_tasks, raise_task
from delivery.states import CLAIM, ClaimState, Part

ENDED: Final = (ClaimState.REFUSED, ClaimState.WITHDRAWN)


@dataclass(frozen=True)
class FileClaim:
    """What is asked for, and why."""

    ground: str
    asked_fen: int
    statement: str
    version: int | None = None


@dataclass(frozen=True)
class GrantClaim:
    """What the carrier grants."""

    granted_fen: int
    reference: str
    answer: str | None = None
    version: int | None = None


@use_case
def file_claim(actor: Actor, parcel_id: UUID, command: FileClaim) -> UUID:
    """File a claim for a parcel that the carrier had. By the supervisor.

    Raises Refused for a parcel that the carrier never had, for a loss that is not stated, Conflict where a claim stands.
    """
    parcel = lock(Parcel, parcel_id, seen=command.version)
    if Part.SUPERVISOR not in must_see_parcel(actor, parcel):
        raise NotAllowed
    if parcel.waybill_no is None or parcel.handed_over_at is None:
        raise Refused("never-handed-over", N_("The carrier never had this parcel: there is nothing to claim."))
    if command.ground == "lost" and parcel.state not in ("lost", "closed"):
        raise Refused("not-lost", N_("The parcel is not noted as lost."), field="ground")
    if standing_claim(parcel.id) is not None:
        raise _stands()
    now = clock.now()
    claim = Claim(
        id=new_id(), number=next_number("SP"), parcel_id=parcel.id, hall_organisation_id=parcel.hall_organisation_id,
        thread_id=parcel.thread_id, waybill_no=parcel.waybill_no, ground=command.ground, asked_fen=command.asked_fen,
        statement=command.statement, state=ClaimState.FILED, filed_by_name=actor.name, filed_at=now,
        answer_due_at=_answer_due(),
    )  # fmt: skip
    db.session.add(claim)
    db.session.flush()  # record() names its id
    detail = {"number": claim.number, "asked_fen": claim.asked_fen, "waybill_no": claim.waybill_no}
    record(claim, "filed", actor, title=N_("Claim filed against the carrier"), detail=detail)
    record(parcel, "claim_filed", actor, title=N_("Claim filed against the carrier"), detail=detail)
    return claim.id


def _answer_due() -> datetime:
    """Until when the carrier answers: seven days where the city's rule book says nothing else (BUSINESS-RULES 3.4)."""
    return clock.now() + timedelta(days=rule_book.in_force().claim_answer_days)


def _stands() -> Conflict:
    return Conflict("claim-stands", N_("A claim for this parcel is under way."))


def standing_claim(parcel_id: UUID) -> UUID | None:
    """The claim of a parcel that was not refused or withdrawn."""
    statement = sa.select(Claim.id).where(Claim.parcel_id == parcel_id, Claim.state.not_in(ENDED)).limit(1)
    return db.session.scalar(statement)


def was_claimed(parcel_id: UUID) -> bool:
    """Whether a claim was ever filed and not withdrawn."""
    statement = sa.select(Claim.id).where(Claim.parcel_id == parcel_id, Claim.state != ClaimState.WITHDRAWN).limit(1)
    return db.session.scalar(statement) is not None


def _mine(actor: Actor, claim_id: UUID, seen: int | None) -> tuple[Claim, Parcel, frozenset[Part]]:
    parcel = lock(Parcel, get(Claim, claim_id).parcel_id)  # parcels are locked before what belongs to them
    claim = lock(Claim, claim_id, seen=seen)
    return claim, parcel, must_see_hall(actor, claim.hall_organisation_id)


@use_case
def grant_claim(actor: Actor, claim_id: UUID, command: GrantClaim) -> None:
    """Enter that the carrier grants it. Raises Refused for more than was asked."""
    claim, parcel, parts = _mine(actor, claim_id, command.version)
    if not 0 < command.granted_fen <= claim.asked_fen:
        raise Refused("granted-amount", N_("Between one fen and what was asked."), field="granted_fen")
    claim.granted_fen, claim.reference, claim.answer = command.granted_fen, command.reference, command.answer
    claim.answered_at = clock.now()
    move(
        claim, CLAIM, "grant", actor, parts, detail={"granted_fen": command.granted_fen, "reference": command.reference}
    )
    drop_tasks(parcel, TaskKind.CLAIM_UNANSWERED)


@use_case
def refuse_claim(actor: Actor, claim_id: UUID, command: object) -> None:
    """Enter that the carrier refuses it, with its words."""
    claim, parcel, parts = _mine(actor, claim_id, getattr(command, "version", None))
    claim.answer, claim.answered_at = str(getattr(command, "reason", "")), clock.now()
    move(claim, CLAIM, "refuse", actor, parts, reason=claim.answer)
    drop_tasks(parcel, TaskKind.CLAIM_UNANSWERED)


@use_case
def object_to_refusal(actor: Actor, claim_id: UUID, command: object) -> None:
    """Object to a refusal: the carrier has its time again. Raises Conflict where another claim was filed since."""
    claim, parcel, parts = _mine(actor, claim_id, getattr(command, "version", None))
    if standing_claim(parcel.id) is not None and claim.state == ClaimState.REFUSED:
        raise _stands()
    move(claim, CLAIM, "object", actor, parts, reason=str(getattr(command, "reason", "")))
    claim.answered_at, claim.answer_due_at = None, _answer_due()


@use_case
def note_compensation(actor: Actor, claim_id: UUID, command: object) -> None:
    """The compensation arrived, or was deducted from a bill."""
    claim, _, parts = _mine(actor, claim_id, getattr(command, "version", None))
    claim.paid_at = clock.now()
    move(claim, CLAIM, "pay", actor, parts)


@use_case
def withdraw_claim(actor: Actor, claim_id: UUID, command: object) -> None:
    """Withdraw it, for example because the parcel was found."""
    claim, parcel, parts = _mine(actor, claim_id, getattr(command, "version", None))
    move(claim, CLAIM, "withdraw", actor, parts, reason=str(getattr(command, "reason", "")))
    drop_tasks(parcel, TaskKind.CLAIM_UNANSWERED)


def unanswered() -> list[UUID]:
    """Claims whose answer is overdue."""
    statement = sa.select(Claim.id).where(Claim.state == ClaimState.FILED, Claim.answer_due_at <= clock.now())
    return list(db.session.scalars(statement.limit(500)))


@use_case
def raise_unanswered(claim_id: UUID) -> bool:
    """Put an overdue claim before a person; returns whether that is new."""
    parcel = lock(Parcel, get(Claim, claim_id).parcel_id)
    claim = lock(Claim, claim_id)
    if claim.state != ClaimState.FILED or claim.answer_due_at > clock.now():
        return False
    cause = f"{claim.number}:{claim.answer_due_at.date()}"
    return raise_task(parcel, TaskKind.CLAIM_UNANSWERED, cause=cause, fact=claim.number)
