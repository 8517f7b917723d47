"""Pages and API of unmatched money: what lies in suspense, and two persons who assign it to a bill or return it."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, render_template, request
from flask_babel import gettext as _

from app.kernel import clock
from app.kernel.clock import BEIJING
from app.kernel.money import Money
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, ActionView, action_link, actions_of, api_actions, register_actions
from app.web.forms import Form
from app.web.guard import requires
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from payments import services
from payments.bank_states import UNDECIDED, UNMATCHED_MONEY, UnmatchedState
from payments.policy import Permission
from payments.queries import unmatched as reads
from payments.queries.unmatched import IN_SUSPENSE_WORD, UnmatchedView
from payments.services import unmatched
from payments.states import Part
from payments.web.api import bp as api
from payments.web.bank_money_schemas import AssignIn, MoneyReturnedIn, SayIn, UnmatchedQuery

bp = Blueprint("payments_unmatched", __name__, template_folder="../templates")


@bp.app_context_processor
def _waiting() -> dict[str, Any]:
    return {"unmatched_unsettled": lambda: reads.in_suspense()[0]}


ACTIONS = {
    "assign": Action(
        unmatched.assign, AssignIn,
        explain=N_("The bill must be over exactly this amount. A second person confirms; then the bill is paid and its payer is told."),
        done=N_("Proposed. A second person confirms it."),
        prefill=lambda _actor, _id: {"bill": request.args.get("bill", "")},
    ),
    "confirm_assignment": Action(unmatched.confirm_assignment, done=N_("Confirmed. The bill is paid.")),
    "give_back": Action(
        unmatched.give_back, SayIn,
        explain=N_("The money goes back to the account it came from. A second person confirms."),
        done=N_("Proposed. A second person confirms it."),
    ),
    "confirm_return": Action(unmatched.confirm_return, done=N_("Confirmed. Transfer the money back and enter the line of the statement.")),
    "decline": Action(unmatched.decline, SayIn),
    "recall": Action(unmatched.recall, SayIn),
    "enter_returned": Action(
        services.enter_money_returned, MoneyReturnedIn, label=N_("Enter that it was sent"),
        done=N_("Entered. Somebody else must confirm it."),
    ),
}  # fmt: skip
TONES = {
    UnmatchedState.OPEN: "danger", UnmatchedState.ASSIGNING: "waiting", UnmatchedState.RETURNING: "waiting",
    UnmatchedState.TO_SEND: "active", UnmatchedState.ASSIGNED: "success", UnmatchedState.RETURNED: "success",
}  # fmt: skip


def _query() -> dict[str, Any]:
    wanted: dict[str, Any] = dict(parsing.query(UnmatchedQuery))
    if wanted["state"] is None and "state" not in request.args:
        wanted["state"] = IN_SUSPENSE_WORD
    return wanted


@bp.get("/unmatched-money")
@requires(Permission.BILLS_SUPERVISE)
def listing() -> str:
    """What came to our accounts with no or a wrong reference; first what nobody has settled."""
    wanted = _query()
    return render_template(
        "payments/unmatched.html",
        page=reads.unmatched_page(state=wanted["state"], number=wanted["page"]),
        form=Form(UnmatchedQuery(only=("state",)), {"state": wanted["state"] or ""}),
        suspense=reads.in_suspense(),
        labels=UNMATCHED_MONEY.labels,
        tones=TONES,
    )


@bp.get("/unmatched-money.csv")
@requires(Permission.BILLS_SUPERVISE)
def listing_csv() -> Response:
    """The same list for a spreadsheet."""
    rows = [
        (row.entry_number, row.moved_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"), row.bank_ref, row.counterparty,
         Money(row.amount_fen).yuan, _(UNMATCHED_MONEY.labels[UnmatchedState(row.state)]), row.bill_number or "",
         row.reason or "", row.proposed_by_name or "", row.decided_by_name or "")
        for row in reads.all_unmatched(state=_query()["state"])
    ]  # fmt: skip
    heads = (N_("Entry"), N_("Booked at (Beijing time)"), N_("Serial number at the bank"), N_("Counterparty"), N_("Amount"),
             N_("State"), N_("Bill"), N_("Reason"), N_("Proposed by"), N_("Confirmed by"))  # fmt: skip
    return csv_answer(f"unmatched-money-{clock.today()}.csv", heads, rows)


@bp.get("/unmatched-money/<uuid:object_id>")
@requires(Permission.BILLS_SUPERVISE)
def money(object_id: UUID) -> str:
    """One sum: where it came from, what it could be meant for, and who decides."""
    actor = current_actor()
    view = reads.unmatched_money(actor, object_id)
    return render_template(
        "payments/unmatched_money.html",
        unmatched=view,
        said=reads.said_by_sender(view.entry_id),
        candidates=reads.candidates(view) if view.state == UnmatchedState.OPEN else (),
        may_assign=Part.OPERATOR in view.parts,
        label=UNMATCHED_MONEY.labels[UnmatchedState(view.state)],
        next_step=UNMATCHED_MONEY.next_step.get(UnmatchedState(view.state)),
        tone=TONES[UnmatchedState(view.state)],
        is_own=view.state in UNDECIDED and view.proposed_by is not None and view.proposed_by == actor.user_id,
        actions=_actions(view),
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )


def _actions(view: UnmatchedView) -> tuple[ActionView, ...]:
    """Who proposed it is not offered to confirm it."""
    href = f"/unmatched-money/{view.id}"
    edges = actions_of(UNMATCHED_MONEY, view.state, view.parts, href=href, table=ACTIONS, version=view.version)
    if view.proposed_by is not None and view.proposed_by == current_actor().user_id:
        edges = tuple(one for one in edges if not one.name.startswith("confirm"))
    if view.state == UnmatchedState.TO_SEND and Part.OPERATOR in view.parts:
        return (action_link(href, "enter_returned", ACTIONS["enter_returned"], primary=True), *edges)
    return edges


@api.get("/unmatched-money")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("List unmatched money"), query=UnmatchedQuery, tag="bank")
def list_unmatched() -> Response:
    """A page of unmatched money; what is not settled where no state is given."""
    wanted = _query()
    page = reads.unmatched_page(state=wanted["state"], number=wanted["page"])
    return page_answer(page, [_facts(row) for row in page.items])


@api.get("/unmatched-money/<uuid:object_id>")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("Read unmatched money"), tag="bank")
def read_unmatched(object_id: UUID) -> Response:
    """One sum and what I may do about it."""
    return jsonify(unmatched_json(reads.unmatched_money(current_actor(), object_id)))


def _facts(view: UnmatchedView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "entry": view.entry_number,
        "account": view.gateway,
        "bank_ref": view.bank_ref,
        "counterparty": view.counterparty,
        "amount_fen": view.amount_fen,
        "moved_at": view.moved_at.isoformat(),
        "state": view.state,
        "bill_id": str(view.bill_id) if view.bill_id else None,
        "payment_id": str(view.payment_id) if view.payment_id else None,
        "reason": view.reason,
        "version": view.version,
    }


def unmatched_json(view: UnmatchedView) -> dict[str, Any]:
    """Unmatched money as the API answers it."""
    return _facts(view) | {"actions": api_actions(_actions(view))}


register_actions(
    bp, api, machine=UNMATCHED_MONEY, path="/unmatched-money/<uuid:object_id>", table=ACTIONS, view=reads.unmatched_money,
    detail="payments_unmatched.money", to_json=unmatched_json, money=True,
)  # fmt: skip
