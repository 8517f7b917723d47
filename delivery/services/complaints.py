"""Complaints: filed by the receiver, answered by the hall within its term, decided by the operator if that is not enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.calendar import UnknownYear, end_of_day
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import terms as rule_book
from delivery.models.complaints import Complaint, ComplaintKind
from delivery.models.parcels import Parcel
from delivery.policy import complaint_parts, must_see_parcel
from delivery.states import COMPLAINT, ComplaintState, Part

OPEN = (ComplaintState.FILED, ComplaintState.ANSWERED, ComplaintState.ESCALATED)


@dataclass(frozen=True)
class Complain:
    """What went wrong, in the receiver's words."""

    kind: ComplaintKind
    text: str
    version: int | None = None


@dataclass(frozen=True)
class Reply:
    """The hall's answer."""

    text: str
    version: int | None = None


@use_case
def complain(actor: Actor, parcel_id: UUID, command: Complain, *, by_link: bool = False) -> UUID:
    """File a complaint; the hall must answer within the term of the rule book, counted in working days.

    Raises NotAllowed for anybody but the receiver, Conflict while another one is open for the parcel.
    """
    parcel = lock(Parcel, parcel_id)
    if not by_link and Part.APPLICANT not in must_see_parcel(actor, parcel):
        raise NotAllowed
    known = sa.select(Complaint.number).where(Complaint.parcel_id == parcel.id, Complaint.state.in_(OPEN))
    if (number := db.session.scalar(known)) is not None:
        raise Conflict(
            "complaint-open", N_("Complaint %(number)s about this parcel is still open."), params={"number": number}
        )
    now = clock.now()
    complaint = Complaint(
        id=new_id(), number=next_number("TS"), parcel_id=parcel.id, thread_id=parcel.thread_id,
        hall_organisation_id=parcel.hall_organisation_id, applicant_user_id=parcel.applicant_user_id, state=ComplaintState.FILED,
        kind=command.kind, text=command.text, by_link=by_link, filed_at=now, reply_due_at=_reply_due(),
    )  # fmt: skip
    db.session.add(complaint)
    db.session.flush()
    record(
        complaint,
        "filed",
        actor,
        title=N_("Complaint filed"),
        detail={"number": complaint.number, "kind": str(command.kind)},
    )
    _tell_hall(
        complaint,
        "complaint",
        N_("Complaint %(number)s about a delivery"),
        N_("Answer it within the term, or the operator takes it."),
    )
    return complaint.id


def _reply_due() -> datetime:
    days = rule_book.in_force().complaint_reply_wd
    try:
        return end_of_day(work_calendar.current().add_working_days(clock.today(), days))
    except UnknownYear:
        return clock.now() + timedelta(days=days + 4)


def _seen(actor: Actor, complaint_id: UUID, version: int | None) -> tuple[Complaint, frozenset[Part]]:
    complaint = lock(Complaint, complaint_id, seen=version)
    parts = complaint_parts(actor, complaint)
    if not parts:
        raise NotFound
    return complaint, parts


@use_case
def answer(actor: Actor, complaint_id: UUID, command: Reply) -> None:
    """The hall answers; the applicant accepts or takes it to the operator, silence settles it."""
    complaint, parts = _seen(actor, complaint_id, command.version)
    now = clock.now()
    complaint.answer, complaint.answered_at = command.text, now
    complaint.close_at = now + timedelta(days=rule_book.in_force().complaint_close_days)
    move(complaint, COMPLAINT, "answer", actor, parts)
    _tell_applicant(
        complaint, N_("Your complaint %(number)s was answered"), N_("Accept the answer, or take it to the operator.")
    )


@use_case
def accept(actor: Actor, complaint_id: UUID, command: object) -> None:
    """The applicant is content."""
    complaint, parts = _seen(actor, complaint_id, getattr(command, "version", None))
    complaint.closed_at = clock.now()
    move(complaint, COMPLAINT, "accept", actor, parts)


