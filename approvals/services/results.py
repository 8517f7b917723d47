"""From the decision to the applicant's hands: the certificate, its service, and what the courier reports."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

import delivery.queries as delivery_queries
import delivery.services as delivery
from app.documents import issue, revoke
from app.identity import queries as identity
from app.kernel import audit, clock, timeline
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Outdated, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from approvals.documents import CertificateFacts, certificate_pdf
from approvals.models import ApprovalItem, Case, Certificate, ResultService
from approvals.policy import case_parts
from approvals.services.commands import ChooseService, HandOver, Reasoned, Receiver, Step
from approvals.services.notices import tell_applicant, tell_window
from approvals.states import (
    CARRIED,
    CERTIFICATE,
    DECIDED,
    GRANTED,
    SERVICE,
    WITHOUT_RESULT,
    CertificateState,
    Part,
    ServiceMode,
    ServiceState,
)
from delivery.services import OrderParcel
from delivery.services import Receiver as ParcelReceiver

MANDATE_VERSION: Final = "2026-1"  # the letter of authority (委托书) that the application form shows
REFUSAL_TITLE: Final = "不予行政许可决定书"


# --- the choice -------------------------------------------------------------------------------------------------


def choose_at_application(actor: Actor, case: Case, command: ChooseService) -> None:
    """Keep the applicant's choice with the application. Raises Refused when it is incomplete."""
    service = ResultService(
        id=new_id(),
        thread_id=case.thread_id,
        case_id=case.id,
        hall_organisation_id=case.hall_organisation_id,
        applicant_user_id=case.applicant_user_id,
        applicant_organisation_id=case.applicant_organisation_id,
        mode=command.mode,
        state=ServiceState.CHOSEN,
        chosen_at=clock.now(),
    )
    _fill(service, command)
    db.session.add(service)
    db.session.flush()  # the timeline refers to it
    record(service, "chosen", actor, title=N_("Way of service chosen"))


@use_case
def choose_service(actor: Actor, case_id: UUID, command: ChooseService) -> None:
    """Change the way of service; possible until the envelope is packed or the result was handed over.

    After the decision the parcel of the earlier choice is given up and the one of the new choice is ordered at once.
    Raises NotFound, NotAllowed, Outdated, Conflict (too late), Refused (incomplete, outside the service).
    """
    case, service = _locked(case_id)
    held = case_parts(actor, case)
    if not held:
        raise NotFound
    if Part.APPLICANT not in held:
        raise NotAllowed
    if command.version not in {None, case.version}:
        raise Outdated
    _refuse_late(case, service)
    before = service.parcel_id
    _fill(service, command)
    service.chosen_at = clock.now()
    record(service, "chosen", actor, title=N_("Way of service changed"))
    if case.state in DECIDED:
        _follow_choice(actor, case, service, before)


def _refuse_late(case: Case, service: ResultService) -> None:
    if service.state == ServiceState.SERVED:
        raise Conflict("already-served", N_("The result was served already."))
    if case.state in WITHOUT_RESULT:
        raise Conflict("no-result", N_("This case ended without a result to be served."))
    if service.parcel_id is not None and not delivery_queries.may_give_up(service.parcel_id):
        raise Conflict(
            "already-packed",
            N_(
                "The envelope is packed: the way of delivery is fixed. The address can be changed on its page until the courier takes it."
            ),
        )


def _follow_choice(actor: Actor, case: Case, service: ResultService, before: UUID | None) -> None:
    """After the decision a changed choice changes what is under way."""
    if before is not None:
        service.parcel_id = None
        delivery.give_up(actor, before, N_("The applicant chose another way of delivery"))
    _order_parcel(case, service)
    if service.state != ServiceState.READY:
        if service.mode == ServiceMode.ELECTRONIC:
            make_electronic_certificate(case.id)
        return
    if service.parcel_id is not None:
        delivery.contents_ready(SYSTEM, service.parcel_id)
    elif service.mode == ServiceMode.ELECTRONIC:
        _serve_electronically(case, service)


