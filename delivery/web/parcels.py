"""Lists of parcels, one parcel, its tasks and its packing."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock, work_calendar
from app.kernel.calendar import UnknownYear
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.web import parsing
from app.web.actions import ActionView, action_link, actions_of, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import requires, signed_in
from app.web.journey import JourneyStep
from app.web.session import current_actor
from delivery import policy, queries, services
from delivery.carriers import chosen
from delivery.links import link_of
from delivery.own_courier import OWN_CARRIER
from delivery.queries import ParcelView
from delivery.queries import carriers as carrier_queries
from delivery.queries.agreements import Agreement, agreement_of
from delivery.queries.claims import claims_of
from delivery.services import recipients
from delivery.services.own_courier import CHOSEN_BEFORE
from delivery.services.tasks import ResolveTask
from delivery.states import PARCEL, STAFF, ParcelState, Part
from delivery.web.api import api, parcel_json
from delivery.web.blueprint import pages
from delivery.web.recipient_tables import WISHES
from delivery.web.schemas import PackIn, ParcelQuery, ResolveIn
from delivery.web.tables import PARCEL_ACTIONS

PARCELS: Final = "/parcels/<uuid:object_id>"
BEFORE_HANDOVER: Final = (
    ParcelState.CREATED, ParcelState.READY, ParcelState.PACKED, ParcelState.BOOKING, ParcelState.WAYBILLED, ParcelState.RETURNED,
)  # fmt: skip


CLAIMABLE: Final = (ParcelState.LOST, ParcelState.RETURNED, ParcelState.DELIVERED, ParcelState.CLOSED)


@pages.get("/parcels")
@signed_in
def parcels() -> str:
    """One's own parcels; the hall's for its staff; all of them, masked, for oversight."""
    actor = current_actor()
    wanted, number = parsing.query(ParcelQuery)
    page = page_of(queries.parcels_statement(actor, wanted), number=number)
    states = [(state.value, gettext(PARCEL.labels[state])) for state in ParcelState]
    return render_template(
        "delivery/parcels.html", page=page, parcels=queries.views_of(page.items, actor), wanted=wanted, states=states
    )


@pages.get(PARCELS)
@signed_in
def parcel(object_id: UUID) -> str:
    """Everything about one parcel that its reader may know."""
    actor = current_actor()
    view = queries.parcel_view(object_id, actor)
    tasks = db.session.execute(queries.tasks_statement(actor, parcel_id=object_id)).all() if view.is_staff else []
    reports = queries.reports_of(view.id, view.waybill_no, internal=view.is_staff)
    agreed = agreement_of(object_id, actor)
    actions = parcel_actions(view) + wishes_of(view, agreed)
    return render_template(
        "delivery/parcel.html", parcel=view, actions=actions, tasks=queries.task_views(tasks),
        reports=[step_of(each) for each in reports], entries=object_entries("parcel", object_id, actor),
        days_left=_days_left(view), yours=_is_yours(view), hints=queries.open_hints(view.id) if view.is_staff else 0,
        opinions=carrier_queries.opinions_of(view.id) if view.is_staff else (),
        claims=claims_of(view.id) if view.is_staff else (),
        waybills=queries.waybills_of(view.id) if view.is_staff else (), agreed=agreed, link=_link(view, agreed),
    )  # fmt: skip


def parcel_actions(view: ParcelView) -> tuple[ActionView, ...]:
    """The edges this reader may take, and the corrections beside them."""
    href = f"/parcels/{view.id}"
    own = actions_of(PARCEL, view.state, view.parts, href=href, table=PARCEL_ACTIONS, version=view.version)
    own = tuple(each for each in own if each.name not in WISHES)
    own = tuple(replace(each, href=f"{href}/pack") if each.name == "pack" else each for each in own)
    if view.state == ParcelState.HANDED_OVER:
        own = tuple(each for each in own if _fits(each.name, view))
    return own + tuple(
        action_link(href, name, PARCEL_ACTIONS[name], version=view.version) for name in _corrections(view)
    )


def _link(view: ParcelView, agreed: Agreement) -> str:
    """The receiver's link, for the applicant to pass on."""
    if Part.APPLICANT not in view.parts or view.is_settled:
        return ""
    return url_for("delivery.receiver", token=link_of(view.id, agreed.link_no), _external=True)


def wishes_of(view: ParcelView, agreed: Agreement) -> tuple[ActionView, ...]:
    """What this reader may ask for beside the edges: another address or day, an agent, one envelope, a complaint."""
    href = f"/parcels/{view.id}"
    found = [action_link(href, name, WISHES[name], version=view.version) for name in _wishes(view, agreed)]
    if may_change_address(view):
        change = ActionView(
            "change_address", gettext("Change the address"), f"{href}/address", True, False, False, method="get"
        )
        found.insert(0, change)
    return tuple(found)


def may_change_address(view: ParcelView) -> bool:
    """Until the hand-over, by the applicant or the hall."""
    return view.state in BEFORE_HANDOVER and not view.parts.isdisjoint((Part.APPLICANT, Part.HALL, Part.SUPERVISOR))


