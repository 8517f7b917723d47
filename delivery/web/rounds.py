"""Couriers' rounds as the post plans and follows them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError, fields, post_load
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock
from app.kernel.errors import DomainError
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, ActionView, action_link, actions_of, api_actions, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.schemas import REQUIRED, InputSchema, ReasonIn, text, version_field
from app.web.session import current_actor
from delivery import policy, queries
from delivery.queries import RoundView
from delivery.services import rounds
from delivery.services.rounds import AddStop, PlanRound, StopOf, UnlockCode
from delivery.states import ROUND, Part, RoundState
from delivery.web.api import api
from delivery.web.blueprint import pages
from delivery.web.schemas import PageQuery

ROUNDS: Final = "/courier-rounds/<uuid:object_id>"


def couriers_here() -> list[tuple[str, str]]:
    """The couriers of the hall that asks, as choices."""
    hall = current_actor().organisation_id
    return [(str(user), name) for user, name in rounds.couriers_of(hall).items()] if hall else []


def parcels_here() -> list[tuple[str, str]]:
    """What is with the couriers and on no round, as choices."""
    found = queries.parcels_without_round(current_actor())
    return [(str(each.id), f"{each.waybill_no}  {each.place}  {each.contents}") for each in found]


class PlanIn(InputSchema):
    """A new round."""

    courier_user_id = fields.UUID(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": N_("Delivering courier"), "widget": "select", "choices": couriers_here},
    )
    work_day = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("Day"), "widget": "date"})
    parcel_ids = fields.List(
        fields.UUID(),
        load_default=(),
        metadata={
            "label": N_("Parcels"),
            "hint": N_("What was handed over and lies on no round, by place. The courier may change the order."),
            "widget": "checkboxes",
            "choices": parcels_here,
        },
    )
    batch_id = fields.UUID(load_default=None, allow_none=True, metadata={"widget": "hidden"})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> PlanRound:
        return PlanRound(**{**data, "parcel_ids": tuple(data["parcel_ids"])})


class AddStopIn(InputSchema):
    """A scanned or typed code."""

    command = AddStop
    code = text(N_("Code"), longest=200, hint=N_("Waybill number, parcel number or seal."), autocomplete="off")
    version = version_field()


class StopIn(InputSchema):
    """One parcel of the round."""

    command = StopOf
    parcel_id = fields.UUID(required=True, error_messages=REQUIRED, metadata={"widget": "hidden"})
    version = version_field()


class UnlockIn(InputSchema):
    """Why a code may be tried again."""

    command = UnlockCode
    parcel_id = fields.UUID(required=True, error_messages=REQUIRED, metadata={"widget": "hidden"})
    reason = text(N_("Reason"), longest=500, widget="textarea")
    version = version_field()


ROUND_ACTIONS: Final = {
    "end_for_courier": Action(
        rounds.end_for_courier, ReasonIn, danger=True,
        explain=N_("What lies on the handset and was not sent can then only be sent while the handset still holds its key."),
    ),
    "cancel": Action(rounds.cancel_round, ReasonIn, danger=True),
    # no edges of the machine: changes on the way
    "add": Action(rounds.add_stop, AddStopIn, N_("Add a parcel"), done=N_("Added.")),
    "take_off": Action(rounds.take_off, StopIn, N_("Take off the round"), done=N_("Taken off the round.")),
    "unlock": Action(
        rounds.unlock_code, UnlockIn, N_("Let the code be tried again"), done=N_("The code may be tried again."),
        prefill=lambda _actor, _id: {"parcel_id": request.args.get("parcel_id", "")},
    ),
}  # fmt: skip


def round_json(view: RoundView) -> dict[str, Any]:
    """A round with its stops, receivers masked."""
    href = f"/courier-rounds/{view.id}"
    actions = actions_of(ROUND, view.state, view.parts, href=href, table=ROUND_ACTIONS, version=view.version)
    return {
        "id": str(view.id), "number": view.number, "courier": view.courier_name, "work_day": view.work_day.isoformat(),
        "state": view.state, "state_label": gettext(view.state_label), "version": view.version,
        "set_out_at": view.set_out_at.isoformat() if view.set_out_at else None,
        "finished_at": view.finished_at.isoformat() if view.finished_at else None,
        "stops": [
            {"parcel_id": str(stop.parcel_id), "number": stop.number, "waybill_no": stop.waybill_no, "receiver": stop.receiver,
             "place": stop.place, "contents": stop.contents, "state": stop.state, "code_locked": stop.is_locked}
            for stop in view.stops
        ],
        "actions": api_actions(actions),
    }  # fmt: skip


@pages.get("/courier-rounds")
@requires(policy.PLAN)
def round_list() -> str:
    """All rounds of the hall, with what is waiting for one."""
    actor = current_actor()
    page = page_of(queries.rounds_statement(actor), number=parsing.query(PageQuery)["page"], scalars=False)
    waiting = len(queries.parcels_without_round(actor))
    return render_template("delivery/rounds.html", page=page, rounds=queries.round_rows(page.items), waiting=waiting)


@pages.route("/courier-rounds/new", methods=["GET", "POST"])
@requires(policy.PLAN)
def new_round() -> BaseResponse | str | tuple[str, int]:
    """Plan a round."""
    form, status = Form(PlanIn(), {"work_day": clock.today()}), 200
    if request.method == "POST":
        try:
            made = rounds.plan_round(current_actor(), parsing.form(PlanIn))
            flash(gettext("The round is planned. The courier sees it on the handset."), "success")
            return redirect(url_for("delivery.courier_round", object_id=made), 303)
        except (ValidationError, DomainError) as failure:
            form, status = Form(PlanIn(), parsing.form_values(PlanIn), errors_of(failure)), 422
    return render_template("delivery/round_plan.html", form=form), status


@pages.get(ROUNDS)
@requires(policy.PLAN)
def courier_round(object_id: UUID) -> str:
    """One round: its stops, locks and what happened."""
    actor = current_actor()
    view = queries.round_view(object_id, actor)
    return render_template(
        "delivery/round.html", round=view, actions=round_actions(view), entries=object_entries("courier-round", object_id, actor),
        changeable=view.state in (RoundState.PLANNED, RoundState.OUT) and bool(view.parts & {Part.POST, Part.SUPERVISOR}),
        unlocks=Part.SUPERVISOR in view.parts,
    )  # fmt: skip


def round_actions(view: RoundView) -> tuple[ActionView, ...]:
    """The edges this reader may take, and the changes beside them."""
    href = f"/courier-rounds/{view.id}"
    own = actions_of(ROUND, view.state, view.parts, href=href, table=ROUND_ACTIONS, version=view.version)
    if view.state in (RoundState.PLANNED, RoundState.OUT) and view.parts & {Part.POST, Part.SUPERVISOR}:
        return (*own, action_link(href, "add", ROUND_ACTIONS["add"], version=view.version))
    return own


@api.get("/courier-rounds")
@requires(policy.PLAN)
@operation(N_("List couriers' rounds"), query=PageQuery, tag="delivery")
def rounds_json() -> Response:
    page = page_of(queries.rounds_statement(current_actor()), number=parsing.query(PageQuery)["page"], scalars=False)
    rows = [
        {"id": str(row.id), "number": row.number, "courier": row.courier_name, "work_day": row.work_day.isoformat(),
         "state": row.state, "stops": row.stops, "delivered": row.delivered, "failed": row.failed}
        for row in queries.round_rows(page.items)
    ]  # fmt: skip
    return page_answer(page, rows)


@api.post("/courier-rounds")
@requires(policy.PLAN)
@operation(N_("Plan a courier's round"), body=PlanIn, tag="delivery", status=201)
def plan_json() -> tuple[Response, int]:
    actor = current_actor()
    made = rounds.plan_round(actor, parsing.body(PlanIn))
    return jsonify(round_json(queries.round_view(made, actor))), 201


@api.get(ROUNDS)
@requires(policy.PLAN)
@operation(N_("Show a courier's round"), tag="delivery")
def one_round_json(object_id: UUID) -> Response:
    return jsonify(round_json(queries.round_view(object_id, current_actor())))


register_actions(
    pages, api, path=ROUNDS, table=ROUND_ACTIONS, machine=ROUND, detail="delivery.courier_round", to_json=round_json,
    view=lambda actor, object_id: queries.round_view(object_id, actor),
)  # fmt: skip