def _fill(service: ResultService, command: ChooseService) -> None:
    receiver, carried = command.receiver, command.mode in CARRIED
    if carried and receiver is None:
        raise Refused(
            "receiver-missing", N_("A courier needs the receiver's name, mobile and address."), field="receiver_name"
        )
    if carried and command.who_may_sign is None:
        raise Refused("signatory-missing", N_("Say who may sign for the envelope."), field="who_may_sign")
    if carried and not command.mandate_accepted:
        raise Refused(
            "mandate-missing",
            N_("The courier needs your letter of authority to collect the result."),
            field="mandate_accepted",
        )
    kept = _addressed(service.hall_organisation_id, command) if carried else None
    service.mode = command.mode
    service.receiver_name = kept.name if kept else None
    service.receiver_mobile = kept.mobile if kept else None
    service.prov = kept.prov if kept else None
    service.city = kept.city if kept else None
    service.county = kept.county if kept else None
    service.address = kept.address if kept else None
    service.who_may_sign = command.who_may_sign if carried else None
    service.collection_point_id = command.collection_point_id if command.mode is ServiceMode.DEPOSIT else None
    service.fee_mode = command.fee_mode if carried else None
    service.mandate_version = MANDATE_VERSION if carried else None
    service.mandate_accepted_at = clock.now() if carried else None


def _addressed(hall_organisation_id: UUID, command: ChooseService) -> Receiver:
    """The receiver with the address of the door or of the collection point; refused where the hall does not send."""
    receiver = command.receiver
    assert receiver is not None
    if command.mode is ServiceMode.DEPOSIT:
        if command.collection_point_id is None:
            raise Refused("point-missing", N_("Choose a collection point."), field="collection_point_id")
        point = delivery.point_for(command.collection_point_id, hall_organisation_id)
        there = delivery.address_at(point)
        receiver = Receiver(receiver.name, receiver.mobile, point.prov, point.city, point.county, there)
    delivery.promise_to(hall_organisation_id, receiver.prov, receiver.city, receiver.county)
    delivery.checked_mode(command.fee_mode)
    return receiver


# --- the certificate --------------------------------------------------------------------------------------------


def prepare_result(case: Case, item: ApprovalItem, *, granted: bool) -> None:
    """Queue the certificate (or the written refusal) and order the parcel, in the transaction of the decision."""
    _queue(case, item.certificate_title if granted else REFUSAL_TITLE)
    _order_parcel(case, _service_of(case))


def _queue(case: Case, title: str) -> None:
    certificate = Certificate(
        id=new_id(),
        thread_id=case.thread_id,
        case_id=case.id,
        hall_organisation_id=case.hall_organisation_id,
        applicant_user_id=case.applicant_user_id,
        title=title,
        state=CertificateState.QUEUED,
        queued_at=clock.now(),
    )
    db.session.add(certificate)
    db.session.flush()  # the timeline refers to it
    record(certificate, "queued", SYSTEM, title=N_("Certificate queued for making"))


def _order_parcel(case: Case, service: ResultService) -> None:
    if service.mode not in CARRIED:
        return
    assert case.serve_by is not None  # set with the decision
    assert service.who_may_sign is not None  # complete, by a check of the table
    service.parcel_id = delivery.order_parcel(
        SYSTEM,
        OrderParcel(
            thread_id=case.thread_id,
            subject=case.subject,
            hall_organisation_id=case.hall_organisation_id,
            receiver=ParcelReceiver(
                name=service.receiver_name or "",
                mobile=service.receiver_mobile or "",
                prov=service.prov or "",
                city=service.city or "",
                county=service.county or "",
                address=service.address or "",
            ),
            contents=_newest(case).title,
            department=identity.organisation_name(case.department_organisation_id),
            item=db.session.scalars(select(ApprovalItem.name).where(ApprovalItem.id == case.item_id)).one(),
            who_may_sign=service.who_may_sign,
            serve_by=case.serve_by,
            applicant_user_id=case.applicant_user_id,
            collection_point_id=service.collection_point_id,
            fee_mode=service.fee_mode,
        ),
    )


@use_case
def make_certificate(actor: Actor, certificate_id: UUID, command: Step) -> None:
    """Make the certificate: it gets its serial and its checkable PDF, and the result is ready to be served."""
    certificate = get(Certificate, certificate_id)
    case, service = _locked(certificate.case_id)
    held = case_parts(actor, case)
    if not held:
        raise NotFound
    certificate = lock(Certificate, certificate_id, seen=command.version)
    _make(actor, case, certificate, held)
    _make_ready(case, service)


