"""Objections, queries, complaints and off-list reports as JSON."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask_babel import gettext

from app.kernel.words import N_
from app.web import parsing
from app.web.actions import api_actions
from app.web.guard import public, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.queries import challenges
from marketplace.queries.challenges import ChallengeRow, ChallengeView
from marketplace.rules.challenges import STANDING_LABELS
from marketplace.services import challenges as services
from marketplace.states.challenge import CHALLENGE, ChallengeState
from marketplace.web.challenge_actions import actions_for
from marketplace.web.challenge_matters import open_windows
from marketplace.web.creation import create_once
from marketplace.web.schemas.challenges import ComplaintIn, DeskQuery, ObjectionIn, OffListIn, PleaIn, RegisterQuery

bp = Blueprint("marketplace_challenges_api", __name__, url_prefix="/api")


@bp.get("/challenges")
@public
@operation(N_("The public register of decided challenges"), query=RegisterQuery, tag="challenges")
def register() -> Response:
    """Decided objections, queries, complaints and reports; no challenger is named."""
    page = challenges.register(parsing.query(RegisterQuery))
    return page_answer(page, [register_json(row) for row in page.items])


@bp.get("/challenges/mine")
@signed_in
@operation(N_("List the challenges that I filed"), query=DeskQuery, tag="challenges")
def mine() -> Response:
    """The newest first."""
    page = challenges.mine(current_actor(), number=parsing.query(DeskQuery)["page"])
    return page_answer(page, [row_json(row) for row in page.items])


@bp.get("/challenges/desk")
@signed_in
@operation(
    N_("List the challenges that concern my organisation or wait for my role"), query=DeskQuery, tag="challenges"
)
def desk() -> Response:
    """What my organisation or my role answers."""
    wanted = parsing.query(DeskQuery)
    page = challenges.concerning(current_actor(), state=wanted["state"], number=wanted["page"])
    return page_answer(page, [row_json(row) for row in page.items])


@bp.get("/challenges/<uuid:object_id>")
@signed_in
@operation(N_("Read a challenge with its statements and files"), tag="challenges")
def read(object_id: UUID) -> Response:
    """For its sides and for those who run and watch the supermarket."""
    return jsonify(challenge_json(challenges.challenge_view(current_actor(), object_id)))


@bp.get("/procurements/<uuid:object_id>/challenges")
@public
@operation(N_("What may be challenged in a procurement now"), tag="challenges")
def possible(object_id: UUID) -> Response:
    """Each with its last moment."""
    found = [
        {"matter": w.key, "kind": w.kind, "target": w.target, "until": _iso(w.ends_at), "stands_still": w.stands_still}
        for w in open_windows(object_id)
    ]
    return jsonify(items=found)


@bp.post("/procurements/<uuid:object_id>/challenges")
@signed_in
@operation(N_("File an objection or a query"), body=ObjectionIn, tag="challenges", idempotent=True)
def challenge_procurement(object_id: UUID) -> tuple[Response, int]:
    """An objection stops the next step until it is answered."""
    actor, command = current_actor(), parsing.body(ObjectionIn)
    return _made(f"challenge:{object_id}", lambda: services.challenge_procurement(actor, object_id, command))


@bp.post("/agencies/<uuid:object_id>/objections")
@signed_in
@operation(N_("Object to an admission in publicity"), body=PleaIn, tag="challenges", idempotent=True)
def object_to_admission(object_id: UUID) -> tuple[Response, int]:
    """The admission waits for the answer."""
    actor, command = current_actor(), parsing.body(PleaIn)
    return _made(f"challenge:{object_id}", lambda: services.object_to_admission(actor, object_id, command))


@bp.post("/complaints")
@signed_in
@operation(N_("File a complaint"), body=ComplaintIn, tag="challenges", idempotent=True)
def complain() -> tuple[Response, int]:
    """It goes to the operator or the regulator by its type."""
    actor, command = current_actor(), parsing.body(ComplaintIn)
    return _made("complaint", lambda: services.complain(actor, command))


@bp.post("/off-list-reports")
@signed_in
@operation(N_("Report a demand outside the item list"), body=OffListIn, tag="challenges", idempotent=True)
def report_off_list() -> tuple[Response, int]:
    """The regulator answers within its limit."""
    actor, command = current_actor(), parsing.body(OffListIn)
    return _made("off-list", lambda: services.report_off_list_demand(actor, command))


def _made(endpoint: str, make: Any) -> tuple[Response, int]:
    actor = current_actor()
    raw = request.get_json(silent=True) or request.form.to_dict(flat=False)
    made = create_once(actor, endpoint, request.headers.get("Idempotency-Key"), raw, make)
    return jsonify(challenge_json(challenges.challenge_view(actor, made))), 201


# --- shapes -----------------------------------------------------------------------------------------------------


def register_json(row: ChallengeRow) -> dict[str, Any]:
    """A line of the public register: what anybody may read."""
    return {
        "number": row.number,
        "kind": row.kind,
        "target": row.target,
        "complaint_type": row.complaint_type,
        "challenger": gettext(STANDING_LABELS.get(row.standing, "")),
        "procurement": row.procurement_number or None,
        "filed_at": _iso(row.filed_at),
        "decided_at": _iso(row.decided_at),
        "days_taken": row.days_taken,
        "outcome": row.state,
        "effect": row.effect,
        "summary": row.public_summary,
    }


def row_json(row: ChallengeRow) -> dict[str, Any]:
    """A line of one's own list or desk."""
    return {
        **register_json(row),
        "id": str(row.id),
        "state": row.state,
        "state_label": gettext(CHALLENGE.labels[ChallengeState(row.state)]),
        "against": row.against_name,
        "answer_by": _iso(row.answer_by),
        "overdue": row.is_overdue,
        "href": f"/api/challenges/{row.id}",
    }


def challenge_json(view: ChallengeView) -> dict[str, Any]:
    """A challenge as its sides read it, with what the asker may do."""
    hidden = {"parts", "files", "statements", "recusals", "thread_id"}
    plain = {name: _plain(getattr(view, name)) for name in view.__dataclass_fields__ if name not in hidden}
    return {
        **plain,
        "state_label": gettext(CHALLENGE.labels[ChallengeState(view.state)]),
        "overdue": view.is_overdue,
        "files": [_file_json(view, f) for f in view.files],
        "statements": [
            {
                "side": s.side,
                "text": s.text,
                "stated_at": _iso(s.stated_at),
                "files": [_file_json(view, f) for f in s.files],
            }
            for s in view.statements
        ],
        "stepped_aside": [r.name for r in view.recusals],
        "actions": api_actions(actions_for(view, current_actor())),
    }


def _file_json(view: ChallengeView, file: Any) -> dict[str, Any]:
    return {
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "side": file.side,
        "href": f"/challenges/{view.id}/files/{file.id}",
    }


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
