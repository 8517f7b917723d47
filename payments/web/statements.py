"""Pages and API of bank statements: hand a file in, read what every row is to us, take it over as the second person."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, url_for
from flask_babel import gettext as _
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock
from app.kernel.clock import BEIJING
from app.kernel.errors import DomainError, NotAllowed
from app.kernel.money import Money
from app.kernel.spreadsheets import CSV_TYPE, csv_of
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, ActionView, actions_of, api_actions, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.idempotency import idempotent
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from payments.bank_statements import TEMPLATE
from payments.bank_states import BANK_STATEMENT, VERDICT_LABELS, LineVerdict, StatementState
from payments.policy import Permission
from payments.queries import statements as reads
from payments.queries.statements import LineView, StatementView
from payments.services import statements
from payments.web.api import bp as api
from payments.web.bank_money_schemas import DiscardStatementIn, HandInStatementIn, LineQuery, StatementQuery

bp = Blueprint("payments_statements", __name__, template_folder="../templates")

ACTIONS = {
    "apply": Action(
        statements.apply_statement,
        explain=N_("Every row becomes what it is to us: payments are credited, refunds and payouts finished, and what nobody knows is set aside. You answer for it together with the person who handed it in."),
        done=N_("Taken over. The books are being compared with it."),
    ),
    "discard": Action(statements.discard_statement, DiscardStatementIn, danger=True),
}  # fmt: skip
TONES = {StatementState.CHECKED: "waiting", StatementState.APPLIED: "success", StatementState.DISCARDED: "neutral"}
VERDICT_TONES = {
    LineVerdict.KNOWN: "success", LineVerdict.CONFIRMS: "success", LineVerdict.PAYMENT: "success",
    LineVerdict.REFUND: "success", LineVerdict.PAYOUT: "success", LineVerdict.GIVEN_BACK: "success",
    LineVerdict.PAYOUT_BACK: "warning", LineVerdict.PAYMENT_AMOUNT: "warning", LineVerdict.UNMATCHED: "warning",
    LineVerdict.DIFFERS: "danger", LineVerdict.UNKNOWN_OUT: "danger",
}  # fmt: skip


@bp.get("/bank-statements")
@requires(Permission.BILLS_SUPERVISE)
def listing() -> str:
    """All statements, those of the latest days first."""
    wanted = parsing.query(StatementQuery)
    return render_template(
        "payments/bank_statements.html",
        page=reads.statements_page(state=wanted["state"], number=wanted["page"]),
        form=Form(StatementQuery(only=("state",)), {"state": wanted["state"] or ""}),
        labels=BANK_STATEMENT.labels,
        tones=TONES,
        may_enter=current_actor().may(Permission.BANK_ENTER),
    )


@bp.get("/bank-statements/new")
@requires(Permission.BANK_ENTER)
def new() -> str:
    """The form for a file."""
    yesterday = clock.today() - timedelta(days=1)
    return render_template(
        "payments/bank_statement_new.html",
        form=Form(HandInStatementIn(), {"first_day": yesterday.isoformat(), "last_day": yesterday.isoformat()}),
    )


@bp.post("/bank-statements/new")
@requires(Permission.BANK_ENTER)
def hand_in() -> BaseResponse | tuple[str, int]:
    """Check a file: the dry run."""
    try:
        made = statements.hand_in_statement(current_actor(), parsing.form(HandInStatementIn))
    except NotAllowed:
        raise
    except (DomainError, ValidationError) as failure:
        typed = {key: value for key, value in parsing.form_values(HandInStatementIn).items() if key != "file"}
        form = Form(HandInStatementIn(), typed, errors_of(failure))
        status = failure.status if isinstance(failure, DomainError) else 422
        return render_template("payments/bank_statement_new.html", form=form), status
    flash(_("Checked. Nothing has moved; a second person takes it over."), "success")
    return redirect(url_for("payments_statements.statement", object_id=made), 303)


@bp.get("/bank-statements/template.csv")
@requires(Permission.BANK_ENTER)
def template() -> Response:
    """The headings of a file, with two lines as an example."""
    day = clock.today().isoformat()
    rows = (
        TEMPLATE,
        (f"{day} 09:30:00", "收", "12800.00", "20261122000001", "某某有限公司", "JK-2026-000123"),
        (f"{day} 14:05:00", "支", "300.00", "20261122000002", "某某有限公司", "CK-2026-000045"),
    )
    headers = {"Content-Disposition": 'attachment; filename="bank-statement.csv"'}
    return Response(csv_of(rows), content_type=CSV_TYPE, headers=headers)


@bp.get("/bank-statements/<uuid:object_id>")
@requires(Permission.BILLS_SUPERVISE)
def statement(object_id: UUID) -> str:
    """One statement: problems, sums by verdict, and every row."""
    actor = current_actor()
    view = reads.statement_page(actor, object_id)
    wanted = parsing.query(LineQuery)
    return render_template(
        "payments/bank_statement.html",
        statement=view,
        page=reads.lines_page(object_id, verdict=wanted["verdict"], number=wanted["page"]),
        form=Form(LineQuery(only=("verdict",)), {"verdict": wanted["verdict"] or ""}),
        verdicts=reads.verdicts_of(object_id),
        verdict_labels=VERDICT_LABELS,
        verdict_tones=VERDICT_TONES,
        label=BANK_STATEMENT.labels[StatementState(view.state)],
        next_step=BANK_STATEMENT.next_step.get(StatementState(view.state)),
        tone=TONES[StatementState(view.state)],
        is_own=view.handed_in_by == actor.user_id,
        actions=_actions(view),
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )


def _actions(view: StatementView) -> tuple[ActionView, ...]:
    """A statement with problems can only be put away; whoever handed it in does not take it over."""
    found = actions_of(
        BANK_STATEMENT, view.state, view.parts, href=f"/bank-statements/{view.id}", table=ACTIONS, version=view.version
    )
    hidden = {"apply"} if view.problems or view.handed_in_by == current_actor().user_id else set()
    return tuple(one for one in found if one.name not in hidden)


@bp.get("/bank-statements/<uuid:object_id>/lines.csv")
@requires(Permission.BILLS_SUPERVISE)
def lines_csv(object_id: UUID) -> Response:
    """The rows with what they are to us, for a spreadsheet."""
    view = reads.statement_page(current_actor(), object_id)
    rows = [
        (str(line.row), line.moved_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"), line.bank_ref, line.counterparty,
         line.reference, Money(_signed(line)).yuan, _(VERDICT_LABELS[LineVerdict(line.verdict)]))
        for line in reads.all_lines(object_id, verdict=parsing.query(LineQuery)["verdict"])
    ]  # fmt: skip
    heads = (N_("Row"), N_("Booked at (Beijing time)"), N_("Serial number at the bank"), N_("Counterparty"), N_("What the sender wrote"),
             N_("Amount"), N_("What it is to us"))  # fmt: skip
    return csv_answer(f"{view.number}.csv", heads, rows)


def _signed(line: LineView) -> int:
    return line.amount_fen if line.direction == "in" else -line.amount_fen


# --- the same as JSON -------------------------------------------------------------------------------------------------


@api.get("/bank-statements")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("List bank statements"), query=StatementQuery, tag="bank")
def list_statements() -> Response:
    """A page of statements."""
    wanted = parsing.query(StatementQuery)
    page = reads.statements_page(state=wanted["state"], number=wanted["page"])
    return page_answer(page, [_facts(row) for row in page.items])


@api.post("/bank-statements")
@requires(Permission.BANK_ENTER)
@idempotent
@operation(N_("Hand a bank statement in"), body=HandInStatementIn, tag="bank", status=201, idempotent=True)
def hand_in_by_api() -> tuple[Response, int]:
    """A multipart form with the file. Nothing moves: a second person takes it over. Needs an `Idempotency-Key`."""
    made = statements.hand_in_statement(current_actor(), parsing.body(HandInStatementIn))
    return jsonify(statement_json(reads.statement_page(current_actor(), made))), 201


@api.get("/bank-statements/<uuid:object_id>")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("Read a bank statement"), tag="bank")
def read_statement(object_id: UUID) -> Response:
    """One statement with its sums by verdict."""
    return jsonify(statement_json(reads.statement_page(current_actor(), object_id)))


@api.get("/bank-statements/<uuid:object_id>/lines")
@requires(Permission.BILLS_SUPERVISE)
@operation(N_("List the lines of a bank statement"), query=LineQuery, tag="bank")
def list_lines(object_id: UUID) -> Response:
    """A page of lines with their verdicts."""
    reads.statement_page(current_actor(), object_id)
    wanted = parsing.query(LineQuery)
    page = reads.lines_page(object_id, verdict=wanted["verdict"], number=wanted["page"])
    return page_answer(page, [_line_json(row) for row in page.items])


def _line_json(line: LineView) -> dict[str, Any]:
    return {
        "row": line.row,
        "bank_ref": line.bank_ref,
        "direction": line.direction,
        "amount_fen": line.amount_fen,
        "moved_at": line.moved_at.isoformat(),
        "counterparty": line.counterparty,
        "reference": line.reference,
        "verdict": line.verdict,
        "href": line.href,
    }


def _facts(view: StatementView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "number": view.number,
        "account": view.gateway,
        "first_day": view.first_day.isoformat(),
        "last_day": view.last_day.isoformat(),
        "opening_fen": view.opening_fen,
        "closing_fen": view.closing_fen,
        "lines": view.line_count,
        "in_fen": view.in_fen,
        "out_fen": view.out_fen,
        "state": view.state,
        "problems": len(view.problems),
        "sha256": view.file_sha256,
        "version": view.version,
    }


def statement_json(view: StatementView) -> dict[str, Any]:
    """A statement as the API answers it."""
    sums = reads.verdicts_of(view.id)
    return _facts(view) | {
        "verdicts": {verdict.value: {"count": count, "amount_fen": fen} for verdict, (count, fen) in sums.items()},
        "actions": api_actions(_actions(view)),
    }


register_actions(
    bp, api, machine=BANK_STATEMENT, path="/bank-statements/<uuid:object_id>", table=ACTIONS, view=reads.statement_page,
    detail="payments_statements.statement", to_json=statement_json, money=True,
)  # fmt: skip
