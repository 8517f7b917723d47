"""Pages of credit: why a score is what it is, the formula, the red and black lists, measures, repairs, the owners' records."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock, files
from app.kernel.access import Role
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires, signed_in
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import credit, sanctions
from marketplace.queries.owners import owner_record
from marketplace.queries.reviews import RATER_LABELS, shown_ratings
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.queries.sanctions import SanctionView
from marketplace.rules.credit import FORMULA
from marketplace.rules.sanctions import KIND_LABELS, LEVEL_LABELS, Side
from marketplace.services import sanctions as services
from marketplace.states.credit import REPAIR, SANCTION, RepairState, SanctionState
from marketplace.states.parts import Part
from marketplace.web.api.credit import bp as api
from marketplace.web.creation import create_once
from marketplace.web.credit_actions import (
    REPAIR_ACTIONS,
    SANCTION_ACTIONS,
    repair_actions,
    repair_json,
    sanction_actions,
    sanction_json,
    subject_href,
)
from marketplace.web.schemas.credit import DayQuery, ReportIn, SanctionQuery

bp = Blueprint("marketplace_credit", __name__, template_folder="../../templates")

_KEEPERS = frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})
_INSIDE = (Part.PARTY, Part.OPERATOR, Part.REGULATOR)
WORDS: Final[Mapping[str, Any]] = {"kinds": KIND_LABELS, "levels": LEVEL_LABELS, "labels": SANCTION.labels}
TONES: Final[Mapping[str, str]] = {
    SanctionState.FOUND: "waiting",
    SanctionState.PROPOSED: "waiting",
    SanctionState.DISMISSED: "neutral",
    SanctionState.IN_FORCE: "danger",
    SanctionState.APPEALED: "warning",
    SanctionState.ENDED: "neutral",
    SanctionState.REVOKED: "success",
    SanctionState.REPAIRED: "success",
}
OBJECT_HREF = {
    "sanction": lambda object_id: f"/sanctions/{object_id}",
    "repair": lambda object_id: f"/repairs/{object_id}",
}
NAVIGATION = (
    NavigationItem(N_("Credit standing"), "marketplace_credit.lists", "award", order=60),
    NavigationItem(N_("Measures"), "marketplace_credit.desk", "scale", _KEEPERS, order=65),
)


@bp.get("/agencies/<uuid:agency_id>/credit")
@public
def agency(agency_id: UUID) -> str:
    """Why the score of an agency is what it is, on any day."""
    day = parsing.query(DayQuery)["day"] or clock.today()
    found = credit.agency_credit(agency_id, min(day, clock.today()))
    return render_template(
        "marketplace/credit.html",
        credit=found,
        points=[(one.isoformat(), hundredths / 100) for one, hundredths in found.history],
        book=rule_book_in_force(),
        raters=RATER_LABELS,
        href_of=subject_href,
        form=Form(DayQuery(), {"day": found.score.on}),
    )


@bp.get("/credit/formula")
@public
def formula() -> str:
    """The published formula with the parameters in force."""
    return render_template("marketplace/credit_formula.html", book=rule_book_in_force(), formula=FORMULA)


@bp.get("/credit")
@public
def lists() -> str:
    """The red and black lists."""
    return _list(gettext("Red and black lists"), red=credit.red_list(), is_desk=False)


@bp.get("/sanctions")
@requires(Permission.CREDIT_WATCH)
def desk() -> str:
    """Findings, proposals, appeals and everything decided."""
    return _list(gettext("Measures"), red=None, is_desk=True)


def _list(title: str, *, red: Any, is_desk: bool) -> str:
    asked = parsing.query(SanctionQuery)
    actor = current_actor()
    page = sanctions.sanctions(actor, state=asked["state"], side=asked["side"], number=asked["page"])
    return render_template(
        "marketplace/sanctions.html",
        title=title,
        lead=gettext("Published for everybody: who does well, and what followed from violations."),
        red=red,
        page=page,
        is_desk=is_desk,
        may_report=is_desk and actor.may(Permission.CREDIT_DECIDE),
        form=Form(SanctionQuery(only=("state", "side")), {key: asked[key] or "" for key in ("state", "side")}),
        **WORDS,
    )


@bp.get("/sanctions/new")
@requires(Permission.CREDIT_DECIDE)
def report_page() -> Response:
    """A violation that a person reports."""
    return _report_form({}, {})


@bp.post("/sanctions/new")
@requires(Permission.CREDIT_DECIDE)
def report() -> BaseResponse:
    """Report a violation and propose what follows."""
    raw = parsing.form_values(ReportIn)
    actor = current_actor()
    try:
        command = ReportIn().load(raw)
        key = request.form.get("idempotency_key")
        sanction_id = create_once(
            actor, "sanctions", key, request.form.to_dict(flat=False), lambda: services.report(actor, command)
        )
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        return _report_form(raw, errors_of(failure), 422)
    flash(gettext("Proposed. The side concerned has been told."), "success")
    return redirect(url_for(".sanction", object_id=sanction_id), 303)


def _report_form(values: Mapping[str, Any], errors: Mapping[str, Any], status: int = 200) -> Response:
    page = render_template(
        "marketplace/form.html",
        title=gettext("Report a violation"),
        form=Form(ReportIn(), values, errors),
        back=url_for(".desk"),
    )
    return Response(page, status=status, mimetype="text/html")


@bp.get("/sanctions/<uuid:object_id>")
@public
def sanction(object_id: UUID) -> str:
    """One measure: facts, evidence, statement, decision, appeal."""
    actor = current_actor()
    view = sanctions.sanction_view(actor, object_id)
    state = SanctionState(view.state)
    actions = sanction_actions(view)
    return render_template(
        "marketplace/sanction.html",
        view=view,
        actions=actions,
        label=SANCTION.labels[state],
        next_step=SANCTION.next_step[state],
        tone=TONES[state],
        yours=bool(actions) and state in {SanctionState.FOUND, SanctionState.PROPOSED, SanctionState.APPEALED},
        deadline=_deadline(view),
        entries=object_entries("sanction", object_id, actor),
        repair_labels=REPAIR.labels,
        **{key: value for key, value in WORDS.items() if key != "labels"},
    )


def _deadline(view: SanctionView) -> datetime | None:
    if view.state == SanctionState.PROPOSED:
        return view.state_by
    return view.appeal_by if view.state == SanctionState.IN_FORCE and view.appealed_at is None else None


@bp.get("/sanctions/<uuid:object_id>/file")
@signed_in
def sanction_file(object_id: UUID) -> Response:
    """The evidence, for the side concerned and who decides or watches."""
    view = sanctions.sanction_view(current_actor(), object_id)
    if view.file_id is None or not view.sees_inside:
        raise NotFound
    return files.send(view.file_id)


@bp.get("/repairs/<uuid:object_id>")
@public
def repair(object_id: UUID) -> str:
    """One application for the repair of credit."""
    actor = current_actor()
    view = sanctions.repair_view(actor, object_id)
    actions = repair_actions(view)
    return render_template(
        "marketplace/repair.html",
        view=view,
        actions=actions,
        label=REPAIR.labels[RepairState(view.state)],
        next_step=REPAIR.next_step[RepairState(view.state)],
        yours=bool(actions) and Part.PARTY not in view.parts,
        entries=object_entries("repair", object_id, actor),
        private=_INSIDE,
    )


@bp.get("/repairs/<uuid:object_id>/file")
@signed_in
def repair_file(object_id: UUID) -> Response:
    """The evidence, for the applicant and who decides."""
    view = sanctions.repair_view(current_actor(), object_id)
    if view.file_id is None or not view.parts.intersection(_INSIDE):
        raise NotFound
    return files.send(view.file_id)


@bp.get("/owners/<uuid:organisation_id>/credit")
@public
def owner(organisation_id: UUID) -> str:
    """The published record of an owner."""
    record = owner_record(organisation_id)
    number = parsing.query(SanctionQuery)["page"]
    return render_template(
        "marketplace/owner_credit.html",
        record=record,
        measures=sanctions.sanctions(current_actor(), side=Side.OWNER, organisation_id=organisation_id),
        ratings=shown_ratings(owner_organisation_id=organisation_id, number=number),
        **WORDS,
    )


register_actions(
    bp,
    api,
    path="/sanctions/<uuid:object_id>",
    table=SANCTION_ACTIONS,
    view=sanctions.sanction_view,
    detail="marketplace_credit.sanction",
    to_json=sanction_json,
    machine=SANCTION,
)
register_actions(
    bp,
    api,
    path="/repairs/<uuid:object_id>",
    table=REPAIR_ACTIONS,
    view=sanctions.repair_view,
    detail="marketplace_credit.repair",
    to_json=repair_json,
    machine=REPAIR,
)
