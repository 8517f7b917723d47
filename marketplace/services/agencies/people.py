"""Use cases of the people behind an agency: legal and authorised representatives, shareholders, actual controllers."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.commands import Plain
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.events import AgencyDetailsChanged
from marketplace.models.agencies import Agency, AgencyPerson
from marketplace.rules.onboarding import InvalidCreditCode, normal_credit_code
from marketplace.rules.people import PersonPart, masked_number
from marketplace.services.agencies.access import own, own_file, own_open
from marketplace.services.agencies.numbers import digest_and_mask, identity_digest, person_name

WHOLE = 1000


@dataclass(frozen=True)
class Representative:
    """The legal representative. Of `id_number` only a keyed digest and a mask are kept."""

    name: str
    id_number: str
    mobile: str = ""
    version: int | None = None


@dataclass(frozen=True)
class AddPerson:
    """Somebody else behind the agency. A body is named by its credit code instead of an identity number.

    `share_permille` is a shareholder's part in thousandths.
    """

    part: str
    name: str
    id_number: str
    is_body: bool = False
    mobile: str = ""
    share_permille: int | None = None


@use_case
def set_representative(actor: Actor, agency_id: UUID, command: Representative) -> None:
    """Name the legal representative while the file is with the agency. Raises Conflict, Refused."""
    agency = own_file(actor, agency_id, command.version)
    digest, masked = digest_and_mask(command.id_number)
    put_representative(agency, actor, person_name(command.name), digest, masked, command.mobile)


@use_case
def add_person(actor: Actor, agency_id: UUID, command: AddPerson) -> UUID:
    """Enter an authorised representative, shareholder or controller. Raises Refused, Conflict for one entered already."""
    agency = own_open(actor, agency_id)
    if command.part not in set(PersonPart) - {PersonPart.LEGAL_REPRESENTATIVE}:
        raise Refused("unknown-part", N_("Choose what this person is to the agency."), field="part")
    if command.is_body and command.part == PersonPart.AUTHORISED:
        raise Refused("body-authorised", N_("Only a natural person can be authorised."), field="is_body")
    digest, masked = _body_code(command.id_number) if command.is_body else digest_and_mask(command.id_number)
    if (command.share_permille is not None) != (command.part == PersonPart.SHAREHOLDER):
        raise Refused("share-wrong", N_("A shareholder has a share, nobody else has."), field="share_permille")
    _refuse_too_much(agency, command.share_permille or 0)
    entered = select(AgencyPerson.id).where(
        AgencyPerson.agency_id == agency_id,
        AgencyPerson.part == command.part,
        AgencyPerson.id_digest == digest,
        AgencyPerson.ended_at.is_(None),
    )
    if db.session.scalar(entered):
        raise Conflict("person-entered", N_("This person is already entered."))
    name = " ".join(command.name.split()) if command.is_body else person_name(command.name)
    person = _person(agency, PersonPart(command.part), name, digest, masked, command.mobile)
    person.is_body, person.share_permille = command.is_body, command.share_permille
    db.session.add(person)
    _tell(agency, actor, N_("Person behind the agency entered"), command.part, masked)
    return person.id


@use_case
def end_person(actor: Actor, agency_id: UUID, person_id: UUID, command: Plain) -> None:
    """Note that somebody no longer stands behind the agency. Raises NotFound; the legal representative only changes."""
    agency = own(actor, agency_id, command.version)
    person = lock(AgencyPerson, person_id)
    if person.agency_id != agency_id or person.part == PersonPart.LEGAL_REPRESENTATIVE:
        raise NotFound
    if person.ended_at is None:
        person.ended_at = clock.now()
        _tell(agency, actor, N_("Person behind the agency ended"), person.part, person.id_masked)


def put_representative(agency: Agency, actor: Actor, name: str, digest: str, masked: str, mobile: str) -> None:
    """Let a locked agency have this legal representative from now on."""
    for earlier in db.session.scalars(
        select(AgencyPerson).where(
            AgencyPerson.agency_id == agency.id,
            AgencyPerson.part == PersonPart.LEGAL_REPRESENTATIVE,
            AgencyPerson.ended_at.is_(None),
        )
    ):
        earlier.ended_at = clock.now()
    db.session.flush()  # the index allows one at a time
    db.session.add(_person(agency, PersonPart.LEGAL_REPRESENTATIVE, name, digest, masked, mobile))
    agency.legal_representative = name
    _tell(agency, actor, N_("Legal representative named"), PersonPart.LEGAL_REPRESENTATIVE, masked)


def _person(agency: Agency, part: PersonPart, name: str, digest: str, masked: str, mobile: str) -> AgencyPerson:
    return AgencyPerson(
        id=new_id(),
        agency_id=agency.id,
        part=part,
        name=name,
        id_digest=digest,
        id_masked=masked,
        mobile=mobile.strip(),
        since=clock.now(),
    )


def _body_code(text: str) -> tuple[str, str]:
    try:
        code = normal_credit_code(text)
    except InvalidCreditCode as failure:
        raise Refused(
            "credit-code-wrong",
            N_("This is not a valid unified social credit code: 18 characters with a correct check digit."),
            field="id_number",
        ) from failure
    return identity_digest(code), masked_number(code)


def _refuse_too_much(agency: Agency, share: int) -> None:
    held = db.session.scalar(
        select(func.coalesce(func.sum(AgencyPerson.share_permille), 0)).where(
            AgencyPerson.agency_id == agency.id, AgencyPerson.ended_at.is_(None)
        )
    )
    if int(held or 0) + share > WHOLE:
        raise Refused("shares-over-whole", N_("The shares add up to more than the whole."), field="share_permille")


def _tell(agency: Agency, actor: Actor, title: str, part: str, masked: str) -> None:
    event = AgencyDetailsChanged(agency.id)
    record(agency, "person", actor, title=title, detail={"part": str(part), "person": masked}, event=event)
