"""Use cases of leaving the supermarket (退出): asked for, waited for, taken back; and what any departure clears up."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events import AgencyStandingChanged, PractitionerChanged
from marketplace.models.agencies import Agency, AgencyChange, Practitioner
from marketplace.policy import agency_parts
from marketplace.queries.obligations import Obligation, obligations_of
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.services.agencies.access import own
from marketplace.services.agencies.following import follow
from marketplace.services.agencies.telling import tell_agency, tell_operators
from marketplace.states.agency import (
    AGENCY,
    AGENCY_CHANGE,
    PRACTITIONER,
    AgencyState,
    ChangeState,
    PractitionerState,
)
from marketplace.states.parts import Part


@use_case
def ask_exit(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Ask to leave: nothing new is taken on. With nothing open the agency leaves at once, else when all is finished."""
    agency = own(actor, agency_id, command.version)
    if AGENCY.edge("ask_exit", agency.state):
        agency.exit_asked_at = clock.now()
    event = AgencyStandingChanged(agency.id, AgencyState.EXIT_PENDING)
    parts = agency_parts(actor, agency)
    move(agency, AGENCY, "ask_exit", actor, parts, reason=command.reason, event=event, public=True)
    tell_operators(agency, N_("An agency leaves"), N_("%(agency)s asked to leave: %(reason)s"), reason=command.reason)
    if not obligations_of(agency.organisation_id):
        _leave(agency, actor)


@use_case
def stay(actor: Actor, agency_id: UUID, command: Plain) -> None:
    """Take the wish to leave back; the standing of before shows again."""
    agency = own(actor, agency_id, command.version)
    event = AgencyStandingChanged(agency.id, AgencyState.ACTIVE)
    move(agency, AGENCY, "stay", actor, agency_parts(actor, agency), event=event, public=True)
    agency.exit_asked_at = None
    follow(agency, SYSTEM, N_("The agency stays in the supermarket."))


@use_case
def leave(actor: Actor, agency_id: UUID, command: Plain) -> None:
    """Leave now. Raises Conflict naming every open engagement, dispute and payment."""
    agency = own(actor, agency_id, command.version)
    _refuse_while_bound(agency)
    _leave(agency, actor)


def leave_due(limit: int = 200) -> int:
    """Let the agencies leave that asked for it and have nothing open any more; each in its own transaction."""
    waiting = db.session.scalars(
        select(Agency.id)
        .where(Agency.state == AgencyState.EXIT_PENDING)
        .order_by(Agency.exit_asked_at, Agency.id)
        .limit(limit)
    ).all()
    return sum(_leave_if_free(agency_id) for agency_id in waiting)


@use_case
def _leave_if_free(agency_id: UUID) -> int:
    agency = lock(Agency, agency_id)
    if agency.state != AgencyState.EXIT_PENDING or obligations_of(agency.organisation_id):
        return 0
    _leave(agency, SYSTEM)
    return 1


def clear_up(agency: Agency, actor: Actor, cool_off_days: int) -> None:
    """What ends with any departure: people are free for other agencies, requests lapse, the cool-off begins."""
    now = clock.now()
    agency.left_at = now
    agency.may_reapply_at = now + timedelta(days=cool_off_days)
    agency.commitment_signed_at = None  # a new application is a new promise
    for change in db.session.scalars(
        select(AgencyChange).where(AgencyChange.agency_id == agency.id, AgencyChange.state == ChangeState.PENDING)
    ):
        move(change, AGENCY_CHANGE, "withdraw", actor, {Part.SYSTEM})
    for person in db.session.scalars(
        select(Practitioner).where(
            Practitioner.agency_id == agency.id,
            Practitioner.state.in_((PractitionerState.PENDING, PractitionerState.VALID)),
        )
    ):
        person.leaves_on = clock.today()
        event = PractitionerChanged(agency.id, person.id, PractitionerState.LEFT)
        move(person, PRACTITIONER, "leave", actor, {Part.SYSTEM}, event=event)


def _refuse_while_bound(agency: Agency) -> None:
    found = obligations_of(agency.organisation_id)
    if found:
        raise Conflict(
            "obligations-open",
            N_("Finish what is still open before leaving: %(count)s matters, %(first)s among them."),
            params={"count": len(found), "first": found[0].number},
            obligations=[_told(one) for one in found],
        )


def _told(one: Obligation) -> dict[str, str]:
    return {"kind": one.kind, "number": one.number, "title": one.title, "href": one.href}


def _leave(agency: Agency, actor: Actor) -> None:
    parts = {*agency_parts(actor, agency)}
    if AGENCY.edge("exit", agency.state):
        clear_up(agency, actor, rule_book_in_force().onboarding_exit_cooloff_days)
    event = AgencyStandingChanged(agency.id, AgencyState.EXITED)
    move(agency, AGENCY, "exit", actor, parts, event=event, public=True)
    tell_agency(agency, N_("Left the supermarket"), N_("%(agency)s has left the supermarket."))
