"""Use cases of practitioners (执业人员): registered, checked, leaving. Nobody is full-time at two agencies."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import start_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import PractitionerChanged
from marketplace.models.agencies import Agency, Practitioner
from marketplace.policy import agency_parts
from marketplace.rules.changes import ChangeKind
from marketplace.services.agencies.access import own_open
from marketplace.services.agencies.changing import close_change_of, note_change
from marketplace.services.agencies.numbers import digest_and_mask, person_name
from marketplace.states.agency import ADMITTED, PRACTITIONER, PractitionerState
from marketplace.states.parts import Part

_ON_STAFF = (PractitionerState.PENDING, PractitionerState.VALID)


@dataclass(frozen=True)
class AddPractitioner:
    """One practitioner. `id_number` is checked and only its digest and mask are kept; `file` proves the social insurance."""

    name: str
    id_number: str
    is_full_time: bool
    employed_from: date
    title: str = ""
    file: Upload | None = None


@dataclass(frozen=True)
class LeaveStaff:
    """A practitioner leaves; `leaves_on` is the last day on the staff, today, before or later."""

    leaves_on: date
    version: int | None = None


@use_case
def add_practitioner(actor: Actor, agency_id: UUID, command: AddPractitioner) -> UUID:
    """Register a practitioner; counts after the operator's check.

    Raises Refused (name, number, dates), Conflict when the person is on this staff already or full-time at another agency.
    """
    agency = own_open(actor, agency_id)
    digest, masked = digest_and_mask(command.id_number)
    if command.employed_from > clock.today():
        raise Refused(
            "employment-future", N_("Register a person from the first day of employment on."), field="employed_from"
        )
    _refuse_taken(agency_id, digest, is_full_time=command.is_full_time)
    person = Practitioner(
        id=new_id(),
        thread_id=agency.thread_id,
        agency_id=agency_id,
        organisation_id=agency.organisation_id,
        name=person_name(command.name),
        id_digest=digest,
        id_masked=masked,
        is_full_time=command.is_full_time,
        title=command.title.strip(),
        employed_from=command.employed_from,
        insurance_file_id=keep(command.file, actor).id if command.file else None,
        state=PractitionerState.PENDING,
        created_at=clock.now(),
    )
    try:
        with db.session.begin_nested():
            db.session.add(person)
    except IntegrityError as race:  # another agency was faster by a moment; the index decides
        raise _elsewhere(None) from race
    record(person, "registered", actor, title=N_("Practitioner registered"), detail={"person": masked})
    if agency.state in ADMITTED:
        entered = {"name": person.name, "id_masked": masked, "title": person.title}
        entered["employed_from"] = command.employed_from.isoformat()
        note_change(agency, actor, ChangeKind.STAFF, entered, {}, subject_id=person.id)
    return person.id


@use_case
def leave_staff(actor: Actor, practitioner_id: UUID, command: LeaveStaff) -> None:
    """Note the last day of a practitioner: past or present ends it now, a later day when it is over. Raises Refused."""
    agency, person = _own(actor, practitioner_id, command.version)
    if command.leaves_on < person.employed_from:
        raise Refused("leave-before-start", N_("The last day cannot lie before the first."), field="leaves_on")
    parts = agency_parts(actor, person)
    if command.leaves_on > clock.today() and PRACTITIONER.edge("leave", person.state):
        person.leaves_on = command.leaves_on
        person.leaves_at = start_of_day(command.leaves_on + timedelta(days=1))
        record(person, "leaving", actor, title=N_("Last day noted"), detail={"day": command.leaves_on.isoformat()})
        return
    if PRACTITIONER.edge("leave", person.state):
        person.leaves_on = command.leaves_on
    move(person, PRACTITIONER, "leave", actor, parts, event=_changed(person, PractitionerState.LEFT))
    close_change_of(agency, actor, practitioner_id, "withdraw")


@use_case
def accept_practitioner(actor: Actor, practitioner_id: UUID, command: Plain) -> None:
    """Find a practitioner's papers in order; from now on the person counts."""
    agency, person = _with_agency(practitioner_id, command.version)
    accept_person(actor, person)
    close_change_of(agency, actor, practitioner_id, "accept")


