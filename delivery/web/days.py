"""Closing the hall's day."""

from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock, files
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, ActionView, actions_of, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import requires, signed_in
from app.web.schemas import PlainIn
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from delivery import documents, policy, queries
from delivery.models.desk import HallDay
from delivery.queries.exceptions import MOST_EXPORTED
from delivery.queries.hall_days import (
    FLOW_LABELS,
    OPEN_LABELS,
    SHELVES,
    DayView,
    day_of,
    day_view,
    day_views,
    days_statement,
    flow_of,
    on_shelves,
    still_open,
)
from delivery.services.hall_days import count_day, sign_day
from delivery.states import HALL_DAY, ParcelState
from delivery.web.api import api
from delivery.web.blueprint import pages
from delivery.web.desk_schemas import CountDayIn, DayQuery
from delivery.web.labels import inline_pdf
from delivery.web.schemas import PageQuery

DAYS: Final = "/delivery/days"
ACTIONS: Final = {"sign": Action(sign_day, PlainIn, done=N_("The day is closed."))}


@pages.get(DAYS)
@requires(policy.READ)
def days() -> str:
    """The days that were closed, and today's."""
    actor = current_actor()
    asked = parsing.query(DayQuery)
    page = page_of(days_statement(actor, asked["state"], asked["first"], asked["last"]), number=asked["page"])
    today = day_of(actor, clock.today()) if actor.organisation_id and actor.may(policy.WORK) else None
    form = Form(DayQuery(), request.args.to_dict())
    return render_template("delivery/days.html", page=page, days=day_views(page.items, actor), today=today, form=form)


@pages.get(f"{DAYS}.csv")
@requires(policy.READ)
def days_csv() -> Response:
    """The filtered days as a table."""
    actor, asked = current_actor(), parsing.query(DayQuery)
    statement = days_statement(actor, asked["state"], asked["first"], asked["last"])
    views = day_views(db.session.scalars(statement.limit(MOST_EXPORTED)).all(), actor)
    columns = (N_("Day"), N_("Number"), N_("Hall"), N_("State"), *FLOW_LABELS.values(), N_("Left on the shelves"), N_("Counted by"), N_("Signed by"))  # fmt: skip
    return csv_answer(f"days-{clock.today():%Y%m%d}.csv", columns, [_line(each) for each in views])


def _line(view: DayView) -> list[str]:
    flow = [str(view.flow.get(key, 0)) for key in FLOW_LABELS]
    left = str(sum(each["counted"] for each in view.shelves))
    return [view.day.isoformat(), view.number, view.hall_name, gettext(view.state_label), *flow, left, view.counted_name, view.signed_name or ""]  # fmt: skip


@pages.route(f"{DAYS}/count", methods=["GET", "POST"])
@requires(policy.WORK)
def count() -> BaseResponse | str | tuple[str, int]:
    """What must lie on each shelf beside the form for what does."""
    return _hand_in() if request.method == "POST" else _form_page(Form(CountDayIn()))


def _hand_in() -> BaseResponse | tuple[str, int]:
    try:
        made = count_day(current_actor(), parsing.form(CountDayIn))
    except NotAllowed:
        raise
    except (ValidationError, DomainError) as failure:
        form = Form(CountDayIn(), parsing.form_values(CountDayIn), errors_of(failure))
        return _form_page(form), failure.status if isinstance(failure, DomainError) else 422
    flash(gettext("Counted. A supervisor who did not count signs now."), "success")
    return redirect(url_for("delivery.day", object_id=made), 303)


def _form_page(form: Form) -> str:
    hall_id = current_actor().organisation_id
    if hall_id is None:
        raise NotFound
    return render_template(
        "delivery/day_count.html", form=form, expected=on_shelves(hall_id), shelves=SHELVES, open_items=still_open(hall_id),
        open_labels=OPEN_LABELS, flow=flow_of(hall_id, clock.today()), flow_labels=FLOW_LABELS,
    )  # fmt: skip


@pages.get(f"{DAYS}/shelves/<state>")
@requires(policy.WORK)
def shelf(state: str) -> str:
    """What must lie on one shelf, line by line."""
    if state not in tuple(SHELVES):
        raise NotFound
    actor, found = current_actor(), ParcelState(state)
    statement = queries.parcels_statement(actor, queries.ParcelFilter(state=found))
    page = page_of(statement, number=parsing.query(PageQuery)["page"])
    return render_template(
        "delivery/shelf.html", label=SHELVES[found], page=page, parcels=queries.views_of(page.items, actor)
    )


@pages.get(f"{DAYS}/<uuid:object_id>")
@signed_in
def day(object_id: UUID) -> str:
    """One day as it was counted and signed."""
    actor = current_actor()
    view = day_view(actor, object_id)
    return render_template(
        "delivery/day.html", day=view, actions=day_actions(view, actor), entries=object_entries("hall-day", view.id, actor),
        flow_labels=FLOW_LABELS,
    )  # fmt: skip


def day_actions(view: DayView, actor: Actor) -> tuple[ActionView, ...]:
    """Who counted is not offered the signature."""
    if view.counted_by == actor.user_id:
        return ()
    return actions_of(HALL_DAY, view.state, view.parts, href=f"{DAYS}/{view.id}", table=ACTIONS, version=view.version)


@pages.get(f"{DAYS}/<uuid:object_id>/paper.pdf")
@signed_in
def day_file(object_id: UUID) -> Response:
    """The day as a paper: the issued one once signed, a draft before."""
    view = day_view(current_actor(), object_id)
    issued = documents.issued_day(object_id)
    pdf = files.content(issued) if issued else documents.day_paper(get(HallDay, object_id))
    return inline_pdf(pdf, f"{view.number}.pdf")


def day_json(view: DayView) -> dict[str, Any]:
    return {
        "id": str(view.id), "number": view.number, "day": view.day.isoformat(), "state": view.state,
        "state_label": gettext(view.state_label), "version": view.version,
        "shelves": [{key: each[key] for key in ("shelf", "expected", "counted", "reason")} for each in view.shelves],
        "open_items": [{key: each[key] for key in ("kind", "count", "reason")} for each in view.open_items],
        "flow": dict(view.flow), "counted_by": view.counted_name, "signed_by": view.signed_name,
    }  # fmt: skip


register_actions(
    pages, api, path=f"{DAYS}/<uuid:object_id>", table=ACTIONS, machine=HALL_DAY, detail="delivery.day", to_json=day_json, view=day_view
)  # fmt: skip