@use_case
def make_electronic_certificate(case_id: UUID) -> bool:
    """Make the certificate by itself where nothing has to be printed; False when that is not (or no longer) the case."""
    case, service = _locked(case_id)
    certificate = _newest(case)
    if service.mode != ServiceMode.ELECTRONIC or certificate.state != CertificateState.QUEUED:
        return False
    _make(SYSTEM, case, lock(Certificate, certificate.id), frozenset({Part.SYSTEM}))
    _make_ready(case, service)
    return True


def _make(actor: Actor, case: Case, certificate: Certificate, held: frozenset[Part]) -> None:
    serial = next_number("ZS")
    certificate.serial = serial
    certificate.printed_at, certificate.printed_by_name = clock.now(), actor.name
    move(certificate, CERTIFICATE, "print", actor, held, detail={"number": serial})
    item = get(ApprovalItem, case.item_id)
    department = identity.organisation_name(case.department_organisation_id)
    assert case.decided_on is not None
    facts = CertificateFacts(
        title=certificate.title,
        serial=serial,
        department=department,
        holder=case.applicant_name,
        project_name=case.project_name,
        item_name=item.name,
        legal_basis=item.legal_basis,
        case_number=case.number,
        decided_on=case.decided_on,
        decision_text=case.decision_text or "",
        granted=case.state in GRANTED,
    )
    issued = issue(
        "certificate",
        serial,
        certificate.title,
        case.subject,
        case.thread_id,
        {N_("Holder"): case.applicant_name, N_("Project"): case.project_name, N_("Issuing department"): department},
        lambda check: certificate_pdf(facts, check),
        actor=actor,
    )
    certificate.document_id = issued.id


@use_case
def spoil_certificate(actor: Actor, certificate_id: UUID, command: Reasoned) -> None:
    """Declare a misprint void and queue a new piece. A certificate that is with the courier or served is not taken back."""
    certificate = get(Certificate, certificate_id)
    case, service = _locked(certificate.case_id)
    held = case_parts(actor, case)
    if not held:
        raise NotFound
    if service.state == ServiceState.SERVED or service.mode in CARRIED:
        raise Conflict("already-on-its-way", N_("This certificate has left the centre and cannot be made again here."))
    _spoil(actor, lock(Certificate, certificate_id, seen=command.version), held, command.reason)
    move(service, SERVICE, "take_back", SYSTEM, {Part.SYSTEM})
    _queue(case, certificate.title)


def _spoil(actor: Actor, certificate: Certificate, held: frozenset[Part], reason: str) -> None:
    move(certificate, CERTIFICATE, "spoil", actor, held, reason=reason)
    if certificate.document_id is not None:
        revoke(actor, certificate.document_id, reason)


def void_papers(actor: Actor, case: Case, reason: str) -> None:
    """Declare the issued papers of a revoked case void: whoever checks one is told."""
    statement = select(Certificate).where(Certificate.case_id == case.id, Certificate.state == CertificateState.PRINTED)
    for certificate in db.session.scalars(statement).all():
        if certificate.document_id is not None:
            revoke(actor, certificate.document_id, reason)


# --- the service ------------------------------------------------------------------------------------------------


def _make_ready(case: Case, service: ResultService) -> None:
    move(service, SERVICE, "make_ready", SYSTEM, {Part.SYSTEM})
    if service.mode in CARRIED:
        assert service.parcel_id is not None  # ordered with the decision
        delivery.contents_ready(SYSTEM, service.parcel_id)
    elif service.mode == ServiceMode.ELECTRONIC:
        _serve_electronically(case, service)
    else:
        tell_applicant(case, "case.ready", N_("The result of case %(number)s can be collected at the window"))


def _serve_electronically(case: Case, service: ResultService) -> None:
    _serve(SYSTEM, case, service, frozenset({Part.SYSTEM}), case.applicant_name, "electronic", clock.now())
    tell_applicant(case, "case.served", N_("The electronic certificate of case %(number)s is ready"))


