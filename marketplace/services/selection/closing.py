"""From the deadline of the registration to the frozen list: close, check eligibility again, count the pool."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.db import db, lock, use_case
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import RegistrationClosed
from marketplace.models.procurements import Procurement, Registration
from marketplace.queries.candidates import applicants, demand_of, item_of
from marketplace.queries.credit import score_points
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.eligibility import Verdict, judge
from marketplace.rules.selection.gates import minimum_pool
from marketplace.rules.selection.methods import Method
from marketplace.services.procurements import tell
from marketplace.services.selection.advance import advance
from marketplace.services.selection.deciding import fail
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, FailureCode, ProcurementState
from marketplace.states.registration import REGISTRATION, RegistrationState

_P = ProcurementState
_R = RegistrationState
_SYSTEM = (Part.SYSTEM,)


@use_case
def close_registration(procurement_id: UUID) -> bool:
    """Close the registration when its deadline has passed; False when it has not, or somebody closed it before."""
    procurement = lock(Procurement, procurement_id)
    ends_at = procurement.registration_ends_at
    if procurement.state != _P.PUBLISHED or ends_at is None or clock.now() <= ends_at:
        return False
    procurement.closed_at = clock.now()
    event = RegistrationClosed(procurement_id=procurement.id)
    return move(procurement, PROCUREMENT, "close", SYSTEM, _SYSTEM, event=event)


@use_case
def freeze_list(procurement_id: UUID) -> bool:
    """Check eligibility as of the deadline, test the pool, put the rest on the list and take the method's first step.

    False when already done. Raises UnknownYear while the working days of the beacon's year are not known; the step then waits.
    """
    procurement = lock(Procurement, procurement_id)
    if procurement.state != _P.REGISTRATION_CLOSED:
        return False
    book = rule_book(procurement.rule_book_version)
    registrations = _registered(procurement)
    pool = _check_again(procurement, registrations)
    if len(pool) < minimum_pool(book, procurement.method, procurement.fund_source):
        fail(procurement, FailureCode.POOL_TOO_SMALL if registrations else FailureCode.NO_REGISTRATION, len(pool))
        return True
    if procurement.method == Method.MERIT_CREDIT:
        _note_credit(procurement, pool)
    for registration in pool:
        move(registration, REGISTRATION, "qualify", SYSTEM, _SYSTEM)
    return advance(procurement)


def _note_credit(procurement: Procurement, pool: Sequence[Registration]) -> None:
    """Write the credit of the day of the deadline into the registrations, so that nothing later changes the selection."""
    assert procurement.registration_ends_at is not None
    day = clock.beijing_day(procurement.registration_ends_at)
    points = score_points([registration.agency_id for registration in pool], day)
    for registration in pool:
        registration.credit_points = points[registration.agency_id]


def _registered(procurement: Procurement) -> Sequence[Registration]:
    return db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement.id, Registration.state == _R.REGISTERED)
        .order_by(Registration.uscc)
        .with_for_update()
    ).all()


def _check_again(procurement: Procurement, registrations: Sequence[Registration]) -> list[Registration]:
    """Strike those who no longer qualify on the day of the deadline; the others are the pool."""
    assert procurement.registration_ends_at is not None
    day = clock.beijing_day(procurement.registration_ends_at)
    demand = demand_of(procurement)
    known = applicants(item_of(procurement.item_version_id), [r.agency_id for r in registrations])
    pool = []
    for registration in registrations:
        verdict = judge(demand, known[registration.agency_id].candidate, day)
        registration.final_eligibility = verdict.to_json()
        if verdict.is_eligible:
            pool.append(registration)
        else:
            _strike(procurement, registration, verdict)
    return pool


def _strike(procurement: Procurement, registration: Registration, verdict: Verdict) -> None:
    action = "avoid" if verdict.is_avoided else "disqualify"
    registration.decided_at = clock.now()
    move(registration, REGISTRATION, action, SYSTEM, _SYSTEM)
    tell(
        procurement,
        registration.organisation_id,
        "procurement.ineligible",
        N_("Not on the list: %(title)s"),
        N_(
            "At the deadline your agency did not meet every condition of %(number)s. The reasons stand in your registration."
        ),
    )


@use_case
def end_round(procurement_id: UUID) -> bool:
    """End a further bidding round whose time is over; its quotes then wait for their opening. False when not due."""
    procurement = lock(Procurement, procurement_id)
    ends_at = procurement.quotes_end_at
    if procurement.state != _P.BIDDING or ends_at is None or clock.now() <= ends_at:
        return False
    detail = {"round": procurement.quote_round}
    return move(procurement, PROCUREMENT, "await_opening", SYSTEM, _SYSTEM, detail=detail, public=True)
