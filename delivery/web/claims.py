"""Claims against the carrier."""

from typing import Any, Final
from uuid import UUID

from flask import Response, render_template, request
from flask_babel import gettext

from app.kernel import clock
from app.kernel.db import db
from app.kernel.money import Money
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, actions_of, register_actions
from app.web.forms import Form
from app.web.guard import requires, signed_in
from app.web.schemas import PlainIn
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from delivery import policy
from delivery.queries.claims import ClaimView, claim_view, claim_views, claims_statement
from delivery.queries.exceptions import MOST_EXPORTED
from delivery.services import claims
from delivery.states import CLAIM
from delivery.web.api import api
from delivery.web.blueprint import pages
from delivery.web.desk_schemas import ClaimQuery, GrantClaimIn
from delivery.web.schemas import ReasonIn

CLAIMS: Final = "/carrier-claims"
COLUMNS: Final = (
    N_("Claim"), N_("Parcel"), N_("Waybill"), N_("Hall"), N_("Ground of the claim"), N_("Amount claimed"), N_("Granted"), N_("State"),
    N_("Filed at"), N_("Answer until"), N_("The carrier's number of the claim"),
)  # fmt: skip
ACTIONS: Final = {
    "grant": Action(claims.grant_claim, GrantClaimIn, done=N_("Noted: it is deducted from the next bill, or paid.")),
    "refuse": Action(claims.refuse_claim, ReasonIn, explain=N_("Write down the carrier's reasons.")),
    "object": Action(claims.object_to_refusal, ReasonIn, explain=N_("Say which papers prove the claim.")),
    "pay": Action(claims.note_compensation, PlainIn, done=N_("Noted.")),
    "withdraw": Action(claims.withdraw_claim, ReasonIn, danger=True),
}


@pages.get(CLAIMS)
@requires(policy.READ)
def carrier_claims() -> str:
    """The claims of the hall."""
    actor = current_actor()
    asked = parsing.query(ClaimQuery)
    page = page_of(claims_statement(actor, asked["state"], asked["ground"]), number=asked["page"])
    form = Form(ClaimQuery(), request.args.to_dict())
    return render_template("delivery/claims.html", page=page, claims=claim_views(page.items, actor), form=form)


@pages.get(f"{CLAIMS}.csv")
@requires(policy.READ)
def carrier_claims_csv() -> Response:
    """The filtered claims as a table."""
    actor, asked = current_actor(), parsing.query(ClaimQuery)
    rows = db.session.scalars(claims_statement(actor, asked["state"], asked["ground"]).limit(MOST_EXPORTED)).all()
    return csv_answer(f"claims-{clock.today():%Y%m%d}.csv", COLUMNS, [_line(each) for each in claim_views(rows, actor)])


def _line(claim: ClaimView) -> list[str]:
    granted = Money(claim.granted_fen).yuan if claim.granted_fen is not None else ""
    return [
        claim.number, claim.parcel_number, claim.waybill_no, claim.hall_name, gettext(claim.ground), Money(claim.asked_fen).yuan, granted,
        gettext(claim.state_label), f"{clock.beijing_day(claim.filed_at)}", f"{clock.beijing_day(claim.answer_due_at)}", claim.reference or "",
    ]  # fmt: skip


@pages.get(f"{CLAIMS}/<uuid:object_id>")
@signed_in
def carrier_claim(object_id: UUID) -> str:
    """One claim: what is asked for, what the carrier says, what was made in its place."""
    actor = current_actor()
    view = claim_view(actor, object_id)
    actions = actions_of(CLAIM, view.state, view.parts, href=f"{CLAIMS}/{view.id}", table=ACTIONS, version=view.version)
    return render_template(
        "delivery/claim.html", claim=view, actions=actions, entries=object_entries("carrier-claim", view.id, actor)
    )


def claim_json(view: ClaimView) -> dict[str, Any]:
    return {
        "id": str(view.id), "number": view.number, "waybill_no": view.waybill_no, "parcel_id": str(view.parcel_id),
        "state": view.state, "state_label": gettext(view.state_label), "version": view.version, "asked_fen": view.asked_fen,
        "granted_fen": view.granted_fen, "ground": gettext(view.ground), "filed_at": view.filed_at.isoformat(), "reference": view.reference, "answer_due_at": view.answer_due_at.isoformat(),
    }  # fmt: skip


register_actions(
    pages, api, path=f"{CLAIMS}/<uuid:object_id>", table=ACTIONS, machine=CLAIM, detail="delivery.carrier_claim", to_json=claim_json,
    view=claim_view,
)  # fmt: skip
