"""Use cases of the standing of an admitted agency: measures with reason, author and end; `following` draws the state from them."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import start_of_day
from app.kernel.commands import WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events import AgencyStandingChanged
from marketplace.models.agencies import Agency, AgencyMeasure
from marketplace.models.catalogue import ServiceItem
from marketplace.policy import agency_parts
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.standing import MeasureKind
from marketplace.services.agencies.access import kept
from marketplace.services.agencies.departure import clear_up
from marketplace.services.agencies.following import follow, open_measures
from marketplace.services.agencies.telling import tell_agency
from marketplace.states.agency import ADMITTED, AGENCY, AgencyState


@dataclass(frozen=True)
class Measure:
    """A measure with its reason. `ends_on` is its last Beijing day, None: until it is lifted.

    `item_id` names the service of a restriction; `source` what the measure rests on, for example `sanction:<id>`.
    """

    reason: str
    ends_on: date | None = None
    item_id: UUID | None = None
    source: str = ""
    version: int | None = None


_TITLES = {
    MeasureKind.RESTRICT: N_("Restricted for a service"),
    MeasureKind.SUSPEND: N_("Suspended"),
    MeasureKind.BLACKLIST: N_("Put on the blacklist"),
}
# What lifting a state lifts: the restoration of a blacklisted agency leaves a suspension that still runs.
_BEHIND = {
    AgencyState.RESTRICTED: MeasureKind.RESTRICT,
    AgencyState.SUSPENDED: MeasureKind.SUSPEND,
    AgencyState.BLACKLISTED: MeasureKind.BLACKLIST,
}


@use_case
def restrict(actor: Actor, agency_id: UUID, command: Measure) -> UUID:
    """Close one service to an agency; all others stay open. Returns the measure. Raises NotAllowed, Conflict, Refused."""
    if command.item_id is None or db.session.get(ServiceItem, command.item_id) is None:
        raise Refused("service-missing", N_("Choose the service that is closed to the agency."), field="item_id")
    return _impose(actor, agency_id, MeasureKind.RESTRICT, command, command.item_id)


@use_case
def suspend(actor: Actor, agency_id: UUID, command: Measure) -> UUID:
    """Suspend an admitted agency: shelf hidden, no registration. Returns the measure. Raises NotAllowed, Conflict, Refused."""
    return _impose(actor, agency_id, MeasureKind.SUSPEND, command, None)


@use_case
def blacklist(actor: Actor, agency_id: UUID, command: Measure) -> UUID:
    """Put an agency on the blacklist (失信名单). Returns the measure. Raises NotAllowed, Conflict, Refused."""
    return _impose(actor, agency_id, MeasureKind.BLACKLIST, command, None)


@use_case
def remove(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Strike an agency off for cause (清退); it may apply again after the cool-off of the rule book."""
    agency = kept(actor, agency_id, command.version)
    if AGENCY.edge("remove", agency.state):
        _write_measure(actor, agency, MeasureKind.REMOVE, command.reason, None, None, "")
        clear_up(agency, actor, rule_book_in_force().onboarding_removed_cooloff_days)
    move(
        agency,
        AGENCY,
        "remove",
        actor,
        agency_parts(actor, agency),
        reason=command.reason,
        event=AgencyStandingChanged(agency.id, AgencyState.REMOVED),
        public=True,
    )
    tell_agency(agency, N_("Removed from the supermarket"), N_("%(agency)s: %(reason)s"), reason=command.reason)


@use_case
def restore(actor: Actor, agency_id: UUID, command: WithReason) -> None:
    """Lift the measures behind the present state. Raises Conflict when certificates, not a measure, restrict the agency."""
    agency = kept(actor, agency_id, command.version)
    kind = _BEHIND.get(AgencyState(agency.state))
    measures = [m for m in open_measures(agency_id) if m.kind == kind]
    if kind is not None and not measures:
        raise Conflict(
            "nothing-to-lift",
            N_("Missing certificates restrict this agency. It is restored by itself when they are renewed."),
        )
    if kind is None:
        move(agency, AGENCY, "restore", actor, agency_parts(actor, agency))  # refused: no edge leads from here
    for measure in measures:
        _lift(measure, command.reason)
    _settle(agency, actor, command.reason)


@use_case
def lift(actor: Actor, measure_id: UUID, command: WithReason) -> None:
    """End one measure before its time, for example by a decision on the repair of credit. Raises NotFound, NotAllowed."""
    found = db.session.get(AgencyMeasure, measure_id)
    if found is None or found.kind == MeasureKind.REMOVE:
        raise NotFound
    agency = kept(actor, found.agency_id)
    measure = lock(AgencyMeasure, measure_id)
    if measure.lifted_at is not None:
        return
    _lift(measure, command.reason)
    record(
        agency,
        "measure_lifted",
        actor,
        title=N_("Measure lifted"),
        reason=command.reason,
        detail={"measure": str(measure.id)},
        event=AgencyStandingChanged(agency.id, agency.state),
    )
    _settle(agency, actor, command.reason)


def lift_due(limit: int = 200) -> int:
    """End the measures whose last day is over; each in its own transaction."""
    due = db.session.scalars(
        select(AgencyMeasure.id)
        .where(AgencyMeasure.lifted_at.is_(None), AgencyMeasure.ends_at <= clock.now())
        .order_by(AgencyMeasure.ends_at)
        .limit(limit)
    ).all()
    for measure_id in due:
        lift(SYSTEM, measure_id, WithReason(N_("The term of the measure has ended.")))
    return len(due)


def _impose(actor: Actor, agency_id: UUID, kind: MeasureKind, command: Measure, item_id: UUID | None) -> UUID:
    agency = kept(actor, agency_id, command.version)
    if agency.state not in ADMITTED:
        raise Conflict("not-admitted", N_("Only an admitted agency can be restricted, suspended or blacklisted."))
    if not command.reason.strip():
        raise Refused("reason-missing", N_("Say why: this step needs a reason."), field="reason")
    if command.ends_on is not None and command.ends_on < clock.today():
        raise Refused("end-past", N_("The last day of a measure lies in the future."), field="ends_on")
    measure = _write_measure(actor, agency, kind, command.reason, item_id, command.ends_on, command.source)
    detail = {"measure": str(measure.id), "ends_on": command.ends_on.isoformat() if command.ends_on else None}
    event = AgencyStandingChanged(agency.id, agency.state)
    record(agency, "measure", actor, title=_TITLES[kind], reason=command.reason, detail=detail, event=event)
    _settle(agency, actor, command.reason)
    return measure.id


def _settle(agency: Agency, actor: Actor, reason: str) -> None:
    follow(agency, actor, reason)
    tell_agency(agency, N_("The standing of your agency changed"), N_("%(agency)s: %(reason)s"), reason=reason)


def _write_measure(
    actor: Actor,
    agency: Agency,
    kind: MeasureKind,
    reason: str,
    item_id: UUID | None,
    ends_on: date | None,
    source: str,
) -> AgencyMeasure:
    measure = AgencyMeasure(
        id=new_id(),
        agency_id=agency.id,
        kind=kind,
        item_id=item_id,
        reason=reason.strip(),
        source=source,
        decided_by=actor.user_id,
        decided_by_name=actor.name,
        decided_at=clock.now(),
        ends_at=start_of_day(ends_on + timedelta(days=1)) if ends_on else None,
    )
    db.session.add(measure)
    return measure


def _lift(measure: AgencyMeasure, reason: str) -> None:
    measure.lifted_at = clock.now()
    measure.lift_reason = reason
