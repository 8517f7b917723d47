"""Pages of delivery: the hall workbench, parcels, labels, hand-over lists, public tracking."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.identity import queries as identity
from app.kernel import clock, files, work_calendar
from app.kernel.calendar import UnknownYear
from app.kernel.db import db
from app.kernel.errors import DomainError, NotFound, TooManyRequests
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import ActionView, action_link, actions_of, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires, signed_in
from app.web.journey import JourneyStep
from app.web.session import current_actor
from delivery import documents, policy, queries, services
from delivery.carriers import chosen
from delivery.queries import BatchView, ParcelFilter, ParcelView, Tab
from delivery.services import batches, lookup
from delivery.services.tasks import ResolveTask
from delivery.states import BATCH, PARCEL, BatchState, ParcelState, Part
from delivery.web.api import api, batch_json, parcel_json
from delivery.web.schemas import PackIn, PageQuery, ParcelQuery, ResolveIn, TrackIn
from delivery.web.tables import BATCH_ACTIONS, PARCEL_ACTIONS

pages = Blueprint("delivery", __name__, template_folder="../templates")
PARCELS: Final = "/parcels/<uuid:object_id>"
BATCHES: Final = "/handover-batches/<uuid:object_id>"
TAB_LABELS: Final = {
    Tab.PACK: N_("To pack"),
    Tab.LABEL: N_("To label"),
    Tab.HANDOVER: N_("To hand over"),
    Tab.TRANSIT: N_("On the way"),
    Tab.EXCEPTIONS: N_("Exceptions"),
}
TAB_EMPTY: Final = {
    Tab.PACK: (N_("Nothing to pack"), N_("As soon as a certificate is ready whose applicant chose the courier, it stands here.")),
    Tab.LABEL: (N_("No label to print"), N_("Packed and checked parcels stand here from the moment a waybill number is asked for.")),
    Tab.HANDOVER: (N_("Nothing to hand over"), N_("Labelled parcels stand here until they are on a hand-over list.")),
    Tab.TRANSIT: (N_("Nothing on the way"), N_("Parcels that the courier signed for stand here until they are closed.")),
    Tab.EXCEPTIONS: (N_("No exceptions"), N_("Refused orders, failed attempts, silent parcels and doubtful deliveries stand here.")),
}  # fmt: skip


# --- the hall's workbench ---


@pages.get("/delivery")
@requires(policy.WORK)
def workbench() -> str:
    """The queues of the hall, one at a time, with a scan box that keeps the focus."""
    actor = current_actor()
    wanted, number = parsing.query(ParcelQuery)
    tab = wanted.tab or Tab.PACK
    counts = queries.tab_counts(actor)
    tabs = [{"tab": each, "label": gettext(TAB_LABELS[each]), "count": counts[each]} for each in Tab]
    title, text = TAB_EMPTY[tab]
    facts: dict[str, Any] = {"tab": tab, "tabs": tabs, "empty_title": gettext(title), "empty_text": gettext(text)}
    if tab is Tab.EXCEPTIONS:
        page = page_of(queries.tasks_statement(actor), number=number, scalars=False)
        return render_template("delivery/workbench.html", **facts, page=page, tasks=queries.task_views(page.items))
    page = page_of(queries.parcels_statement(actor, ParcelFilter(tab, None, wanted.words)), number=number)
    return render_template(
        "delivery/workbench.html", **facts, page=page, parcels=queries.views_of(page.items, actor),
        batches=queries.open_batches(actor) if tab is Tab.HANDOVER else (), now=clock.now(),
    )  # fmt: skip


@pages.post("/delivery/scan")
@requires(policy.WORK)
def scan() -> BaseResponse:
    """A scanned code leads to the next step of its parcel; at the hand-over it goes onto the open list."""
    actor = current_actor()
    tab = request.args.get("tab", "")
    code = request.form.get("code", "")[:200]
    try:
        if tab == Tab.HANDOVER:
            batch_id = _open_list()
            services.add_to_batch(actor, batch_id, services.AddToBatch(code))
            return redirect(url_for("delivery.batch", object_id=batch_id), 303)
        return redirect(_next_place(_scanned(code)), 303)
    except (DomainError, NotFound) as refusal:
        flash(gettext(refusal.detail or refusal.title, **refusal.params), "danger")
        return redirect(url_for("delivery.workbench", tab=tab or None), 303)


def _scanned(code: str) -> ParcelView:
    from app.kernel.db import transaction

    actor = current_actor()
    if actor.organisation_id is None:
        raise NotFound
    with transaction():
        found = batches.find_scanned(actor.organisation_id, code).id
    return queries.parcel_view(found, actor)


def _open_list() -> UUID:
    """The hall's newest open list, or a new one."""
    known = [each for each in queries.open_batches(current_actor()) if each.state == BatchState.OPEN]
    return known[0].id if known else services.open_batch(current_actor())


