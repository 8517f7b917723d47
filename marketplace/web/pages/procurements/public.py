"""What everybody reads: the list of notices, one procurement, its frozen notice; and the papers of those concerned."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, render_template, request

from app.documents import Issued, issued_for
from app.kernel import files
from app.kernel.access import Actor
from app.kernel.errors import NotFound
from app.kernel.timeline import thread_entries
from app.web import parsing
from app.web.forms import Form
from app.web.guard import public, signed_in
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries.procurements import ProcurementView, Stage
from marketplace.queries.selection import direct_request_view
from marketplace.rules.notices.purpose import purpose_label
from marketplace.services import procurements as services
from marketplace.states.parts import Part
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, ProcurementState
from marketplace.states.question import QUESTION
from marketplace.web.challenge_matters import challenged_of, open_windows
from marketplace.web.pages.procurements.exports import csv_of
from marketplace.web.pages.procurements.words import WORDS, bp
from marketplace.web.procurement_actions import (
    actions_for,
    may_ask,
    may_register,
    question_actions,
    registration_actions,
)
from marketplace.web.schemas.procurements import NoticeQuery

_P = ProcurementState


@bp.get("/procurements")
@public
def index() -> str:
    """Published notices and results, with filters that live in the address."""
    wanted = parsing.query(NoticeQuery)
    counts = procurements.stage_counts()
    page = procurements.notices(wanted)
    return render_template(
        "marketplace/notices.html",
        page=page,
        counts=counts,
        stages=[(stage, procurements.STAGE_LABELS[stage], counts[stage]) for stage in Stage],
        form=Form(NoticeQuery(), request.args.to_dict()),
        wanted=wanted,
        **WORDS,
    )


@bp.get("/procurements.csv")
@public
def export() -> Response:
    """The filtered list as CSV, readable by spreadsheets; up to 10,000 lines."""
    return csv_of(procurements.notices_for_export(parsing.query(NoticeQuery)))


@bp.get("/procurements/<uuid:object_id>")
@public
def procurement(object_id: UUID) -> str:
    """One procurement: whose turn, until when, the notice, the list, the result, the timeline."""
    actor = current_actor()
    view = procurements.procurement_view(actor, object_id)
    return render_template(
        "marketplace/procurement.html",
        procurement=view,
        actions=actions_for(view, actor),
        registration_actions=registration_actions(view.own_registration) if view.own_registration else (),
        failure=FAILURE_TEXTS.get(view.failure_code or ""),
        next_step=PROCUREMENT.next_step.get(_P(view.state)),
        can_register=may_register(view),
        papers=_letters(view, actor),
        direct_request=direct_request_view(actor, object_id),
        challenged=challenged_of(view.id),
        challengeable=bool(open_windows(view.id)),
        entries=list(reversed(thread_entries(view.thread_id, actor))),
        Part=Part,
        questions=[(question, question_actions(question)) for question in procurements.questions_of(actor, view.id)],
        question_labels=QUESTION.labels,
        may_ask=may_ask(view, actor),
        calendar_years=procurements.calendar_moved(view) if view.is_open else (),
        purpose=purpose_label(serves_case=bool(view.case_subject)),
        moment_of=datetime.fromisoformat,
        **_for_the_check(view, actor),
        **WORDS,
    )


def _for_the_check(view: ProcurementView, actor: Actor) -> dict[str, Any]:
    """What the owner and those who run and watch the supermarket read beside the notice."""
    inside = Part.OWNER in view.parts or actor.may(Permission.PROCUREMENT_SUPERVISE)
    if not inside:
        return {"thresholds": (), "revision": None, "proposed": (), "alarms": ()}
    in_check = view.state == _P.REVISED
    return {
        "thresholds": procurements.thresholds_of(view),
        "revision": procurements.open_revision_of(view.id) if in_check else None,
        "proposed": services.proposed_changes(actor, view.id) if in_check else (),
        "alarms": procurements.alarms_of(actor, view.id),
    }


@bp.get("/procurements/<uuid:object_id>/award-letter")
@signed_in
def award_letter(object_id: UUID) -> Response:
    """An award letter as PDF, void ones too, for its winner, the owner and those who run and watch the supermarket."""
    actor = current_actor()
    view = procurements.procurement_view(actor, object_id)
    number = request.args.get("number")
    wanted = (p for p in _letters(view, actor) if (p.number == number if number else p.id == view.award_document_id))
    paper = next(wanted, None)
    if paper is None:
        raise NotFound
    return files.send(paper.file_id)


def _letters(view: ProcurementView, actor: Actor) -> list[Issued]:
    """The letters that this reader may have: all of them for owner and supervision, the present one for its winner."""
    papers = [paper for paper in issued_for(f"procurement:{view.id}") if paper.kind == "award-letter"]
    if Part.OWNER in view.parts or actor.may(Permission.PROCUREMENT_SUPERVISE):
        return papers
    return [paper for paper in papers if paper.id == view.award_document_id and Part.WINNER in view.parts]


@bp.get("/procurements/<uuid:object_id>/notice.json")
@public
def notice_file(object_id: UUID) -> Response:
    """The frozen notice, or an earlier version of it: the exact bytes whose SHA-256 is published."""
    version = request.args.get("version", type=int)
    content, digest = procurements.notice_text(current_actor(), object_id, version)
    return Response(
        services.canonical(content),
        mimetype="application/json",
        headers={"X-Content-SHA256": digest, "Content-Disposition": 'attachment; filename="notice.json"'},
    )