def _wishes(view: ParcelView, agreed: Agreement) -> list[str]:
    found = []
    may_merge = bool(view.parts & {*STAFF, Part.APPLICANT})
    if may_merge and agreed.mergeable and not agreed.members:
        found.append("merge")
    if may_merge and view.state == ParcelState.MERGED:
        found.append("split")
    if Part.SUPERVISOR in view.parts and agreed.code_locked_at:
        found.append("unlock_code")
    if view.is_staff and not view.is_settled and view.state not in recipients.OVER:
        found.append("agree_day")
    if Part.APPLICANT not in view.parts or view.is_settled:
        return found
    if view.state not in (ParcelState.DELIVERED, ParcelState.LOST):
        found += ["grant_letter", "renew_link"]
    if view.state not in recipients.OVER and not agreed.day_fixed:
        found.append("choose_day")
    if view.state in BEFORE_HANDOVER and agreed.points_offered:
        found.append("choose_point")
    if view.state == ParcelState.HANDED_OVER:
        found.append("intercept")
    if not any(each.is_open for each in agreed.complaints):
        found.append("complain")
    return found


def _fits(name: str, view: ParcelView) -> bool:
    """Steps whose observed condition is not met are not offered; the use case refuses them too."""
    if name == "confirm_delivery":
        return view.status == "delivered"
    if name == "take_back":
        return view.status in ("returning", "returned", "cancelled", "label_created")
    return True


def _corrections(view: ParcelView) -> list[str]:
    found = []
    if view.state == ParcelState.BOOKING and view.is_staff:
        found.append("retry_booking")
    if view.state in (ParcelState.HANDED_OVER, ParcelState.DELIVERED) and view.is_staff and chosen.second_source():
        found.append("ask_second_source")
    if view.state == ParcelState.RETURNED and view.is_staff:
        found.append("decide_return")
    if Part.APPLICANT in view.parts and view.state == ParcelState.DELIVERED:
        found.append("dispute")
    if view.parts.intersection((Part.POST, Part.SUPERVISOR)) and view.state in CHOSEN_BEFORE:
        found.append("leave_to_carrier" if view.carrier == OWN_CARRIER else "carry_ourselves")
    if Part.SUPERVISOR in view.parts and view.state in CLAIMABLE and view.handed_over_at:
        found.append("file_claim")
    return found


def _is_yours(view: ParcelView) -> bool:
    if view.state == ParcelState.DELIVERED:
        return Part.APPLICANT in view.parts
    return view.is_staff and view.state in (
        ParcelState.READY,
        ParcelState.PACKED,
        ParcelState.WAYBILLED,
        ParcelState.RETURNED,
    )


def _days_left(view: ParcelView) -> int | None:
    if view.is_settled or view.state == ParcelState.DELIVERED:
        return None
    today, last = clock.today(), clock.beijing_day(view.serve_by)
    try:
        calendar = work_calendar.current()
        return calendar.count_working_days(today, last) if last >= today else -calendar.count_working_days(last, today)
    except UnknownYear:
        return None


def step_of(report: queries.ReportView) -> JourneyStep:
    title = report.title
    text = report.text + (f"（{gettext('taken back by the carrier')}）" if report.reversed else "")
    state = "failed" if report.reversed or report.tone in ("warning", "danger") else "done"
    icons = {"delivered": "circle-check", "out_for_delivery": "truck-delivery", "collected": "package-import"}
    return JourneyStep(
        title=title, at=report.at, who=report.office, text=text, icon=icons.get(report.status, "truck"), state=state
    )


register_actions(
    pages, api, path=PARCELS, table=PARCEL_ACTIONS, machine=PARCEL, detail="delivery.parcel", to_json=parcel_json,
    view=lambda actor, object_id: queries.parcel_view(object_id, actor),
)  # fmt: skip


@pages.route(f"{PARCELS}/tasks/<uuid:task_id>", methods=["GET", "POST"])
@requires(policy.WORK)
def task(object_id: UUID, task_id: UUID) -> BaseResponse | str | tuple[str, int]:
    """Say what was done about an exception."""
    actor = current_actor()
    view = queries.parcel_view(object_id, actor)
    rows = db.session.execute(queries.tasks_statement(actor, parcel_id=object_id)).all()
    found = next((each for each in queries.task_views(rows) if each.id == task_id), None)
    if found is None or not view.is_staff:
        raise NotFound
    form, status = Form(ResolveIn()), 200
    if request.method == "POST":
        try:
            command = ResolveTask(task_id, parsing.form(ResolveIn)["resolution"])
            services.resolve_task(actor, object_id, command)
            flash(gettext("Done."), "success")
            return redirect(url_for("delivery.parcel", object_id=object_id), 303)
        except ValidationError as failure:
            form, status = Form(ResolveIn(), parsing.form_values(ResolveIn), errors_of(failure)), 422
    return render_template("delivery/task.html", parcel=view, task=found, form=form), status


@pages.get(f"{PARCELS}/pack")
@requires(policy.WORK)
def pack(object_id: UUID) -> str:
    """What is to be compared, beside the form of the packer."""
    view = queries.parcel_view(object_id, current_actor())
    form = Form(PackIn(), {"weight_g": view.weight_g, "version": view.version})
    return render_template(
        "delivery/pack.html", parcel=view, form=form, can_pack=view.state == ParcelState.READY and view.is_staff
    )