def _next_place(view: ParcelView) -> str:
    if view.state == ParcelState.READY:
        return url_for("delivery.pack", object_id=view.id)
    if view.state == ParcelState.WAYBILLED and view.label_printed_at is None:
        return url_for("delivery.label", object_id=view.id)
    return url_for("delivery.parcel", object_id=view.id)


# --- parcels ---


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
    return render_template(
        "delivery/parcel.html", parcel=view, actions=parcel_actions(view), tasks=queries.task_views(tasks),
        reports=[_step(each) for each in reports], entries=object_entries("parcel", object_id, actor),
        days_left=_days_left(view), yours=_is_yours(view), hints=queries.open_hints(view.id) if view.is_staff else 0,
        waybills=queries.waybills_of(view.id) if view.is_staff else (),
    )  # fmt: skip


def parcel_actions(view: ParcelView) -> tuple[ActionView, ...]:
    """The edges this reader may take, and the corrections beside them."""
    href = f"/parcels/{view.id}"
    own = actions_of(PARCEL, view.state, view.parts, href=href, table=PARCEL_ACTIONS, version=view.version)
    own = tuple(replace(each, href=f"{href}/pack") if each.name == "pack" else each for each in own)
    if view.state == ParcelState.HANDED_OVER:
        own = tuple(each for each in own if _fits(each.name, view))
    return own + tuple(
        action_link(href, name, PARCEL_ACTIONS[name], version=view.version) for name in _corrections(view)
    )


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
    may_correct = view.parts.intersection((Part.HALL, Part.SUPERVISOR, Part.APPLICANT))
    if may_correct and view.state in (
        ParcelState.CREATED,
        ParcelState.READY,
        ParcelState.BOOKING,
        ParcelState.RETURNED,
    ):
        found.append("correct_receiver")
    if Part.APPLICANT in view.parts and view.state == ParcelState.DELIVERED:
        found.append("dispute")
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


def _step(report: queries.ReportView) -> JourneyStep:
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


# --- labels ---


@pages.get(f"{PARCELS}/label")
@requires(policy.WORK)
def label(object_id: UUID) -> str:
    """The label before it is printed: whose it is, and whether it was printed already."""
    view, pdf = queries.label_of(object_id, current_actor())
    return render_template(
        "delivery/label.html", parcel=view, is_carriers=pdf is not None, actions=parcel_actions(view)
    )


@pages.post(f"{PARCELS}/label")
@requires(policy.WORK)
def print_label(object_id: UUID) -> BaseResponse:
    """Note the print and open the PDF."""
    services.mark_label_printed(current_actor(), object_id, None)
    return redirect(url_for("delivery.label_file", object_id=object_id), 303)


@pages.get(f"{PARCELS}/label.pdf")
@requires(policy.WORK)
def label_file(object_id: UUID) -> Response:
    """The carrier's label; our own where the carrier gave none yet."""
    view, pdf = queries.label_of(object_id, current_actor())
    if pdf is None:
        hall = identity.organisation(view.hall_organisation_id)
        simulated = chosen.SIMULATOR_PATH in current_app.extensions["chaoshi_settings"].ems_base_url
        pdf = documents.own_label(view, hall.phone or "", hall.address or "", simulated=simulated)
    return _pdf(pdf, f"label-{view.waybill_no}.pdf")


def _pdf(content: bytes, name: str) -> Response:
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


