"""Use cases of the admission file (入驻档案), the agency's side: particulars, contacts, papers, services, commitment, handing in."""

import hashlib
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import delete, select

from app.identity.queries import organisation as organisation_view
from app.kernel import clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.files import StoredFile, Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.documents.commitments import issue_commitment
from marketplace.events import AgencyDetailsChanged, AgencySubmitted
from marketplace.models.agencies import Agency, AgencyDocument, ChosenService
from marketplace.models.catalogue import ServiceItem
from marketplace.policy import agency_parts
from marketplace.queries.admission import checklist_of
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.onboarding import AgencyKind, DocumentKind, InvalidCreditCode, normal_credit_code
from marketplace.rules.regions import regions
from marketplace.services.agencies.access import own, own_file
from marketplace.services.agencies.numbers import person_name
from marketplace.services.agencies.telling import tell_operators
from marketplace.states.agency import AGENCY, GONE, AgencyState


@dataclass(frozen=True)
class Particulars:
    """Who the agency is. `uscc` is its unified social credit code, `region_code` the division of its seat."""

    name: str
    uscc: str
    kind: str
    region_code: str
    address: str
    legal_representative: str
    contact_name: str
    contact_mobile: str
    contact_email: str
    introduction: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Contacts:
    """What an admitted agency may change without a new form check."""

    contact_name: str
    contact_mobile: str
    contact_email: str
    introduction: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class AddDocument:
    """One paper of the file; it replaces an earlier one of its kind."""

    kind: str
    file: Upload


@dataclass(frozen=True)
class ChooseServices:
    """The service items that the agency wants to offer; its checklist follows from them."""

    items: tuple[UUID, ...]
    version: int | None = None


@use_case
def open_file(actor: Actor, command: Particulars) -> UUID:
    """Begin the admission file of the actor's organisation. Raises NotAllowed, Refused, Conflict when there is one already."""
    if actor.organisation_id is None or not actor.has(Role.AGENCY):
        raise NotAllowed
    if db.session.scalar(select(Agency.id).where(Agency.organisation_id == actor.organisation_id)):
        raise Conflict("file-exists", N_("Your organisation already has an admission file."))
    identifier = new_id()
    agency = Agency(
        id=identifier,
        thread_id=identifier,
        organisation_id=actor.organisation_id,
        state=AgencyState.DRAFT,
        rule_book_version=rule_book_in_force().version,
        created_at=clock.now(),
    )
    _write_particulars(agency, command)
    db.session.add(agency)
    db.session.flush()  # papers and certificates refer to it
    record(agency, "opened", actor, title=N_("Admission file opened"))
    return agency.id


@use_case
def change_particulars(actor: Actor, agency_id: UUID, command: Particulars) -> None:
    """Change the file while it is with the agency. Raises NotFound, Conflict, Refused, Outdated."""
    agency = own_file(actor, agency_id, command.version)
    _write_particulars(agency, command)
    record(agency, "changed", actor, title=N_("Particulars changed"), event=AgencyDetailsChanged(agency.id))


@use_case
def change_contacts(actor: Actor, agency_id: UUID, command: Contacts) -> None:
    """Change contact and introduction at any time after admission."""
    agency = own(actor, agency_id, command.version)
    agency.contact_name = person_name(command.contact_name, "contact_name")
    agency.contact_mobile, agency.contact_email = command.contact_mobile, command.contact_email
    agency.introduction = command.introduction or ""
    record(agency, "contacts", actor, title=N_("Contact changed"), event=AgencyDetailsChanged(agency.id))


@use_case
def add_document(actor: Actor, agency_id: UUID, command: AddDocument) -> UUID:
    """Upload one paper; an earlier one of its kind is kept but no longer shown. The same file again changes nothing.

    Raises as `keep` does.
    """
    agency = own_file(actor, agency_id)
    if command.kind not in set(DocumentKind):
        raise Refused("unknown-document", N_("Choose what this paper is."), field="kind")
    earlier = db.session.execute(
        select(AgencyDocument, StoredFile.sha256)
        .join(StoredFile, StoredFile.id == AgencyDocument.file_id)
        .where(
            AgencyDocument.agency_id == agency_id,
            AgencyDocument.kind == command.kind,
            AgencyDocument.replaced_at.is_(None),
        )
    ).all()
    digest = hashlib.sha256(command.file.content).hexdigest()
    same = next((row.id for row, sha256 in earlier if sha256 == digest), None)
    if same is not None:
        return same
    file = keep(command.file, actor)
    moment = clock.now()
    for row, _ in earlier:
        row.replaced_at = moment
    document = AgencyDocument(id=new_id(), agency_id=agency_id, kind=command.kind, file_id=file.id, uploaded_at=moment)
    db.session.add(document)
    record(agency, "document", actor, title=N_("Paper uploaded"), detail={"kind": command.kind, "sha256": file.sha256})
    return document.id


