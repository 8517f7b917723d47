"""The queue of exceptions: filtered, taken, given away, settled one by one or several at once."""

from typing import Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock
from app.kernel.access import Role
from app.kernel.db import db
from app.kernel.errors import DomainError, NotAllowed, NotFound, Refused
from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form
from app.web.guard import requires
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from delivery import policy, queries
from delivery.queries.exceptions import MOST_EXPORTED, colleagues, exceptions_statement
from delivery.queries.tasks import TaskView
from delivery.services.exceptions import Assign, Chosen, Settle, assign_tasks, settle_tasks, take_tasks
from delivery.web.blueprint import pages
from delivery.web.desk_schemas import ExceptionQuery

QUEUE: Final = "/delivery/exceptions"
COLUMNS: Final = (
    N_("What to look at"), N_("Parcel"), N_("The carrier says"), N_("Since"), N_("Until"), N_("Responsible"), N_("What was done"),
)  # fmt: skip


@pages.get(QUEUE)
@requires(policy.READ)
def exceptions() -> str:
    """The exceptions of the hall, the most urgent first."""
    actor = current_actor()
    wanted, number = parsing.query(ExceptionQuery)
    page = page_of(exceptions_statement(actor, wanted), number=number, scalars=False)
    return render_template(
        "delivery/exceptions.html", page=page, tasks=queries.task_views(page.items), wanted=wanted,
        form=Form(ExceptionQuery(), request.args.to_dict()), colleagues=colleagues(actor),
        may_assign=Role.POSTAL_SUPERVISOR in actor.roles,
    )  # fmt: skip


@pages.get(f"{QUEUE}.csv")
@requires(policy.READ)
def exceptions_csv() -> Response:
    """The filtered queue as a table."""
    wanted, _ = parsing.query(ExceptionQuery)
    rows = db.session.execute(exceptions_statement(current_actor(), wanted).limit(MOST_EXPORTED)).all()
    name = f"exceptions-{clock.today():%Y%m%d}.csv"
    return csv_answer(name, COLUMNS, [_line(each) for each in queries.task_views(rows)])


def _line(task: TaskView) -> list[str]:
    times = [f"{each.astimezone(clock.BEIJING):%Y-%m-%d %H:%M}" for each in (task.raised_at, task.due_at)]
    return [gettext(task.title), task.number, task.fact, *times, task.owner_name or "", task.resolution or ""]


@pages.post(QUEUE)
@requires(policy.WORK)
def work_on_exceptions() -> BaseResponse:
    """Take, give away or settle what was ticked; all or nothing."""
    try:
        count = _carry_out(tuple(_id(each) for each in request.form.getlist("task")))
        flash(ngettext("Done for %(num)s exception.", "Done for %(num)s exceptions.", count), "success")
    except (NotFound, NotAllowed):
        raise
    except DomainError as refusal:
        flash(gettext(refusal.detail or refusal.title, **refusal.params), "danger")
    return redirect(f"{QUEUE}?{request.query_string.decode()}" if request.query_string else QUEUE, 303)


def _carry_out(chosen: tuple[UUID, ...]) -> int:
    actor = current_actor()
    match request.form.get("do"):
        case "take":
            return take_tasks(actor, Chosen(chosen))
        case "assign":
            return assign_tasks(actor, Assign(chosen, _id(request.form.get("user_id", ""))))
        case "settle":
            answer = request.form.get("resolution", "").strip()[:2000]
            if not answer:
                raise Refused("resolution-missing", N_("Say what was done."))
            return settle_tasks(actor, Settle(chosen, answer))
    raise NotFound


def _id(raw: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError as failure:
        raise NotFound from failure
