"""The returns desk (退件台): scan a parcel in, say why it came back, decide what happens to it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, lock, use_case
from app.kernel.errors import NotAllowed, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import terms as rule_book
from delivery.custody import CustodyKind
from delivery.events import ParcelLost
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn, ReturnDecision
from delivery.models.tasks import TaskKind
from delivery.observed import Status
from delivery.policy import must_see_parcel
from delivery.services.custody import hand_on, hash_of
from delivery.services.return_records import end_return, note_decision, open_return
from delivery.services.scanning import find_scanned
from delivery.services.tasks import drop_tasks, raise_task
from delivery.services.tracking.decisions import end_round, resend, take_back
from delivery.states import PARCEL, STAFF, ParcelState

REPORTED_BACK: Final = frozenset({Status.RETURNING, Status.RETURNED, Status.CANCELLED, Status.LABEL_CREATED})


@dataclass(frozen=True)
class ReceiveReturn:
    """A parcel in the hand of the returns desk. An empty cause takes the carrier's."""

    code: str
    cause: str = ""
    seal_intact: bool = True
    remark: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class DecideReturn:
    """What happens to a parcel on the returns desk, and why."""

    decision: str
    reason: str
    version: int | None = None


@use_case
def receive_return(actor: Actor, command: ReceiveReturn) -> UUID:
    """Scan a parcel in. It lies here, so it is taken back whatever the carrier reports; a contradiction becomes a task.

    Raises Refused for a code of no parcel of this hall, and for one that is not with the courier.
    """
    if actor.organisation_id is None:
        raise NotAllowed
    parcel = find_scanned(actor.organisation_id, command.code)
    if parcel.state == ParcelState.RETURNED:
        raise Refused(
            "already-back", N_("Parcel %(number)s lies on the returns desk already."), field="code",
            params={"number": parcel.number},
        )  # fmt: skip
    if parcel.state == ParcelState.HANDED_OVER and Status(parcel.observed_status) not in REPORTED_BACK:
        raise_task(parcel, TaskKind.CONTRADICTION, cause=f"back:{parcel.waybill_no}", fact=parcel.observed_status)
    take_back(actor, parcel.id, command, scanned=True)
    if not command.seal_intact:
        raise_task(parcel, TaskKind.CUSTODY_GAP, cause=f"seal:{parcel.seal_no}", fact=parcel.seal_no or "")
    return parcel.id


@use_case
def decide_return(actor: Actor, parcel_id: UUID, command: DecideReturn) -> None:
    """Send again, keep for collection, call the receiver, or give it back to the certificate centre.

    Raises Refused for a parcel that is not on the desk.
    """
    parcel = lock(Parcel, parcel_id, seen=command.version)
    if not must_see_parcel(actor, parcel).intersection(STAFF):
        raise NotAllowed
    found = open_return(parcel.id)
    if parcel.state != ParcelState.RETURNED or found is None:
        raise Refused("not-on-desk", N_("This parcel does not lie on the returns desk."))
    match ReturnDecision(command.decision):
        case ReturnDecision.RESEND:
            resend(actor, parcel.id, command)
        case ReturnDecision.CENTRE:
            _to_centre(actor, parcel, command.reason)
        case ReturnDecision.KEEP:
            _keep(actor, parcel, found, command.reason)
        case ReturnDecision.CALL:
            _call(actor, parcel, found, command.reason)


def _to_centre(actor: Actor, parcel: Parcel, reason: str) -> None:
    move(parcel, PARCEL, "to_centre", actor, must_see_parcel(actor, parcel), reason=reason)
    hand_on(parcel, CustodyKind.TO_CENTRE, actor, giver_name=actor.name, evidence={"reason_sha256": hash_of(reason)})
    end_return(parcel, actor, ReturnDecision.CENTRE)
    drop_tasks(parcel, TaskKind.CALL_RECEIVER, TaskKind.KEPT_TOO_LONG)
    end_round(parcel)


def _keep(actor: Actor, parcel: Parcel, found: ParcelReturn, reason: str) -> None:
    until = clock.now() + timedelta(days=rule_book.in_force().return_kept_days)
    note_decision(found, actor, ReturnDecision.KEEP, until)
    drop_tasks(parcel, TaskKind.CALL_RECEIVER, TaskKind.KEPT_TOO_LONG)
    record(parcel, "kept", actor, title=N_("Kept for collection"), reason=reason, detail={"until": until.isoformat()})
    notify(
        to_user=parcel.applicant_user_id, kind="delivery.kept", thread_id=parcel.thread_id, link=f"/parcels/{parcel.id}",
        subject=N_("Parcel %(number)s came back and is kept for you"),
        text=N_("Collect it at the window of the hall until %(day)s with your identity card, or ask for another delivery."),
        params={"number": parcel.number, "day": clock.beijing_day(until).isoformat()},
    )  # fmt: skip


def _call(actor: Actor, parcel: Parcel, found: ParcelReturn, reason: str) -> None:
    note_decision(found, actor, ReturnDecision.CALL, None)
    raise_task(parcel, TaskKind.CALL_RECEIVER, cause=str(found.id), fact=reason)
    record(parcel, "to_be_called", actor, title=N_("The receiver is to be called"), reason=reason)


@use_case
def to_centre(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Give the papers of a returned parcel back to the certificate centre."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    _to_centre(actor, parcel, str(getattr(command, "reason", "")))


@use_case
def lose_in_hall(actor: Actor, parcel_id: UUID, command: object) -> None:
    """The supervisor declares a parcel lost that never left the hall, or was lost on the returns desk: it is made again."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    reason = str(getattr(command, "reason", ""))
    event = ParcelLost(parcel.id, parcel.subject, parcel.thread_id)
    move(parcel, PARCEL, "lose_in_hall", actor, must_see_parcel(actor, parcel), reason=reason, event=event)
    hand_on(parcel, CustodyKind.LOST, actor, giver_name=actor.name, evidence={"reason_sha256": hash_of(reason)})
    end_return(parcel, actor)
    drop_tasks(parcel, TaskKind.MISSING_AT_HANDOVER)
    raise_task(parcel, TaskKind.LOST, cause=f"hall:{parcel.number}")


def kept_too_long() -> list[UUID]:
    """Returns whose time on the shelf is over."""
    statement = sa.select(ParcelReturn.id).where(
        ParcelReturn.ended_at.is_(None), ParcelReturn.keep_until <= clock.now()
    )
    return list(db.session.scalars(statement.limit(500)))


@use_case
def raise_kept(return_id: UUID) -> bool:
    """Put a parcel that nobody collected before a person; returns whether that is new."""
    found = get(ParcelReturn, return_id)
    parcel = lock(Parcel, found.parcel_id)
    found = lock(ParcelReturn, return_id)
    if found.ended_at is not None or found.keep_until is None or found.keep_until > clock.now():
        return False
    found.decision, found.keep_until = None, None
    record(parcel, "not_collected", SYSTEM, title=N_("Not collected in time"))
    return raise_task(parcel, TaskKind.KEPT_TOO_LONG, cause=f"{found.id}:{clock.today()}")
