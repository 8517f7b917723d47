"""Delivery's rows of the common workbench: parcels that wait for this actor, and those that others carry."""

from collections.abc import Sequence
from typing import Final

from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from delivery import queries
from delivery.models.parcels import Parcel
from delivery.policy import GRANTS, WORK
from delivery.queries import ParcelFilter
from delivery.states import ParcelState

LIMIT: Final = 50
KIND: Final = N_("Parcel")
TASK: Final = N_("Parcel exception")
STAFF_STEPS: Final = {
    ParcelState.READY: N_("Pack"), ParcelState.PACKED: N_("Check the packing"), ParcelState.WAYBILLED: N_("Label and hand over"),
    ParcelState.RETURNED: N_("Send again or keep for collection"),
}  # fmt: skip
STAFF_ROLES: Final = frozenset(role for role, held in GRANTS.items() if WORK in held)


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """What this actor should see; four statements at most."""
    if not STAFF_ROLES.isdisjoint(actor.roles):
        return [*_tasks(actor), *_of_hall(actor)]
    if Role.COURIER in actor.roles:
        return _of_courier(actor)
    return _of_applicant(actor) if Role.APPLICANT in actor.roles else ()


def _tasks(actor: Actor) -> list[WorkItem]:
    rows = db.session.execute(queries.tasks_statement(actor).limit(LIMIT)).all()
    return [
        WorkItem(
            Turn.MINE, TASK, each.number, each.number, each.title, each.way_out, f"/parcels/{each.parcel_id}", each.due_at,
            tone="danger" if each.overdue else "warning",
        )
        for each in queries.task_views(rows)
    ]  # fmt: skip


def _of_hall(actor: Actor) -> list[WorkItem]:
    waiting = queries.parcels_statement(actor, ParcelFilter()).where(Parcel.state.in_(list(STAFF_STEPS))).limit(LIMIT)
    views = queries.views_of(db.session.scalars(waiting).all(), actor)
    return [
        WorkItem(
            Turn.MINE, KIND, view.number, view.contents, view.state_label, STAFF_STEPS[ParcelState(view.state)], f"/parcels/{view.id}",
            view.serve_by, tone=view.tone,
        )
        for view in views
    ]  # fmt: skip


def _of_courier(actor: Actor) -> list[WorkItem]:
    return [
        WorkItem(
            Turn.MINE, N_("Courier's round"), row.number, row.work_day.isoformat(), row.state_label, N_("Open the handset"),
            "/handset/", None, tone=row.tone,
        )
        for row in queries.rounds_of_courier(actor)
    ]  # fmt: skip


def _of_applicant(actor: Actor) -> list[WorkItem]:
    rows = db.session.scalars(queries.parcels_statement(actor, ParcelFilter()).limit(LIMIT)).all()
    return [_row(view) for view in queries.views_of(rows, actor)]


def _row(view: queries.ParcelView) -> WorkItem:
    turn = Turn.MINE if view.state == ParcelState.DELIVERED else Turn.DONE if view.is_settled else Turn.WAITING
    step = N_("Confirm that you have it") if turn is Turn.MINE else view.next_step
    label = view.status_label if view.state == ParcelState.HANDED_OVER else view.state_label
    due = None if turn is Turn.DONE else view.serve_by
    return WorkItem(turn, KIND, view.number, view.contents, label, step, f"/parcels/{view.id}", due, tone=view.tone)