@use_case
def hand_over(actor: Actor, case_id: UUID, command: HandOver) -> None:
    """Hand the result over at the window to the person named."""
    case, service = _locked(case_id)
    held = case_parts(actor, case)
    if not held:
        raise NotFound
    if service.mode != ServiceMode.WINDOW:
        raise Conflict("not-collected-here", N_("The applicant did not choose to collect the result at the window."))
    _serve(actor, case, service, held, command.signer_name, "window", clock.now())


def _serve(
    actor: Actor,
    case: Case,
    service: ResultService,
    held: frozenset[Part],
    signer_name: str,
    signer_class: str,
    served_at: datetime,
) -> None:
    service.served_at = case.served_at = served_at
    service.signer_name, service.signer_class = signer_name, signer_class
    move(service, SERVICE, "serve", actor, held, detail={"signer_name": signer_name})


@use_case
def parcel_delivered(
    case_id: UUID, parcel_id: UUID, signer_name: str, signer_class: str, delivered_at: datetime
) -> None:
    """The courier reports the delivery: the result counts as served, with signer and time."""
    case, service = _locked(case_id)
    if service.parcel_id != parcel_id or service.state != ServiceState.READY:
        return
    _serve(SYSTEM, case, service, frozenset({Part.SYSTEM}), signer_name, signer_class, delivered_at)
    tell_applicant(case, "case.served", N_("The result of case %(number)s was delivered"))


@use_case
def parcel_delivery_revoked(case_id: UUID, parcel_id: UUID) -> None:
    """The carrier took the delivery back: the result is not served any more."""
    case, service = _locked(case_id)
    if service.parcel_id != parcel_id or service.state != ServiceState.SERVED:
        return
    service.served_at = case.served_at = service.signer_name = service.signer_class = None
    move(service, SERVICE, "reopen", SYSTEM, {Part.SYSTEM})
    tell_window(case, N_("The carrier took back the delivery of case %(number)s"))


@use_case
def parcel_lost(case_id: UUID, parcel_id: UUID) -> None:
    """The parcel is lost: the paper is void, a new one is queued and a new parcel ordered."""
    case, service = _locked(case_id)
    if service.parcel_id != parcel_id or service.state != ServiceState.READY:
        return
    certificate = lock(Certificate, _newest(case).id)
    _spoil(SYSTEM, certificate, frozenset({Part.SYSTEM}), N_("Lost by the courier"))
    move(service, SERVICE, "take_back", SYSTEM, {Part.SYSTEM})
    _queue(case, certificate.title)
    _order_parcel(case, service)
    tell_applicant(case, "case.parcel-lost", N_("The envelope of case %(number)s was lost; it is made again"))


@use_case
def erase_receiver(case_id: UUID) -> None:
    """The retention period of the parcel is over: the copy kept with the choice goes too, names in its log with it."""
    _case, service = _locked(case_id)
    names = frozenset(name for name in (service.receiver_name, service.signer_name) if name)
    audit.erase(SYSTEM, service.object_type, service.id, N_("Retention period over"))
    timeline.forget(service.object_type, service.id, names)
    for column in ("receiver_name", "receiver_mobile", "address", "signer_name"):
        if getattr(service, column) is not None:
            setattr(service, column, "")


@use_case
def serve_alarm(service_id: UUID, step: int) -> bool:
    """Tell the window that a result nobody carries must be served in so many working days, once for each step."""
    service = lock(ResultService, service_id)
    if service.state == ServiceState.SERVED or (service.serve_alarm_wd is not None and service.serve_alarm_wd <= step):
        return False
    service.serve_alarm_wd = step
    tell_window(get(Case, service.case_id), N_("The term to serve the result of case %(number)s is running out"))
    return True


def _locked(case_id: UUID) -> tuple[Case, ResultService]:
    """Case, then its service: always in this order."""
    case = lock(Case, case_id)
    return case, lock(ResultService, _service_of(case).id)


def _service_of(case: Case) -> ResultService:
    return db.session.scalars(select(ResultService).where(ResultService.case_id == case.id)).one()


def _newest(case: Case) -> Certificate:
    statement = (
        select(Certificate)
        .where(Certificate.case_id == case.id)
        .order_by(Certificate.queued_at.desc(), Certificate.id.desc())
    )
    newest = db.session.scalars(statement.limit(1)).first()
    if newest is None:
        raise NotFound
    return newest
