"""Questions about notices and the versions of a notice as JSON."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask_babel import gettext

from app.kernel.words import N_
from app.web import parsing
from app.web.actions import api_actions
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries.procurements import QuestionView
from marketplace.services import procurements as services
from marketplace.states.question import QUESTION, QuestionState
from marketplace.web.creation import create_once
from marketplace.web.procurement_actions import question_actions
from marketplace.web.schemas.procurements import AskIn

bp = Blueprint("marketplace_questions_api", __name__, url_prefix="/api")


@bp.get("/procurements/<uuid:object_id>/questions")
@public
@operation(N_("List the questions about a notice with their answers"), tag="procurements")
def questions(object_id: UUID) -> Response:
    """The public questions, and my own in every state."""
    found = procurements.questions_of(current_actor(), object_id)
    return jsonify(items=[question_json(view) for view in found])


@bp.post("/procurements/<uuid:object_id>/questions")
@requires(Permission.REGISTRATION_CREATE)
@operation(N_("Ask about a notice"), body=AskIn, status=201, tag="procurements", idempotent=True)
def ask(object_id: UUID) -> tuple[Response, int]:
    """409 when questions are closed; who asked is not shown before the registration ends."""
    actor, command = current_actor(), parsing.body(AskIn)
    key, raw = request.headers.get("Idempotency-Key"), request.get_json(silent=True)
    endpoint = f"procurement:{object_id}:ask"
    made = create_once(actor, endpoint, key, raw, lambda: services.ask_question(actor, object_id, command))
    return jsonify(question_json(procurements.question_view(actor, made))), 201


@bp.get("/procurements/<uuid:object_id>/versions")
@public
@operation(N_("List the published versions of a notice with their differences"), tag="procurements")
def versions(object_id: UUID) -> Response:
    """The newest first; amounts are fen, as in the frozen notice."""
    found = procurements.notice_versions(current_actor(), object_id)
    return jsonify(items=[{**asdict(version), "published_at": version.published_at.isoformat()} for version in found])


def question_json(view: QuestionView) -> dict[str, Any]:
    """A question as the API answers it."""
    return {
        "id": str(view.id),
        "procurement_id": str(view.procurement_id),
        "text": view.text,
        "asked_at": view.asked_at.isoformat(),
        "answer_by": view.answer_by.isoformat(),
        "answer": view.answer,
        "answered_at": view.answered_at.isoformat() if view.answered_at else None,
        "asker": view.asker_name or None,
        "state": view.state,
        "state_label": gettext(QUESTION.labels[QuestionState(view.state)]),
        "version": view.version,
        "actions": api_actions(question_actions(view)),
    }
