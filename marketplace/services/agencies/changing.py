"""A request for change as a row: noted, settled together with what it rests on. The use cases are in `changes`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, new_id
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.agencies import Agency, AgencyChange
from marketplace.policy import agency_parts
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.changes import ChangeKind
from marketplace.services.agencies.following import follow
from marketplace.services.agencies.telling import tell_agency, tell_operators
from marketplace.states.agency import AGENCY_CHANGE, ChangeState
from marketplace.states.parts import Part

_NOTED = N_("A change is being checked.")


def note_change(
    agency: Agency,
    actor: Actor,
    kind: ChangeKind,
    proposed: dict[str, Any],
    before: dict[str, Any],
    *,
    subject_id: UUID | None = None,
    note: str = "",
    file_id: UUID | None = None,
) -> AgencyChange:
    """Write the request of a locked, admitted agency down; its check is due within the working days of the rule book."""
    change = AgencyChange(
        id=new_id(),
        thread_id=agency.thread_id,
        agency_id=agency.id,
        organisation_id=agency.organisation_id,
        kind=kind,
        subject_id=subject_id,
        proposed=proposed,
        before=before,
        note=note.strip(),
        file_id=file_id,
        state=ChangeState.PENDING,
        asked_by_name=actor.name,
        asked_at=clock.now(),
        due_at=_due(),
    )
    db.session.add(change)
    db.session.flush()
    record(change, "asked", actor, title=N_("Change asked for"), detail={"kind": str(kind)})
    tell_operators(
        agency,
        N_("Change to check"),
        N_("%(agency)s asked for a change; what was checked before stays valid until you decide."),
        link=f"/agency-changes/{change.id}",
    )
    follow(agency, actor, _NOTED)
    return change


def close_change(agency: Agency, actor: Actor, change: AgencyChange, action: str, reason: str = "") -> None:
    """Take a step of a locked request and let the agency's standing follow."""
    if AGENCY_CHANGE.edge(action, change.state):
        change.decided_at, change.decided_by_name, change.decision_reason = clock.now(), actor.name, reason
    move(change, AGENCY_CHANGE, action, actor, {*agency_parts(actor, change)}, reason=reason or None)
    if action == "accept":
        tell_agency(agency, N_("Change accepted"), N_("The change of %(agency)s is accepted and in force."))
    elif action == "refuse":
        tell_agency(agency, N_("Change refused"), N_("%(agency)s: %(reason)s"), reason=reason)
    follow(agency, SYSTEM, N_("A certificate that an offered service asks for is not valid."))


def close_change_of(agency: Agency, actor: Actor, subject_id: UUID, action: str, reason: str = "") -> None:
    """Settle the request that rests on this certificate or person, if one is open."""
    change = db.session.scalar(
        select(AgencyChange)
        .where(AgencyChange.subject_id == subject_id, AgencyChange.state == ChangeState.PENDING)
        .with_for_update()
    )
    if change is None:
        return
    if action == "withdraw":
        move(change, AGENCY_CHANGE, action, actor, {Part.SYSTEM})
        follow(agency, SYSTEM, N_("A certificate that an offered service asks for is not valid."))
        return
    close_change(agency, actor, change, action, reason)


def _due() -> datetime:
    return work_calendar.current().deadline(clock.now(), rule_book_in_force().onboarding_change_check_wd).at
