"""The clock of a rehearsal: see the time, set its pace, go to the next deadline. Exists in a rehearsal only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext
from marshmallow import ValidationError, fields, validate
from werkzeug.wrappers import Response

from app.identity import policy
from app.kernel import audit, clock, outbox, work_calendar
from app.kernel.calendar import BEIJING
from app.kernel.db import db
from app.kernel.words import N_
from app.settings import Settings
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.schemas import InputSchema
from app.web.session import current_actor
from app.web.workbench import work_items

bp = Blueprint("rehearsal", __name__, url_prefix="/rehearsal")
OFFICE_OPENS = 9
RATES = (
    (1, N_("As fast as real time")),
    (60, N_("An hour in a minute")),
    (480, N_("A working day in a minute")),
    (1440, N_("A day in a minute")),
)
STEPS = (
    ("hour", N_("One hour on")),
    ("day", N_("To the next working day, 9:00")),
    ("week", N_("Five working days on, 9:00")),
)


class ClockIn(InputSchema):
    """Where the clock goes, and how fast it runs from there."""

    moment = fields.AwareDateTime(
        default_timezone=BEIJING,
        load_default=None,
        allow_none=True,
        metadata={"label": N_("Go to (Beijing time)"), "widget": "datetime"},
    )
    rate = fields.Integer(
        load_default=1,
        validate=validate.OneOf([rate for rate, _ in RATES], error=N_("Must be one of the choices.")),
        metadata={"label": N_("Pace"), "widget": "radio", "choices": RATES},
    )


@bp.record
def _only_in_a_rehearsal(state: BlueprintSetupState) -> None:
    settings: Settings = state.app.extensions["chaoshi_settings"]
    if not settings.rehearsal:
        raise RuntimeError("only a rehearsal has a clock that can be set")


@bp.get("")
@requires(policy.MANAGE_CALENDAR)
def page() -> str:
    """The time, the pace, and the next deadlines."""
    return _page(Form(ClockIn(), {"rate": clock.pace().rate}))


def _page(form: Form) -> str:
    due = [row for row in work_items(current_actor()) if row.due_at is not None and row.due_at > clock.now()]
    return render_template(
        "rehearsal.html",
        form=form,
        now=clock.now(),
        rate=next(label for rate, label in RATES if rate == clock.pace().rate),
        steps=STEPS,
        due=due[:8],
    )


@bp.post("/clock")
@requires(policy.MANAGE_CALENDAR)
def set_clock() -> Response:
    """Set the time and the pace; what has become due is done at once."""
    try:
        wanted: dict[str, Any] = parsing.form(ClockIn)
        clock.set_pace(wanted["moment"] or clock.now(), wanted["rate"])
    except (ValidationError, ValueError) as failure:
        if not isinstance(failure, ValidationError):
            failure = ValidationError({"moment": [N_("The time of a rehearsal never runs back.")]})
        form = Form(ClockIn(), parsing.form_values(ClockIn), errors_of(failure))
        return Response(_page(form), 422, mimetype="text/html")
    return _arrive()


@bp.post("/step/<step>")
@requires(policy.MANAGE_CALENDAR)
def move_on(step: str) -> Response:
    """Move the clock on by a step of the page."""
    clock.set_pace(_after(step), clock.pace().rate)
    return _arrive()


def _after(step: str) -> datetime:
    present = clock.now()
    if step == "hour":
        return present + timedelta(hours=1)
    days = 5 if step == "week" else 1
    day = work_calendar.current().add_working_days(clock.beijing_day(present), days)
    return datetime(day.year, day.month, day.day, OFFICE_OPENS, tzinfo=BEIJING)


def _arrive() -> Response:
    done = do_due_work()
    flash(gettext("It is now %(moment)s. Due work was done: %(count)s.", moment=_beijing(), count=done), "success")
    return redirect(url_for(".page"), 303)


def _beijing() -> str:
    return clock.now().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def do_due_work() -> int:
    """Let every job run once as the worker would, then the outbox; returns how much was done.

    The worker does the same within a minute; an officer at a rehearsal need not wait for it.
    """
    done = 0
    for domain in current_app.extensions["chaoshi_domains"]:
        for job in domain.jobs:
            done += job.run()
            db.session.rollback()  # jobs end their own transactions; this ends a read snapshot
    done += outbox.drain_all()
    audit.sequence_all()
    return done
