"""The procurement lines of the workbench."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.procurements import (
    Draw,
    Procurement,
    Registration,
)
from marketplace.queries.procurements.turns import due_at
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, ProcurementState
from marketplace.states.registration import REGISTRATION, RegistrationState

_P = ProcurementState


_STEPS: Final = {
    (Part.OWNER, _P.DRAFT): N_("Complete and submit the notice"),
    (Part.OWNER, _P.RETURNED): N_("Correct and submit the notice"),
    (Part.OWNER, _P.COMPARING): N_("Compare and decide"),
    (Part.OPERATOR, _P.DIRECT_REQUEST): N_("Decide the direct selection"),
    (Part.OWNER, _P.FAILED): N_("Extend, republish or abandon"),
    (Part.OWNER, _P.WITHDRAWN): N_("Abandon the procurement"),
    (Part.OPERATOR, _P.SUBMITTED): N_("Check the notice"),
    (Part.OPERATOR, _P.REVISED): N_("Check the change of the notice"),
    (Part.OPERATOR, _P.RESELECT): N_("Approve the succession"),
    (Part.OPERATOR, _P.PAUSED): N_("Decide the challenge"),
    (Part.WINNER, _P.AWARDED): N_("Confirm the award"),
}


_FINISHED: Final = (_P.CLOSED, _P.CANCELLED, _P.VOID, _P.REPUBLISHED)


_CONTRACT_STATES: Final = (_P.CONFIRMED, _P.CONTRACTED, _P.IN_SERVICE, _P.ACCEPTED, _P.TERMINATED)
"""The contract's own line stands in the workbench while these last."""


SHOWN: Final = 100


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """The procurement lines of an actor's workbench: as owner, operator or agency."""
    if actor.has(Role.OWNER) and actor.organisation_id:
        return _work(Procurement.owner_organisation_id == actor.organisation_id, Part.OWNER)
    if actor.has(Role.OPERATOR, Role.REGULATOR):
        own = [_P.SUBMITTED, _P.REVISED] if actor.has(Role.OPERATOR) else []
        waiting = Procurement.state.in_([*own, _P.RESELECT, _P.PAUSED, _P.DIRECT_REQUEST])
        values = and_(
            Procurement.state == _P.SELECTING,
            Procurement.beacon_due_at <= clock.now(),
            Procurement.id.in_(_real_draws()),
        )
        return _work(or_(waiting, values), Part.OPERATOR)
    if actor.has(Role.AGENCY) and actor.organisation_id:
        mine = select(Registration.procurement_id).where(Registration.organisation_id == actor.organisation_id)
        return _work(and_(Procurement.id.in_(mine)), Part.WINNER, organisation_id=actor.organisation_id)
    return ()


def _real_draws() -> Select[UUID]:
    return select(Draw.procurement_id).where(Draw.is_demonstration.is_(False))


def _work(condition: ColumnElement[bool], part: Part, *, organisation_id: UUID | None = None) -> list[WorkItem]:
    rows = db.session.scalars(
        select(Procurement)
        .where(condition, Procurement.state.not_in(_CONTRACT_STATES))
        .order_by(Procurement.created_at.desc(), Procurement.id.desc())
        .limit(SHOWN)
    ).all()
    own: dict[UUID, str] = {}
    if organisation_id:
        wanted = (
            Registration.organisation_id == organisation_id,
            Registration.procurement_id.in_([p.id for p in rows]),
        )
        found = db.session.execute(select(Registration.procurement_id, Registration.state).where(*wanted)).all()
        own = {row.procurement_id: row.state for row in found}
    return [_work_item(p, part, own.get(p.id)) for p in rows]


def _work_item(p: Procurement, part: Part, own_state: str | None) -> WorkItem:
    state = ProcurementState(p.state)
    mine = (part, state) in _STEPS and (part is not Part.WINNER or own_state == RegistrationState.WON)
    if part is Part.OPERATOR and state is _P.SELECTING:
        mine = True
    over = state in _FINISHED or own_state in REGISTRATION.terminal
    label = REGISTRATION.labels[RegistrationState(own_state)] if own_state else PROCUREMENT.labels[state]
    step = _STEPS.get((part, state)) if mine else None
    if mine and step is None:
        step = N_("Enter the announced public value")
    return WorkItem(
        turn=Turn.MINE if mine else Turn.DONE if over else Turn.WAITING,
        kind=N_("Procurement"),
        number=p.number,
        title=p.title,
        state=label,
        step=step or PROCUREMENT.next_step.get(state, ""),
        href=f"/procurements/{p.id}",
        due_at=due_at(p),
    )
