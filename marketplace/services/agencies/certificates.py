"""Use cases of certificates: entered by the agency, checked by the operator, ended by the clock, their issuer or their holder."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import or_, select

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import start_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import QualificationChanged
from marketplace.models.agencies import Agency, ExpiryReminder, Practitioner, Qualification
from marketplace.policy import Permission, agency_parts
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.changes import ChangeKind
from marketplace.rules.people import plain_characters
from marketplace.rules.qualifications import GRADE_LABELS, PractisingKind, QualificationKind
from marketplace.services.agencies.access import own_open
from marketplace.services.agencies.changing import close_change_of, note_change
from marketplace.states.agency import ADMITTED, QUALIFICATION, PractitionerState, QualificationState
from marketplace.states.parts import Part

_CURRENT = (QualificationState.PENDING, QualificationState.VALID)


@dataclass(frozen=True)
class AddQualification:
    """One certificate. `expires_on` is its last valid day, None when it is unlimited.

    `practitioner_id` names the person who holds a practising certificate, None for one of the agency.
    """

    kind: str
    number: str
    grade: str = ""
    issuer: str = ""
    issued_on: date | None = None
    expires_on: date | None = None
    file: Upload | None = None
    practitioner_id: UUID | None = None


@use_case
def add_qualification(actor: Actor, agency_id: UUID, command: AddQualification) -> UUID:
    """Enter a certificate; it counts only after the operator checked it. Raises Refused, Conflict for one already entered."""
    agency = own_open(actor, agency_id)
    _check_certificate(command)
    holder = _holder(agency_id, command.practitioner_id)
    number = plain_characters(command.number)
    _refuse_entered_twice(agency_id, command, number)
    file_id = keep(command.file, actor).id if command.file else None
    qualification = Qualification(
        id=new_id(),
        thread_id=agency.thread_id,
        agency_id=agency_id,
        organisation_id=agency.organisation_id,
        practitioner_id=holder,
        kind=command.kind,
        grade=command.grade,
        number=number,
        issuer=command.issuer,
        issued_on=command.issued_on,
        expires_on=command.expires_on,
        expires_at=start_of_day(command.expires_on + timedelta(days=1)) if command.expires_on else None,
        file_id=file_id,
        state=QualificationState.PENDING,
        created_at=clock.now(),
    )
    db.session.add(qualification)
    record(qualification, "entered", actor, title=N_("Certificate entered"), detail={"kind": command.kind})
    if agency.state in ADMITTED:
        entered = {"kind": command.kind, "number": number, "grade": command.grade}
        entered["expires_on"] = command.expires_on.isoformat() if command.expires_on else ""
        renewed = _renewed_by(qualification)
        note_change(agency, actor, ChangeKind.QUALIFICATION, entered, renewed, subject_id=qualification.id)
    return qualification.id


@use_case
def accept_qualification(actor: Actor, qualification_id: UUID, command: Plain) -> None:
    """Find a certificate in order; from now on it counts. Raises Refused for one that has expired."""
    agency, qualification = _with_agency(qualification_id, command.version)
    accept_locked(actor, qualification)
    close_change_of(agency, actor, qualification_id, "accept")


@use_case
def refuse_qualification(actor: Actor, qualification_id: UUID, command: WithReason) -> None:
    """Refuse a certificate with the reason."""
    agency, qualification = _with_agency(qualification_id, command.version)
    refuse_locked(actor, qualification, command.reason)
    close_change_of(agency, actor, qualification_id, "refuse", command.reason)


@use_case
def give_up_qualification(actor: Actor, qualification_id: UUID, command: WithReason) -> None:
    """Give a certificate up; what rests on it is no longer offered. Raises NotFound for another agency's."""
    found = db.session.get(Qualification, qualification_id)
    if found is None or Part.AGENCY not in agency_parts(actor, found):
        raise NotFound
    agency, qualification = _with_agency(qualification_id, command.version)
    move(
        qualification,
        QUALIFICATION,
        "give_up",
        actor,
        agency_parts(actor, qualification),
        reason=command.reason,
        event=_changed(qualification, QualificationState.GIVEN_UP),
    )
    close_change_of(agency, actor, qualification_id, "withdraw")