# --- hand-over lists ---


@pages.get("/handover-batches")
@requires(policy.READ)
def batch_list() -> str:
    """All lists of the hall."""
    page = page_of(queries.batches_statement(current_actor()), number=parsing.query(PageQuery)["page"], scalars=False)
    return render_template("delivery/batches.html", page=page, batches=queries.batch_rows(page.items))


@pages.post("/handover-batches")
@requires(policy.WORK)
def new_batch() -> BaseResponse:
    """Begin a list."""
    return redirect(url_for("delivery.batch", object_id=services.open_batch(current_actor())), 303)


@pages.get(BATCHES)
@signed_in
def batch(object_id: UUID) -> str:
    """One list: scan box while it is open, both signatures, the lines."""
    view = queries.batch_view(object_id, current_actor())
    return render_template("delivery/batch.html", batch=view, actions=batch_actions(view), yours=_batch_is_yours(view))


def batch_actions(view: BatchView) -> tuple[ActionView, ...]:
    """The edges this reader may take; who signed for the hall is not offered the courier's signature."""
    href = f"/handover-batches/{view.id}"
    found = actions_of(BATCH, view.state, view.parts, href=href, table=BATCH_ACTIONS, version=view.version)
    mine = view.offered_by == current_actor().user_id
    return tuple(each for each in found if not (each.name == "take_over" and mine))


def _batch_is_yours(view: BatchView) -> bool:
    if view.state == BatchState.OFFERED:
        return Part.POST in view.parts and view.offered_by != current_actor().user_id
    return view.state == BatchState.OPEN and bool(view.parts)


@pages.post(f"{BATCHES}/scan")
@requires(policy.WORK)
def scan_to_batch(object_id: UUID) -> BaseResponse:
    """Put a scanned parcel on the list and stay on its page, whatever comes of it."""
    actor = current_actor()
    queries.batch_view(object_id, actor)
    try:
        parcel_id = services.add_to_batch(actor, object_id, services.AddToBatch(request.form.get("code", "")[:200]))
        view = queries.parcel_view(parcel_id, actor)
        flash(gettext("%(number)s is on the list.", number=view.waybill_no), "success")
    except DomainError as refusal:
        flash(gettext(refusal.detail or refusal.title, **refusal.params), "danger")
    return redirect(url_for("delivery.batch", object_id=object_id), 303)


@pages.get(f"{BATCHES}/list.pdf")
@signed_in
def batch_file(object_id: UUID) -> Response:
    """The list as a paper: the issued one once both sides have signed, a draft before."""
    view = queries.batch_view(object_id, current_actor())
    issued = documents.issued_list(object_id)
    pdf = files.content(issued) if issued else documents.handover_list(view)
    return _pdf(pdf, f"{view.number}.pdf")


register_actions(
    pages, api, path=BATCHES, table=BATCH_ACTIONS, machine=BATCH, detail="delivery.batch", to_json=batch_json,
    view=lambda actor, object_id: queries.batch_view(object_id, actor),
)  # fmt: skip


# --- the public question ---


@pages.route("/track", methods=["GET", "POST"])
@public
def track() -> str | tuple[str, int]:
    """Where a parcel is, for whoever has the number and its secret half. The secret never stands in an address."""
    if request.method == "GET":
        return render_template(
            "delivery/track.html", form=Form(TrackIn(), {"number": request.args.get("number", "")[:60]}), found=None
        )
    try:
        parcel_id = lookup.track(parsing.form(TrackIn))
    except ValidationError as failure:
        return _ask_again(errors_of(failure), 422)
    except TooManyRequests as refusal:
        return _ask_again(errors_of(refusal), 429)
    except DomainError as refusal:
        return _ask_again(errors_of(refusal), refusal.status)
    found = queries.public_track(parcel_id)
    return render_template(
        "delivery/track.html", form=None, found=found, reports=[_step(each) for each in found.reports]
    )


def _ask_again(errors: dict[str, list[str]], status: int) -> tuple[str, int]:
    values = {"number": request.form.get("number", "")[:60]}
    return render_template("delivery/track.html", form=Form(TrackIn(), values, errors), found=None), status
