"""Direct selection (直接选取): requested with its ground, decided by another person, published like every result."""

from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, files
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import DirectRequested, NoticeReturned, ProcurementFailed
from marketplace.models.agencies import Agency
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.selection import DirectRequest
from marketplace.policy import parts
from marketplace.queries.candidates import verdict_for
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rules.draw import NO_CONTRIBUTION
from marketplace.rules.selection.direct import allowed_grounds, decided_by_regulator, needs_document, next_step
from marketplace.rules.selection.gates import is_public_money
from marketplace.rules.selection.methods import Method
from marketplace.rules.selection.outcome import Choice, Entrant, Inputs, Outcome
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services.commands import RequestDirect
from marketplace.services.procurements import freeze_notice, locked, tell_owner
from marketplace.services.selection.deciding import settle
from marketplace.services.selection.inputs import quotes_of
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, FailureCode, ProcurementState
from marketplace.states.registration import REGISTRATION, WAITING, RegistrationState

_P = ProcurementState
_R = RegistrationState
_SYSTEM = (Part.SYSTEM,)
_TAKES_PART = WAITING | {_R.REGISTERED}


@use_case
def request_direct(actor: Actor, procurement_id: UUID, command: RequestDirect) -> UUID:
    """Ask to choose an agency directly, from a draft of that method or after repeated failures; returns the request.

    Where the rule book asks for no form check and the money is private, the request is approved at once. Raises Refused for a
    ground that the rules do not allow here, a missing document, and an agency that may not be chosen.
    """
    procurement = locked(actor, procurement_id, command.version)
    _check_request(procurement, command)
    agency = _agency(procurement, command)
    document = files.keep(command.document, actor) if command.document else None
    request = DirectRequest(
        id=new_id(),
        procurement_id=procurement.id,
        agency_id=agency.id,
        ground=command.ground,
        reason=command.reason.strip(),
        document_file_id=document.id if document else None,
        from_state=procurement.state,
        requested_by=actor.user_id,
        requested_by_name=actor.name,
        requested_at=clock.now(),
    )
    db.session.add(request)
    procurement.submitted_at = procurement.submitted_at or clock.now()
    event = DirectRequested(procurement_id=procurement.id, public_money=is_public_money(procurement.fund_source))
    detail = {"agency": agency.name, "ground": command.ground}
    move(
        procurement,
        PROCUREMENT,
        "request_direct",
        actor,
        parts(actor, procurement),
        event=event,
        reason=request.reason,
        detail=detail,
    )
    if not is_public_money(procurement.fund_source) and not rule_book_in_force().notice_form_check:
        _approve(procurement, request, SYSTEM, frozenset(_SYSTEM), None)
        return request.id
    return request.id


def _check_request(procurement: Procurement, command: RequestDirect) -> None:
    if procurement.state != _P.FAILED and procurement.method != Method.DIRECT:
        raise Conflict("not-direct", N_("The notice names another method. Change it to a direct selection first."))
    book = rule_book_in_force()
    grounds = allowed_grounds(
        book, fund_source=procurement.fund_source, price_fen=procurement.price_fen, failures=procurement.failures
    )
    if procurement.state == _P.FAILED and procurement.failures < book.direct_after_failures:
        raise Conflict(
            "too-few-failures",
            N_("A direct selection follows after %(count)s failures. Extend the registration or prepare a new round."),
            params={"count": book.direct_after_failures},
        )
    if command.ground not in grounds:
        raise Refused("ground-not-allowed", N_("The rules do not allow this ground here."), field="ground")
    if not command.reason.strip():
        raise Refused("reason-missing", N_("Say why: this step needs a reason."), field="reason")
    if needs_document(procurement.fund_source) and command.document is None:
        raise Refused(
            "decision-missing",
            N_("With public money the record of the collective decision must be uploaded."),
            field="document",
        )


def _agency(procurement: Procurement, command: RequestDirect) -> Agency:
    """The named agency, when it may be chosen: eligible today, and after failures one of those that registered."""
    agency = db.session.scalar(select(Agency).where(Agency.uscc == command.uscc.strip().upper()))
    if agency is None:
        raise Refused("unknown-agency", N_("No agency of the supermarket has this credit code."), field="uscc")
    if procurement.state == _P.FAILED:
        registered = db.session.scalars(
            select(Registration.agency_id).where(
                Registration.procurement_id == procurement.id, Registration.state.in_(_TAKES_PART)
            )
        ).all()
        if registered and agency.id not in registered:
            raise Refused(
                "not-registered-here", N_("After failures only an agency that registered can be chosen."), field="uscc"
            )
    verdict = verdict_for(procurement, agency.id)
    if not verdict.is_eligible:
        raise Refused(
            "not-eligible",
            N_("This agency does not meet every condition of the notice; see the reasons below."),
            field="uscc",
            checks=[check for check in verdict.to_json() if not check["passed"]],
        )
    return agency


def open_request(procurement_id: UUID) -> DirectRequest:
    """The request that waits for its decision, locked. Raises Conflict without one."""
    request = db.session.scalar(
        select(DirectRequest)
        .where(DirectRequest.procurement_id == procurement_id, DirectRequest.decision.is_(None))
        .with_for_update()
    )
    if request is None:
        raise Conflict("no-request", N_("No direct selection is requested in this procurement."))
    return request