@use_case
def revoke_qualification(actor: Actor, qualification_id: UUID, command: WithReason) -> None:
    """Note that its issuer revoked a certificate; what rests on it is no longer offered."""
    qualification = lock(Qualification, qualification_id, seen=command.version)
    move(
        qualification,
        QUALIFICATION,
        "revoke",
        actor,
        agency_parts(actor, qualification),
        reason=command.reason,
        event=_changed(qualification, QualificationState.REVOKED),
    )


def expire_due(limit: int = 500) -> int:
    """Expire the certificates whose last day is over; each in its own transaction."""
    due = db.session.scalars(
        select(Qualification.id)
        .where(Qualification.state == QualificationState.VALID, Qualification.expires_at <= clock.now())
        .order_by(Qualification.expires_at)
        .limit(limit)
    ).all()
    return sum(_expire_if_due(qualification_id) for qualification_id in due)


@use_case
def _expire_if_due(qualification_id: UUID) -> int:
    qualification = lock(Qualification, qualification_id)
    ends = qualification.expires_at
    if qualification.state != QualificationState.VALID or ends is None or ends > clock.now():
        return 0
    move(
        qualification,
        QUALIFICATION,
        "expire",
        SYSTEM,
        {Part.SYSTEM},
        event=_changed(qualification, QualificationState.EXPIRED),
    )
    return 1


def _holder(agency_id: UUID, practitioner_id: UUID | None) -> UUID | None:
    """The practitioner of this agency, still on its staff. Raises Refused."""
    if practitioner_id is None:
        return None
    person = db.session.get(Practitioner, practitioner_id)
    if person is None or person.agency_id != agency_id:
        raise NotFound
    if person.state not in (PractitionerState.PENDING, PractitionerState.VALID):
        raise Refused("practitioner-gone", N_("This person is no longer on the staff."), field="practitioner_id")
    return person.id


def _refuse_entered_twice(agency_id: UUID, command: AddQualification, number: str) -> None:
    """A renewed certificate may keep its number with another last day; the very same one is entered once."""
    entered = select(Qualification.id).where(
        Qualification.agency_id == agency_id,
        Qualification.kind == command.kind,
        Qualification.number == number,
        Qualification.state.in_(_CURRENT),
        Qualification.expires_on.is_not_distinct_from(command.expires_on),
    )
    if db.session.scalar(entered.limit(1)):
        raise Conflict("certificate-entered", N_("A certificate with this number is already entered."))


def _check_certificate(command: AddQualification) -> None:
    kinds: set[str] = set(PractisingKind) if command.practitioner_id else set(QualificationKind)
    if command.kind not in kinds:
        raise Refused("unknown-certificate", N_("Choose what kind of certificate this is."), field="kind")
    if command.grade not in GRADE_LABELS:
        raise Refused("unknown-grade", N_("Choose one of the grades."), field="grade")
    if command.expires_on is not None and command.expires_on < clock.today():
        raise Refused("certificate-expired", N_("This certificate has already expired."), field="expires_on")
    if command.issued_on and command.expires_on and command.expires_on < command.issued_on:
        raise Refused("certificate-dates", N_("It cannot expire before it was issued."), field="expires_on")


def accept_locked(actor: Actor, qualification: Qualification) -> None:
    """Let a locked certificate count. Raises Refused for one that has expired."""
    if qualification.expires_at is not None and qualification.expires_at <= clock.now():
        raise Refused("certificate-expired", N_("This certificate has already expired."))
    move(
        qualification,
        QUALIFICATION,
        "accept",
        actor,
        agency_parts(actor, qualification),
        event=_changed(qualification, QualificationState.VALID),
    )


def refuse_locked(actor: Actor, qualification: Qualification, reason: str) -> None:
    """Refuse a locked certificate and tell its agency."""
    move(qualification, QUALIFICATION, "refuse", actor, agency_parts(actor, qualification), reason=reason)
    notify(
        to_organisation=qualification.organisation_id,
        kind="marketplace.qualification",
        subject=N_("Certificate refused"),
        text=N_("Certificate %(number)s was refused: %(reason)s"),
        params={"number": qualification.number, "reason": reason},
        link="/agency",
        thread_id=qualification.thread_id,
    )


def _with_agency(qualification_id: UUID, seen: int | None) -> tuple[Agency, Qualification]:
    """The certificate with its agency, locked in the fixed order."""
    found = db.session.get(Qualification, qualification_id)
    if found is None:
        raise NotFound
    agency = lock(Agency, found.agency_id)
    return agency, lock(Qualification, qualification_id, seen=seen)