@use_case
def choose_services(actor: Actor, agency_id: UUID, command: ChooseServices) -> None:
    """Say which services the agency wants to offer, whole. Raises Refused for one that is no service item."""
    agency = own(actor, agency_id, command.version)
    wanted = set(command.items)
    known = set(db.session.scalars(select(ServiceItem.id).where(ServiceItem.id.in_(wanted))))
    if known != wanted:
        raise Refused("unknown-service", N_("Choose services of the item list."), field="items")
    db.session.execute(delete(ChosenService).where(ChosenService.agency_id == agency_id))
    db.session.add_all(ChosenService(agency_id=agency_id, item_id=item_id) for item_id in sorted(wanted, key=str))
    record(agency, "services", actor, title=N_("Services chosen"), detail={"services": len(wanted)})


@use_case
def sign_commitment(actor: Actor, agency_id: UUID, command: Plain) -> None:
    """Sign the letter of commitment online: who and when are kept, and the numbered letter is issued."""
    agency = own_file(actor, agency_id, command.version)
    if agency.commitment_signed_at is not None:
        return
    agency.commitment_signed_at = clock.now()
    agency.commitment_signed_by = actor.user_id
    document_id = issue_commitment(agency, actor)
    record(agency, "committed", actor, title=N_("Commitment signed"), detail={"document": str(document_id)})


@use_case
def submit(actor: Actor, agency_id: UUID, command: Plain) -> None:
    """Hand the file to the operator. Raises Refused naming what is missing."""
    agency = own(actor, agency_id, command.version)
    if AGENCY.edge("submit", agency.state):
        _refuse_while_cooling_off(agency)
        missing = [item for item in checklist_of(agency) if item.is_required and not item.is_done]
        if missing:
            raise Refused(
                "file-incomplete",
                N_("The file is not complete yet. Finish every required step of the checklist."),
                missing=[item.key for item in missing],
            )
        book = rule_book_in_force()
        now = clock.now()
        agency.rule_book_version = book.version
        agency.submitted_at = now
        agency.check_due_at = work_calendar.current().deadline(now, book.onboarding_check_wd).at
    move(agency, AGENCY, "submit", actor, agency_parts(actor, agency), event=AgencySubmitted(agency.id))
    tell_operators(agency, N_("Admission to check"), N_("%(agency)s submitted its admission file for the form check."))


@use_case
def cancel(actor: Actor, agency_id: UUID, command: Plain) -> None:
    """Withdraw the application; the file is kept and may be taken up again."""
    agency = own(actor, agency_id, command.version)
    was_submitted = agency.state == AgencyState.SUBMITTED
    move(agency, AGENCY, "cancel", actor, agency_parts(actor, agency))
    if was_submitted:
        tell_operators(agency, N_("Application withdrawn"), N_("%(agency)s withdrew its application."))


def _refuse_while_cooling_off(agency: Agency) -> None:
    until = agency.may_reapply_at
    if agency.state in GONE and until is not None and clock.now() < until:
        raise Conflict(
            "cooling-off",
            N_("The agency left or was removed; it may apply again from %(day)s."),
            params={"day": clock.beijing_day(until).isoformat()},
        )


def _write_particulars(agency: Agency, command: Particulars) -> None:
    try:
        uscc = normal_credit_code(command.uscc)
    except InvalidCreditCode as failure:
        raise Refused(
            "credit-code-wrong",
            N_("This is not a valid unified social credit code: 18 characters with a correct check digit."),
            field="uscc",
        ) from failure
    if command.kind not in set(AgencyKind):
        raise Refused("unknown-agency-kind", N_("Choose what kind of body the agency is."), field="kind")
    if command.region_code not in regions():
        raise Refused("unknown-region", N_("Choose a region of this province."), field="region_code")
    taken = db.session.scalar(select(Agency.id).where(Agency.uscc == uscc, Agency.id != agency.id))
    if taken:
        raise Conflict("credit-code-taken", N_("An agency with this credit code has already applied."))
    registered = organisation_view(agency.organisation_id).uscc
    if registered and registered != uscc:
        raise Refused(
            "credit-code-differs", N_("This is not the credit code your organisation is registered with."), field="uscc"
        )
    agency.legal_representative = person_name(command.legal_representative, "legal_representative")
    agency.contact_name = person_name(command.contact_name, "contact_name")
    for column in fields(command):
        if column.name not in {"version", "uscc", "introduction", "legal_representative", "contact_name"}:
            setattr(agency, column.name, getattr(command, column.name).strip())
    agency.introduction = command.introduction or ""
    agency.uscc = uscc
