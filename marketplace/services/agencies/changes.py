"""Use cases of changes of what was checked (变更): asked for by the agency, decided by the operator, old data valid until then."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel.access import Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.outbox import publish
from app.kernel.words import N_
from marketplace.events import AgencyDetailsChanged
from marketplace.models.agencies import Agency, AgencyChange, AgencyPerson, Practitioner, Qualification
from marketplace.policy import Permission, agency_parts
from marketplace.rules.changes import BASIC_FIELDS, ChangeKind
from marketplace.rules.onboarding import AgencyKind
from marketplace.rules.people import PersonPart
from marketplace.rules.regions import regions
from marketplace.services.agencies.access import own
from marketplace.services.agencies.certificates import accept_locked, refuse_locked
from marketplace.services.agencies.changing import close_change, note_change
from marketplace.services.agencies.numbers import digest_and_mask, person_name
from marketplace.services.agencies.people import put_representative
from marketplace.services.agencies.practitioners import accept_person, refuse_person
from marketplace.states.agency import ADMITTED, AGENCY_CHANGE, ChangeState
from marketplace.states.parts import Part


@dataclass(frozen=True)
class ChangeBasic:
    """New basic data as on the new licence; `file` is its scan."""

    name: str
    kind: str
    region_code: str
    address: str
    note: str = ""
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class ChangeRepresentative:
    """The new legal representative; `file` is the scan of the licence that names this person."""

    name: str
    id_number: str
    mobile: str = ""
    note: str = ""
    file: Upload | None = None
    version: int | None = None


@use_case
def ask_basic_change(actor: Actor, agency_id: UUID, command: ChangeBasic) -> UUID:
    """Ask for a change of the basic data. Raises Conflict while one is being checked, Refused when nothing changes."""
    agency = _admitted(actor, agency_id, ChangeKind.BASIC, command.version)
    if command.kind not in set(AgencyKind):
        raise Refused("unknown-agency-kind", N_("Choose what kind of body the agency is."), field="kind")
    if command.region_code not in regions():
        raise Refused("unknown-region", N_("Choose a region of this province."), field="region_code")
    proposed = {name: getattr(command, name).strip() for name in BASIC_FIELDS}
    before = {name: getattr(agency, name) for name in BASIC_FIELDS}
    if proposed == before:
        raise Refused("nothing-changes", N_("Nothing differs from what is registered."))
    file_id = keep(command.file, actor).id if command.file else None
    change = note_change(agency, actor, ChangeKind.BASIC, proposed, before, note=command.note, file_id=file_id)
    return change.id


@use_case
def ask_representative_change(actor: Actor, agency_id: UUID, command: ChangeRepresentative) -> UUID:
    """Ask for another legal representative. Raises Conflict while one is being checked, Refused for a wrong number."""
    agency = _admitted(actor, agency_id, ChangeKind.REPRESENTATIVE, command.version)
    digest, masked = digest_and_mask(command.id_number)
    present = db.session.scalar(
        select(AgencyPerson).where(
            AgencyPerson.agency_id == agency_id,
            AgencyPerson.part == PersonPart.LEGAL_REPRESENTATIVE,
            AgencyPerson.ended_at.is_(None),
        )
    )
    before = {"name": agency.legal_representative, "id_masked": present.id_masked if present else ""}
    proposed = {
        "name": person_name(command.name),
        "id_masked": masked,
        "id_digest": digest,
        "mobile": command.mobile,
    }
    file_id = keep(command.file, actor).id if command.file else None
    change = note_change(agency, actor, ChangeKind.REPRESENTATIVE, proposed, before, note=command.note, file_id=file_id)
    return change.id


@use_case
def accept_change(actor: Actor, change_id: UUID, command: Plain) -> None:
    """Accept a change: from now on the new data count. Raises NotAllowed, Outdated, IllegalTransition when it is decided."""
    agency, change = _decided(actor, change_id, command.version)
    if AGENCY_CHANGE.edge("accept", change.state):
        _apply(agency, actor, change)
    close_change(agency, actor, change, "accept")


@use_case
def refuse_change(actor: Actor, change_id: UUID, command: WithReason) -> None:
    """Refuse a change with the reason: what was checked before stays. Raises as `accept_change`."""
    agency, change = _decided(actor, change_id, command.version)
    if AGENCY_CHANGE.edge("refuse", change.state) and change.subject_id is not None and command.reason.strip():
        if change.kind == ChangeKind.STAFF:
            refuse_person(actor, lock(Practitioner, change.subject_id), command.reason)
        else:
            refuse_locked(actor, lock(Qualification, change.subject_id), command.reason)
    close_change(agency, actor, change, "refuse", command.reason)


@use_case
def withdraw_change(actor: Actor, change_id: UUID, command: Plain) -> None:
    """Take a request for new basic data or another representative back. Raises NotFound for another agency's.

    A certificate or person being checked is given up on its own page, and its request with it.
    """
    found = db.session.get(AgencyChange, change_id)
    if found is None or Part.AGENCY not in agency_parts(actor, found):
        raise NotFound
    agency = own(actor, found.agency_id)
    change = lock(AgencyChange, change_id, seen=command.version)
    if change.subject_id is not None and change.state == ChangeState.PENDING:
        raise Conflict(
            "rests-on-subject", N_("Give up the certificate or let the person leave; the request ends with it.")
        )
    close_change(agency, actor, change, "withdraw")


def _apply(agency: Agency, actor: Actor, change: AgencyChange) -> None:
    if change.kind == ChangeKind.BASIC:
        for name in BASIC_FIELDS:
            setattr(agency, name, change.proposed[name])
        publish(AgencyDetailsChanged(agency.id))
    elif change.kind == ChangeKind.REPRESENTATIVE:
        new = change.proposed
        put_representative(agency, actor, new["name"], new["id_digest"], new["id_masked"], new["mobile"])
    elif change.kind == ChangeKind.STAFF:
        accept_person(actor, lock(Practitioner, change.subject_id))
    else:
        accept_locked(actor, lock(Qualification, change.subject_id))


def _decided(actor: Actor, change_id: UUID, seen: int | None) -> tuple[Agency, AgencyChange]:
    """The agency and its request, locked in this order, for whoever decides."""
    if not actor.may(Permission.ADMISSION_CHECK):
        raise NotAllowed
    found = db.session.get(AgencyChange, change_id)
    if found is None:
        raise NotFound
    agency = lock(Agency, found.agency_id)
    return agency, lock(AgencyChange, change_id, seen=seen)


def _admitted(actor: Actor, agency_id: UUID, kind: ChangeKind, seen: int | None) -> Agency:
    agency = own(actor, agency_id, seen)
    if agency.state not in ADMITTED:
        raise Conflict("not-admitted-yet", N_("Before the admission you change the file itself."))
    pending = select(AgencyChange.id).where(
        AgencyChange.agency_id == agency_id, AgencyChange.kind == kind, AgencyChange.state == ChangeState.PENDING
    )
    if db.session.scalar(pending):
        raise Conflict("change-pending", N_("A change of this kind is already being checked. Take it back first."))
    return agency