def _renewed_by(qualification: Qualification) -> dict[str, str]:
    """What the agency holds of this kind now: the left side of the operator's comparison."""
    held = db.session.scalar(
        select(Qualification)
        .where(
            Qualification.agency_id == qualification.agency_id,
            Qualification.practitioner_id.is_not_distinct_from(qualification.practitioner_id),
            Qualification.kind == qualification.kind,
            Qualification.state.in_((QualificationState.VALID, QualificationState.EXPIRED)),
        )
        .order_by(Qualification.expires_on.is_(None).desc(), Qualification.expires_on.desc())
        .limit(1)
    )
    if held is None:
        return {}
    until = held.expires_on.isoformat() if held.expires_on else ""
    return {"kind": held.kind, "number": held.number, "grade": held.grade, "expires_on": until}


def _changed(qualification: Qualification, state: QualificationState) -> QualificationChanged:
    return QualificationChanged(qualification.agency_id, qualification.id, str(state))


# Reminders


def remind_of_expiry(limit: int = 500) -> int:
    """Tell agencies about certificates that expire soon, once at each distance of the rule book. Returns how many were told."""
    distances = sorted(rule_book_in_force().qualification_reminder_days)
    soon = db.session.scalars(
        select(Qualification.id)
        .where(
            Qualification.state == QualificationState.VALID,
            Qualification.expires_at > clock.now(),
            Qualification.expires_at <= start_of_day(clock.today() + timedelta(days=distances[-1] + 1)),
        )
        .order_by(Qualification.expires_at, Qualification.id)
        .limit(limit)
    ).all()
    return sum(_remind(qualification_id, distances) for qualification_id in soon)


@use_case
def remind_now(actor: Actor, qualification_ids: tuple[UUID, ...]) -> int:
    """Remind of certificates by hand, whatever their distance. Raises NotAllowed. Returns how many were told."""
    if not actor.may(Permission.ADMISSION_CHECK):
        raise NotAllowed
    told = 0
    for qualification_id in sorted(set(qualification_ids), key=str):
        qualification = lock(Qualification, qualification_id)
        if qualification.state == QualificationState.VALID and qualification.expires_on is not None:
            _tell_of_expiry(qualification, actor)
            told += 1
    return told


@use_case
def _remind(qualification_id: UUID, distances: list[int]) -> int:
    qualification = lock(Qualification, qualification_id)
    if qualification.expires_on is None or qualification.state != QualificationState.VALID:
        return 0
    left = (qualification.expires_on - clock.today()).days
    reached = next((days for days in distances if left <= days), None)
    if reached is None or left < 0 or _is_renewed(qualification):
        return 0
    nearer = select(ExpiryReminder.id).where(
        ExpiryReminder.qualification_id == qualification_id, ExpiryReminder.days <= reached
    )
    if db.session.scalar(nearer.limit(1)):
        return 0
    db.session.add(ExpiryReminder(qualification_id=qualification_id, days=reached, sent_at=clock.now()))
    _tell_of_expiry(qualification, SYSTEM)
    return 1


def _is_renewed(qualification: Qualification) -> bool:
    """Whether a longer-lasting certificate of this kind and holder is already there, valid or being checked."""
    longer = select(Qualification.id).where(
        Qualification.agency_id == qualification.agency_id,
        Qualification.practitioner_id.is_not_distinct_from(qualification.practitioner_id),
        Qualification.kind == qualification.kind,
        Qualification.grade == qualification.grade,
        Qualification.state.in_(_CURRENT),
        or_(Qualification.expires_on.is_(None), Qualification.expires_on > qualification.expires_on),
    )
    return db.session.scalar(longer.limit(1)) is not None


def _tell_of_expiry(qualification: Qualification, actor: Actor) -> None:
    assert qualification.expires_on is not None, "an unlimited certificate has no expiry"
    notify(
        to_organisation=qualification.organisation_id,
        kind="marketplace.qualification",
        subject=N_("A certificate expires soon"),
        text=N_(
            "Certificate %(number)s expires on %(day)s. Enter the renewed one before, or the offers resting on it go."
        ),
        params={"number": qualification.number, "day": qualification.expires_on.isoformat()},
        link="/agency",
        thread_id=qualification.thread_id,
    )
    left = (qualification.expires_on - clock.today()).days
    record(qualification, "reminded", actor, title=N_("Reminded of the expiry"), detail={"days": left})
