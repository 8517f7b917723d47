"""The workbench: what waits for me, what waits for others, what is done, over all domains."""

from flask import Blueprint, current_app, jsonify, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.kernel.access import Actor
from app.kernel.clock import now
from app.kernel.words import N_
from app.kernel.worklist import Turn, WorkItem
from app.web.guard import signed_in
from app.web.operations import operation
from app.web.session import current_actor

bp = Blueprint("workbench", __name__)
api = Blueprint("workbench_api", __name__, url_prefix="/api")
SHOWN = 50


def work_items(actor: Actor) -> list[WorkItem]:
    """Return the actor's rows from all domains: mine first, the nearest deadline first."""
    domains = current_app.extensions["chaoshi_domains"]
    rows = [row for domain in domains if domain.worklist for row in domain.worklist(actor)]
    order = {Turn.MINE: 0, Turn.WAITING: 1, Turn.DONE: 2}
    far = now().replace(year=9999)
    return sorted(rows, key=lambda r: (order[r.turn], r.due_at or far, r.number))


TABS = (
    (Turn.MINE, N_("My turn")),
    (Turn.WAITING, N_("Waiting for others")),
    (Turn.DONE, N_("Done")),
)
EMPTY = {
    Turn.MINE: (N_("Nothing waits for you"), N_("As soon as a step is yours, it is listed here with its deadline.")),
    Turn.WAITING: (N_("Nobody keeps you waiting"), N_("What others have to do for you is listed here.")),
    Turn.DONE: (N_("Nothing is finished yet"), N_("Finished matters are listed here.")),
}


@bp.get("/workbench")
@signed_in
def workbench() -> str:
    rows = work_items(current_actor())
    shown = Turn(request.args.get("turn", Turn.MINE)) if request.args.get("turn") in set(Turn) else Turn.MINE
    title, text = EMPTY[shown]
    return render_template(
        "workbench.html",
        rows=[r for r in rows if r.turn == shown][:SHOWN],
        turn=shown,
        tabs=[{"turn": t, "label": gettext(label), "count": sum(r.turn == t for r in rows)} for t, label in TABS],
        empty_title=gettext(title),
        empty_text=gettext(text),
    )


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
            for r in work_items(current_actor())
        ]
    )