@use_case
def refuse_practitioner(actor: Actor, practitioner_id: UUID, command: WithReason) -> None:
    """Refuse a practitioner with the reason; the person is free for another agency."""
    agency, person = _with_agency(practitioner_id, command.version)
    refuse_person(actor, person, command.reason)
    close_change_of(agency, actor, practitioner_id, "refuse", command.reason)


def accept_person(actor: Actor, person: Practitioner) -> None:
    """Let a locked practitioner count."""
    event = _changed(person, PractitionerState.VALID)
    move(person, PRACTITIONER, "accept", actor, agency_parts(actor, person), event=event)


def refuse_person(actor: Actor, person: Practitioner, reason: str) -> None:
    """Refuse a locked practitioner and tell the agency."""
    move(person, PRACTITIONER, "refuse", actor, agency_parts(actor, person), reason=reason)
    notify(
        to_organisation=person.organisation_id,
        kind="marketplace.practitioner",
        subject=N_("Practitioner refused"),
        text=N_("%(name)s was not accepted: %(reason)s"),
        params={"name": person.name, "reason": reason},
        link="/agency",
        thread_id=person.thread_id,
    )


def release_due(limit: int = 200) -> int:
    """Let those go whose last day is over; each in its own transaction."""
    due = db.session.scalars(
        select(Practitioner.id)
        .where(Practitioner.state.in_(_ON_STAFF), Practitioner.leaves_at <= clock.now())
        .order_by(Practitioner.leaves_at)
        .limit(limit)
    ).all()
    return sum(_release(practitioner_id) for practitioner_id in due)


@use_case
def _release(practitioner_id: UUID) -> int:
    person = lock(Practitioner, practitioner_id)
    if person.state not in _ON_STAFF or person.leaves_at is None or person.leaves_at > clock.now():
        return 0
    move(person, PRACTITIONER, "leave", SYSTEM, {Part.SYSTEM}, event=_changed(person, PractitionerState.LEFT))
    return 1


def _own(actor: Actor, practitioner_id: UUID, seen: int | None) -> tuple[Agency, Practitioner]:
    found = db.session.get(Practitioner, practitioner_id)
    if found is None or Part.AGENCY not in agency_parts(actor, found):
        raise NotFound
    return _with_agency(practitioner_id, seen)


def _with_agency(practitioner_id: UUID, seen: int | None) -> tuple[Agency, Practitioner]:
    """The practitioner with the agency, locked in the fixed order."""
    found = db.session.get(Practitioner, practitioner_id)
    if found is None:
        raise NotFound
    agency = lock(Agency, found.agency_id)
    return agency, lock(Practitioner, practitioner_id, seen=seen)


def _refuse_taken(agency_id: UUID, digest: str, *, is_full_time: bool) -> None:
    for person in db.session.scalars(
        select(Practitioner).where(Practitioner.id_digest == digest, Practitioner.state.in_(_ON_STAFF))
    ):
        if person.agency_id == agency_id:
            raise Conflict("practitioner-entered", N_("This person is already on your staff."))
        if person.is_full_time and is_full_time:
            raise _elsewhere(person.leaves_on)


def _elsewhere(leaves_on: date | None) -> Conflict:
    """Which agency it is stays untold: that is between the person and the employer."""
    if leaves_on is not None:
        return Conflict(
            "practitioner-elsewhere",
            N_("This person is full-time at another agency until %(day)s. Register the person from the next day on."),
            params={"day": leaves_on.isoformat()},
        )
    return Conflict(
        "practitioner-elsewhere",
        N_("This person is registered full-time at another agency. That agency must note the last day there first."),
    )


def _changed(person: Practitioner, state: PractitionerState) -> PractitionerChanged:
    return PractitionerChanged(person.agency_id, person.id, str(state))
