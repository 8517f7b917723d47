"""An agency's registration: in time by the server's clock, eligible by the rules, withdrawn or stepped back from."""

import re
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.procurements import Procurement, Registration
from marketplace.policy import parts
from marketplace.queries.candidates import agency_of, verdict_for
from marketplace.rules.eligibility import Verdict
from marketplace.services.commands import Register
from marketplace.services.procurements import locked
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState
from marketplace.states.registration import REGISTRATION, RegistrationState

_CONTRIBUTION = re.compile(r"[0-9a-f]{64}")


@use_case
def register(actor: Actor, procurement_id: UUID, command: Register) -> UUID:
    """Register the actor's agency; returns the registration.

    The server's clock decides, with the procurement locked, so that no registration slips in beside the closing. Raises
    Conflict when late or repeated, and Refused with every failed test when the agency is not eligible; then nothing is kept.
    """
    agency = agency_of(actor.organisation_id)
    if agency is None or not actor.has(Role.AGENCY):
        raise NotAllowed
    if not _CONTRIBUTION.fullmatch(command.contribution):
        raise Refused(
            "bad-contribution", N_("The contribution to the draw is 64 hex digits in lower case."), field="contribution"
        )
    procurement = locked(actor, procurement_id)
    _refuse_when_closed(procurement)
    known = db.session.scalar(
        select(Registration)
        .where(Registration.procurement_id == procurement.id, Registration.agency_id == agency.id)
        .with_for_update()
    )
    if known is not None and REGISTRATION.edge("register_again", known.state) is None:
        raise Conflict("already-registered", N_("Your agency is registered for this procurement already."))
    verdict = verdict_for(procurement, agency.id)
    if not verdict.is_eligible:
        raise Refused(
            "not-eligible",
            N_("Your agency does not meet every condition of this notice; see the reasons below."),
            checks=[check for check in verdict.to_json() if not check["passed"]],
        )
    if known is None:
        return _first(actor, procurement, agency, command, verdict)
    known.contribution = command.contribution
    known.eligibility, known.final_eligibility = verdict.to_json(), None
    known.registered_at, known.registered_by = clock.now(), actor.user_id
    move(known, REGISTRATION, "register_again", actor, parts(actor, known))
    return known.id


def _first(actor: Actor, procurement: Procurement, agency: Agency, command: Register, verdict: Verdict) -> UUID:
    registration = Registration(
        id=new_id(),
        thread_id=procurement.thread_id,
        procurement_id=procurement.id,
        agency_id=agency.id,
        organisation_id=agency.organisation_id,
        owner_organisation_id=procurement.owner_organisation_id,
        uscc=agency.uscc,
        name=agency.name,
        contribution=command.contribution,
        eligibility=verdict.to_json(),
        state=RegistrationState.REGISTERED,
        registered_by=actor.user_id,
        registered_at=clock.now(),
    )
    db.session.add(registration)
    db.session.flush()
    record(
        registration,
        "registered",
        actor,
        title=N_("Agency registered"),
        detail={"agency": agency.name},
    )
    return registration.id


def _refuse_when_closed(procurement: Procurement) -> None:
    """Open means: published, and the deadline not passed on the server's clock (the deadline itself still counts)."""
    ends_at = procurement.registration_ends_at
    late = ends_at is not None and clock.now() > ends_at
    if procurement.state == ProcurementState.PUBLISHED and not late:
        return
    if late:
        raise Conflict(
            "registration-ended",
            N_("The registration ended at %(until)s (Beijing time). A late registration cannot be accepted."),
            params={"until": ends_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M:%S") if ends_at else ""},
        )
    raise Conflict("registration-not-open", N_("This procurement is not open for registration."))


@use_case
def withdraw_registration(actor: Actor, registration_id: UUID, command: Plain) -> None:
    """Take a registration back before the deadline."""
    registration, procurement = _locked_pair(actor, registration_id, command.version)
    if registration.state == RegistrationState.REGISTERED and procurement.state != ProcurementState.REVISED:
        _refuse_when_closed(procurement)
    move(registration, REGISTRATION, "withdraw", actor, parts(actor, registration))


@use_case
def step_back(actor: Actor, registration_id: UUID, command: WithReason) -> None:
    """Leave a frozen draw or its reserve. The entry stays in the file and is skipped; the order of the others stays."""
    registration, _ = _locked_pair(actor, registration_id, command.version)
    move(registration, REGISTRATION, "step_back", actor, parts(actor, registration), reason=command.reason)
    registration.decided_at = clock.now()


def _locked_pair(actor: Actor, registration_id: UUID, seen: int | None) -> tuple[Registration, Procurement]:
    """The registration and its procurement, locked in the fixed order; NotFound for anybody but the agency."""
    found = db.session.get(Registration, registration_id)
    if found is None or Part.AGENCY not in parts(actor, found):
        raise NotFound
    procurement = lock(Procurement, found.procurement_id)
    return lock(Registration, registration_id, seen=seen), procurement
