"""The workbench: what waits for me, what waits for others, what is done, over all domains."""

from flask import Blueprint, current_app, jsonify, render_template, request
from werkzeug.wrappers import Response

from app.kernel.clock import now
from app.kernel.words import N_
from app.manifest import Domain, Turn, WorkItem
from app.web.guard import signed_in
from app.web.operations import operation
from app.web.session import current_actor

bp = Blueprint("workbench", __name__)
api = Blueprint("workbench_api", __name__, url_prefix="/api")
SHOWN = 50


def work_items() -> list[WorkItem]:
    """Return the present actor's rows from all domains: mine first, the nearest deadline first."""
    domains: tuple[Domain, ...] = current_app.extensions["chaoshi_domains"]
    actor = current_actor()
    rows = [row for domain in domains if domain.worklist for row in domain.worklist(actor)]
    order = {Turn.MINE: 0, Turn.WAITING: 1, Turn.DONE: 2}
    far = now().replace(year=9999)
    return sorted(rows, key=lambda r: (order[r.turn], r.due_at or far, r.number))


@bp.get("/workbench")
@signed_in
def workbench() -> str:
    rows = work_items()
    shown = request.args.get("turn", Turn.MINE)
    counts = {turn: sum(r.turn == turn for r in rows) for turn in Turn}
    wanted = [r for r in rows if r.turn == shown][:SHOWN]
    return render_template("workbench.html", rows=wanted, counts=counts, turn=shown, turns=Turn)


@api.get("/workbench")
@signed_in
@operation(N_("List what waits for me"), tag="workbench")
def workbench_api() -> Response:
    return jsonify(
        items=[
            {
                "turn": r.turn,
                "kind": r.kind,
                "number": r.number,
                "title": r.title,
                "state": r.state,
                "step": r.step,
                "href": r.href,
                "due_at": r.due_at.isoformat() if r.due_at else None,
            }
            for r in work_items()
        ]
    )