@use_case
def withdraw(actor: Actor, complaint_id: UUID, command: object) -> None:
    """The applicant lets it go."""
    complaint, parts = _seen(actor, complaint_id, getattr(command, "version", None))
    complaint.closed_at = clock.now()
    move(complaint, COMPLAINT, "withdraw", actor, parts)


@use_case
def escalate(actor: Actor, complaint_id: UUID, command: object) -> None:
    """The applicant takes it to the operator, with a reason."""
    complaint, parts = _seen(actor, complaint_id, getattr(command, "version", None))
    complaint.escalated_at = clock.now()
    move(complaint, COMPLAINT, "escalate", actor, parts, reason=str(getattr(command, "reason", "")))
    _tell_operator(complaint)


@use_case
def decide(actor: Actor, complaint_id: UUID, command: object) -> None:
    """The operator decides; both sides are told."""
    complaint, parts = _seen(actor, complaint_id, getattr(command, "version", None))
    complaint.decision, complaint.closed_at = str(getattr(command, "reason", "")), clock.now()
    move(complaint, COMPLAINT, "decide", actor, parts, reason=complaint.decision)
    _tell_applicant(
        complaint, N_("Your complaint %(number)s was decided"), N_("The operator's decision stands on its page.")
    )
    _tell_hall(
        complaint,
        "complaint-decided",
        N_("Complaint %(number)s was decided"),
        N_("The operator's decision stands on its page."),
    )


def due() -> list[UUID]:
    """Complaints whose term is over: unanswered ones, and answered ones that nobody objected to."""
    now = clock.now()
    statement = sa.select(Complaint.id).where(
        sa.or_(
            sa.and_(Complaint.state == ComplaintState.FILED, Complaint.reply_due_at < now),
            sa.and_(Complaint.state == ComplaintState.ANSWERED, Complaint.close_at <= now),
        )
    )
    return list(db.session.scalars(statement.limit(200)))


@use_case
def follow_term(complaint_id: UUID) -> bool:
    """Take the step that the clock asks for; returns whether one was due."""
    complaint, now = lock(Complaint, complaint_id), clock.now()
    if complaint.state == ComplaintState.FILED and complaint.reply_due_at < now:
        complaint.escalated_at = now
        move(complaint, COMPLAINT, "overdue", SYSTEM, {Part.SYSTEM})
        _tell_operator(complaint)
        _tell_hall(
            complaint,
            "complaint-overdue",
            N_("Complaint %(number)s was not answered in time"),
            N_("The operator has it now."),
        )
        return True
    if complaint.state == ComplaintState.ANSWERED and complaint.close_at is not None and complaint.close_at <= now:
        complaint.closed_at = now
        return move(complaint, COMPLAINT, "settle", SYSTEM, {Part.SYSTEM})
    return False


def _tell_hall(complaint: Complaint, what: str, subject: str, text: str) -> None:
    notify(
        to_organisation=complaint.hall_organisation_id, kind=f"delivery.{what}", thread_id=complaint.thread_id,
        link=f"/delivery-complaints/{complaint.id}", subject=subject, text=text, params={"number": complaint.number},
    )  # fmt: skip


def _tell_applicant(complaint: Complaint, subject: str, text: str) -> None:
    notify(
        to_user=complaint.applicant_user_id, kind="delivery.complaint", thread_id=complaint.thread_id,
        link=f"/delivery-complaints/{complaint.id}", subject=subject, text=text, params={"number": complaint.number},
    )  # fmt: skip


def _tell_operator(complaint: Complaint) -> None:
    notify(
        to_role=Role.OPERATOR, kind="delivery.complaint", thread_id=complaint.thread_id,
        link=f"/delivery-complaints/{complaint.id}", subject=N_("Complaint %(number)s waits for a decision"),
        text=N_("The hall did not settle it. Hear both sides and decide."), params={"number": complaint.number},
    )  # fmt: skip
