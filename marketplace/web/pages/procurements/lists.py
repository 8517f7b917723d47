"""Lists people work on: the owner's own procurements, and everything for those who run and watch the supermarket."""

from flask import render_template

from app.kernel.errors import NotAllowed
from app.web import parsing
from app.web.guard import requires, signed_in
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.web.pages.procurements.words import WORDS, bp
from marketplace.web.schemas.procurements import MineQuery


@bp.get("/procurements/mine")
@signed_in
def mine() -> str:
    """My organisation's procurements, drafts included."""
    actor = current_actor()
    if actor.organisation_id is None:
        raise NotAllowed
    wanted = parsing.query(MineQuery)
    page = procurements.procurements_of_owner(actor.organisation_id, state=wanted["state"], number=wanted["page"])
    return render_template(
        "marketplace/my_procurements.html",
        page=page,
        wanted=wanted,
        supervising=False,
        unfinished=procurements.unfinished_forms(actor.organisation_id),
        **WORDS,
    )


@bp.get("/procurements/all")
@requires(Permission.PROCUREMENT_SUPERVISE)
def supervise() -> str:
    """Every procurement in every state, for those who run and watch the supermarket."""
    wanted = parsing.query(MineQuery)
    page = procurements.procurements_to_supervise(wanted["state"], number=wanted["page"])
    return render_template("marketplace/my_procurements.html", page=page, wanted=wanted, supervising=True, **WORDS)