@use_case
def approve_direct(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Approve a request: the named agency is selected and the result is published. Never by the person who asked."""
    procurement = locked(actor, procurement_id, command.version)
    request = _decidable(actor, procurement)
    _approve(procurement, request, actor, parts(actor, procurement), None)


@use_case
def refuse_direct(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Refuse a request: a draft goes back to its owner, a failed procurement is failed again. The owner learns the reason."""
    procurement = locked(actor, procurement_id, command.version)
    request = _decidable(actor, procurement)
    _decide(request, actor, "refused", command.reason)
    held = parts(actor, procurement)
    if request.from_state == _P.FAILED:
        code = procurement.failure_code or FailureCode.POOL_TOO_SMALL
        failure = ProcurementFailed(procurement_id=procurement.id, failure_code=code)
        move(procurement, PROCUREMENT, "refuse_direct", actor, held, reason=command.reason, event=failure)
    else:
        returned = NoticeReturned(procurement_id=procurement.id, reason=command.reason)
        move(procurement, PROCUREMENT, "return", actor, held, reason=command.reason, event=returned)
    tell_owner(
        procurement,
        N_("The direct selection was refused: %(title)s"),
        N_("The direct selection for %(number)s was refused. Reason: %(reason)s"),
        reason=command.reason,
    )


def _decidable(actor: Actor, procurement: Procurement) -> DirectRequest:
    held = parts(actor, procurement)
    needed = Part.REGULATOR if decided_by_regulator(procurement.fund_source) else Part.OPERATOR
    if not held & {Part.REGULATOR, Part.OPERATOR}:
        raise NotAllowed
    request = open_request(procurement.id)
    if needed not in held:
        raise Conflict("regulator-decides", N_("With public money the regulator decides a direct selection."))
    if request.requested_by == actor.user_id:
        raise Conflict("same-person", N_("A second person must approve: you proposed it yourself."))
    return request


def _decide(request: DirectRequest, actor: Actor, decision: str, reason: str | None) -> None:
    request.decision, request.decision_reason = decision, reason
    request.decided_by, request.decided_by_name = actor.user_id, actor.name
    request.decided_at = clock.now()
    db.session.flush()


def _approve(
    procurement: Procurement, request: DirectRequest, actor: Actor, held: frozenset[Part], reason: str | None
) -> None:
    _decide(request, actor, "approved", reason)
    if request.from_state != _P.FAILED:
        freeze_notice(procurement, actor)
    registration = _registration(procurement, request)
    registrations = _all_waiting(procurement.id)
    quote = quotes_of(procurement).get(registration.id)
    price = quote.price_fen if quote and quote.is_valid else None
    inputs = Inputs(
        method=Method.DIRECT,
        fund_source=procurement.fund_source,
        seats=procurement.seats,
        terms=MethodTerms(direct_ground=request.ground, direct_uscc=registration.uscc, direct_reason=request.reason),
        ceiling_fen=procurement.ceiling_fen,
        entrants=(Entrant(registration.id, registration.uscc, price_fen=price),),
        choice=Choice(registration.id, request.reason),
    )
    outcome = next_step(inputs, rule_book(procurement.rule_book_version))
    assert isinstance(outcome, Outcome), "a direct selection needs nothing more than its approval"
    settle(procurement, registrations, inputs, outcome, "approve_direct", actor, held, reason=request.reason)
    _release_the_others(registrations)


def _registration(procurement: Procurement, request: DirectRequest) -> Registration:
    """The registration of the named agency, written when it never registered; eligible today, or the approval is refused."""
    verdict = verdict_for(procurement, request.agency_id)
    if not verdict.is_eligible:
        raise Conflict(
            "no-longer-eligible", N_("The named agency does not meet every condition of the notice any more.")
        )
    found = db.session.scalar(
        select(Registration)
        .where(Registration.procurement_id == procurement.id, Registration.agency_id == request.agency_id)
        .with_for_update()
    )
    if found is None:
        agency = db.session.get_one(Agency, request.agency_id)
        found = Registration(
            id=new_id(),
            thread_id=procurement.thread_id,
            procurement_id=procurement.id,
            agency_id=agency.id,
            organisation_id=agency.organisation_id,
            owner_organisation_id=procurement.owner_organisation_id,
            uscc=agency.uscc,
            name=agency.name,
            contribution=NO_CONTRIBUTION,
            eligibility=verdict.to_json(),
            state=_R.REGISTERED,
            registered_by=None,
            registered_at=clock.now(),
        )
        db.session.add(found)
        db.session.flush()
    elif REGISTRATION.edge("register_again", found.state) is not None:
        move(found, REGISTRATION, "register_again", SYSTEM, _SYSTEM)
    found.final_eligibility = verdict.to_json()
    if found.state == _R.REGISTERED:
        move(found, REGISTRATION, "qualify", SYSTEM, _SYSTEM)
    return found


def _all_waiting(procurement_id: UUID) -> dict[UUID, Registration]:
    """Every registration that still takes part, on a list or not; locked in the order of the codes."""
    rows = db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement_id, Registration.state.in_(_TAKES_PART))
        .order_by(Registration.uscc)
        .with_for_update()
    )
    return {row.id: row for row in rows}


def _release_the_others(registrations: dict[UUID, Registration]) -> None:
    """Those who registered for the failed round and were not chosen do not wait any longer."""
    for registration in registrations.values():
        if registration.state in _TAKES_PART:
            move(registration, REGISTRATION, "lose", SYSTEM, _SYSTEM)
            registration.decided_at = clock.now()
