"""Couriers' rounds as the post plans and follows them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from marshmallow import ValidationError, fields, post_load, validate
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock
from app.kernel.db import db
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
from app.web.spreadsheets import csv_answer
from delivery import policy, queries
from delivery.queries import RoundView
from delivery.queries.waiting import Waiting
from delivery.services import rounds, stop_order
from delivery.services.rounds import AddStop, EndRound, PlanRound, StopOf, UnlockCode
from delivery.services.stop_order import MoveStop, SortBy, SortStops
from delivery.states import ROUND, Part, RoundState
from delivery.web.api import api
from delivery.web.blueprint import pages
from delivery.web.schemas import PageQuery

ROUNDS: Final = "/courier-rounds/<uuid:object_id>"
SORT_LABELS: Final = {SortBy.PLACE: N_("Address"), SortBy.SERVE_BY: N_("Last day of service")}
LIST_HEADS: Final = (
    N_("Courier's round"), N_("Delivering courier"), N_("Day"), N_("State"), N_("Stops"), N_("Delivered"), N_("Not delivered"),
    N_("To be visited"),
)  # fmt: skip
STOP_HEADS: Final = (
    N_("No."), N_("Waybill number"), N_("Parcel"), N_("Receiver"), N_("Place"), N_("Contents"), N_("Chosen day"), N_("Collection point"),
    N_("State"),
)  # fmt: skip
MOST_EXPORTED: Final = 2000


def couriers_here() -> list[tuple[str, str]]:
    """The couriers of the hall that asks, as choices."""
    hall = current_actor().organisation_id
    return [(str(user), name) for user, name in rounds.couriers_of(hall).items()] if hall else []


class WaitingQuery(InputSchema):
    """Which of the waiting parcels are shown: for a day, of a hand-over list, of a street; ticked or not."""

    day = fields.Date(load_default=None, metadata={"label": N_("Day"), "widget": "date"})
    batch = fields.UUID(
        load_default=None,
        metadata={
            "label": N_("Hand-over list"), "widget": "select",
            "choices": lambda: [(str(each), number) for each, number in queries.recent_batches(current_actor())],
        },
    )  # fmt: skip
    street = text(N_("Street"), required=False, longest=40)
    every = fields.Boolean(load_default=False, metadata={"widget": "hidden"})


def waiting_here() -> Sequence[Waiting]:
    """What is with the couriers and on no round, narrowed as the address asks."""
    wanted = parsing.query(WaitingQuery)
    return queries.parcels_without_round(
        current_actor(), day=wanted["day"] or clock.today(), batch_id=wanted["batch"], street=wanted["street"]
    )


def parcels_here() -> list[tuple[str, str, str]]:
    """The same as choices: number and place, and what has to be known of it."""
    return [(str(each.id), f"{each.waybill_no}  {each.place}{each.street}", _about(each)) for each in waiting_here()]


def _about(each: Waiting) -> str:
    facts = [each.contents]
    if each.point:
        facts.append(each.point)
    if each.chosen_day:
        facts.append(f"{gettext('Chosen day')} {each.chosen_day.isoformat()}")
    if each.failed_attempts:
        facts.append(ngettext("%(num)s failed attempt", "%(num)s failed attempts", each.failed_attempts))
    return " · ".join(facts)


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
            "hint": N_(
                "What was handed over and lies on no round, by place; chosen for this day first. The courier may change the order."
            ),
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


class EndRoundIn(InputSchema):
    """Why a round ends without its courier, and whether its handset is given up."""

    command = EndRound
    reason = text(N_("Reason"), longest=500, widget="textarea")
    handset_given_up = fields.Boolean(
        load_default=False,
        metadata={
            "label": N_("The handset is lost, or has no key any more"),
            "hint": N_("The courier is signed out everywhere. What that handset still sends is kept as evidence and does not count."),
            "widget": "checkbox",
        },
    )  # fmt: skip
    version = version_field()


class ReplaceHandsetIn(InputSchema):
    """Why a round goes on with another handset."""

    command = EndRound
    reason = text(N_("Reason"), longest=500, widget="textarea")
    version = version_field()


class MoveStopIn(InputSchema):
    """A stop and where it goes."""

    command = MoveStop
    parcel_id = fields.UUID(required=True, error_messages=REQUIRED, metadata={"widget": "hidden"})
    up = fields.Boolean(load_default=True, metadata={"widget": "hidden"})
    version = version_field()


class SortStopsIn(InputSchema):
    """By what the stops are sorted."""

    command = SortStops
    by = fields.Enum(
        SortBy, by_value=True, required=True, error_messages=REQUIRED,
        metadata={"label": N_("Sort by"), "widget": "radio", "choices": [(str(each), label) for each, label in SORT_LABELS.items()]},
    )  # fmt: skip
    version = version_field()


ROUND_ACTIONS: Final = {
    "end_for_courier": Action(
        rounds.end_for_courier, EndRoundIn, danger=True,
        explain=N_("What was not visited goes back to the parcels without a round. What lies on the handset and was not sent can then only be sent while the handset still holds its key."),
    ),
    "cancel": Action(rounds.cancel_round, ReasonIn, danger=True),
    # no edges of the machine: changes on the way
    "add": Action(rounds.add_stop, AddStopIn, N_("Add a parcel"), done=N_("Added.")),
    "take_off": Action(rounds.take_off, StopIn, N_("Take off the round"), done=N_("Taken off the round.")),
    "move": Action(stop_order.move_stop, MoveStopIn, N_("Move a stop"), done=N_("Moved.")),
    "sort": Action(stop_order.sort_stops, SortStopsIn, N_("Sort the stops"), done=N_("Sorted.")),
    "replace_handset": Action(
        rounds.replace_handset, ReplaceHandsetIn, N_("Go on with another handset"), danger=True,
        done=N_("The courier signs in on the new handset and opens the round."),
        explain=N_("The courier is signed out everywhere. What the earlier handset still sends is kept as evidence and does not count."),
    ),
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


class RoundQuery(PageQuery):
    """Which rounds."""

    courier = fields.UUID(
        load_default=None,
        metadata={"label": N_("Delivering courier"), "widget": "select", "choices": couriers_here},
    )
    state = fields.String(
        load_default=None,
        validate=validate.OneOf([None, *RoundState]),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(each), label) for each, label in ROUND.labels.items()]},
    )  # fmt: skip
    day = fields.Date(load_default=None, metadata={"label": N_("Day"), "widget": "date"})


def _wanted_rounds(wanted: Mapping[str, Any]) -> sa.Select[Any]:
    return queries.rounds_statement(
        current_actor(), courier=wanted["courier"], state=wanted["state"], day=wanted["day"]
    )


@pages.get("/courier-rounds")
@requires(policy.PLAN)
def round_list() -> str:
    """All rounds of the hall, with what is waiting for one."""
    wanted = parsing.query(RoundQuery)
    page = page_of(_wanted_rounds(wanted), number=wanted["page"], scalars=False)
    waiting = len(queries.parcels_without_round(current_actor()))
    shown = Form(RoundQuery(), {name: value for name, value in wanted.items() if value is not None})
    filters = [shown[name] for name in ("courier", "state", "day")]
    return render_template(
        "delivery/rounds.html", page=page, rounds=queries.round_rows(page.items), waiting=waiting, filters=filters
    )


@pages.get("/courier-rounds.csv")
@requires(policy.PLAN)
def rounds_csv() -> Response:
    """The rounds of the list, as it is filtered."""
    found = db.session.execute(_wanted_rounds(parsing.query(RoundQuery)).limit(MOST_EXPORTED)).all()
    rows = [
        (row.number, row.courier_name, row.work_day.isoformat(), gettext(row.state_label), str(row.stops), str(row.delivered),
         str(row.failed), str(row.open))
        for row in queries.round_rows(found)
    ]  # fmt: skip
    return csv_answer("courier-rounds.csv", LIST_HEADS, rows)


@pages.get(f"{ROUNDS}/stops.csv")
@requires(policy.PLAN)
def round_csv(object_id: UUID) -> Response:
    """The stops of one round in their order, receivers masked."""
    view = queries.round_view(object_id, current_actor())
    rows = [
        (str(at), stop.waybill_no, stop.number, stop.receiver, stop.place, stop.contents,
         stop.chosen_day.isoformat() if stop.chosen_day else "", stop.point or "", gettext(stop.state_label))
        for at, stop in enumerate(view.stops, 1)
    ]  # fmt: skip
    return csv_answer(f"{view.number}.csv", STOP_HEADS, rows)


@pages.route("/courier-rounds/new", methods=["GET", "POST"])
@requires(policy.PLAN)
def new_round() -> BaseResponse | str | tuple[str, int]:
    """Plan a round from what waits: for a day, from a hand-over list or a street, ticked one by one or all at once."""
    wanted = parsing.query(WaitingQuery)
    values: dict[str, Any] = {"work_day": wanted["day"] or clock.today()}
    if wanted["every"]:
        values["parcel_ids"] = [str(each.id) for each in waiting_here()]
    form, status = Form(PlanIn(), values), 200
    if request.method == "POST":
        try:
            made = rounds.plan_round(current_actor(), parsing.form(PlanIn))
            flash(gettext("The round is planned. The courier sees it on the handset."), "success")
            return redirect(url_for("delivery.courier_round", object_id=made), 303)
        except (ValidationError, DomainError) as failure:
            form, status = Form(PlanIn(), parsing.form_values(PlanIn), errors_of(failure)), 422
    narrowed = Form(WaitingQuery(), {name: value for name, value in wanted.items() if value})
    return render_template(
        "delivery/round_plan.html", form=form, filters=[narrowed[name] for name in ("day", "batch", "street")],
        streets=_streets(), ticked=wanted["every"],
    ), status  # fmt: skip


def _streets() -> list[tuple[str, int]]:
    """The streets of what is shown, those with the most parcels first."""
    counted = Counter(each.street for each in waiting_here() if each.street)
    return counted.most_common(8)


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
    if view.state not in rounds.UNFINISHED or not view.parts & {Part.POST, Part.SUPERVISOR}:
        return own
    more = ["add", "sort"]
    if view.state == RoundState.OUT and Part.SUPERVISOR in view.parts:
        more.append("replace_handset")
    return (*own, *(action_link(href, name, ROUND_ACTIONS[name], version=view.version) for name in more))


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
