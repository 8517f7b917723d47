"""The working-day calendar: every year as everybody may read it, and the entry of a new one by two persons."""

import calendar as months
import datetime as dt
from dataclasses import dataclass

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError, fields, post_load, validate
from werkzeug.wrappers import Response as BaseResponse

from app.identity import policy
from app.kernel import clock, work_calendar
from app.kernel.calendar import LIBRARY_YEARS, InvalidCalendar, UnknownYear, WorkCalendar, YearTable
from app.kernel.errors import DomainError, NotFound
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.schemas import REQUIRED, InputSchema, text
from app.web.session import current_actor

bp = Blueprint("work_calendar", __name__)
api = Blueprint("work_calendar_api", __name__, url_prefix="/api")


class Days(fields.Field[frozenset[dt.date]]):
    """Dates, one a line or separated by commas: "2027-01-01"."""

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> frozenset[dt.date]:  # noqa: ARG002
        words = str(value).replace(",", " ").replace("，", " ").replace("、", " ").split()
        try:
            return frozenset(dt.date.fromisoformat(word) for word in words)
        except ValueError as bad:
            raise ValidationError(N_("Write dates as 2027-01-01, one a line.")) from bad


class YearIn(InputSchema):
    """One year as the State Council's notice sets it out."""

    year = fields.Integer(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Range(2026, 2100, error=N_("Must be one of the choices.")),
        metadata={"label": N_("Year"), "widget": "number"},
    )
    notice = text(
        N_("Number of the State Council's notice"), longest=200, hint=N_("For example 国办发明电〔2026〕8号.")
    )
    off = Days(
        required=True,
        error_messages=REQUIRED,
        metadata={
            "label": N_("Days off"),
            "widget": "textarea",
            "hint": N_("Every holiday and bridged day of the notice, also those on weekends; one a line."),
        },
    )
    working_weekends = Days(
        load_default=frozenset(),
        metadata={
            "label": N_("Saturdays and Sundays that are worked"),
            "widget": "textarea",
            "hint": N_("The make-up days of the notice; one a line."),
        },
    )

    @post_load
    def _table(self, data: dict[str, object], **_: object) -> YearTable:
        try:
            return YearTable(**data)  # type: ignore[arg-type]  # the fields are those of the table
        except InvalidCalendar as wrong:
            raise ValidationError(
                N_(
                    "Every day lies in this year, no day stands in both lists, and only Saturdays and Sundays are make-up days."
                ),
                field_name="off",
            ) from wrong


@dataclass(frozen=True)
class Day:
    """One day of a month's grid. `kind` is "off", "rest", "make-up" or "work"."""

    date: dt.date
    kind: str


@dataclass(frozen=True)
class Month:
    """One month in weeks from Monday to Sunday; None where the week reaches into another month."""

    first: dt.date
    weeks: tuple[tuple[Day | None, ...], ...]
    working_days: int


def months_of(calendar: WorkCalendar, year: int) -> tuple[Month, ...]:
    """The twelve months of a year as the calendar answers them. Raises UnknownYear."""
    return tuple(_month(calendar, year, number) for number in range(1, 13))


def _month(calendar: WorkCalendar, year: int, number: int) -> Month:
    weeks = tuple(
        tuple(_day(calendar, day) if day.month == number else None for day in week)
        for week in months.Calendar().monthdatescalendar(year, number)
    )
    worked = sum(day is not None and day.kind in {"work", "make-up"} for week in weeks for day in week)
    return Month(dt.date(year, number, 1), weeks, worked)


def _day(calendar: WorkCalendar, day: dt.date) -> Day:
    is_weekend = day.weekday() >= 5
    if calendar.is_working_day(day):
        return Day(day, "make-up" if is_weekend else "work")
    return Day(day, "rest" if is_weekend else "off")


@bp.get("/working-days")
@public
def calendar_page() -> str:
    """One year: which days are worked, from which notice, and whether it is still provisional."""
    calendar = work_calendar.current()
    year = request.args.get("year", clock.today().year, type=int)
    try:
        months_shown, provisional = months_of(calendar, year), calendar.is_provisional(year)
    except UnknownYear:
        raise NotFound from None
    known = sorted(LIBRARY_YEARS | calendar.tables.keys())
    waiting = [row for row in work_calendar.entered_years() if row.approved_at is None]
    return render_template(
        "work_calendar.html",
        year=year,
        years=[one for one in known if one >= clock.today().year - 2],
        months=months_shown,
        provisional=provisional,
        working_days=sum(month.working_days for month in months_shown),
        source=calendar.source(year),
        waiting=waiting,
        may_enter=current_actor().may(policy.MANAGE_CALENDAR),
    )


@api.get("/working-days/<int:year>")
@public
@operation(N_("Read the working days of a year"), tag="working-days")
def year_json(year: int) -> Response:
    """Days off on weekdays, worked weekend days, and the source."""
    calendar = work_calendar.current()
    try:
        days = [day for month in months_of(calendar, year) for week in month.weeks for day in week if day]
    except UnknownYear:
        raise NotFound from None
    return jsonify(
        year=year,
        off=[day.date.isoformat() for day in days if day.kind == "off"],
        working_weekends=[day.date.isoformat() for day in days if day.kind == "make-up"],
        working_days=sum(day.kind in {"work", "make-up"} for day in days),
        provisional=calendar.is_provisional(year),
        source=calendar.source(year),
    )


@bp.get("/working-days/enter")
@requires(policy.MANAGE_CALENDAR)
def enter_form() -> str:
    """The form of a new year."""
    return render_template("work_calendar_enter.html", form=Form(YearIn(), {"year": clock.today().year + 1}))


@bp.post("/working-days/enter")
@requires(policy.MANAGE_CALENDAR)
def enter() -> BaseResponse:
    """Enter a year, to be approved by somebody else."""
    try:
        table = parsing.form(YearIn)
        work_calendar.enter_year(current_actor(), table)
    except (ValidationError, DomainError) as failure:
        status = failure.status if isinstance(failure, DomainError) else 422
        form = Form(YearIn(), parsing.form_values(YearIn), errors_of(failure))
        return Response(render_template("work_calendar_enter.html", form=form), status, mimetype="text/html")
    flash(gettext("Entered. Somebody else compares it with the notice and approves it."), "success")
    return redirect(url_for(".compare", year=table.year), 303)


@bp.get("/working-days/<int:year>/compare")
@requires(policy.MANAGE_CALENDAR)
def compare(year: int) -> str:
    """An entered year that is not in force, to be compared with its notice."""
    row = work_calendar.entered(year)
    table = row.table()
    months_shown = months_of(WorkCalendar({year: table}), year)
    return render_template(
        "work_calendar_compare.html",
        row=row,
        months=months_shown,
        working_days=table.working_days,
        may_approve=row.approved_at is None and row.entered_by != current_actor().user_id,
    )


@bp.post("/working-days/<int:year>/approve")
@requires(policy.MANAGE_CALENDAR)
def approve(year: int) -> BaseResponse:
    """Put an entered year in force."""
    work_calendar.approve_year(current_actor(), year)
    flash(gettext("The calendar of %(year)s is in force.", year=year), "success")
    return redirect(url_for(".calendar_page", year=year), 303)
