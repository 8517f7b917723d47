"""The operator's desk of agencies: files to check, requests for change, certificates that expire; lists as CSV."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.clock import BEIJING
from app.kernel.db import db
from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import requires
from app.web.regions import region_name
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from marketplace.policy import Permission
from marketplace.queries import admission
from marketplace.rules.qualifications import CERTIFICATE_LABELS, GRADE_LABELS
from marketplace.rules.regions import cities
from marketplace.services import agencies
from marketplace.states.agency import AGENCY, AgencyState
from marketplace.web.pages.agencies.words import WORDS, bp
from marketplace.web.schemas.agencies import AdmissionQuery, ChangesQuery, ExpiringQuery, RemindIn

MOST_EXPORTED = 5000


@bp.get("/admission")
@requires(Permission.ADMISSION_CHECK)
def inbox() -> str:
    """Files by state, the nearest deadline first."""
    asked = parsing.query(AdmissionQuery)
    state = asked["state"] if asked["state"] in set(AgencyState) else None
    statement = admission.admissions_statement(state, asked["q"], asked["region"])
    return render_template(
        "marketplace/admission.html",
        page=page_of(statement, number=asked["page"], scalars=False),
        state=state or "",
        words=asked["q"],
        region=asked["region"] or "",
        cities=[(c.code, c.name, c.name_en) for c in cities()],
        counts=admission.admission_counts(),
        days_until=admission.days_until,
        waiting=sum(admission.change_counts().values()),
        **WORDS,
    )


@bp.get("/admission.csv")
@requires(Permission.ADMISSION_CHECK)
def inbox_csv() -> Response:
    """The same list as a file, with the same filters."""
    asked = parsing.query(AdmissionQuery)
    state = asked["state"] if asked["state"] in set(AgencyState) else None
    statement = admission.admissions_statement(state, asked["q"], asked["region"]).limit(MOST_EXPORTED)
    header = (N_("Agency"), N_("Unified social credit code"), N_("Seat"), N_("State"), N_("Submitted"), N_("Deadline"))
    return csv_answer("admissions.csv", header, _admission_cells(db.session.execute(statement)))


def _admission_cells(rows: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        due = row.publicity_ends_at if row.state == AgencyState.PUBLICITY else row.check_due_at
        label = gettext(AGENCY.labels[AgencyState(row.state)])
        yield (row.name, row.uscc, region_name(row.region_code), label, _moment(row.submitted_at), _moment(due))


def _moment(value: Any) -> str:
    return value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if value else ""


@bp.get("/agency-changes")
@requires(Permission.ADMISSION_CHECK)
def changes() -> str:
    """Requests for change, the nearest deadline first."""
    asked = parsing.query(ChangesQuery)
    statement = admission.changes_statement(asked["kind"], asked["state"])
    page = page_of(statement, number=asked["page"], scalars=False)
    return render_template(
        "marketplace/agency_changes.html",
        page=page,
        rows=[admission.view_of_change(row) for row in page.items],
        kind=asked["kind"] or "",
        state=asked["state"],
        counts=admission.change_counts(),
        days_until=admission.days_until,
        **WORDS,
    )


@bp.get("/expiring-certificates")
@requires(Permission.ADMISSION_CHECK)
def expiring() -> str:
    """Certificates that expire soon, to be reminded of one by one or together."""
    asked = parsing.query(ExpiringQuery)
    statement = admission.expiring_statement(asked["days"], asked["q"])
    return render_template(
        "marketplace/expiring.html",
        page=page_of(statement, number=asked["page"], scalars=False),
        days=asked["days"],
        words=asked["q"],
        **WORDS,
    )


@bp.post("/expiring-certificates")
@requires(Permission.ADMISSION_CHECK)
def remind() -> BaseResponse:
    """Remind the agencies of the chosen certificates."""
    chosen = parsing.form(RemindIn)["certificates"]
    told = agencies.remind_now(current_actor(), tuple(chosen))
    flash(ngettext("%(num)s reminder sent.", "%(num)s reminders sent.", told), "success")
    return redirect(url_for(".expiring", days=request.args.get("days")), 303)


@bp.get("/expiring-certificates.csv")
@requires(Permission.ADMISSION_CHECK)
def expiring_csv() -> Response:
    """The same list as a file."""
    asked = parsing.query(ExpiringQuery)
    rows = db.session.execute(admission.expiring_statement(asked["days"], asked["q"]).limit(MOST_EXPORTED))
    header = (N_("Agency"), N_("Certificate"), N_("Grade"), N_("Number"), N_("Valid until"), N_("Last reminder"))
    return csv_answer("expiring-certificates.csv", header, _expiring_cells(rows))


def _expiring_cells(rows: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        kind, grade = gettext(CERTIFICATE_LABELS[row.kind]), gettext(GRADE_LABELS[row.grade])
        reminded = "" if row.reminded is None else str(row.reminded)
        yield (row.name, kind, grade, row.number, row.expires_on.isoformat(), reminded)
