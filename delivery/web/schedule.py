"""The hall's settings of collection and promises, collection points, the workload by destination, and who sees what."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import Role
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires, signed_in
from app.web.regions import region_name
from app.web.schemas import InputSchema
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from delivery import policy, privacy, terms
from delivery.models.schedules import HallSchedule
from delivery.promises import Area
from delivery.queries import agreements
from delivery.queries.schedules import schedule_of
from delivery.queries.workload import runs, workload
from delivery.services import schedules
from delivery.states import Part
from delivery.web.blueprint import pages
from delivery.web.recipient_schemas import AREA_LABELS, PointIn, PromiseIn, ScheduleIn


@pages.get("/delivery/schedule")
@requires(policy.WORK)
def schedule() -> str:
    """When the courier comes, what is promised where, where parcels wait."""
    return _schedule_page({})


def _schedule_page(forms: dict[str, Form]) -> str:
    actor = current_actor()
    hall = actor.organisation_id
    assert hall is not None
    cutoff, windows = schedule_of(hall)
    row = db.session.get(HallSchedule, hall)
    values = {
        "cutoff": cutoff,
        "windows": "\n".join("-".join(each) for each in windows),
        "version": row.version if row else None,
    }
    own = schedules.promises_of(hall)
    table = sorted(schedules.tariff(hall).items(), key=lambda each: (each[0] not in set(Area), each[0]))
    promises = [(area, _area_name(area), promise, area in own) for area, promise in table]
    return render_template(
        "delivery/schedule.html", schedule=forms.get("schedule") or Form(ScheduleIn(), values), promises=promises, cutoff=cutoff,
        windows=windows, promise=forms.get("promise") or Form(PromiseIn()), point=forms.get("point") or Form(PointIn()),
        points=agreements.points_of(hall), may_edit=Role.POSTAL_SUPERVISOR in actor.roles,
    )  # fmt: skip


def _area_name(area: str) -> str:
    return gettext(AREA_LABELS[Area(area)]) if area in set(Area) else region_name(area)


def _keep(name: str, schema: type[InputSchema], run: Any) -> BaseResponse | tuple[str, int]:
    raw = parsing.form_values(schema)
    try:
        run(current_actor(), schema().load(raw))
    except ValidationError as failure:
        return _schedule_page({name: Form(schema(), raw, errors_of(failure))}), 422
    except DomainError as refusal:
        return _schedule_page({name: Form(schema(), raw, errors_of(refusal))}), refusal.status
    flash(gettext("Saved."), "success")
    return redirect(url_for("delivery.schedule"), 303)


@pages.post("/delivery/schedule")
@requires(policy.WORK)
def set_schedule() -> BaseResponse | tuple[str, int]:
    """Set cut-off and windows; a supervisor's."""
    return _keep("schedule", ScheduleIn, schedules.set_schedule)


@pages.post("/delivery/schedule/promises")
@requires(policy.WORK)
def set_promise() -> BaseResponse | tuple[str, int]:
    """Set days and tariff of one area; a supervisor's."""
    return _keep("promise", PromiseIn, schedules.set_promise)


@pages.post("/delivery/schedule/promises/drop")
@requires(policy.WORK)
def drop_promise() -> BaseResponse:
    """Let the wider entry hold again."""
    schedules.drop_promise(current_actor(), request.form.get("area", "")[:16])
    flash(gettext("Saved."), "success")
    return redirect(url_for("delivery.schedule"), 303)


@pages.post("/delivery/schedule/points")
@requires(policy.WORK)
def keep_point() -> BaseResponse | tuple[str, int]:
    """Enter a collection point; a supervisor's."""
    return _keep("point", PointIn, schedules.keep_point)


@pages.post("/delivery/schedule/points/<uuid:point_id>/close")
@requires(policy.WORK)
def close_point(point_id: UUID) -> BaseResponse:
    """Offer a collection point no more."""
    schedules.close_point(current_actor(), point_id)
    flash(gettext("Saved."), "success")
    return redirect(url_for("delivery.schedule"), 303)


@pages.get("/delivery/workload")
@requires(policy.READ)
def workload_page() -> str:
    """Parcels by destination and promised day, and the last visits of the courier."""
    actor = current_actor()
    return render_template("delivery/workload.html", load=workload(actor), runs=runs(actor))


@pages.get("/delivery/workload.csv")
@requires(policy.READ)
def workload_csv() -> BaseResponse:
    """The same as a file."""
    load = workload(current_actor())
    rows = [
        (each.route, str(each.waiting), str(each.late), *map(str, each.by_day), str(each.total)) for each in load.routes
    ]
    heads = (
        N_("Destination"),
        N_("Still in the hall"),
        N_("Overdue"),
        *(day.isoformat() for day in load.days),
        N_("Total"),
    )
    return csv_answer("workload.csv", heads, rows)


SIGHT_LABELS = {
    privacy.Sight.FULL: N_("in full"),
    privacy.Sight.MASKED: N_("masked"),
    privacy.Sight.NOTHING: N_("not at all"),
}
FIELD_LABELS = {
    privacy.Field.NAME: N_("Receiver's name"),
    privacy.Field.MOBILE: N_("Mobile number"),
    privacy.Field.ADDRESS: N_("Address"),
    privacy.Field.CODE: N_("Pick-up code"),
}
PART_LABELS = {
    Part.APPLICANT: N_("Applicant"),
    Part.SUPERVISOR: N_("Postal supervisor"),
    Part.POST: N_("Postal staff"),
    Part.HALL: N_("Window and certificate centre"),
}


@pages.get("/delivery/privacy")
@signed_in
def privacy_page() -> str:
    """Who sees what of a receiver until when, and when it is erased: the table that the program obeys."""
    table = [(gettext(PART_LABELS[part]), part is Part.APPLICANT, [gettext(SIGHT_LABELS[sight[each]]) for each in privacy.Field])
             for part, sight in privacy.AT_WORK.items()]  # fmt: skip
    others = [gettext(SIGHT_LABELS[privacy.OTHERS[each]]) for each in privacy.Field]
    heads = [gettext(FIELD_LABELS[each]) for each in privacy.Field]
    return render_template("delivery/privacy.html", heads=heads, table=table, others=others, terms=terms.in_force())
